"""GraphQL types of the user subgraph."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
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
from subgraphs.user.accounts.address_book import AddressBook
from subgraphs.user.accounts.address_book import SavedAddress as SavedAddressValue
from subgraphs.user.accounts.app import Accounts
from subgraphs.user.cookies import TokenCookies
from subgraphs.user.devices import DeviceCookie
from subgraphs.user.model import Profile, may_read_contact
from subgraphs.user.problems import (
    AccountInactiveProblem,
    InvalidCredentialsProblem,
    InvalidRefreshTokenProblem,
    TooManyAttemptsProblem,
)
from subgraphs.user.role_model import RoleDefinition
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
    device_cookie: DeviceCookie
    now: Callable[[], datetime]
    profiles: DataLoader[str, Profile | None]
    address_books: DataLoader[str, tuple[str, AddressBook] | None]

    @property
    def accounts(self) -> Accounts:
        return self.service.accounts

    roles: DataLoader[str, RoleDefinition | None]

    async def find_scopes(self, roles: Sequence[str]) -> list[str]:
        """Return what *roles* allow together, by name; many accounts' roles are one query."""
        found = await self.roles.load_many(roles)
        return sorted({scope for role in found if role is not None for scope in role.scopes})


# Of the user, for the user, and for those who look after accounts
SELF = [Owned(by="self", or_scopes=[USERS_READ])]
# Of the user, and nobody's else
OWN = [Owned(by="self")]
# Whoever gets it has just proven to be its owner
CALLERS = [Owned(by="caller")]


@strawberry.enum(name="AccountStatus", description="Whether an account can be used.")
class AccountStatusName(Enum):
    ACTIVE = strawberry.enum_value("ACTIVE", description="It can.")
    SUSPENDED = strawberry.enum_value("SUSPENDED", description="The store does not let its holder log in.")
    DEACTIVATED = strawberry.enum_value("DEACTIVATED", description="Its holder does not want to use it.")
    ERASED = strawberry.enum_value("ERASED", description="Its holder is gone; orders refer to it.")


@strawberry.enum(description="How a client wants to carry its tokens.")
class TokenTransport(Enum):
    BEARER = strawberry.enum_value("BEARER", description="In the answer, to be sent as `Authorization: Bearer`.")
    COOKIE = strawberry.enum_value(
        "COOKIE", description="In HttpOnly cookies that no script can read; the answer carries none."
    )


@strawberry.type(description="A postal address of an address book.")
class SavedAddress:
    id: strawberry.ID = strawberry.field(description="Identifier.")
    is_default: bool = strawberry.field(description="Whether checkouts propose it.")
    recipient: str = strawberry.field(description="Who receives it.", directives=SELF)
    phone: str | None = strawberry.field(description="For the carrier.", directives=SELF)
    line1: str = strawberry.field(description="Street and number.", directives=SELF)
    line2: str | None = strawberry.field(description="What else helps to find it.", directives=SELF)
    city: str = strawberry.field(description="City or town.", directives=SELF)
    region: str | None = strawberry.field(description="Province or state.", directives=SELF)
    postal_code: str = strawberry.field(description="Postal code.", directives=SELF)
    country: str = strawberry.field(description="ISO 3166 code of two letters, such as ID.", directives=SELF)

    @classmethod
    def from_saved(cls, saved: SavedAddressValue, *, is_default: bool) -> "SavedAddress":
        return cls(id=strawberry.ID(saved.id), is_default=is_default, **asdict(saved.address))


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
        # Of an erased account nothing is left
        return (self.profile.email or None) if self._may_read_contact else None

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

    @strawberry.field(
        description="Whether the account can be used; only for the user and for staff, null to others.", directives=SELF
    )
    def status(self) -> AccountStatusName | None:
        return AccountStatusName[self.profile.status] if self._may_read_contact else None

    @strawberry.field(
        description="Address book, oldest first; only for the user and for staff, null to others.", directives=SELF
    )
    async def addresses(self, info: strawberry.Info[UserContext, None]) -> list[SavedAddress] | None:
        if not self._may_read_contact:
            return None
        found = await info.context.address_books.load(self.profile.id)
        if found is None:
            return []
        _, book = found
        return [SavedAddress.from_saved(saved, is_default=saved.id == book.default_id) for saved in book.addresses]

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
    password: str = strawberry.field(description="At least 8 characters, and not a common password.")
    name: str = strawberry.field(description="Name to show.")


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


LoginResult: TypeAlias = Annotated[
    AuthSession | SecondFactorRequired | InvalidCredentialsProblem | AccountInactiveProblem | TooManyAttemptsProblem,
    strawberry.union("LoginResult", description="Logged in, halfway there, or why not."),
]
RefreshResult: TypeAlias = Annotated[
    AuthSession | InvalidRefreshTokenProblem | TooManyAttemptsProblem,
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
