"""Read the cases."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.composition import SubgraphSchema

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class CompositionCase:
    """One case. *expected_codes* is None when we are to answer as Apollo does."""

    name: str
    title: str
    subgraphs: tuple[SubgraphSchema, ...]
    expected_codes: tuple[str, ...] | None
    because: str
    path: Path

    @property
    def oracles_path(self) -> Path:
        """Return where the oracles' answers are recorded."""
        return self.path.with_suffix(".oracles.json")

    def oracles(self) -> Mapping[str, Any]:
        """Return the recorded answers."""
        recorded: Mapping[str, Any] = json.loads(self.oracles_path.read_text(encoding="utf-8"))
        return recorded


def all_cases() -> tuple[CompositionCase, ...]:
    """Return every case, sorted by name."""
    return tuple(read_case(path) for path in sorted(FOLDER.glob("*/*.graphql")))


def read_case(path: Path) -> CompositionCase:
    """Read one case file."""
    text = path.read_text(encoding="utf-8")
    head, *rest = re.split(r"^# subgraph: (.*)$", text, flags=re.MULTILINE)
    comments = [line.removeprefix("# ") for line in head.strip().split("\n")]
    notes = dict(_notes(comments[1:]))
    expected = notes.get("expect")
    return CompositionCase(
        name=f"{path.parent.name}/{path.stem}",
        title=comments[0],
        subgraphs=tuple(
            SubgraphSchema(name.strip(), sdl.strip("\n") + "\n", f"http://{name.strip()}")
            for name, sdl in zip(rest[::2], rest[1::2], strict=True)
        ),
        expected_codes=None if expected is None else tuple(code for code in re.split(r"[,\s]+", expected) if code),
        because=notes.get("because", ""),
        path=path,
    )


def _notes(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        yield name.strip(), value.strip()
