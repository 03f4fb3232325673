"""What can be done with accounts."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from core.audit import read_privileged
from core.errors import Forbidden, NotFound
from core.events import Event
from core.identity import Identity, Role
from core.key_ring import RotatingIssuer
from core.mongo import Session, in_transaction
from core.paging import Page, PageRequest
from core.scopes import AUDIT_READ, USERS_READ
from core.subgraph import UNKNOWN_ORIGIN, Origin, Runtime, require_login, require_person
from subgraphs.user.accounts.app import build_accounts, build_postbox
from subgraphs.user.accounts.documents import LetterKind
from subgraphs.user.audit import AuditAction, AuditEntry, AuditFilter, AuditLog
from subgraphs.user.devices import Devices, SubjectKeys
from subgraphs.user.documents import UserDocument
from subgraphs.user.drafts import draft_user, profile_of
from subgraphs.user.events import USER_REGISTERED, USER_UPDATED, announce_user
from subgraphs.user.model import (
    AccountInactive,
    AccountStatus,
    InvalidCredentials,
    InvalidRefreshToken,
    Profile,
    can_be_password,
    check_email,
    check_name,
    check_password,
    check_phone,
    check_roles,
    check_search,
    email_key,
    may_read_contact,
    normalise_password,
    search_keys,
)
from subgraphs.user.passwords import Passwords
from subgraphs.user.repository import UserRepository
from subgraphs.user.role_model import RoleDefinition
from subgraphs.user.roles import RoleService
from subgraphs.user.second_factor.service import SecondFactors
from subgraphs.user.sessions import Sessions, Tokens
from subgraphs.user.throttle import AttemptKind, Throttle


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Says that a field keeps its value, where None would remove it."""


UNCHANGED = Unchanged()


