"""Where a load notes what it has written."""

from collections.abc import Mapping
from typing import Any, Final

from core.errors import PasarError

# In the order subgraph's database
JOURNAL: Final = "bulk_load"
LOAD_ID: Final = "load"


class LoadUnfinished(PasarError):
    """A load into the store was interrupted. It has to be finished, or taken back, before anything else."""

    code = "LOAD_UNFINISHED"

    @classmethod
    def of(cls, begun: Mapping[str, Any]) -> "LoadUnfinished":
        """Return the error for a load that has *begun*: what its journal says."""
        return cls(
            f"`{begun['command']}` was interrupted: run it again, and it goes on where it stopped; or take back what it"
            " has written with `pasar db undo-load`"
        )
