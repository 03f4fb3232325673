"""Ids that follow from what they name, so that what is written twice is there once."""

from hashlib import sha256

from core.ids import encode_base32


def derived_id(prefix: str, *parts: str) -> str:
    """Return the id that follows from *parts*, in the form of core.ids."""
    digest = sha256("\x1f".join(parts).encode("utf-8", "surrogateescape")).digest()
    return f"{prefix}_{encode_base32(int.from_bytes(digest[:17], 'big') & ((1 << 130) - 1), 26)}"
