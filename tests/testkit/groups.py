"""Which tests one process runs, and in which order, where several share the work."""

import re

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# The two stores of tests/e2e, each of which many tests share: the slower to start first
STORE_GROUPS = ("store-split", "store-up")
_OF_A_STORE = re.compile(r"^tests/e2e/.*\[(split|up)[-\]]")


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Gives a process one group after the other."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        # The order of the groups is ours
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """Return what a process runs as a whole: a file, or all that asks one of the two stores of tests/e2e."""
    of_a_store = _OF_A_STORE.match(nodeid)
    return f"store-{of_a_store[1]}" if of_a_store else nodeid.split("::", 1)[0]


def turn_of(nodeid: str) -> int:
    """Return when a test's group comes: those that take minutes first, for the processes to end together."""
    group = group_of(nodeid)
    if group in STORE_GROUPS:
        return 1 + STORE_GROUPS.index(group)
    return 0 if group.startswith("tests/e2e/") else 1 + len(STORE_GROUPS)
