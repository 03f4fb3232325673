"""Print the registry as the page docs/errors.md."""

from collections.abc import Iterable

from router.composition.model import Severity
from router.composition.registry.entry import ErrorCode

_INTRODUCTION = """\
# Composition errors and hints

Composition collects what it finds; it does not stop at the first problem. Errors prevent a supergraph, hints do not.
`pasar explain CODE` prints an entry of this page. The page is printed from `router/composition/registry`: change the
text there and run `python -m router.composition.registry > docs/errors.md`.
"""


def render_page(entries: Iterable[ErrorCode]) -> str:
    """Write the page, errors first, each part sorted by code."""
    ordered = sorted(entries, key=lambda entry: entry.code)
    parts = [_INTRODUCTION, "## Errors\n"]
    parts.extend(render_entry(entry) for entry in ordered if entry.severity is Severity.ERROR)
    parts.append("## Hints\n")
    parts.extend(render_entry(entry) for entry in ordered if entry.severity is Severity.HINT)
    return "\n".join(parts)


def render_entry(entry: ErrorCode) -> str:
    """Write one entry as Markdown."""
    example = entry.example.strip("\n")
    return f"### {entry.code}\n\n{entry.meaning}\n\n```graphql\n{example}\n```\n\n**Remedy:** {entry.remedy}\n"
