"""The store's errors. Whether a client may read a message is decided by its class, here and only here.

PasarError                  anything of ours; hidden from clients unless it is a DomainError
├── DomainError             a sentence meant for the caller
│   ├── BadUserInput        BAD_USER_INPUT     a value that cannot be accepted; names the field
│   ├── NotFound            NOT_FOUND          no such thing, or not visible to this caller
│   ├── Conflict            CONFLICT           the state does not allow it (`order 42 is SHIPPED`)
│   ├── Unauthenticated     UNAUTHENTICATED    nobody is logged in
│   ├── Forbidden           FORBIDDEN          logged in, but not allowed
│   └── RateLimited         RATE_LIMITED       too many tries; says when to come back
└── Unavailable             UNAVAILABLE        a service or database did not answer; safe to retry
"""


class PasarError(Exception):
    """Any error of ours. *code* becomes `extensions.code` of a GraphQL error."""

    code = "INTERNAL_SERVER_ERROR"

    @property
    def message(self) -> str:
        """Return the sentence given at construction."""
        return str(self.args[0]) if self.args else self.code


class DomainError(PasarError):
    """A refusal that the caller may read."""


class BadUserInput(DomainError):
    """A value was refused; *field* is the input's path, for example `lines.0.quantity`."""

    code = "BAD_USER_INPUT"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(DomainError):
    """Nothing with this id exists for this caller."""

    code = "NOT_FOUND"


class Conflict(DomainError):
    """The present state does not allow the request."""

    code = "CONFLICT"


class Unauthenticated(DomainError):
    """A login is needed."""

    code = "UNAUTHENTICATED"


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    code = "FORBIDDEN"


class RateLimited(DomainError):
    """Too many attempts; *retry_after_s* tells when the next one is allowed."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(PasarError):
    """Something that we depend on did not answer; trying again is safe."""

    code = "UNAVAILABLE"
