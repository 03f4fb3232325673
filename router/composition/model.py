"""What goes into composition and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True)
class SubgraphSchema:
    """One subgraph as it is handed to composition.

    *url* is where the router will send its requests; it may be empty for a subgraph called in-process.
    """

    name: str
    sdl: str
    url: str = ""


class Severity(Enum):
    """Whether a diagnostic prevents a supergraph (ERROR) or only deserves a look (HINT)."""

    ERROR = "ERROR"
    HINT = "HINT"


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A place in a subgraph's SDL; line and column count from 1."""

    subgraph: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a code of the registry, a sentence about what is wrong, and one on how to mend it."""

    code: str
    message: str
    severity: Severity = Severity.ERROR
    remedy: str = ""
    locations: tuple[SourceLocation, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CompositionResult:
    """The supergraph, or the reasons why there is none.

    *supergraph_sdl* and *api_sdl* are None exactly when *errors* is not empty.
    """

    supergraph_sdl: str | None
    api_sdl: str | None
    errors: tuple[Diagnostic, ...]
    hints: tuple[Diagnostic, ...]
