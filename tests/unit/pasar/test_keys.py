"""Keys that are made on the first start."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.identity import Identity
from core.key_ring import KeyUnusable
from core.settings import Settings
from core.tokens import generate_private_key, load_signing_key
from pasar.keys import complete_settings, open_key_ring
from pasar.mongod import DataFolderUnusable
from router.config import AuthenticationConfig
from router.keys import LocalKeys
from subgraphs.user.keys import load_token_issuer

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_the_first_start_makes_keys_that_only_the_owner_reads_and_later_ones_keep_them(tmp_path: Path) -> None:
    first = complete_settings(Settings(data=tmp_path))
    second = complete_settings(Settings(data=tmp_path))
    folder = tmp_path / "keys" / "token-EdDSA"
    assert first.token_key_file == second.token_key_file == folder
    assert first.internal_secret == second.internal_secret
    files = [tmp_path / "keys" / "internal.secret", *folder.iterdir()]
    assert [file.name for file in files] == ["internal.secret", "19700101T000000Z.key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_two_installations_have_different_secrets(tmp_path: Path) -> None:
    one, other = (complete_settings(Settings(data=tmp_path / name)).internal_secret for name in "ab")
    assert one != other
    assert len(one.get_secret_value()) >= 32


def test_what_is_configured_is_left_alone(tmp_path: Path) -> None:
    key = tmp_path / "mine.pem"
    given = Settings(data=tmp_path / "data", token_key_file=key, internal_secret=SecretStr("s" * 40))
    completed = complete_settings(given, port=4321)
    assert completed == given.model_copy(update={"port": 4321})
    assert not (tmp_path / "data").exists()


def test_the_port_that_was_bound_is_in_our_own_url(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, port=0)
    assert settings.base_url == "http://127.0.0.1:0"
    assert complete_settings(settings, port=4321).base_url == "http://127.0.0.1:4321"


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256", "HS256"])
async def test_a_router_in_the_same_process_verifies_what_the_issuer_signs(tmp_path: Path, algorithm: str) -> None:
    settings = complete_settings(Settings.model_validate({"data": tmp_path, "token_algorithm": algorithm}))
    token = load_token_issuer(settings).issue(Identity("usr_1", frozenset({"STAFF"})), now=NOW)
    config = AuthenticationConfig.model_validate({"algorithms": [algorithm]})
    keys = LocalKeys(config, ring=open_key_ring(settings))
    assert keys.verifier_at_hand(NOW).verify(token, now=NOW).subject == "usr_1"


def test_a_key_from_before_keys_were_rotated_signs_on(tmp_path: Path) -> None:
    old = generate_private_key("EdDSA")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "token-EdDSA.key").write_bytes(old)
    settings = complete_settings(Settings(data=tmp_path))
    assert load_token_issuer(settings).key.kid == load_signing_key(old, "EdDSA").kid
    assert sorted(file.name for file in (tmp_path / "keys").iterdir()) == ["internal.secret", "token-EdDSA"]


def test_a_key_of_another_algorithm_is_refused_by_name(tmp_path: Path) -> None:
    key = complete_settings(Settings(data=tmp_path)).token_key_file
    settings = Settings.model_validate({"data": tmp_path, "token_algorithm": "RS256", "token_key_file": key})
    with pytest.raises(KeyUnusable, match=r"19700101T000000Z\.key: the key is not one for RS256"):
        load_token_issuer(settings)
    with pytest.raises(KeyUnusable, match=r"19700101T000000Z\.key: the key is not one for RS256"):
        open_key_ring(settings)


def test_in_production_programs_that_must_agree_make_nothing_up(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data": tmp_path / "data", "environment": "production"})
    with pytest.raises(KeyUnusable, match="set PASAR_TOKEN_KEY_FILE and PASAR_INTERNAL_SECRET: in production"):
        complete_settings(settings, one_of_many=True)
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderUnusable, match=r"file/data cannot be written"):
        complete_settings(Settings(data=tmp_path / "file" / "data"))


@pytest.mark.parametrize(
    ("field", "value", "variable"),
    [
        ("internal_secret", "s" * 31, "PASAR_INTERNAL_SECRET"),
        ("encryption_secrets", ["e" * 32, "short"], "PASAR_ENCRYPTION_SECRETS"),
    ],
)
def test_a_secret_that_is_too_short_is_named_and_not_shown(
    tmp_path: Path, field: str, value: object, variable: str
) -> None:
    with pytest.raises(KeyUnusable, match=f"^{variable}: a secret needs at least 32 characters$"):
        complete_settings(Settings.model_validate({"data": tmp_path, field: value}))
