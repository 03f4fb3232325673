from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import BadUserInput, Conflict
from core.identity import ANONYMOUS, Identity, Role, service_identity
from core.scopes import USERS_READ
from core.tokens import TokenFamily, new_token_id
from subgraphs.user.model import (
    MAX_PASSWORD_LENGTH,
    MIN_PASSWORD_LENGTH,
    Profile,
    check_email,
    check_name,
    check_password,
    check_phone,
    check_roles,
    email_key,
    may_read_contact,
    search_keys,
    session_of,
)

ANI = Profile("usr_ani", "ani@example.com", "Ani", None, ("CUSTOMER",), datetime(2030, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "email",
    [
        "ani@example.com",
        "ani.wijaya+shop@mail.example.co.id",
        "o'brien@example.com",
        "a@b.co",
        "użytkownik@example.com",
        "ani@bücher.example",
        "ani@xn--bcher-kva.example",
        "x" * 64 + "@example.com",
    ],
)
def test_an_address_is_kept_as_it_was_written(email: str) -> None:
    assert check_email(f"  {email} ") == email


@pytest.mark.parametrize(
    "email",
    [
        "",
        " ",
        "@",
        "ani",
        "ani@",
        "@example.com",
        "ani@example",
        "ani@example..com",
        "ani@.example.com",
        "ani@example.com.",
        "ani@-example.com",
        "ani@exa_mple.com",
        "ani@[127.0.0.1]",
        "ani@@example.com",
        "ani wijaya@example.com",
        "ani@exam ple.com",
        ".ani@example.com",
        "ani.@example.com",
        "a..b@example.com",
        '"ani"@example.com',
        "Ani <ani@example.com>",
        "ani@example.com, budi@example.com",
        "ani\x00@example.com",
        "ani\u202e@example.com",
        "ani@example.com\nbcc: x@example.com",
        "x" * 65 + "@example.com",
        "ani@" + "x" * 64 + ".com",
        "ani@" + ("x" * 60 + ".") * 5 + "com",
    ],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(BadUserInput) as refusal:
        check_email(email)
    assert refusal.value.field == "email"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ani@example.com", "ANI@EXAMPLE.COM"),
        ("ani@example.com", " ani@example.com\t"),
        ("ani@bücher.example", "ani@xn--bcher-kva.example"),
        ("ani@BÜCHER.example", "ani@bücher.example"),
        ("caf\u00e9@example.com", "cafe\u0301@example.com"),
        ("straße@example.com", "STRASSE@example.com"),
        ("\uff41\uff4e\uff49@example.com", "ani@example.com"),
        ("\u03b1\u0345@example.com", "\u0391\u0399@example.com"),
    ],
)
def test_spellings_of_one_address_have_one_key(one: str, other: str) -> None:
    assert email_key(one) == email_key(other)


@pytest.mark.parametrize("other", ["ani.@example.com", "a.ni@example.com", "ani@example.org", "ani+x@example.com"])
def test_other_addresses_have_other_keys(other: str) -> None:
    assert email_key(other) != email_key("ani@example.com")


@given(st.text())
@example("\u00b8@")
def test_a_key_is_found_for_any_text_and_is_its_own_key(text: str) -> None:
    assert email_key(email_key(text)) == email_key(text)


@given(st.text())
def test_an_accepted_address_stays_the_same_when_it_is_checked_again(text: str) -> None:
    try:
        accepted = check_email(text)
    except BadUserInput:
        return
    assert check_email(accepted) == accepted
    assert accepted.count("@") == 1
    assert email_key(accepted) == email_key(text)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Ani  Wijaya ", "Ani Wijaya"),
        ("Ani\tWijaya\n", "Ani Wijaya"),
        ("X" * 100, "X" * 100),
        ("Bj\u0061\u030ark", "Bj\u00e5rk"),
        ("\u0645\u0649\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u0649\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("李小龍", "李小龍"),
    ],
)
def test_a_name_is_tidied(typed: str, kept: str) -> None:
    assert check_name(typed) == kept


