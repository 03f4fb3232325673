"""GraphQL types of the user subgraph."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, TypeAlias

import strawberry
from strawberry.dataloader import DataLoader

from core.identity import Identity
from core.scopes import USERS_READ
from core.subgraph import Call
from schema.ownership import Owned, Public
from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from schema.scalars import DateTime
from subgraphs.user.cookies import TokenCookies
from subgraphs.user.devices import DeviceCookie
from subgraphs.user.model import Profile, may_read_contact
from subgraphs.user.problems import (
    EmailTakenProblem,
    InvalidCredentialsProblem,
    InvalidRefreshTokenProblem,
    TooManyAttemptsProblem,
)
from subgraphs.user.role_model import RoleDefinition
from subgraphs.user.service import UserService


@dataclass(slots=True)
class UserContext:
    """What the resolvers of one request share."""

    identity: Identity
    call: Call
    service: UserService
    cookies: TokenCookies
    device_cookie: DeviceCookie
    now: Callable[[], datetime]
    profiles: DataLoader[str, Profile | None]
    roles: DataLoader[str, RoleDefinition | None]

    async def find_scopes(self, roles: Sequence[str]) -> list[str]:
        """Return what *roles* allow together, by name; many accounts' roles are one query."""
        found = await self.roles.load_many(roles)
        return sorted({scope for role in found if role is not None for scope in role.scopes})


# Of the user, for the user, and for those who look after accounts
SELF = [Owned(by="self", or_scopes=[USERS_READ])]
# Whoever gets it has just proven to be its owner
CALLERS = [Owned(by="caller")]


@strawberry.enum(description="How a client wants to carry its tokens.")
class TokenTransport(Enum):
    BEARER = strawberry.enum_value("BEARER", description="In the answer, to be sent as `Authorization: Bearer`.")
    COOKIE = strawberry.enum_value(
        "COOKIE", description="In HttpOnly cookies that no script can read; the answer carries none."
    )


@strawberry.federation.type(keys=["id"], description="Somebody with an account.")
class User:
    id: strawberry.ID = strawberry.field(description="Identifier.")
    name: str = strawberry.field(
        description="Name as the user gave it.",
        directives=[Public(because="it names the author to whoever may read what the user has written")],
    )
    created_at: DateTime = strawberry.field(description="When the account was created.")
    profile: strawberry.Private[Profile]
    viewer: strawberry.Private[Identity]

    @classmethod
    def from_profile(cls, profile: Profile, *, viewer: Identity) -> "User":
        return cls(
            id=strawberry.ID(profile.id),
            name=profile.name,
            created_at=DateTime(profile.created_at),
            profile=profile,
            viewer=viewer,
        )

    @classmethod
    async def resolve_reference(
        cls, info: strawberry.Info[UserContext, None], id: strawberry.ID, **_: object
    ) -> "User | None":
        profile = await info.context.profiles.load(id)
        return None if profile is None else cls.from_profile(profile, viewer=info.context.identity)

    @strawberry.field(description="E-mail address; only for the user and for staff, null to others.", directives=SELF)
    def email(self) -> str | None:
        return self.profile.email if self._may_read_contact else None

    @strawberry.field(description="Phone number; only for the user and for staff, null to others.", directives=SELF)
    def phone(self) -> str | None:
        return self.profile.phone if self._may_read_contact else None

    @strawberry.field(
        description="Names of the roles; only for the user and for staff, null to others.", directives=SELF
    )
    def roles(self) -> list[str] | None:
        return list(self.profile.roles) if self._may_read_contact else None

    @strawberry.field(
        description="What the roles allow together, for showing what can be done. Null to others as `roles` is.",
        directives=SELF,
    )
    async def scopes(self, info: strawberry.Info[UserContext, None]) -> list[str] | None:
        return await info.context.find_scopes(self.profile.roles) if self._may_read_contact else None

    @property
    def _may_read_contact(self) -> bool:
        return may_read_contact(self.profile, self.viewer)


@strawberry.type(description="The outcome of a successful login.")
class AuthSession:
    access_token: str | None = strawberry.field(
        description="Token of a few minutes; null where cookies carry it.", directives=CALLERS
    )
    token_type: str = strawberry.field(
        description='How the token is sent: "Bearer".', directives=[Public(because="it is always the same")]
    )
    expires_at: DateTime = strawberry.field(description="When the access token expires.")
    refresh_token: str | None = strawberry.field(
        description="Gets new tokens, once; null where cookies carry it.", directives=CALLERS
    )
    user: User = strawberry.field(description="Who has logged in.", directives=CALLERS)
    device_token: str | None = strawberry.field(
        default=None,
        description=(
            "Tells later logins that this device has logged in to the account before, so that strangers who guess at "
            "its password do not slow it down. No credential. Null where a cookie carries it."
        ),
        directives=CALLERS,
    )


@strawberry.input(description="A new account.")
class RegisterInput:
    email: str = strawberry.field(description="E-mail address; one account each.")
    password: str = strawberry.field(description="At least 8 characters.")
    name: str = strawberry.field(description="Name to show.")
    transport: TokenTransport = strawberry.field(default=TokenTransport.BEARER, description="How to carry the tokens.")


@strawberry.input(description="Who wants to log in.")
class LoginInput:
    email: str = strawberry.field(description="E-mail address of the account.")
    password: str = strawberry.field(description="Its password.")
    transport: TokenTransport = strawberry.field(default=TokenTransport.BEARER, description="How to carry the tokens.")
    device_token: str | None = strawberry.field(
        default=None, description="What an earlier login of this device was given; left out where a cookie carries it."
    )


@strawberry.input(description="Changes to the own profile; a field that is left out stays as it is.")
class UpdateProfileInput:
    name: strawberry.Maybe[str] = strawberry.field(description="New name.")
    phone: strawberry.Maybe[str | None] = strawberry.field(description="New phone number; null removes it.")


RegisterResult: TypeAlias = Annotated[
    AuthSession | InvalidInputProblem | EmailTakenProblem | TooManyAttemptsProblem,
    strawberry.union("RegisterResult", description="Logged in to a new account, or why there is none."),
]
LoginResult: TypeAlias = Annotated[
    AuthSession | InvalidCredentialsProblem | TooManyAttemptsProblem,
    strawberry.union("LoginResult", description="Logged in, or why not."),
]
RefreshResult: TypeAlias = Annotated[
    AuthSession | InvalidRefreshTokenProblem,
    strawberry.union("RefreshResult", description="New tokens, or why there are none."),
]
UpdateProfileResult: TypeAlias = Annotated[
    User | InvalidInputProblem,
    strawberry.union("UpdateProfileResult", description="The changed profile, or why it is unchanged."),
]
SetRolesResult: TypeAlias = Annotated[
    User | NotFoundProblem | InvalidInputProblem | ConflictProblem,
    strawberry.union("SetRolesResult", description="The user with the new roles, or why they are unchanged."),
]
