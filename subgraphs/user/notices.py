"""The letters about an account's security. Pure: what has happened goes in, a mail comes out."""

from datetime import datetime

from core.mail import Mail

_IF_NOT_YOU = (
    "If this was not you, change your password now and end all other sessions: somebody else may know your password."
)


def write_reuse_notice(mail_id: str, to: str, name: str, *, device: str, opened_at: datetime) -> Mail:
    """Tell that a session was ended because a refresh token came twice."""
    return _write(
        mail_id,
        to,
        name,
        "We have ended one of your sessions",
        f"The session that you began on {_day(opened_at)} ({device}) has been ended, because the key that keeps it"
        " logged in was used a second time. That happens when somebody has copied it, and sometimes when a"
        " connection breaks at the wrong moment; we cannot tell which, so we take no chances.",
        "Log in again to go on. If it happens again, change your password and end all other sessions.",
    )


def write_second_factor_notice(mail_id: str, to: str, name: str, *, enabled: bool, at: datetime) -> Mail:
    """Tell that a second factor was added to the account, or removed from it."""
    if enabled:
        subject = "Your account now asks for a code at login"
        change = f"On {_moment(at)} an authenticator app was added to your account. Each login needs a code now."
    else:
        subject = "Your account no longer asks for a code at login"
        change = f"On {_moment(at)} the authenticator app was removed from your account: your password is enough again."
    return _write(mail_id, to, name, subject, f"{change} All your other sessions have been ended.", _IF_NOT_YOU)


def write_recovery_notice(mail_id: str, to: str, name: str, *, codes_left: int, at: datetime) -> Mail:
    """Tell that a recovery code was used up."""
    left = "This was the last one" if codes_left == 0 else f"You have {codes_left} left"
    return _write(
        mail_id,
        to,
        name,
        "A recovery code was used to log in to your account",
        f"On {_moment(at)} somebody logged in to your account with one of its recovery codes. {left}; you can make new"
        " ones whenever you are logged in.",
        _IF_NOT_YOU,
    )


def write_guessing_notice(mail_id: str, to: str, name: str) -> Mail:
    """Tell that somebody knows the password and tries out codes."""
    return _write(
        mail_id,
        to,
        name,
        "Somebody is trying to log in to your account",
        "Somebody has entered your password, and then one wrong code after the other. They are not in: without a right"
        " code nobody gets into your account, and each further try has to wait longer.",
        "If this was not you, change your password now: whoever it was knows it.",
    )


def _write(mail_id: str, to: str, name: str, subject: str, *paragraphs: str) -> Mail:
    text = "\n\n".join((f"Hello {name},", *paragraphs))
    return Mail(mail_id, to, subject, f"{text}\n")


def _day(moment: datetime) -> str:
    return f"{moment:%d %B %Y}".lstrip("0")


def _moment(moment: datetime) -> str:
    return f"{_day(moment)} at {moment:%H:%M} UTC"
