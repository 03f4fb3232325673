"""`pasar keys`: what it does to the folder, and what it refuses."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.key_ring import OVERLAP, KeyUnusable, key_file_name
from core.settings import Settings
from core.tokens import generate_private_key
from pasar.key_rotation import PUBLISHED_BEFORE, KeyState, RotationRefused, list_keys, prune_keys, rotate_keys
from pasar.keys import complete_settings
from subgraphs.user.keys import JWKS_MAX_AGE_S

NOW = datetime(2026, 11, 24, 12, 0, 0, 700_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return complete_settings(Settings(data=tmp_path))


def states(settings: Settings, now: datetime) -> list[KeyState]:
    return [key.state for key in list_keys(settings, now=now)]


def files(settings: Settings) -> list[str]:
    assert settings.token_key_file is not None
    return sorted(file.name for file in settings.token_key_file.iterdir())


def test_a_new_key_is_published_first_and_signs_later(settings: Settings) -> None:
    (old,) = list_keys(settings, now=NOW)
    new = rotate_keys(settings, now=NOW)
    assert new.kid != old.kid
    assert new.signs_from == NOW.replace(microsecond=0) + PUBLISHED_BEFORE
    assert new.file.stat().st_mode & 0o777 == 0o600
    assert states(settings, NOW) == [KeyState.SIGNS, KeyState.NEXT]
    assert states(settings, new.signs_from) == [KeyState.VERIFIES, KeyState.SIGNS]
    assert states(settings, new.signs_from + OVERLAP - SECOND) == [KeyState.VERIFIES, KeyState.SIGNS]
    assert states(settings, new.signs_from + OVERLAP) == [KeyState.OVER, KeyState.SIGNS]


def test_the_list_says_until_when(settings: Settings) -> None:
    new = rotate_keys(settings, now=NOW)
    assert [key.until for key in list_keys(settings, now=NOW)] == [new.signs_from, None]
    later = list_keys(settings, now=new.signs_from)
    assert [key.until for key in later] == [new.signs_from + OVERLAP, None]


def test_routers_have_read_a_key_before_it_signs() -> None:
    assert timedelta(seconds=2 * JWKS_MAX_AGE_S) <= PUBLISHED_BEFORE


def test_a_second_rotation_waits_for_the_first_and_changes_nothing(settings: Settings) -> None:
    new = rotate_keys(settings, now=NOW)
    before = files(settings)
    with pytest.raises(
        RotationRefused, match=f"{new.kid} has been added already and signs from 2026-11-24 12:10:00 UTC"
    ):
        rotate_keys(settings, now=NOW + PUBLISHED_BEFORE - SECOND)
    assert files(settings) == before


def test_keys_that_are_over_are_removed_and_no_others(settings: Settings) -> None:
    first = rotate_keys(settings, now=NOW)
    assert prune_keys(settings, now=first.signs_from + OVERLAP - SECOND) == ()
    over = prune_keys(settings, now=first.signs_from + OVERLAP)
    assert [key.file.name for key in over] == ["19700101T000000Z.key"]
    assert files(settings) == [first.file.name]


def test_a_rotation_removes_the_keys_that_are_over(settings: Settings) -> None:
    first = rotate_keys(settings, now=NOW)
    second = rotate_keys(settings, now=NOW + timedelta(days=30))
    assert files(settings) == [first.file.name, second.file.name]


def test_compromised_keys_are_gone_at_once_the_next_one_too(settings: Settings) -> None:
    rotate_keys(settings, now=NOW)
    new = rotate_keys(settings, now=NOW + SECOND, compromised=True)
    assert new.state is KeyState.SIGNS
    assert files(settings) == [new.file.name]


def test_two_keys_of_one_second_do_not_overwrite_each_other(settings: Settings) -> None:
    first = rotate_keys(settings, now=NOW, compromised=True)
    content = first.file.read_bytes()
    with pytest.raises(RotationRefused, match="try again in a second"):
        rotate_keys(settings, now=NOW, compromised=True)
    assert files(settings) == [first.file.name]
    assert first.file.read_bytes() == content


@pytest.mark.parametrize("compromised", [False, True])
def test_a_single_file_is_not_rotated_and_the_way_out_is_told(tmp_path: Path, compromised: bool) -> None:
    file = tmp_path / "token.pem"
    file.write_bytes(generate_private_key("EdDSA"))
    settings = complete_settings(Settings(data=tmp_path / "data", token_key_file=file))
    content = file.read_bytes()
    with pytest.raises(RotationRefused, match=r"move it into a folder as 19700101T000000Z\.key"):
        rotate_keys(settings, now=NOW, compromised=compromised)
    assert file.read_bytes() == content
    # The way out: the same key, under the same kid
    (before,) = list_keys(settings, now=NOW)
    folder = tmp_path / "keys"
    folder.mkdir()
    file.rename(folder / "19700101T000000Z.key")
    moved = settings.model_copy(update={"token_key_file": folder})
    (after,) = list_keys(moved, now=NOW)
    assert after.kid == before.kid
    assert rotate_keys(moved, now=NOW).state is KeyState.NEXT


def test_keys_that_cannot_be_read_are_named_and_nothing_is_added(settings: Settings) -> None:
    assert settings.token_key_file is not None
    (settings.token_key_file / key_file_name(NOW)).write_bytes(b"nonsense")
    before = files(settings)
    with pytest.raises(KeyUnusable, match=r"20261124T120000Z\.key"):
        rotate_keys(settings, now=NOW)
    assert files(settings) == before
