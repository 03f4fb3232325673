from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.key_ring import ALWAYS, OVERLAP, KeyRing, RotatingIssuer, key_file_name, moment_of
from core.settings import MAX_ACCESS_TOKEN_TTL_S
from core.tokens import LEEWAY_S, Algorithm, generate_private_key, load_signing_key

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def put_key(folder: Path, signs_from: datetime, algorithm: Algorithm = "EdDSA") -> str:
    """Write a key and return its kid."""
    folder.mkdir(exist_ok=True)
    content = generate_private_key(algorithm)
    (folder / key_file_name(signs_from)).write_bytes(content)
    return load_signing_key(content, algorithm).kid


def open_ring(path: Path, algorithm: Algorithm = "EdDSA") -> KeyRing:
    return KeyRing(path, algorithm)


def kids(ring: KeyRing, now: datetime) -> list[str]:
    return [key.kid for key in ring.verifying(now)]


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256", "HS256"])
def test_a_key_signs_from_its_moment_and_verifies_before_and_as_long_as_its_tokens_live(
    tmp_path: Path, algorithm: Algorithm
) -> None:
    old, new = put_key(tmp_path, ALWAYS, algorithm), put_key(tmp_path, NOON, algorithm)
    ring = open_ring(tmp_path, algorithm)
    assert ring.signing(NOON - SECOND).kid == old
    assert ring.signing(NOON).kid == new
    # Published before it signs, so that verifiers know it in time
    assert kids(ring, NOON - timedelta(days=30)) == [old, new]
    assert kids(ring, NOON + OVERLAP - SECOND) == [old, new]
    assert kids(ring, NOON + OVERLAP) == [new]


def test_a_key_outlives_the_last_token_that_it_signs() -> None:
    assert timedelta(seconds=MAX_ACCESS_TOKEN_TTL_S + LEEWAY_S) < OVERLAP


def test_before_the_first_moment_the_first_key_signs(tmp_path: Path) -> None:
    first = put_key(tmp_path, NOON)
    put_key(tmp_path, NOON + timedelta(days=1))
    assert open_ring(tmp_path).signing(NOON - timedelta(days=1)).kid == first


def test_a_single_file_is_a_ring_with_one_key(tmp_path: Path) -> None:
    file = tmp_path / "token.pem"
    file.write_bytes(generate_private_key("EdDSA"))
    ring = open_ring(file)
    assert kids(ring, NOON) == [ring.signing(NOON).kid]
    assert ring.keys()[0].signs_from == ALWAYS


def test_a_ring_follows_its_folder(tmp_path: Path) -> None:
    old = put_key(tmp_path, ALWAYS)
    ring = open_ring(tmp_path)
    new = put_key(tmp_path, NOON)
    assert kids(ring, NOON) == [old, new]
    (tmp_path / key_file_name(ALWAYS)).unlink()
    assert kids(ring, NOON) == [new]


def test_a_key_signs_nothing_from_the_moment_it_is_removed(tmp_path: Path) -> None:
    put_key(tmp_path, ALWAYS)
    new = put_key(tmp_path, NOON)
    ring = open_ring(tmp_path)
    before = NOON - timedelta(seconds=1)
    assert ring.signing(before).kid != new
    (tmp_path / key_file_name(ALWAYS)).unlink()
    assert ring.signing(before).kid == new


@pytest.mark.parametrize("content", [b"", b"half a k", generate_private_key("RS256")])
def test_keys_go_on_while_a_file_is_of_no_use_and_follow_when_it_is(tmp_path: Path, content: bytes) -> None:
    old = put_key(tmp_path, ALWAYS)
    ring = open_ring(tmp_path)
    file = tmp_path / key_file_name(NOON)
    file.write_bytes(content)
    assert kids(ring, NOON) == [old]
    whole = generate_private_key("EdDSA")
    file.write_bytes(whole)
    assert kids(ring, NOON) == [old, load_signing_key(whole, "EdDSA").kid]


def test_keys_go_on_when_the_folder_is_emptied_or_gone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    kid = put_key(folder, ALWAYS)
    ring = open_ring(folder)
    (folder / key_file_name(ALWAYS)).unlink()
    assert ring.signing(NOON).kid == kid
    folder.rmdir()
    assert ring.signing(NOON).kid == kid


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (None, b"", "the folder has no key"),
        (".20261124T120000Z.key.17", b"draft", "the folder has no key"),
        ("new.key", generate_private_key("EdDSA"), "new.key: the name of a key is the moment from which it signs"),
        ("20261340T120000Z.key", generate_private_key("EdDSA"), "20261340T120000Z.key: time data"),
        ("20261124T120000Z.key", b"no key", "20261124T120000Z.key: "),
        ("20261124T120000Z.key", generate_private_key("RS256"), "20261124T120000Z.key: the key is not one for EdDSA"),
    ],
)
def test_a_folder_that_is_no_ring_is_refused_with_the_files_name(
    tmp_path: Path, name: str | None, content: bytes, message: str
) -> None:
    if name is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        open_ring(tmp_path)


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_ring(tmp_path / "none")


def test_the_name_of_a_file_is_its_moment_to_the_second() -> None:
    name = key_file_name(datetime.fromisoformat("2026-11-24T19:00:01+07:00"))
    assert name == "20261124T120001Z.key"
    assert moment_of(Path(name)) == NOON + SECOND


def test_the_issuer_publishes_the_key_that_signs_first_and_then_the_others(tmp_path: Path) -> None:
    old, new = put_key(tmp_path, ALWAYS), put_key(tmp_path, NOON)
    issuer = RotatingIssuer(open_ring(tmp_path), "pasar", "pasar", 600)

    def published(now: datetime) -> list[str]:
        return [jwk["kid"] for jwk in issuer.at(now).jwks()["keys"]]

    assert published(NOON - SECOND) == [old, new]
    assert published(NOON) == [new, old]
    assert published(NOON + OVERLAP) == [new]


def test_secrets_are_not_published(tmp_path: Path) -> None:
    for moment in (ALWAYS, NOON):
        put_key(tmp_path, moment, "HS256")
    issuer = RotatingIssuer(open_ring(tmp_path, "HS256"), "pasar", "pasar", 600)
    assert issuer.at(NOON).jwks() == {"keys": []}
