"""What an account is and what it may be changed to. No I/O, no clock."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.errors import BadUserInput, Conflict, DomainError
from core.identity import Identity, Role
from core.scopes import USERS_READ
from core.tokens import read_token_family
from subgraphs.user.common_passwords import is_common

MAX_NAME_LENGTH = 100
# RFC 5321, section 4.5.3.1: 64 octets before the @, and 254 for the whole address as it fits a path of 256
MAX_EMAIL_LENGTH = 254
MAX_LOCAL_PART_LENGTH = 64
# NIST SP 800-63B: at least 8, and long pass phrases welcome; the upper bound only keeps the hashing bounded
MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 256
# Unicode composes one character of at most four. Putting text into one form takes time that grows with the square of a
# run of accents, so what is longer than its limit can be is refused before
LONGEST_DECOMPOSITION = 4
MAX_SEARCH_LENGTH = 254
# E.164: at most 15 digits, and no country manages with less than 6
PHONE_DIGITS = range(6, 16)

# Zero-width (non-)joiner: not printable to Python, and part of the spelling of Persian and Indic names
JOINERS = "\u200c\u200d"

# A service is an identity, not an account
ASSIGNABLE_ROLES = frozenset({Role.CUSTOMER, Role.STAFF, Role.ADMIN})

_LOCAL_PART = re.compile(r"[^\s@\"(),:;<>\[\]\\.]+(\.[^\s@\"(),:;<>\[\]\\.]+)*")
_DOMAIN_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PHONE = re.compile(r"\+?[0-9][0-9 ().-]*")


class AccountStatus(StrEnum):
    """What may be done with an account; only an ACTIVE one can be logged in to.

    SUSPENDED by the store, DEACTIVATED by its owner. ERASED is what is left of one: an id that orders refer to.
    """

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    DEACTIVATED = "DEACTIVATED"
    ERASED = "ERASED"


@dataclass(frozen=True, slots=True)
class Profile:
    """An account as others may read it; the password's hash never leaves the repository with it."""

    id: str
    email: str
    name: str
    phone: str | None
    roles: tuple[str, ...]
    created_at: datetime
    status: AccountStatus = AccountStatus.ACTIVE


def profile_from_row(row: Mapping[str, Any]) -> Profile:
    """Read a row of `users`, or a projection that keeps PROFILE_FIELDS of the repository."""
    return Profile(
        id=row["_id"],
        email=row["email"],
        name=row["name"],
        phone=row.get("phone"),
        roles=tuple(row["roles"]),
        created_at=row["created_at"],
        # Rows from before accounts had a status lack it
        status=AccountStatus(row.get("status", AccountStatus.ACTIVE)),
    )


def may_read_contact(profile: Profile, viewer: Identity) -> bool:
    """Tell whether *viewer* may see e-mail address, phone and roles of *profile*."""
    return viewer.subject == profile.id or viewer.is_service or viewer.has_scopes(USERS_READ)


def check_email(email: str, *, field: str = "email") -> str:
    """Return *email* without surrounding blanks, in Unicode's composed form; raise BadUserInput if it is none.

    Only the shape is checked. Whether somebody reads it, only a message can tell.
    """
    refusal = BadUserInput("this is not an e-mail address", field=field)
    if not _can_fit(email, MAX_EMAIL_LENGTH):
        raise refusal
    trimmed = unicodedata.normalize("NFC", email.strip())
    # By hand because a pattern for all of it would backtrack on long input
    if len(trimmed) > MAX_EMAIL_LENGTH or not trimmed.isprintable():
        raise refusal
    local, at, domain = trimmed.rpartition("@")
    if not at or len(local.encode()) > MAX_LOCAL_PART_LENGTH or not _LOCAL_PART.fullmatch(local):
        raise refusal
    try:
        labels = _ascii_domain(domain).split(".")
    except UnicodeError:
        raise refusal from None
    if len(labels) < 2 or not all(_DOMAIN_LABEL.fullmatch(label) for label in labels):
        raise refusal
    return trimmed


def email_key(email: str) -> str:
    """Return what two spellings of one address have in common: unique among accounts.

    Case is ignored on both sides of the @. RFC 5321 lets a server tell `Ani@` from `ani@`, no provider does, and two
    accounts that differ only in it are one person's mistake or another's trap.
    """
    if not _can_fit(email, MAX_EMAIL_LENGTH):
        # Not an address either, and nobody's
        return "@"
    # Folding makes a blank of some signs, such as a cedilla that stands alone
    local, _, domain = _fold(email.strip()).strip().rpartition("@")
    try:
        return f"{local}@{_ascii_domain(domain)}"
    except UnicodeError:
        # Not an address, and so nobody's: a login with it must fail like any other
        return f"{local}@{domain}"


def check_name(name: str, *, field: str = "name") -> str:
    """Return *name* with its blanks tidied; raise BadUserInput when it is empty, too long or not printable."""
    too_long = BadUserInput(f"the name is longer than {MAX_NAME_LENGTH} characters", field=field)
    if not _can_fit(name, MAX_NAME_LENGTH):
        raise too_long
    tidy = " ".join(unicodedata.normalize("NFC", name).split())
    if not tidy:
        raise BadUserInput("the name is empty", field=field)
    if len(tidy) > MAX_NAME_LENGTH:
        raise too_long
    # Control characters and direction overrides would let a name rewrite the mail or page around it
    if not all(character.isprintable() or character in JOINERS for character in tidy):
        raise BadUserInput("the name has characters that cannot be printed", field=field)
    return tidy


