"""What is wrong with what a tool was given, written for people or as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from core.errors import PasarError
from pasar.tool_codes import find_tool_code
from router.composition.model import Diagnostic, Severity


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """A file or URL that cannot be used.

    *location* is that file or URL, *subgraph* whose schema it should hold; *line* and *column* count from 1 and are
    None where the fault has no place.
    """

    code: str
    message: str
    location: str
    subgraph: str = ""
    line: int | None = None
    column: int | None = None

    @property
    def remedy(self) -> str:
        """Return how to mend it, as the registry says."""
        entry = find_tool_code(self.code)
        assert entry is not None, f"{self.code} is missing from the registry"
        return entry.remedy


class SourceUnusable(PasarError):
    """Nothing can be done with what was given; *problems* say why, all that were found; *code* is the first one's."""

    def __init__(self, *problems: SourceProblem) -> None:
        super().__init__("\n".join(problem.message for problem in problems))
        self.code = problems[0].code
        self.problems = problems


Finding = Diagnostic | SourceProblem


def format_finding(finding: Finding, files: Mapping[str, str] | None = None) -> str:
    """Return *finding* as people read it: code, sentence, places, remedy.

    *files* are the files of the subgraphs that have one, so that a terminal can open the place.
    """
    kind = "hint" if isinstance(finding, Diagnostic) and finding.severity is Severity.HINT else "error"
    lines = [f"{kind} {finding.code}: {finding.message}"]
    match finding:
        case Diagnostic():
            for place in finding.locations:
                at = f"{place.line}:{place.column}"
                file = (files or {}).get(place.subgraph)
                lines.append(f"  at {place.subgraph}:{at}" + (f" ({file}:{at})" if file else ""))
        case SourceProblem(line=int()):
            lines.append(f"  at {finding.location}:{finding.line}:{finding.column}")
    if finding.remedy:
        lines.append(f"  {finding.remedy}")
    return "\n".join(lines)


def render_findings(findings: Iterable[Finding], files: Mapping[str, str] | None = None) -> str:
    """Return *findings* as a JSON array, each with the same keys whatever it is about."""
    return to_json([_row(finding, files or {}) for finding in findings])


def to_json(value: Any) -> str:
    """Return *value* as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _row(finding: Finding, files: Mapping[str, str]) -> dict[str, Any]:
    match finding:
        case Diagnostic():
            severity = finding.severity
            locations = [{**asdict(place), "file": files.get(place.subgraph)} for place in finding.locations]
            details = dict(finding.details)
        case SourceProblem():
            severity = Severity.ERROR
            place = {"subgraph": finding.subgraph or None, "line": finding.line, "column": finding.column}
            locations = [{**place, "file": finding.location}] if finding.line is not None else []
            details = {"location": finding.location}
            if finding.subgraph:
                details["subgraph"] = finding.subgraph
    return {
        "code": finding.code,
        "message": finding.message,
        "severity": severity.value,
        "remedy": finding.remedy,
        "locations": locations,
        "details": details,
    }
