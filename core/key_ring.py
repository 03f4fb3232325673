"""The keys of one issuer over time: one signs, the others verify until the tokens that they signed have expired.

A ring is a folder of files `<moment>.key`, such as `20261124T120000Z.key`. A key signs from the moment in its name to
the moment of the next one; it is published before that, so that every verifier knows it in time, and afterwards, for as
long as its last token lives. The names are all the state there is: whoever can copy files can rotate keys, and replicas
that read the same folder change over at the same moment. A single file is a ring with one key.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import structlog

from core.errors import PasarError
from core.settings import MAX_ACCESS_TOKEN_TTL_S
from core.tokens import AccessTokenIssuer, Algorithm, SigningKey, load_signing_key

log = structlog.get_logger(__name__)

# After its last signature a key is needed for the longest life of a token, and for clocks that differ by a minute
OVERLAP = timedelta(seconds=MAX_ACCESS_TOKEN_TTL_S + 60)

# A key without a date: it has always been there
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)

_NAME = re.compile(r"(\d{8}T\d{6}Z)\.key")
_MOMENT = "%Y%m%dT%H%M%SZ"

Snapshot: TypeAlias = tuple[tuple[str, int, int], ...]


class KeyUnusable(PasarError):
    """A key or secret that was configured cannot be used."""

    code = "KEY_UNUSABLE"


@dataclass(frozen=True, slots=True)
class DatedKey:
    """A key and the moment from which it signs; *file* is where it is kept."""

    signs_from: datetime
    key: SigningKey
    file: Path


def signing_at(keys: Sequence[DatedKey], now: datetime) -> DatedKey:
    """Return which of *keys*, oldest first, signs at *now*: the newest whose moment has come, or else the first."""
    return next((key for key in reversed(keys) if key.signs_from <= now), keys[0])


def verifying_at(keys: Sequence[DatedKey], now: datetime) -> tuple[DatedKey, ...]:
    """Return which of *keys*, oldest first, verify at *now*: all but those whose last token has expired."""
    successors = [*keys[1:], None]
    return tuple(
        key
        for key, successor in zip(keys, successors, strict=True)
        if successor is None or now < successor.signs_from + OVERLAP
    )


class KeyRing:
    """Reads the keys of a folder, and again when they change. Mutable: it keeps those read last.

    Each time it is asked it looks at the folder, which takes 50 us for a handful of files: what has been removed signs
    nothing from then on.

    Args:
        path: the folder, or the file of a single key.
        algorithm: what all keys are for.
    """

    def __init__(self, path: Path, algorithm: Algorithm) -> None:
        self.path = path
        self._algorithm = algorithm
        self._snapshot = _take_snapshot(path)
        self._keys = read_keys(path, algorithm)

    def keys(self) -> tuple[DatedKey, ...]:
        """Return all keys, oldest first. When the folder cannot be used any more, those of before go on."""
        self._reread()
        return self._keys

    def signing(self, now: datetime) -> SigningKey:
        """Return the key that signs at *now*."""
        return signing_at(self.keys(), now).key

    def verifying(self, now: datetime) -> tuple[SigningKey, ...]:
        """Return the keys that verify at *now*, oldest first; the next one is among them."""
        return tuple(dated.key for dated in verifying_at(self.keys(), now))

    def _reread(self) -> None:
        try:
            snapshot = _take_snapshot(self.path)
            if snapshot == self._snapshot:
                return
            keys = read_keys(self.path, self._algorithm)
        except (OSError, ValueError) as error:
            # Looked at again next time: a file may be half written at this moment
            log.error("token keys cannot be read; the known ones go on", path=str(self.path), error=str(error))
            return
        log.info("token keys have changed", kids=[dated.key.kid for dated in keys])
        self._snapshot, self._keys = snapshot, keys


@dataclass(frozen=True, slots=True)
class RotatingIssuer:
    """Signs access tokens with whichever key of *ring* it is the turn of."""

    ring: KeyRing
    issuer: str
    audience: str
    ttl_s: int

    def at(self, now: datetime) -> AccessTokenIssuer:
        """Return the issuer as it is at *now*."""
        signing = self.ring.signing(now)
        others = tuple(key for key in self.ring.verifying(now) if key.kid != signing.kid)
        return AccessTokenIssuer(signing, self.issuer, self.audience, self.ttl_s, others)


def read_keys(path: Path, algorithm: Algorithm) -> tuple[DatedKey, ...]:
    """Return the keys at *path*, oldest first.

    Raises:
        OSError: it cannot be read.
        ValueError: there is none, or one that does not fit *algorithm*.
    """
    if not path.is_dir():
        return (DatedKey(ALWAYS, load_signing_key(path.read_bytes(), algorithm), path),)
    dated: list[DatedKey] = []
    for file in _key_files(path):
        try:
            dated.append(DatedKey(moment_of(file), load_signing_key(file.read_bytes(), algorithm), file))
        except ValueError as error:
            raise ValueError(f"{file.name}: {error}") from error
    if not dated:
        raise ValueError("the folder has no key; keys are files such as 20261124T120000Z.key")
    return tuple(dated)


def key_file_name(signs_from: datetime) -> str:
    """Return the name of a key that signs from this moment."""
    return f"{signs_from.astimezone(UTC).strftime(_MOMENT)}.key"


def moment_of(file: Path) -> datetime:
    """Return the moment in the name of a key file; raise ValueError when there is none."""
    match = _NAME.fullmatch(file.name)
    if match is None:
        raise ValueError("the name of a key is the moment from which it signs, such as 20261124T120000Z.key")
    return datetime.strptime(match[1], _MOMENT).replace(tzinfo=UTC)


def _key_files(folder: Path) -> list[Path]:
    # Names sort as their moments do; hidden ones are drafts
    return sorted(file for file in folder.glob("*.key") if not file.name.startswith("."))


def _take_snapshot(path: Path) -> Snapshot:
    files = _key_files(path) if path.is_dir() else [path]
    return tuple((file.name, (status := file.stat()).st_size, status.st_mtime_ns) for file in files)
