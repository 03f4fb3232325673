"""Identifiers: unguessable, sortable by creation, and readable as to what they name."""

import os
import time

# Crockford's base 32: no letter that reads like a digit
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)


def new_id(prefix: str) -> str:
    """Return *prefix*, an underscore and 26 characters: 48 bits of milliseconds, 80 random bits (ULID layout)."""
    value = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10), "big")
    return f"{prefix}_{encode_base32(value, 26)}"


def encode_base32(value: int, length: int) -> str:
    """Write *value* with *length* characters, most significant first; what does not fit is left out."""
    # Two characters at a time: bulk loads make millions of ids
    pairs = [_PAIRS[value >> shift & 1023] for shift in range(10 * ((length + 1) // 2 - 1), -1, -10)]
    return "".join(pairs)[length & 1 :]