@pytest.mark.parametrize("name", ["", " \n ", "x" * 101, "a\x00b", "a\x1b[31mb", "a\u202eb", "a\u2066b", "\ue000"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(BadUserInput) as refusal:
        check_name(name)
    assert refusal.value.field == "name"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+62 812-3456-7890", "+6281234567890"),
        ("021 123 456", "021123456"),
        ("0812.3456.7890", "081234567890"),
        ("+1 (555) 010-9999", "+15550109999"),
        ("123456", "123456"),
    ],
)
def test_a_phone_number_is_kept_as_digits(typed: str, kept: str) -> None:
    assert check_phone(typed) == kept


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "+",
        "12345",
        "1" * 16,
        "abc",
        "++62812345678",
        "0812;3456",
        "\uff11\uff12\uff13\uff14\uff15\uff16",
        "-123456",
    ],
)
def test_what_is_no_phone_number_is_refused(phone: str) -> None:
    with pytest.raises(BadUserInput) as refusal:
        check_phone(phone)
    assert refusal.value.field == "phone"


@pytest.mark.parametrize("length", [MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH])
def test_a_password_may_have_any_characters_within_its_length(length: int) -> None:
    phrase = ("Süße Möhre, 7 blaue Öfen und \u1ec7 Zwiebeln! " * 7)[:length]
    assert check_password(phrase, email="ani@example.com") == phrase
    assert len(phrase) == length


@pytest.mark.parametrize(
    "password",
    ["", "x" * 7, "x" * 257, "ani.wijaya", "Ani.Wijaya", "ani.wijaya@EXAMPLE.com", "Password1!"],
    ids=len,
)
def test_a_password_that_is_too_short_too_long_the_address_or_common_is_refused(password: str) -> None:
    with pytest.raises(BadUserInput) as refusal:
        check_password(password, email="ani.wijaya@example.com")
    assert refusal.value.field == "password"
    assert password == "" or password not in refusal.value.message


def test_roles_are_sorted_and_each_once() -> None:
    assert check_roles("usr_ani", ["STAFF", Role.CUSTOMER, "STAFF"], by="usr_root") == ("CUSTOMER", "STAFF")


@pytest.mark.parametrize("roles", [[], ["SERVICE"], ["STAFF", "ROOT"], ["staff"]])
def test_roles_that_no_account_can_have_are_refused(roles: list[str]) -> None:
    with pytest.raises(BadUserInput) as refusal:
        check_roles("usr_ani", roles, by="usr_root")
    assert refusal.value.field == "roles"


@pytest.mark.parametrize("roles", [["ADMIN"], ["CUSTOMER"], []])
def test_own_roles_are_not_changed_in_either_direction(roles: list[str]) -> None:
    with pytest.raises(Conflict):
        check_roles("usr_ani", roles, by="usr_ani")


@pytest.mark.parametrize(
    ("viewer", "may_read"),
    [
        (ANONYMOUS, False),
        (Identity("usr_budi"), False),
        (Identity("usr_budi", roles=frozenset({"STAFF"})), False),
        (Identity("usr_budi", scopes=frozenset({"orders:read"})), False),
        (Identity("usr_ani"), True),
        (Identity("usr_budi", scopes=frozenset({USERS_READ})), True),
        (service_identity("order"), True),
    ],
)
def test_contact_details_are_for_the_user_for_staff_and_for_services(viewer: Identity, may_read: bool) -> None:
    assert may_read_contact(ANI, viewer) is may_read


def test_an_account_is_found_by_address_name_and_each_word() -> None:
    assert search_keys("Ani@Example.com", "Ani WIJAYA") == ("ani", "ani wijaya", "ani@example.com", "wijaya")


def test_an_access_token_names_its_session() -> None:
    first, second = (new_token_id(TokenFamily("ses_1", 3)) for _ in range(2))
    assert first != second
    assert session_of(first) == session_of(second) == "ses_1"


@pytest.mark.parametrize("token_id", [None, "", "ses_1", "tok_1", "tok_1.2", ".", "usr_1.x"])
def test_a_token_made_without_a_session_names_none(token_id: str | None) -> None:
    assert session_of(token_id) is None
