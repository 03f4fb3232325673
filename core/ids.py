"""Identifiers: unguessable, sortable by creation, and readable as to what they name."""

import os
import time

# Crockford's base 32: no letter that reads like a digit
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str) -> str:
    """Return *prefix*, an underscore and 26 characters: 48 bits of milliseconds, 80 random bits (ULID layout)."""
    value = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10), "big")
    return f"{prefix}_{encode_base32(value, 26)}"


def encode_base32(value: int, length: int) -> str:
    """Write *value* with *length* characters, most significant first."""
    characters = []
    for _ in range(length):
        characters.append(_ALPHABET[value & 31])
        value >>= 5
    return "".join(reversed(characters))
