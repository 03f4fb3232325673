"""Keys and secrets of an installation, made on its first start and kept in the data folder."""

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from core.errors import PasarError
from core.settings import Environment, Settings
from core.tokens import AccessTokenIssuer, generate_private_key, load_signing_key
from pasar.mongod import DataFolderUnusable

# Only the owner reads them
PRIVATE_MODE = 0o600


class KeyUnusable(PasarError):
    """A key or secret that was configured cannot be used."""

    code = "KEY_UNUSABLE"


def complete_settings(settings: Settings, *, one_of_many: bool = False, **changes: Any) -> Settings:
    """Return *settings* with *changes* and with the keys of its data folder, which are made where they are missing.

    What is configured is left alone: a key file or a secret of the environment wins over the folder's.

    Raises:
        KeyUnusable: in production, a program that is *one_of_many* has to agree with others on what is not configured.
        DataFolderUnusable: the folder cannot be written.
    """
    # Read before anything is derived from it: `base_url` remembers the host and port it was made of
    chosen = {name: getattr(settings, name) for name in Settings.model_fields} | changes
    if one_of_many and settings.environment is Environment.PRODUCTION:
        _require_configured(settings)
    keys = Path(chosen["data"]) / "keys"
    if chosen["token_key_file"] is None:
        algorithm = chosen["token_algorithm"]
        chosen["token_key_file"] = _keep(keys / f"token-{algorithm}.key", lambda: generate_private_key(algorithm))
    if not chosen["internal_secret"].get_secret_value():
        kept = _keep(keys / "internal.secret", lambda: secrets.token_urlsafe(48).encode())
        chosen["internal_secret"] = SecretStr(kept.read_text("ascii").strip())
    return Settings.model_validate(chosen)


def _require_configured(settings: Settings) -> None:
    missing = []
    if settings.token_key_file is None:
        missing.append("PASAR_TOKEN_KEY_FILE")
    if not settings.internal_secret.get_secret_value():
        missing.append("PASAR_INTERNAL_SECRET")
    if missing:
        raise KeyUnusable(f"set {' and '.join(missing)}: in production all programs of a store share them")


def open_issuer(settings: Settings) -> AccessTokenIssuer:
    """Return what signs access tokens as the user subgraph does; *settings* are complete.

    Raises:
        KeyUnusable: the key file cannot be read or does not fit the algorithm.
    """
    assert settings.token_key_file is not None
    try:
        key = load_signing_key(settings.token_key_file.read_bytes(), settings.token_algorithm)
    except OSError as error:
        raise KeyUnusable(f"key file {settings.token_key_file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise KeyUnusable(f"key file {settings.token_key_file}: {error}") from error
    return AccessTokenIssuer(key, settings.token_issuer, settings.token_audience, settings.access_token_ttl_s)


def write_jwks(settings: Settings) -> Path:
    """Write the public keys of *settings* into the data folder, for a router in the same process; return the file."""
    target = settings.data / "keys" / "jwks.json"
    content = json.dumps(open_issuer(settings).jwks(), indent=2, sort_keys=True)
    if not target.exists() or target.read_text("utf-8") != content:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, "utf-8")
    return target


def _keep(file: Path, make: Callable[[], bytes]) -> Path:
    """Return *file*, written with what *make* returns if it did not exist. Two starters at once agree on one."""
    if file.exists():
        return file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Written aside and linked: nobody ever reads a file that is half there, and the first one stays
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_MODE), "wb") as out:
            out.write(make())
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError as error:
        raise DataFolderUnusable(f"data folder {file.parent.parent} cannot be written: {error.strerror}") from error
    return file
