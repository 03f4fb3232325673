"""One entry of the registry."""

from dataclasses import dataclass

from router.composition.model import Severity


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A code: *meaning* in a sentence or two, *example* as SDL, *remedy* as an order.

    A code of severity HINT never prevents a supergraph.
    """

    code: str
    meaning: str
    example: str
    remedy: str
    severity: Severity = Severity.ERROR
