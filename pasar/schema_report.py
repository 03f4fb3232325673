"""Changes of a schema, written for people or for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pasar.schema_check import Change, Impact


def format_changes(changes: Sequence[Change]) -> str:
    """Return *changes* as a list below each impact that occurs, and a line that counts them."""
    counts = count_changes(changes)
    blocks = []
    for impact in Impact:
        lines = [f"  {change.code}: {change.message}" for change in changes if change.impact is impact]
        if lines:
            blocks.append("\n".join([impact.value, *lines]))
    blocks.append(", ".join(f"{counts[impact]} {impact.value.lower()}" for impact in Impact))
    return "\n\n".join(blocks)


def summarise_changes(changes: Sequence[Change], *, failed: bool) -> dict[str, Any]:
    """Return *changes* as JSON's types, with their numbers; *failed* is what the exit code says."""
    counts = count_changes(changes)
    return {
        "failed": failed,
        **{impact.value.lower(): counts[impact] for impact in Impact},
        "changes": [asdict(change) for change in changes],
    }


def count_changes(changes: Sequence[Change]) -> dict[Impact, int]:
    """Return how many changes there are of each impact."""
    return {impact: sum(change.impact is impact for change in changes) for impact in Impact}
