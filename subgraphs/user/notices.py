"""The letters about what protects an account: sessions and second factors. Pure, as accounts/letters.py is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from subgraphs.user.accounts.documents import LetterKind

NOTICES = frozenset(
    {
        LetterKind.CODES_GUESSED,
        LetterKind.RECOVERY_CODE_USED,
        LetterKind.SECOND_FACTOR_DISABLED,
        LetterKind.SECOND_FACTOR_ENABLED,
        LetterKind.SESSION_REUSED,
    }
)

_IF_NOT_YOU = (
    "If this was not you, change your password now and end all other sessions: somebody else may know your password."
)
_ENDED = "All your other sessions have been ended."


def write_notice(kind: LetterKind, values: Mapping[str, Any]) -> tuple[str, str]:
    """Return subject and text of one of NOTICES.

    Args:
        kind: which.
        values: `at` is when it happened; SESSION_REUSED has `device` and `opened_at` of the session that has ended,
            RECOVERY_CODE_USED has `codes_left`; CODES_GUESSED needs none.
    """
    match kind:
        case LetterKind.SESSION_REUSED:
            return "We have ended one of your sessions", (
                f"The session that you began on {_day(values['opened_at'])} ({values['device']}) has been ended,"
                " because the key that keeps it logged in was used a second time. That happens when somebody has copied"
                " it, and sometimes when a connection breaks at the wrong moment; we cannot tell which, so we take no"
                " chances.\n\n"
                "Log in again to go on. If it happens again, change your password and end all other sessions."
            )
        case LetterKind.SECOND_FACTOR_ENABLED:
            return "Your account now asks for a code at login", (
                f"On {_moment(values['at'])} an authenticator app was added to your account. Each login needs a code"
                f" now. {_ENDED}\n\n{_IF_NOT_YOU}"
            )
        case LetterKind.SECOND_FACTOR_DISABLED:
            return "Your account no longer asks for a code at login", (
                f"On {_moment(values['at'])} the authenticator app was removed from your account: your password is"
                f" enough again. {_ENDED}\n\n{_IF_NOT_YOU}"
            )
        case LetterKind.RECOVERY_CODE_USED:
            codes_left = values["codes_left"]
            left = "This was the last one" if codes_left == 0 else f"You have {codes_left} left"
            return "A recovery code was used to log in to your account", (
                f"On {_moment(values['at'])} somebody logged in to your account with one of its recovery codes."
                f" {left}; you can make new ones whenever you are logged in.\n\n{_IF_NOT_YOU}"
            )
        case LetterKind.CODES_GUESSED:
            return "Somebody is trying to log in to your account", (
                "Somebody has entered your password, and then one wrong code after the other. They are not in: without"
                " a right code nobody gets into your account, and each further try has to wait longer.\n\n"
                "If this was not you, change your password now: whoever it was knows it."
            )
        case _:
            raise ValueError(f"a letter about {kind} is no notice")


def _day(moment: datetime) -> str:
    return f"{moment:%d %B %Y}".lstrip("0")


def _moment(moment: datetime) -> str:
    return f"{_day(moment)} at {moment:%H:%M} UTC"
