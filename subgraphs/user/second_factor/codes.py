"""Codes that people type: those of an authenticator app, and recovery codes. No I/O."""

import os
from dataclasses import dataclass
from typing import TypeAlias

from core.errors import DomainError
from core.ids import encode_base32
from core.totp import DIGITS

RECOVERY_CODES = 10
# 50 bits: with a delay after each few tries, nobody guesses one
RECOVERY_LENGTH = 10
# Nothing that is longer, blanks and dashes included, is a code
MAX_CODE_LENGTH = 40

# As Crockford's base 32 is read: what looks alike is alike
_LOOKALIKES = str.maketrans("oil", "011")


@dataclass(frozen=True, slots=True)
class AppCode:
    """Six digits."""

    digits: str


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """A recovery code in its one spelling."""

    text: str


Code: TypeAlias = AppCode | RecoveryCode


class InvalidCode(DomainError):
    """The code is wrong, or was used before. Which of the two is not told."""

    code = "INVALID_CODE"

    def __init__(self, message: str = "the code is wrong or was used before") -> None:
        super().__init__(message)


def read_code(typed: str) -> Code | None:
    """Return what somebody has typed, with blanks and dashes wherever they like; None when it is no code."""
    if len(typed) > MAX_CODE_LENGTH or not typed.isascii():
        return None
    text = "".join(typed.split()).replace("-", "").lower()
    if len(text) == DIGITS and text.isdecimal():
        return AppCode(text)
    text = text.translate(_LOOKALIKES)
    return RecoveryCode(text) if len(text) == RECOVERY_LENGTH and text.isalnum() else None


def generate_recovery_codes() -> tuple[str, ...]:
    """Return ten new recovery codes as they are shown: `xxxxx-xxxxx`."""
    half = RECOVERY_LENGTH // 2
    codes = (encode_base32(int.from_bytes(os.urandom(8), "big"), RECOVERY_LENGTH) for _ in range(RECOVERY_CODES))
    return tuple(f"{code[:half]}-{code[half:]}" for code in codes)
