"""Encryption of what must be stored and read again, with keys that are derived from secrets of the installation.

A sealed text names its key, so that secrets can be replaced: the first one seals, the others only open.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import PasarError
from core.settings import Settings

# NIST SP 800-38D, section 8.2.2: random nonces of 96 bits are good for 2**32 messages under one key
NONCE_BYTES = 12
KEY_BYTES = 32
MIN_SECRET_BYTES = 32


class CannotOpen(PasarError):
    """A sealed text was changed, belongs elsewhere, or was sealed under a secret that is not configured any more."""

    code = "CANNOT_OPEN"


@dataclass(frozen=True, slots=True)
class _Key:
    id: str
    cipher: AESGCM
    mac: bytes


class Sealer:
    """Seals and opens texts for one *purpose*: what is sealed for another one does not open.

    Args:
        installation_secrets: each of at least MIN_SECRET_BYTES; the first one seals.
        purpose: keeps the keys of two uses of the same secrets apart.

    Raises:
        ValueError: there is no secret, or one that is too short.
    """

    def __init__(self, installation_secrets: Sequence[bytes], *, purpose: str) -> None:
        if not installation_secrets or any(len(secret) < MIN_SECRET_BYTES for secret in installation_secrets):
            raise ValueError(f"an encryption secret needs at least {MIN_SECRET_BYTES} bytes")
        self._keys = [_derive_key(secret, purpose) for secret in installation_secrets]

    def seal(self, plain: bytes, *, context: str) -> str:
        """Return *plain* encrypted; it opens only with the same *context*, such as the id of its row."""
        key, nonce = self._keys[0], secrets.token_bytes(NONCE_BYTES)
        return f"{key.id}.{urlsafe_b64encode(nonce + key.cipher.encrypt(nonce, plain, context.encode())).decode()}"

    def open(self, sealed: str, *, context: str) -> bytes:
        """Return what was sealed; raise CannotOpen."""
        key_id, _, encoded = sealed.partition(".")
        for key in self._keys:
            if key.id == key_id:
                try:
                    raw = urlsafe_b64decode(encoded)
                    return key.cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode())
                except (InvalidTag, ValueError):
                    break
        raise CannotOpen("a sealed text cannot be opened: was PASAR_ENCRYPTION_SECRETS changed?")

    def is_current(self, sealed: str) -> bool:
        """Tell whether *sealed* was sealed with the first secret."""
        return sealed.partition(".")[0] == self._keys[0].id

    def digests(self, text: str, *, context: str) -> list[str]:
        """Return keyed hashes of *text*, the one to store first: a stolen database alone lets nobody try out texts."""
        message = f"{context}\0{text}".encode()
        return [hmac.digest(key.mac, message, "sha256").hex() for key in self._keys]


def open_sealer(settings: Settings, *, purpose: str) -> Sealer:
    """Return the sealer of an installation; raise ValueError for a secret that is missing or too short."""
    chosen = settings.encryption_secrets or [settings.internal_secret]
    return Sealer([secret.get_secret_value().encode() for secret in chosen], purpose=purpose)


def _derive_key(secret: bytes, purpose: str) -> _Key:
    def derive(part: str, length: int) -> bytes:
        info = f"pasar {purpose} {part}".encode()
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)

    return _Key(derive("id", 4).hex(), AESGCM(derive("cipher", KEY_BYTES)), derive("mac", KEY_BYTES))
