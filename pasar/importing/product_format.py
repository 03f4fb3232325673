"""The formats that products are read and written in: what the command line needs to know before it reads any."""

from enum import StrEnum


class ProductFormat(StrEnum):
    """How products are written; `auto` goes by the file's name."""

    AUTO = "auto"
    CSV = "csv"
    JSONL = "jsonl"
