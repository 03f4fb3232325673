"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer


class DiagnosticFormat(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"


DataOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Folder of the embedded mongod and of generated keys.  [default: data]", show_default=False
    ),
]
HostOption: TypeAlias = Annotated[
    str | None, typer.Option("--host", help="Address to listen on.  [default: 127.0.0.1]", show_default=False)
]
PortOption: TypeAlias = Annotated[
    int | None,
    typer.Option("--port", help="Port to listen on; 0 takes a free one.", min=0, max=65535, show_default=False),
]
