"""Keys and secrets of an installation, made on its first start and kept in the data folder."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from core.key_ring import ALWAYS, KeyRing, KeyUnusable, key_file_name
from core.settings import Environment, Settings
from core.tokens import MIN_SECRET_BYTES, Algorithm, generate_private_key
from pasar.mongod import DataFolderUnusable

# The folder of the data folder
KEYS = "keys"
# Only the owner reads them
PRIVATE_MODE = 0o600


def complete_settings(settings: Settings, *, one_of_many: bool = False, **changes: Any) -> Settings:
    """Return *settings* with *changes* and with the keys of its data folder, which are made where they are missing.

    What is configured is left alone: a key file or a secret of the environment wins over the folder's.

    Raises:
        KeyUnusable: in production, a program that is *one_of_many* has to agree with others on what is not configured;
            or a secret is too short.
        DataFolderUnusable: the folder cannot be written.
    """
    # Read before anything is derived from it: `base_url` remembers the host and port it was made of
    chosen = {name: getattr(settings, name) for name in Settings.model_fields} | changes
    if one_of_many and settings.environment is Environment.PRODUCTION:
        _require_configured(settings)
    keys = Path(chosen["data"]) / KEYS
    if chosen["token_key_file"] is None:
        chosen["token_key_file"] = _keep_token_keys(keys, chosen["token_algorithm"])
    if not chosen["internal_secret"].get_secret_value():
        kept = _keep(keys / "internal.secret", lambda: secrets.token_urlsafe(48).encode())
        chosen["internal_secret"] = SecretStr(kept.read_text("ascii").strip())
    _require_long("PASAR_INTERNAL_SECRET", chosen["internal_secret"])
    for secret in chosen["encryption_secrets"]:
        _require_long("PASAR_ENCRYPTION_SECRETS", secret)
    return Settings.model_validate(chosen)


def _require_long(variable: str, secret: SecretStr) -> None:
    if len(secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
        raise KeyUnusable(f"{variable}: a secret needs at least {MIN_SECRET_BYTES} characters")


def _require_configured(settings: Settings) -> None:
    missing = []
    if settings.token_key_file is None:
        missing.append("PASAR_TOKEN_KEY_FILE")
    if not settings.internal_secret.get_secret_value():
        missing.append("PASAR_INTERNAL_SECRET")
    if missing:
        raise KeyUnusable(f"set {' and '.join(missing)}: in production all programs of a store share them")


def open_key_ring(settings: Settings) -> KeyRing:
    """Return the keys of access tokens, for a router in the store's own process; *settings* are complete.

    Raises:
        KeyUnusable: they cannot be read or do not fit the algorithm.
    """
    assert settings.token_key_file is not None
    try:
        return KeyRing(settings.token_key_file, settings.token_algorithm)
    except (OSError, ValueError) as error:
        raise KeyUnusable(f"PASAR_TOKEN_KEY_FILE: {settings.token_key_file} is not usable: {error}") from error


def _keep_token_keys(keys: Path, algorithm: Algorithm) -> Path:
    """Return the folder of token keys, with a first one if there was none."""
    folder, single = keys / f"token-{algorithm}", keys / f"token-{algorithm}.key"
    if not any(folder.glob("*.key")):
        # Before keys could be rotated there was one file, and tokens that it signed may still be out
        _keep(folder / key_file_name(ALWAYS), single.read_bytes if single.exists() else _maker(algorithm))
        single.unlink(missing_ok=True)
    return folder


def _maker(algorithm: Algorithm) -> Callable[[], bytes]:
    return lambda: generate_private_key(algorithm)


def _keep(file: Path, make: Callable[[], bytes]) -> Path:
    """Return *file*, written with what *make* returns if it did not exist. Two starters at once agree on one."""
    if file.exists():
        return file
    try:
        write_private(file, make())
    except FileExistsError:
        pass
    except OSError as error:
        folder = file.parent.parent if file.parent.name == KEYS else file.parent.parent.parent
        raise DataFolderUnusable(f"data folder {folder} cannot be written: {error.strerror}") from error
    return file


def write_private(file: Path, content: bytes) -> None:
    """Write *file* as a whole or not at all, readable by its owner only; raise FileExistsError when it is there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked: nobody ever reads a file that is half there, and the first one stays
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_MODE), "wb") as out:
            out.write(content)
        os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)
