from datetime import UTC, datetime
from typing import Any

import pytest

from subgraphs.user.accounts.documents import LetterKind
from subgraphs.user.accounts.letters import TOKEN_TTL, write_news, write_taken_letter, write_token_letter

URL = "https://shop.example/graphql"
MUTATIONS = {
    LetterKind.REGISTRATION: "verifyEmail",
    LetterKind.PASSWORD_RESET: "resetPassword",
    LetterKind.EMAIL_CHANGE: "confirmEmailChange",
}
NEWS = [kind for kind in LetterKind if kind not in TOKEN_TTL]
AT = datetime(2040, 5, 1, 12, 0, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "product_name": "Teapot",
    "all_sessions": True,
    "at": AT,
    "codes_left": 9,
    "device": "Firefox on Windows",
    "opened_at": AT,
}


@pytest.mark.parametrize("kind", TOKEN_TTL)
def test_a_token_stands_on_a_line_of_its_own_and_the_letter_says_what_takes_it(kind: LetterKind) -> None:
    subject, text = write_token_letter(kind, token="the-token", url=URL)
    assert text.splitlines().count("Token: the-token") == 1
    assert f"Where: {URL}" in text.splitlines()
    assert MUTATIONS[kind] in text
    assert "If it was not you, do nothing" in text
    assert subject
    assert "\n" not in subject


@pytest.mark.parametrize("kind", NEWS)
def test_news_carry_no_token(kind: LetterKind) -> None:
    subject, text = write_news(kind, VALUES)
    assert subject
    assert text.endswith(".")
    assert "Token" not in text
    with pytest.raises(ValueError, match=f"a letter about {kind} carries no token"):
        write_token_letter(kind, token="the-token", url=URL)
    with pytest.raises(ValueError, match=f"a letter about {kind} does not depend"):
        write_taken_letter(kind, url=URL)


def test_the_three_that_carry_tokens_are_no_news() -> None:
    for kind in TOKEN_TTL:
        with pytest.raises(ValueError, match="is no news"):
            write_news(kind, VALUES)


@pytest.mark.parametrize(("all_sessions", "sentence"), [(True, "All sessions"), (False, "All other sessions")])
def test_a_changed_password_says_what_ended_and_what_to_do_if_it_was_somebody_else(
    all_sessions: bool, sentence: str
) -> None:
    _, text = write_news(LetterKind.PASSWORD_CHANGED, {"all_sessions": all_sessions})
    assert f"{sentence} have ended." in text
    assert "requestPasswordReset" in text


def test_who_has_an_account_already_is_told_how_to_get_into_it() -> None:
    subject, text = write_taken_letter(LetterKind.REGISTRATION, url=URL)
    assert subject == "You already have an account"
    assert "Log in" in text
    assert "requestPasswordReset" in text


@pytest.mark.parametrize(("codes_left", "sentence"), [(9, "You have 9 left"), (0, "This was the last one")])
def test_a_used_recovery_code_says_how_many_are_left(codes_left: int, sentence: str) -> None:
    _, text = write_news(LetterKind.RECOVERY_CODE_USED, {"at": AT, "codes_left": codes_left})
    assert "On 1 May 2040 at 12:00 UTC somebody logged in to your account" in text
    assert f"{sentence};" in text


def test_a_session_that_was_ended_is_named_by_device_and_day() -> None:
    _, text = write_news(LetterKind.SESSION_REUSED, {"device": "Firefox on Windows", "opened_at": AT})
    assert "The session that you began on 1 May 2040 (Firefox on Windows) has been ended" in text