class UserService:
    """The use cases of the user subgraph; each checks who is asking."""

    def __init__(self, runtime: Runtime, *, passwords: Passwords, issuer: RotatingIssuer) -> None:
        self._runtime = runtime
        self._passwords = passwords
        self._repository = UserRepository(runtime.database)
        self._audit = AuditLog(runtime.database, runtime.clock)
        keys = SubjectKeys(runtime.settings.internal_secret.get_secret_value().encode())
        self.devices = Devices(keys)
        self.throttle = Throttle(runtime.database, runtime.clock, self.devices, self._audit)
        self.roles = RoleService(runtime.client, runtime.database, runtime.clock, self._audit)
        postbox = build_postbox(runtime, self._repository, self._audit)
        self.sessions = Sessions(runtime, issuer, postbox=postbox, find_scopes=self.roles.find_scopes)
        self.accounts = build_accounts(
            runtime,
            self._repository,
            passwords=passwords,
            sessions=self.sessions,
            postbox=postbox,
            audit=self._audit,
            throttle=self.throttle,
            roles=self.roles,
        )
        self.second_factors = SecondFactors(
            runtime, passwords=passwords, sessions=self.sessions, postbox=postbox, throttle=self.throttle
        )

    async def create_user(
        self, *, email: str, password: str, name: str, roles: Collection[str] = (Role.CUSTOMER,)
    ) -> Profile:
        """Create an account with *roles*. Not behind any mutation: for the seed, the command line, and tests.

        Raises:
            BadUserInput: a value is not acceptable.
            EmailTaken: the address has an account.
        """
        document = await self._draft_user(email=email, password=password, name=name, roles=roles)

        async def work(session: Session) -> None:
            await self._insert_user(document, session)

        await in_transaction(self._runtime.client, work)
        return profile_of(document)

    async def log_in(
        self,
        *,
        email: str,
        password: str,
        transport: str = "BEARER",
        origin: Origin = UNKNOWN_ORIGIN,
        device_token: str | None = None,
    ) -> Tokens:
        """Open a session. *device_token* is what an earlier login of this device to this account was given.

        Raises:
            InvalidCredentials: after the same work, whether or not the address has an account.
            TooManyAttempts: likewise; see throttle.py.
            AccountInactive: the password is right, and the account is suspended or deactivated.
            SecondFactorNeeded: they are right, and a code is needed as well.
        """
        attempt = await self.throttle.admit(AttemptKind.LOGIN, email_key(email), origin, device_token=device_token)
        account = unconfirmed = None
        refusal = InvalidCredentials("e-mail address or password is wrong")
        if can_be_password(password):
            account = await self._repository.find_credentials(email_key(email))
            # Asked for every address, and with one hash for either: see accounts/registration.py
            unconfirmed = await self.accounts.registrations.find_unconfirmed(email_key(email))
        else:
            password = ""
        known = account or unconfirmed
        encoded = known.password_hash if known else None
        matches = await self._passwords.verify(encoded, normalise_password(password))
        if account is None or not matches:
            await self.accounts.registrations.remind(unconfirmed if matches else None)
            await attempt.failed(user_id=account.id if account else None)
            raise refusal
        # Whatever else is missing: nobody has guessed
        await attempt.succeeded()
        if account.status is not AccountStatus.ACTIVE:
            raise AccountInactive(f"this account is {account.status.lower()}; write to the store to have it back")
        if self._passwords.needs_rehash(account.password_hash):
            stronger = await self._passwords.hash(normalise_password(password))
            await self._repository.replace_password_hash(account.id, account.password_hash, stronger)
            account.password_hash = stronger
        await self.second_factors.require(account)
        profile, now = profile_of(account), self._runtime.clock.now()

        async def work(session: Session) -> Tokens:
            if not await self._repository.note_login(account.id, account.password_hash, now=now, session=session):
                raise refusal
            tokens = await self.sessions.open(profile, transport=transport, origin=origin, session=session)
            if set(profile.roles) - {Role.CUSTOMER}:
                # A customer's logins are in the list of sessions, and would bury the rest of the log
                await self._audit.record(
                    AuditAction.LOGGED_IN, by=tokens.identity, user_id=account.id, origin=origin, session=session
                )
            return tokens

        return await in_transaction(self._runtime.client, work)

    def remember_device(self, profile: Profile, device_token: str | None) -> str:
        """Return the token for the device that has just logged in to *profile*; *device_token* is what it sent."""
        now, subject = self._runtime.clock.now(), email_key(profile.email)
        return self.devices.issue(subject, now=now, known=self.devices.recognise(device_token, subject, now=now))

    async def refresh(self, refresh_token: str, *, origin: Origin = UNKNOWN_ORIGIN) -> Tokens:
        """Exchange a refresh token for new tokens.

        Raises:
            InvalidRefreshToken: it is not valid; see Sessions.refresh.
            TooManyAttempts: so many that were not valid came from this network.
        """
        attempt = await self.throttle.admit(AttemptKind.REFRESH, "", origin)
        try:
            return await self.sessions.refresh(refresh_token, origin=origin)
        except InvalidRefreshToken:
            await attempt.failed()
            raise

    async def log_out(self, identity: Identity, refresh_token: str | None, *, origin: Origin = UNKNOWN_ORIGIN) -> bool:
        """End the caller's session; return whether there was one."""
        return await self.sessions.end(identity, refresh_token, origin=origin)

    async def find_profiles(self, user_ids: list[str]) -> list[Profile]:
        """Return the profiles of *user_ids* that exist. What of them a caller may read is decided field by field."""
        return await self._repository.find_profiles(user_ids)

    async def find_visible_profile(self, user_id: str, *, by: Identity) -> Profile | None:
        """Return a profile to its owner, to staff or to a service; None to anybody else, as if it did not exist."""
        require_login(by)
        profiles = await self._repository.find_profiles([user_id])
        return profiles[0] if profiles and may_read_contact(profiles[0], by) else None

    async def list_profiles(self, search: str | None, page: PageRequest, *, by: Identity) -> Page[Profile]:
        """Return a page of all accounts; raise Forbidden without users:read, BadUserInput for an unusable search."""
        _require_scope(by, USERS_READ)
        return await self._repository.find_profile_page(None if search is None else check_search(search), page)

    async def update_profile(
        self, *, by: Identity, name: str | Unchanged = UNCHANGED, phone: str | Unchanged | None = UNCHANGED
    ) -> Profile:
        """Change the caller's own name and phone; a *phone* of None removes it."""
        user_id = require_person(by)
        changes: dict[str, Any] = {}
        if not isinstance(name, Unchanged):
            changes["name"] = check_name(name)
        if not isinstance(phone, Unchanged):
            changes["phone"] = None if phone is None else check_phone(phone)
        return await self._change_user(user_id, changes)

    async def set_roles(self, user_id: str, roles: Collection[str], *, by: Identity) -> Profile:
        """Give the account exactly *roles*; access tokens with others are refused within a minute.

        See RoleService.set_roles.
        """
        return await self.roles.set_roles(user_id, roles, by=by, renew_tokens=self.sessions.renew_tokens_of)

    async def update_role(
        self, name: str, *, description: str | None, scopes: Collection[str] | None, by: Identity
    ) -> RoleDefinition:
        """Change a role; access tokens with a scope that it has lost are refused within a minute.

        See RoleService.update_role.
        """
        renew_tokens = self.sessions.renew_tokens_of
        return await self.roles.update_role(
            name, description=description, scopes=scopes, by=by, renew_tokens=renew_tokens
        )

    async def list_audit_entries(self, wanted: AuditFilter, page: PageRequest, *, by: Identity) -> Page[AuditEntry]:
        """Return a page of the audit log, newest first; raise Forbidden without audit:read."""
        _require_scope(by, AUDIT_READ)
        return await self._audit.find_entries(wanted, page)

    async def append_privileged(self, event: Event, session: Session) -> None:
        """Add what another subgraph has announced to the audit log, in the transaction of *session*."""
        await self._audit.append(read_privileged(event), event_id=event.id, session=session)

    async def write_back_in_stock(self, event: Event, session: Session) -> None:
        """Have a user told that a product is available again; whoever cannot log in any more is not told."""
        account = await self._repository.find_user(event.payload["user_id"], session=session)
        if account is not None and account.status is AccountStatus.ACTIVE:
            values = {"product_name": event.payload["product_name"]}
            await self.accounts.postbox.tell(LetterKind.BACK_IN_STOCK, account, session=session, **values)

    async def prepare(self) -> None:
        """Do what must be done before the first request."""
        await self._passwords.prepare()
        await self._audit.prepare(retention_days=self._runtime.settings.audit_retention_days)
        await self.throttle.prepare()

    async def _draft_user(self, *, email: str, password: str, name: str, roles: Collection[str]) -> UserDocument:
        checked_email, checked_name = check_email(email), check_name(name)
        checked_roles = check_roles("", roles, by=None)
        # Hashed before anyone looks whether the address is taken: the time tells nothing
        password_hash = await self._passwords.hash(check_password(password, email=checked_email))
        return draft_user(
            email=checked_email,
            name=checked_name,
            roles=checked_roles,
            password_hash=password_hash,
            now=self._runtime.clock.now(),
        )

    async def _insert_user(self, document: UserDocument, session: Session) -> None:
        await self._repository.insert_user(document, session=session)
        await announce_user(
            USER_REGISTERED,
            profile_of(document),
            database=self._runtime.database,
            now=document.created_at,
            session=session,
        )

    async def _change_user(
        self, user_id: str, changes: dict[str, Any], *, also: Callable[[Session], Awaitable[None]] | None = None
    ) -> Profile:
        """Apply *changes* and announce them; *also* runs in the same transaction, unless nothing changes."""
        now = self._runtime.clock.now()

        async def work(session: Session) -> Profile:
            missing = NotFound(f"there is no user {user_id}")
            account = await self._repository.find_user(user_id, session=session)
            if account is None or account.status is AccountStatus.ERASED:
                raise missing
            if all(getattr(account, field) == value for field, value in changes.items()):
                return profile_of(account)
            name = changes.get("name", account.name)
            derived = {"search_keys": list(search_keys(account.email, name)), "updated_at": now}
            changed = await self._repository.update_user(user_id, {**changes, **derived}, session=session)
            if changed is None:
                raise missing
            profile = profile_of(changed)
            await announce_user(USER_UPDATED, profile, database=self._runtime.database, now=now, session=session)
            if also is not None:
                await also(session)
            return profile

        return await in_transaction(self._runtime.client, work)


def _require_scope(identity: Identity, scope: str) -> None:
    require_login(identity)
    if not identity.has_scopes(scope):
        raise Forbidden(f"this needs the scope {scope}")
