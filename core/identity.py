"""Who is asking: the identity that the router injects into every subgraph request."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The built-in roles. A service is another subgraph, not a person."""

    CUSTOMER = "CUSTOMER"
    STAFF = "STAFF"
    ADMIN = "ADMIN"
    SERVICE = "SERVICE"


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified caller.

    *subject* is a user id or, for a service, `service:<name>`; None means anonymous. *token_id* is the `jti` of the
    access token, None where no token was involved.
    """

    subject: str | None
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    token_id: str | None = None

    @property
    def is_authenticated(self) -> bool:
        """Tell whether a person or a service is behind this identity."""
        return self.subject is not None

    @property
    def is_service(self) -> bool:
        """Tell whether another subgraph is calling."""
        return Role.SERVICE in self.roles

    @property
    def is_staff(self) -> bool:
        """Tell whether the caller works for the store."""
        return Role.STAFF in self.roles or Role.ADMIN in self.roles

    def has_scopes(self, *scopes: str) -> bool:
        """Tell whether the caller holds all of *scopes*."""
        return self.scopes.issuperset(scopes)


ANONYMOUS = Identity(subject=None)


def service_identity(name: str) -> Identity:
    """Return the identity under which the subgraph *name* calls its peers."""
    return Identity(subject=f"service:{name}", roles=frozenset({Role.SERVICE}))
