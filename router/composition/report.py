"""Where the phases leave what they find."""

from router.composition.model import Diagnostic, Severity, SourceLocation
from router.composition.registry import find_code


class Report:
    """Collect diagnostics. Mutable on purpose: every phase writes to the same one, none of them throws."""

    __slots__ = ("_errors", "_hints")

    def __init__(self) -> None:
        self._errors: list[Diagnostic] = []
        self._hints: list[Diagnostic] = []

    def error(self, code: str, message: str, *locations: SourceLocation, remedy: str = "", **details: str) -> None:
        """Note a problem that prevents a supergraph; the registry's remedy is used when none is given."""
        self._errors.append(_diagnose(code, message, Severity.ERROR, locations, remedy, details))

    def hint(self, code: str, message: str, *locations: SourceLocation, remedy: str = "", **details: str) -> None:
        """Note something legal that deserves a look."""
        self._hints.append(_diagnose(code, message, Severity.HINT, locations, remedy, details))

    @property
    def error_count(self) -> int:
        """Return how many errors there are, repeats included: the difference tells whether a step found any."""
        return len(self._errors)

    @property
    def has_errors(self) -> bool:
        """Tell whether a supergraph is out of reach."""
        return bool(self._errors)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Return the errors, each once, in the order in which they were found."""
        return tuple(_without_repeats(self._errors))

    @property
    def hints(self) -> tuple[Diagnostic, ...]:
        """Return the hints, each once, in the order in which they were found."""
        return tuple(_without_repeats(self._hints))


def _diagnose(
    code: str,
    message: str,
    severity: Severity,
    locations: tuple[SourceLocation, ...],
    remedy: str,
    details: dict[str, str],
) -> Diagnostic:
    entry = find_code(code)
    assert entry is not None, f"{code} is missing from the registry"
    return Diagnostic(code, message, severity, remedy or entry.remedy, locations, details)


def _without_repeats(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    seen: set[tuple[str, str]] = set()
    kept = []
    for diagnostic in diagnostics:
        if (diagnostic.code, diagnostic.message) not in seen:
            seen.add((diagnostic.code, diagnostic.message))
            kept.append(diagnostic)
    return kept
