import pytest

from core.sealing import CannotOpen, Sealer, open_sealer
from core.settings import Settings

OLD, NEW = b"o" * 32, b"n" * 32


def sealer(*secrets: bytes, purpose: str = "tests") -> Sealer:
    return Sealer(secrets or (OLD,), purpose=purpose)


def test_what_is_sealed_opens_and_shows_nothing() -> None:
    sealed = sealer().seal(b"a secret", context="usr_1")
    assert sealer().open(sealed, context="usr_1") == b"a secret"
    assert "secret" not in sealed
    assert sealer().seal(b"a secret", context="usr_1") != sealed


def test_a_sealed_text_opens_only_where_it_belongs() -> None:
    sealed = sealer().seal(b"a secret", context="usr_1")
    key_id, _, encoded = sealed.partition(".")
    tampered = f"{key_id}.{encoded[:-6]}{'AAAA' if encoded[-6:-2] != 'AAAA' else 'BBBB'}{encoded[-2:]}"
    for other, text, context in (
        (sealer(), sealed, "usr_2"),
        (sealer(NEW), sealed, "usr_1"),
        (sealer(purpose="others"), sealed, "usr_1"),
        (sealer(), tampered, "usr_1"),
        (sealer(), f"{key_id}.", "usr_1"),
        (sealer(), "", "usr_1"),
        (sealer(), f"{key_id}.\u00ff", "usr_1"),
    ):
        with pytest.raises(CannotOpen):
            other.open(text, context=context)


def test_secrets_are_replaced_without_losing_what_they_sealed() -> None:
    sealed = sealer(OLD).seal(b"a secret", context="usr_1")
    both = sealer(NEW, OLD)
    assert both.open(sealed, context="usr_1") == b"a secret"
    assert not both.is_current(sealed)
    again = both.seal(b"a secret", context="usr_1")
    assert both.is_current(again)
    assert sealer(NEW).open(again, context="usr_1") == b"a secret"


def test_keyed_hashes_belong_to_their_context_purpose_and_secret() -> None:
    (digest,) = sealer().digests("code", context="usr_1")
    assert digest == sealer().digests("code", context="usr_1")[0]
    others = [
        *sealer().digests("code", context="usr_2"),
        *sealer().digests("codf", context="usr_1"),
        *sealer(NEW).digests("code", context="usr_1"),
        *sealer(purpose="others").digests("code", context="usr_1"),
    ]
    assert digest not in others
    assert digest in sealer(NEW, OLD).digests("code", context="usr_1")[1:]


@pytest.mark.parametrize("secrets", [(), (b"short",), (OLD, b"")])
def test_a_secret_that_is_missing_or_short_is_refused(secrets: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        Sealer(secrets, purpose="tests")


def test_the_secrets_of_their_own_go_before_the_internal_one() -> None:
    internal, own = "i" * 32, "e" * 32
    alone = open_sealer(Settings.model_validate({"internal_secret": internal}), purpose="tests")
    sealed = alone.seal(b"a secret", context="usr_1")
    chosen = open_sealer(
        Settings.model_validate({"internal_secret": "j" * 32, "encryption_secrets": [own, internal]}), purpose="tests"
    )
    assert chosen.open(sealed, context="usr_1") == b"a secret"
    assert not chosen.is_current(sealed)
