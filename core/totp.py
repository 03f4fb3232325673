"""Codes that change every 30 seconds (RFC 6238, on top of RFC 4226), as authenticator apps show them."""

import hmac
import secrets
from base64 import b32encode
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote, urlencode

PERIOD_S = 30
DIGITS = 6
# RFC 4226, section 4: 160 bits are recommended
SECRET_BYTES = 20
# RFC 6238, section 5.2: one step for a code that is typed late, or a clock that is wrong
WINDOW = 1


def generate_totp_secret() -> bytes:
    """Return a new secret."""
    return secrets.token_bytes(SECRET_BYTES)


def totp_code(secret: bytes, counter: int, *, digits: int = DIGITS) -> str:
    """Return the code of a time step (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, counter.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


def totp_counter(now: datetime) -> int:
    """Return the number of the time step at *now*."""
    return int(now.timestamp()) // PERIOD_S


def match_totp(secret: bytes, code: str, *, now: datetime) -> int | None:
    """Return the time step that *code* belongs to, if it is one around *now*; None for any other code.

    Whoever accepts a code must remember its step and accept no code of it, or of an earlier one, again.
    """
    matching = None
    for counter in _steps_around(totp_counter(now)):
        # All are computed and compared in full, so that the time does not tell how close a guess was
        if hmac.compare_digest(totp_code(secret, counter).encode(), code.encode()):
            matching = counter
    return matching


def totp_uri(secret: bytes, *, issuer: str, account: str) -> str:
    """Return the address that an authenticator app reads as a QR code.

    https://github.com/google/google-authenticator/wiki/Key-Uri-Format
    """
    parameters = {
        "secret": show_totp_secret(secret),
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": DIGITS,
        "period": PERIOD_S,
    }
    label = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    return f"otpauth://totp/{label}?{urlencode(parameters, quote_via=quote)}"


def show_totp_secret(secret: bytes) -> str:
    """Return the secret as people type it into an app: base 32 without padding."""
    return b32encode(secret).decode().rstrip("=")


def _steps_around(counter: int) -> Iterator[int]:
    yield from range(max(0, counter - WINDOW), counter + WINDOW + 1)
