"""The registry of composition's codes: what each means, an example, and how to mend it.

`pasar explain CODE` and docs/errors.md are printed from it, and every diagnostic takes its remedy from it.
"""

from router.composition.registry.entry import ErrorCode
from router.composition.registry.federation import FEDERATION_CODES
from router.composition.registry.graphql import GRAPHQL_CODES
from router.composition.registry.hints import HINT_CODES
from router.composition.registry.merging import MERGING_CODES
from router.composition.registry.page import render_page

_BY_CODE = {
    entry.code: entry
    for entry in sorted((*GRAPHQL_CODES, *FEDERATION_CODES, *MERGING_CODES, *HINT_CODES), key=lambda entry: entry.code)
}


def find_code(code: str) -> ErrorCode | None:
    """Return the entry of *code*, or None when there is no such code."""
    return _BY_CODE.get(code)


def all_codes() -> tuple[ErrorCode, ...]:
    """Return every entry, sorted by code."""
    return tuple(_BY_CODE.values())


__all__ = ["ErrorCode", "all_codes", "find_code", "render_page"]
