"""Changing the keys of access tokens while the store runs: a file is added, later one is removed.

Every program that reads the folder, and every router that reads the published keys, follows by itself
(core/key_ring.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from core.errors import PasarError
from core.key_ring import ALWAYS, OVERLAP, DatedKey, KeyUnusable, key_file_name, read_keys, signing_at, verifying_at
from core.settings import Settings
from core.tokens import Algorithm, generate_private_key
from pasar.keys import write_private

# A key is published for so long before it signs: twice the time that routers keep the keys they have read
PUBLISHED_BEFORE = timedelta(minutes=10)


class RotationRefused(PasarError):
    """The keys cannot be rotated now, or not in this form."""

    code = "ROTATION_REFUSED"


class KeyState(StrEnum):
    """Where a key is in its life."""

    NEXT = "next"
    SIGNS = "signs"
    VERIFIES = "verifies"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as an operator sees it. *until* is when it ends to sign (SIGNS), or to verify (VERIFIES); None is open."""

    kid: str
    state: KeyState
    signs_from: datetime
    until: datetime | None
    file: Path


def list_keys(settings: Settings, *, now: datetime) -> tuple[ListedKey, ...]:
    """Return all keys of *settings*, which are complete, oldest first; raise KeyUnusable."""
    assert settings.token_key_file is not None
    keys = _read(settings.token_key_file, settings.token_algorithm)
    signing, verifying = signing_at(keys, now), verifying_at(keys, now)
    listed: list[ListedKey] = []
    for key, successor in zip(keys, [*keys[1:], None], strict=True):
        until = successor.signs_from if successor is not None else None
        if key is signing:
            state = KeyState.SIGNS
        elif key.signs_from > now:
            state, until = KeyState.NEXT, None
        else:
            state = KeyState.VERIFIES if key in verifying else KeyState.OVER
            until = until and until + OVERLAP
        listed.append(ListedKey(key.key.kid, state, key.signs_from, until, key.file))
    return tuple(listed)


def rotate_keys(settings: Settings, *, now: datetime, compromised: bool = False) -> ListedKey:
    """Add a key that signs from PUBLISHED_BEFORE on, remove those that are over, and return the new one.

    With *compromised* the new key signs at once and all others are removed: what they have signed is refused from now
    on. Clients refresh, nobody has to log in again.

    Raises:
        RotationRefused: a single file is configured, or the next key is there already.
        KeyUnusable: the keys cannot be read, or the folder cannot be written.
    """
    folder = _require_folder(settings)
    keys = _read(folder, settings.token_algorithm)
    waiting = [key for key in keys if key.signs_from > now]
    if waiting and not compromised:
        signs_from = f"{waiting[0].signs_from:%Y-%m-%d %H:%M:%S} UTC"
        raise RotationRefused(f"the key {waiting[0].key.kid} has been added already and signs from {signs_from}")
    # A name has whole seconds
    begins = now.replace(microsecond=0) + (timedelta() if compromised else PUBLISHED_BEFORE)
    file = folder / key_file_name(begins)
    try:
        write_private(file, generate_private_key(settings.token_algorithm))
        if compromised:
            _remove(key.file for key in keys)
    except FileExistsError:
        raise RotationRefused(f"{file} is there already: try again in a second") from None
    except OSError as error:
        raise KeyUnusable(f"{folder} cannot be written: {error.strerror}") from error
    if not compromised:
        prune_keys(settings, now=now)
    return next(key for key in list_keys(settings, now=now) if key.file == file)


def prune_keys(settings: Settings, *, now: datetime) -> tuple[ListedKey, ...]:
    """Remove the keys whose last token has expired and return them; see rotate_keys for the errors."""
    _require_folder(settings)
    over = tuple(key for key in list_keys(settings, now=now) if key.state is KeyState.OVER)
    try:
        _remove(key.file for key in over)
    except OSError as error:
        raise KeyUnusable(f"{settings.token_key_file} cannot be written: {error.strerror}") from error
    return over


def _require_folder(settings: Settings) -> Path:
    path = settings.token_key_file
    assert path is not None
    if path.is_dir():
        return path
    raise RotationRefused(
        f"{path} is one key: to rotate it, move it into a folder as {key_file_name(ALWAYS)}, and let"
        " PASAR_TOKEN_KEY_FILE name the folder. Its tokens stay valid"
    )


def _read(path: Path, algorithm: Algorithm) -> tuple[DatedKey, ...]:
    try:
        return read_keys(path, algorithm)
    except (OSError, ValueError) as error:
        raise KeyUnusable(f"{path} is not usable: {error}") from error


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
