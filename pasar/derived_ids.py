"""Ids that follow from what they name, so that what is written twice is there once."""

from hashlib import sha256

from core.ids import encode_base32

# 26 characters have 130 bits
_MASK = (1 << 130) - 1


def derived_id(prefix: str, *parts: str) -> str:
    """Return the id that follows from *parts*, in the form of core.ids."""
    return id_from_digest(prefix, digest_of(*parts))


def digest_of(*parts: str) -> bytes:
    """Return the 17 bytes of which the id of *parts* is made, and which take less memory than it."""
    return sha256("\x1f".join(parts).encode("utf-8", "surrogateescape")).digest()[:17]


def id_from_digest(prefix: str, digest: bytes) -> str:
    """Return the id that is made of a digest."""
    return f"{prefix}_{encode_base32(int.from_bytes(digest, 'big') & _MASK, 26)}"
