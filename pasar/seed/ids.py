"""Ids as core.ids makes them, from a seeded source."""

from datetime import datetime
from random import Random

from core.ids import encode_base32


def seeded_id(prefix: str, random: Random, at: datetime) -> str:
    """Return an id that looks as if it had been made at *at*, its random bits from *random*."""
    return timed_id(prefix, int(at.timestamp() * 1000), random.getrandbits(80))


def timed_id(prefix: str, at_ms: int, bits: int) -> str:
    """Return the id of a moment and of 80 *bits*."""
    return f"{prefix}_{encode_base32(at_ms << 80 | bits, 26)}"
