"""Ids as core.ids makes them, from a seeded source."""

from datetime import datetime
from random import Random

from core.ids import encode_base32


def seeded_id(prefix: str, random: Random, at: datetime) -> str:
    """Return an id that looks as if it had been made at *at*, its random bits from *random*."""
    value = (int(at.timestamp() * 1000) << 80) | random.getrandbits(80)
    return f"{prefix}_{encode_base32(value, 26)}"
