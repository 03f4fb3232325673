"""GraphQL types of the user subgraph."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, TypeAlias

import strawberry
from strawberry.dataloader import DataLoader

from core.identity import Identity
from core.subgraph import Call
from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from schema.scalars import DateTime
from subgraphs.user.cookies import TokenCookies
from subgraphs.user.model import Profile, may_read_contact
from subgraphs.user.problems import EmailTakenProblem, InvalidCredentialsProblem, InvalidRefreshTokenProblem
from subgraphs.user.second_factor.problems import SecondFactorRequired
from subgraphs.user.second_factor.service import SecondFactors
from subgraphs.user.service import UserService
from subgraphs.user.session_list.service import SessionList


@dataclass(slots=True)
class UserContext:
    """What the resolvers of one request share."""

    identity: Identity
    call: Call
    service: UserService
    session_list: SessionList
    second_factors: SecondFactors
    cookies: TokenCookies
    now: Callable[[], datetime]
    profiles: DataLoader[str, Profile | None]


@strawberry.enum(description="What an account may do in the store.")
class UserRole(Enum):
    CUSTOMER = strawberry.enum_value("CUSTOMER", description="Shops.")
    STAFF = strawberry.enum_value("STAFF", description="Runs the catalogue, stock, orders and reports.")
    ADMIN = strawberry.enum_value("ADMIN", description="Staff that also assigns roles.")


@strawberry.enum(description="How a client wants to carry its tokens.")
class TokenTransport(Enum):
    BEARER = strawberry.enum_value("BEARER", description="In the answer, to be sent as `Authorization: Bearer`.")
    COOKIE = strawberry.enum_value(
        "COOKIE", description="In HttpOnly cookies that no script can read; the answer carries none."
    )


@strawberry.federation.type(keys=["id"], description="Somebody with an account.")
class User:
    id: strawberry.ID = strawberry.field(description="Identifier.")
    name: str = strawberry.field(description="Name as the user gave it.")
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

    @strawberry.field(description="E-mail address; only for the user and for staff, null to others.")
    def email(self) -> str | None:
        return self.profile.email if self._may_read_contact else None

    @strawberry.field(description="Phone number; only for the user and for staff, null to others.")
    def phone(self) -> str | None:
        return self.profile.phone if self._may_read_contact else None

    @strawberry.field(description="Roles; only for the user and for staff, null to others.")
    def roles(self) -> list[UserRole] | None:
        return [UserRole[role] for role in self.profile.roles] if self._may_read_contact else None

    @property
    def _may_read_contact(self) -> bool:
        return may_read_contact(self.profile, self.viewer)


@strawberry.type(description="The outcome of a successful login.")
class AuthSession:
    access_token: str | None = strawberry.field(description="Token of a few minutes; null where cookies carry it.")
    token_type: str = strawberry.field(description='How the token is sent: "Bearer".')
    expires_at: DateTime = strawberry.field(description="When the access token expires.")
    refresh_token: str | None = strawberry.field(description="Gets new tokens, once; null where cookies carry it.")
    user: User = strawberry.field(description="Who has logged in.")


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


@strawberry.input(description="Changes to the own profile; a field that is left out stays as it is.")
class UpdateProfileInput:
    name: strawberry.Maybe[str] = strawberry.field(description="New name.")
    phone: strawberry.Maybe[str | None] = strawberry.field(description="New phone number; null removes it.")


RegisterResult: TypeAlias = Annotated[
    AuthSession | InvalidInputProblem | EmailTakenProblem,
    strawberry.union("RegisterResult", description="Logged in to a new account, or why there is none."),
]
LoginResult: TypeAlias = Annotated[
    AuthSession | SecondFactorRequired | InvalidCredentialsProblem,
    strawberry.union("LoginResult", description="Logged in, halfway there, or why not."),
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
