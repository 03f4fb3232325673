"""Who issues papers."""

from dataclasses import dataclass
from datetime import tzinfo


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sells, as papers have it: a name, and the lines of an address; *zone* is whose calendar dates are of."""

    name: str
    address: tuple[str, ...]
    zone: tzinfo
