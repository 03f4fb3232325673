"""The letters to account holders. Pure: what they are about goes in, subject and text come out.

Nothing that somebody typed into a form is in a letter that goes to an address before its owner has confirmed it:
otherwise the store would carry strangers' words to whomever they like.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from subgraphs.user.accounts.documents import LetterKind
from subgraphs.user.notices import NOTICES, write_notice

# A registration may wait for the evening; a reset is asked for by somebody who sits at the mailbox
VERIFICATION_TTL = timedelta(hours=24)
RESET_TTL = timedelta(hours=1)
EMAIL_CHANGE_TTL = timedelta(hours=24)
# News that could not be delivered in so long are news no more
NEWS_TTL = timedelta(days=3)

TOKEN_TTL: Mapping[LetterKind, timedelta] = {
    LetterKind.REGISTRATION: VERIFICATION_TTL,
    LetterKind.PASSWORD_RESET: RESET_TTL,
    LetterKind.EMAIL_CHANGE: EMAIL_CHANGE_TTL,
}

_NOT_YOU = (
    "If this was not you, somebody else has got into your account: reset your password at once"
    " (mutation requestPasswordReset), which ends all sessions, and write to us."
)


def write_token_letter(kind: LetterKind, *, token: str, url: str) -> tuple[str, str]:
    """Return subject and text of a letter that carries *token*; *url* is where the store takes it."""
    match kind:
        case LetterKind.REGISTRATION:
            return "Confirm your e-mail address", (
                "Welcome. Somebody, we hope you, has registered at our store with this e-mail address.\n\n"
                "To open the account, confirm the address within 24 hours: send this token with the mutation"
                " verifyEmail, together with the password that you have chosen.\n\n"
                f"{_show(token, url)}\n\n"
                "If it was not you, do nothing: without your confirmation no account is opened. Never confirm a"
                " registration that you did not make."
            )
        case LetterKind.PASSWORD_RESET:
            return "Reset your password", (
                "Somebody, we hope you, has asked to reset the password of your account.\n\n"
                "To choose a new one, send this token with the mutation resetPassword within an hour. It works once,"
                " and only the newest letter counts.\n\n"
                f"{_show(token, url)}\n\n"
                "If it was not you, do nothing: your password stays as it is. Give the token to nobody, not even to us."
            )
        case LetterKind.EMAIL_CHANGE:
            return "Confirm your new e-mail address", (
                "Somebody, we hope you, wants to use this e-mail address for an account at our store.\n\n"
                "To confirm it, log in and send this token with the mutation confirmEmailChange within 24 hours.\n\n"
                f"{_show(token, url)}\n\n"
                "If it was not you, do nothing: the account keeps the address that it has."
            )
        case _:
            raise ValueError(f"a letter about {kind} carries no token")


def write_taken_letter(kind: LetterKind, *, url: str) -> tuple[str, str]:
    """Return the letter to whoever has the account with an address that somebody wanted to register or change to."""
    subject = "You already have an account"
    match kind:
        case LetterKind.REGISTRATION:
            return subject, (
                "Somebody, perhaps you, has tried to register at our store with this e-mail address.\n\n"
                "You already have an account, and it is unchanged. Log in with your password (mutation login), or,"
                f" if you have forgotten it, reset it (mutation requestPasswordReset):\n\n{url}\n\n"
                "If it was not you, do nothing: whoever it was has learned nothing about you."
            )
        case LetterKind.EMAIL_CHANGE:
            return subject, (
                "Somebody, perhaps you, has tried to move another account at our store to this e-mail address.\n\n"
                "The address belongs to your account, and both are unchanged. If you want to merge two accounts of"
                " yours, erase or move this one first."
            )
        case _:
            raise ValueError(f"a letter about {kind} does not depend on who has the address")


def write_news(kind: LetterKind, values: Mapping[str, Any]) -> tuple[str, str]:
    """Return subject and text of a letter that tells what has happened; *values* are what was put in with it."""
    if kind in NOTICES:
        return write_notice(kind, values)
    match kind:
        case LetterKind.PASSWORD_CHANGED:
            ended = "All sessions" if values["all_sessions"] else "All other sessions"
            return "Your password was changed", (
                f"The password of your account was changed. {ended} have ended.\n\n{_NOT_YOU}"
            )
        case LetterKind.EMAIL_CHANGE_REQUESTED:
            return "Your e-mail address is about to change", (
                "Somebody who knows your password has asked to change the e-mail address of your account. It stays as"
                f" it is until the new address is confirmed.\n\n{_NOT_YOU} It also stops the change."
            )
        case LetterKind.EMAIL_CHANGED:
            return "Your e-mail address was changed", (
                "The e-mail address of your account was changed. From now on you log in with the new one, and letters"
                " go there. This one goes to both.\n\nIf this was not you, write to us."
            )
        case LetterKind.ACCOUNT_DEACTIVATED:
            return "Your account is deactivated", (
                "Your account is deactivated, as you have asked. All sessions have ended, and nobody can log in."
                " Write to us if you want it back."
            )
        case LetterKind.ACCOUNT_SUSPENDED:
            return "Your account is suspended", (
                "The store has suspended your account. All sessions have ended, and nobody can log in. Write to us if"
                " you think that this is a mistake."
            )
        case LetterKind.ACCOUNT_REACTIVATED:
            return "Your account is active again", "Your account is active again: you can log in as before."
        case LetterKind.ACCOUNT_ERASED:
            return "Your account is erased", (
                "Your account and the personal data in it are erased, as you have asked. What the law makes us keep"
                " of your orders no longer names you. You may register again at any time, as somebody new."
            )
        case LetterKind.EXPORT_READY:
            return "Your data is ready", (
                "What the store knows about you is collected. Read it with the query dataExport, from the session in"
                f" which you have asked for it, within 7 days; after that it is deleted.\n\n{_NOT_YOU}"
            )
        case LetterKind.BACK_IN_STOCK:
            return f"{values['product_name']} is available again", (
                f"{values['product_name']}, which you have asked us about, is available again. Nothing is reserved for"
                " you, and we write about it this once."
            )
        case _:
            raise ValueError(f"a letter about {kind} is no news")


def _show(token: str, url: str) -> str:
    return f"Token: {token}\nWhere: {url}"
