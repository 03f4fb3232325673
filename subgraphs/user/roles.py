"""What can be done with roles: make them up, assign them, and find out what they allow.

A role counts from the next access token on: `Sessions` asks for the scopes when it issues one. A change that takes
something away has the access tokens that are out refused within a minute; one that only gives waits for the next.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Protocol

from core.clock import Clock
from core.errors import BadUserInput, Conflict, Forbidden, NotFound
from core.identity import Identity, Role
from core.mongo import Client, Database, Session, in_transaction
from core.scopes import ROLE_SCOPES, ROLES_WRITE, USERS_READ, USERS_WRITE, scopes_of
from core.subgraph import require_scopes
from subgraphs.user.audit import AuditAction, AuditLog
from subgraphs.user.drafts import profile_of
from subgraphs.user.events import USER_UPDATED, announce_user
from subgraphs.user.model import AccountStatus, Profile, check_roles
from subgraphs.user.repository import UserRepository
from subgraphs.user.role_model import (
    BUILT_IN_ROLES,
    MAX_ROLES,
    RoleDefinition,
    check_description,
    check_role_name,
    check_scopes,
)
from subgraphs.user.role_repository import RoleRepository


class RenewTokens(Protocol):
    """Has the access tokens of accounts refused, in the transaction of *session*."""

    async def __call__(self, user_ids: Collection[str], *, session: Session) -> None:
        """Do it."""


class RoleService:
    """The use cases; each checks who is asking."""

    def __init__(self, client: Client, database: Database, clock: Clock, audit: AuditLog) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self._audit = audit
        self._repository = RoleRepository(database)
        self._users = UserRepository(database)

    async def find_roles(self, names: Sequence[str]) -> list[RoleDefinition]:
        """Return the roles of *names* that exist; built-in ones cost no query."""
        built_in = [role for role in BUILT_IN_ROLES if role.name in names]
        others = set(names) - {role.name for role in built_in}
        return built_in + (await self._repository.find_roles(others) if others else [])

    async def find_scopes(self, names: Collection[str], *, session: Session | None = None) -> frozenset[str]:
        """Return the scopes that the roles of *names* hold together; accounts with built-in roles cost no query."""
        held = scopes_of(names)
        others = set(names) - set(ROLE_SCOPES)
        if not others:
            return held
        for role in await self._repository.find_roles(others, session=session):
            held |= frozenset(role.scopes)
        return held

    async def list_roles(self, *, by: Identity) -> list[RoleDefinition]:
        """Return all roles, the built-in ones first."""
        require_scopes(by, USERS_READ)
        return [*BUILT_IN_ROLES, *await self._repository.find_roles()]

    async def create_role(
        self, *, name: str, description: str, scopes: Collection[str], by: Identity
    ) -> RoleDefinition:
        """Make up a role.

        Raises:
            Forbidden: the caller lacks roles:write, or one of the scopes.
            BadUserInput: a value is not acceptable.
            Conflict: the name is built in or taken, or there are MAX_ROLES already.
        """
        require_scopes(by, ROLES_WRITE)
        role = RoleDefinition(check_role_name(name), check_description(description), check_scopes(scopes, by=by))

        async def work(session: Session) -> None:
            await self._check_still_holds(by, ROLES_WRITE, session)
            if await self._repository.count_roles(session=session) >= MAX_ROLES:
                raise Conflict(f"there are {MAX_ROLES} roles already; delete one first")
            if not await self._repository.insert_role(role, now=self._clock.now(), session=session):
                raise Conflict(f"there is a role {role.name} already")
            await self._record(AuditAction.ROLE_CREATED, role.name, role.scopes, by, session)

        await in_transaction(self._client, work)
        return role

    async def update_role(
        self,
        name: str,
        *,
        description: str | None,
        scopes: Collection[str] | None,
        by: Identity,
        renew_tokens: RenewTokens,
    ) -> RoleDefinition:
        """Change what is given of a role; None leaves it as it is.

        When a scope is taken away, *renew_tokens* has the access tokens of those who have the role refused.

        Raises:
            Forbidden: the caller lacks roles:write, or one of the scopes.
            BadUserInput: a value is not acceptable.
            Conflict: the role is built in.
            NotFound: there is none of this name.
        """
        require_scopes(by, ROLES_WRITE)
        check_role_name(name)
        new_description = None if description is None else check_description(description)
        new_scopes = None if scopes is None else check_scopes(scopes, by=by)

        async def work(session: Session) -> RoleDefinition:
            await self._check_still_holds(by, ROLES_WRITE, session)
            found = await self._repository.find_roles([name], session=session)
            if not found:
                raise NotFound(f"there is no role {name}")
            before = found[0]
            after = replace(
                before,
                description=before.description if new_description is None else new_description,
                scopes=before.scopes if new_scopes is None else new_scopes,
            )
            if after != before:
                await self._repository.replace_role(after, now=self._clock.now(), session=session)
                await self._record(AuditAction.ROLE_UPDATED, name, after.scopes, by, session)
                if not set(before.scopes) <= set(after.scopes):
                    await renew_tokens(await self._repository.find_holders(name, session=session), session=session)
            return after

        return await in_transaction(self._client, work)

    async def delete_role(self, name: str, *, by: Identity) -> str:
        """Remove a role that nobody has; return its name.

        A role that is held is not taken away silently: whoever deletes it would learn of nobody who then lacks it.

        Raises:
            Forbidden: the caller lacks roles:write.
            Conflict: the role is built in, or accounts have it.
            NotFound: there is none of this name.
        """
        require_scopes(by, ROLES_WRITE)
        check_role_name(name)

        async def work(session: Session) -> None:
            await self._check_still_holds(by, ROLES_WRITE, session)
            if not await self._repository.delete_role(name, session=session):
                raise NotFound(f"there is no role {name}")
            holders = await self._repository.count_holders(name, session=session)
            if holders:
                raise Conflict(f"{holders} account{'s have' if holders > 1 else ' has'} the role {name}")
            await self._record(AuditAction.ROLE_DELETED, name, (), by, session)

        await in_transaction(self._client, work)
        return name

    async def set_roles(
        self, user_id: str, roles: Collection[str], *, by: Identity, renew_tokens: RenewTokens
    ) -> Profile:
        """Give the account exactly *roles*; *renew_tokens* has the access tokens with its old ones refused.

        Raises:
            Forbidden: the caller lacks users:write.
            BadUserInput: no role at all, or one that does not exist.
            NotFound: there is no such account.
            Conflict: it is the caller's own account, or that of the last active administrator.
        """
        require_scopes(by, USERS_WRITE)
        made_up = sorted(set(roles) - set(ROLE_SCOPES) - set(Role))
        known = {role.name for role in await self._repository.find_roles(made_up)} if made_up else set[str]()
        checked = check_roles(user_id, roles, by=by.subject, also=known)

        async def work(session: Session) -> Profile:
            await self._check_still_holds(by, USERS_WRITE, session)
            account = await self._users.find_user(user_id, session=session)
            if account is None or account.status is AccountStatus.ERASED:
                raise NotFound(f"there is no user {user_id}")
            if made_up and not await self._repository.touch_roles(made_up, session=session):
                raise BadUserInput("one of the roles has just been deleted", field="roles")
            if account.roles != list(checked):
                if Role.ADMIN in account.roles and Role.ADMIN not in checked:
                    await self.keep_an_admin(user_id, session=session)
                now = self._clock.now()
                changes = {"roles": list(checked), "updated_at": now}
                account = await self._users.update_user(user_id, changes, session=session)
                assert account is not None, "it was there in this transaction"
                await renew_tokens([user_id], session=session)
                await announce_user(
                    USER_UPDATED, profile_of(account), database=self._database, now=now, session=session
                )
                await self._audit.record(
                    AuditAction.ROLES_CHANGED,
                    by=by,
                    user_id=user_id,
                    details={"roles": " ".join(checked)},
                    session=session,
                )
            return profile_of(account)

        return await in_transaction(self._client, work)

    async def keep_an_admin(self, user_id: str, *, session: Session) -> None:
        """Raise Conflict if *user_id* is the last active administrator.

        For whatever takes an administrator away: another role, suspension, deactivation, erasure; in its transaction.
        """
        if not await self._repository.touch_another_admin(user_id, session=session):
            raise Conflict("this is the last administrator; make somebody else one first")

    async def _check_still_holds(self, by: Identity, scope: str, session: Session) -> None:
        """Refuse a caller whose account does not hold *scope* any more, whatever the token says.

        A token outlives a demotion by minutes; long enough to undo it. A caller without an account has a token that
        was signed with the store's own key, as `pasar token` does in development.
        """
        account = None if by.subject is None else await self._users.find_user(by.subject, session=session)
        if account is not None and scope not in await self.find_scopes(account.roles, session=session):
            raise Forbidden(f"your account does not hold {scope} any more")

    async def _record(
        self, action: AuditAction, name: str, scopes: Collection[str], by: Identity, session: Session
    ) -> None:
        details = {"scopes": " ".join(scopes)} if scopes else {}
        await self._audit.record(action, by=by, target=name, details=details, session=session)
