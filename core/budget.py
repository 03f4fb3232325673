"""How much one request may get: pages inside of pages multiply, and a request of 200 bytes must not fill the memory."""

from dataclasses import dataclass

from core.errors import BadUserInput

# The largest honest request that is known asks for a page of 100 rows of each of 100 entities: twice that
MAX_ROWS = 20_000


@dataclass(slots=True)
class RowBudget:
    """The rows that lists below the root may still put into one answer. Mutable: counts down to *left*."""

    left: int = MAX_ROWS

    def take(self, count: int) -> None:
        """Note *count* rows of one list; raise BadUserInput when that is too many, and from then on."""
        self.left -= count
        if self.left < 0:
            raise BadUserInput(f"the request asks for more than {MAX_ROWS} rows; ask for shorter pages")
