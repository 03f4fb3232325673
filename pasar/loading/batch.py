"""What makers hand to the writer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """Some rows as BSON, by collection, with the sums of the orders among them. *name* is unique in the load."""

    name: str
    rows: Mapping[str, Sequence[bytes]]
    sums: bytes