def check_phone(phone: str, *, field: str = "phone") -> str:
    """Return *phone* as digits with the leading plus it may have; raise BadUserInput if it is no number."""
    trimmed = phone.strip()
    digits = "".join(character for character in trimmed if character in "0123456789")
    if len(trimmed) > 40 or not _PHONE.fullmatch(trimmed) or len(digits) not in PHONE_DIGITS:
        raise BadUserInput("this is not a phone number such as +62 812 3456 7890", field=field)
    return f"+{digits}" if trimmed.startswith("+") else digits


def check_password(password: str, *, email: str, field: str = "password") -> str:
    """Return *password* as it is hashed.

    Raises:
        BadUserInput: it is too short, too long, the address itself, or one of those that everybody tries first.
    """
    too_long = BadUserInput(f"a password has at most {MAX_PASSWORD_LENGTH} characters", field=field)
    if not can_be_password(password):
        raise too_long
    normalised = normalise_password(password)
    if len(normalised) < MIN_PASSWORD_LENGTH:
        raise BadUserInput(f"a password needs at least {MIN_PASSWORD_LENGTH} characters", field=field)
    if len(normalised) > MAX_PASSWORD_LENGTH:
        raise too_long
    if normalised.casefold() in {email.casefold(), email.rpartition("@")[0].casefold()}:
        raise BadUserInput("the password must not be the e-mail address", field=field)
    if is_common(normalised):
        raise BadUserInput("this is one of the commonest passwords, or close to one; choose another", field=field)
    return normalised


def can_be_password(password: str) -> bool:
    """Tell whether *password* is short enough to be looked at at all; a longer one is nobody's."""
    return _can_fit(password, MAX_PASSWORD_LENGTH)


def normalise_password(password: str) -> str:
    """Return *password* in one Unicode form (NIST SP 800-63B, 5.1.1.2): keyboards differ in how they send an é.

    Only for what `can_be_password`.
    """
    return unicodedata.normalize("NFKC", password)


def check_roles(user_id: str, roles: Collection[str], *, by: str | None, also: Collection[str] = ()) -> tuple[str, ...]:
    """Return *roles* for the account *user_id*, sorted and each once; *also* are the names that are not built in.

    Raises:
        BadUserInput: none at all, or one that an account cannot have.
        Conflict: *by*, whoever assigns them, is that account: nobody raises themselves, and no last administrator
            leaves by accident.
    """
    if by == user_id:
        raise Conflict("nobody changes their own roles")
    if not roles:
        raise BadUserInput("an account has at least one role", field="roles")
    unknown = sorted(set(roles) - ASSIGNABLE_ROLES - set(also))
    if unknown:
        raise BadUserInput(f"role {unknown[0]:.40} cannot be assigned", field="roles")
    return tuple(sorted(set(map(str, roles))))


def search_keys(email: str, name: str) -> tuple[str, ...]:
    """Return the beginnings under which an account is found: its address, its name, and each word of the name."""
    folded = name.casefold()
    return tuple(sorted({email_key(email), folded, *folded.split()}))


def check_search(search: str, *, field: str = "search") -> str:
    """Return *search* without surrounding blanks; raise BadUserInput for what no address or name begins with."""
    if len(search) > MAX_SEARCH_LENGTH or "\0" in search:
        raise BadUserInput(f"a search has at most {MAX_SEARCH_LENGTH} characters, none of them NUL", field=field)
    return search.strip()


def _can_fit(text: str, limit: int) -> bool:
    """Tell whether *text* may have at most *limit* characters once it is composed."""
    return len(text) <= LONGEST_DECOMPOSITION * limit


def _fold(text: str) -> str:
    # A compatibility caseless match, D146 in section 3.13 of the Unicode standard; folding once is not enough
    folded = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())


def _ascii_domain(domain: str) -> str:
    # IDNA: bücher.example and xn--bcher-kva.example are one domain. The codec refuses empty and overlong labels
    return domain.encode("idna").decode().lower()


class EmailTaken(Conflict):
    """Another account has this address."""

    code = "EMAIL_TAKEN"


class InvalidCredentials(DomainError):
    """No account has this address and password together. Which of the two is wrong is not told."""

    code = "INVALID_CREDENTIALS"


class AccountInactive(DomainError):
    """The password is right, and the account is suspended or deactivated."""

    code = "ACCOUNT_INACTIVE"


class InvalidMailToken(DomainError):
    """The token from a mail was used, has expired, was replaced by a newer one, or never was. Which is not told."""

    code = "INVALID_MAIL_TOKEN"


class InvalidRefreshToken(DomainError):
    """The refresh token is unknown, expired, used before, or its session has ended. Which one is not told."""

    code = "INVALID_REFRESH_TOKEN"


def session_of(token_id: str | None) -> str | None:
    """Return the session that an access token with this `jti` belongs to; None for tokens made without one."""
    family = read_token_family(token_id)
    return family.session_id if family is not None and family.session_id.startswith("ses_") else None
