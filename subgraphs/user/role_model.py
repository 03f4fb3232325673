"""What a role is: a name for a set of scopes. Three are built in; administrators make up others. No I/O, no clock."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from core.errors import BadUserInput, Conflict, Forbidden
from core.identity import Identity, Role
from core.scopes import ADMIN_SCOPES, ASSIGNABLE_SCOPES, ROLE_SCOPES

MAX_DESCRIPTION_LENGTH = 200
# All of them are shown in one list, and nobody tells a hundred roles apart
MAX_ROLES = 100

# As the built-in names are written, and ASCII only: no role may look like ADMIN and be another
_NAME = re.compile(r"[A-Z][A-Z0-9_]{1,39}")

# STAFF and ADMIN are read from tokens by name, and SERVICE makes a caller one of the store's own services
RESERVED_NAMES = frozenset(Role)

_BUILT_IN_DESCRIPTIONS = {
    Role.CUSTOMER: "Shops.",
    Role.STAFF: "Runs the catalogue, stock, orders and reports.",
    Role.ADMIN: "Staff that also assigns roles, makes them up, and reads the audit log.",
}


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role with what it allows; *name* is its key and never changes."""

    name: str
    description: str
    scopes: tuple[str, ...]
    is_built_in: bool = False


BUILT_IN_ROLES: tuple[RoleDefinition, ...] = tuple(
    RoleDefinition(role.value, description, tuple(sorted(ROLE_SCOPES[role])), is_built_in=True)
    for role, description in _BUILT_IN_DESCRIPTIONS.items()
)


def check_role_name(name: str, *, field: str = "name") -> str:
    """Return *name*; raise BadUserInput for one that no role may have, Conflict for a built-in one."""
    if name in RESERVED_NAMES:
        raise Conflict(f"{name} is built in")
    if not _NAME.fullmatch(name):
        raise BadUserInput("a role's name is 2 to 40 of A-Z, 0-9 and _, a letter first: WAREHOUSE", field=field)
    return name


def check_description(description: str, *, field: str = "description") -> str:
    """Return *description* with its blanks tidied; raise BadUserInput when it is too long or not printable."""
    if len(description) > 4 * MAX_DESCRIPTION_LENGTH:
        raise BadUserInput(f"the description is longer than {MAX_DESCRIPTION_LENGTH} characters", field=field)
    tidy = " ".join(description.split())
    if len(tidy) > MAX_DESCRIPTION_LENGTH:
        raise BadUserInput(f"the description is longer than {MAX_DESCRIPTION_LENGTH} characters", field=field)
    if not tidy.isprintable():
        raise BadUserInput("the description has characters that cannot be printed", field=field)
    return tidy


def check_scopes(scopes: Collection[str], *, by: Identity, field: str = "scopes") -> tuple[str, ...]:
    """Return *scopes* sorted and each once, if *by* may put them into a role.

    Raises:
        BadUserInput: none at all, one that does not exist, or one that only the built-in ADMIN has.
        Forbidden: *by* lacks one of them: nobody gives away what they do not have.
    """
    wanted = frozenset(scopes)
    if not wanted:
        raise BadUserInput("a role has at least one scope", field=field)
    reserved = sorted(wanted & ADMIN_SCOPES)
    if reserved:
        raise BadUserInput(f"only the built-in ADMIN has the scope {reserved[0]}", field=field)
    unknown = sorted(wanted - ASSIGNABLE_SCOPES)
    if unknown:
        raise BadUserInput(f"there is no scope {unknown[0]:.40}", field=field)
    lacking = sorted(wanted - by.scopes)
    if lacking:
        raise Forbidden(f"you lack the scope {lacking[0]} yourself")
    return tuple(sorted(wanted))
