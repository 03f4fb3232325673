"""Tokens that mails carry: whoever has one reads the mailbox.

A token is an HMAC of 256 random bits, the letter's nonce, under a key of the installation. So it is nowhere at rest: a
letter that waits to be sent holds its nonce, which is worth nothing without the key, and is deleted when it is sent;
what remains is the token's hash. A letter that is sent a second time, because the first answer of the mail server was
lost, carries the same token again.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

from pydantic import SecretStr

from core.tokens import MIN_SECRET_BYTES

NONCE_BYTES = 32


class MailTokens:
    """Derives tokens under one key."""

    def __init__(self, secret: SecretStr) -> None:
        """Take the installation's internal secret; raise ValueError when it is too short to be one."""
        encoded = secret.get_secret_value().encode()
        if len(encoded) < MIN_SECRET_BYTES:
            raise ValueError(f"PASAR_INTERNAL_SECRET needs at least {MIN_SECRET_BYTES} characters")
        # Of its own, so that nothing else that the secret signs is ever a token
        self._key = hmac.digest(encoded, b"pasar mail token", "sha256")

    def derive(self, nonce: str) -> str:
        """Return the token of the letter with *nonce*: 43 characters that need no quoting anywhere."""
        return urlsafe_b64encode(hmac.digest(self._key, nonce.encode(), "sha256")).decode().rstrip("=")


def new_nonce() -> str:
    """Return the 256 random bits of a letter."""
    return secrets.token_hex(NONCE_BYTES)


def hash_mail_token(token: str) -> str:
    """Return what is stored of a token. It has 256 bits that nobody can guess: a slow hash would protect no more."""
    return sha256(token.encode()).hexdigest()
