"""Whether an account may be used: deactivated by its owner, suspended and reactivated by administrators."""

from core.clock import Clock
from core.errors import BadUserInput, Conflict, NotFound
from core.identity import Identity, Role
from core.mongo import Client, Session, in_transaction
from core.scopes import USERS_WRITE
from core.subgraph import UNKNOWN_ORIGIN, Origin, require_scopes
from subgraphs.user.accounts.documents import LetterKind
from subgraphs.user.accounts.owner import Owners
from subgraphs.user.accounts.postbox import Postbox
from subgraphs.user.accounts.repository import AccountRepository
from subgraphs.user.audit import AuditAction, AuditLog
from subgraphs.user.documents import UserDocument
from subgraphs.user.drafts import profile_of
from subgraphs.user.model import AccountStatus, Profile
from subgraphs.user.repository import UserRepository
from subgraphs.user.roles import RoleService
from subgraphs.user.sessions import Sessions

MAX_REASON_LENGTH = 200
# What an administrator may make of an account
ASSIGNABLE_STATUSES = frozenset({AccountStatus.ACTIVE, AccountStatus.SUSPENDED})


def check_may_leave(account: UserDocument) -> None:
    """Refuse an administrator who is about to end the own account: the last one must not leave by accident."""
    if Role.ADMIN in account.roles:
        raise Conflict("an administrator's account cannot be ended: have another administrator take the role first")


def check_status_change(user_id: str, status: AccountStatus, *, by: str | None) -> None:
    """Raise Conflict for one's own account, BadUserInput for a status that nobody can assign."""
    if by == user_id:
        raise Conflict("nobody changes the status of their own account")
    if status not in ASSIGNABLE_STATUSES:
        raise BadUserInput(f"an account cannot be made {status} from outside", field="status")


def clean_reason(reason: str) -> str:
    """Return *reason* with its blanks tidied; raise BadUserInput when it is empty or too long."""
    tidy = " ".join(reason.split())
    if not tidy or len(tidy) > MAX_REASON_LENGTH:
        raise BadUserInput(f"a reason has 1 to {MAX_REASON_LENGTH} characters", field="reason")
    return tidy


class Standing:
    """Changes the status of accounts."""

    def __init__(
        self,
        repository: AccountRepository,
        users: UserRepository,
        owners: Owners,
        *,
        client: Client,
        clock: Clock,
        sessions: Sessions,
        postbox: Postbox,
        audit: AuditLog,
        roles: RoleService,
    ) -> None:
        self._repository = repository
        self._users = users
        self._owners = owners
        self._client = client
        self._clock = clock
        self._sessions = sessions
        self._postbox = postbox
        self._audit = audit
        self._roles = roles

    async def deactivate(self, password: str, *, by: Identity, origin: Origin = UNKNOWN_ORIGIN) -> None:
        """Log the caller out everywhere and let nobody log in any more.

        Raises:
            InvalidCredentials: it is another password.
            Conflict: the caller is an administrator.
        """
        account = await self._owners.prove(by, password)
        check_may_leave(account)

        async def work(session: Session) -> None:
            current = await self._users.find_user(account.id, session=session)
            if current is None or current.status is not AccountStatus.ACTIVE:
                raise NotFound(f"there is no user {account.id}")
            check_may_leave(current)
            await self._set(current, AccountStatus.DEACTIVATED, LetterKind.ACCOUNT_DEACTIVATED, session)
            await self._audit.record(
                AuditAction.ACCOUNT_DEACTIVATED, by=by, user_id=account.id, origin=origin, session=session
            )

        await in_transaction(self._client, work)

    async def set_status(
        self, user_id: str, status: AccountStatus, reason: str, *, by: Identity, origin: Origin = UNKNOWN_ORIGIN
    ) -> Profile:
        """Suspend an account, or make a suspended or deactivated one active again; the holder is told.

        Raises:
            Forbidden: the caller lacks users:write.
            Conflict: it is the caller's own account, or that of the last active administrator.
            BadUserInput: there is no reason, or the status is not for administrators.
            NotFound: there is no such account.
        """
        require_scopes(by, USERS_WRITE)
        check_status_change(user_id, status, by=by.subject)
        cleaned = clean_reason(reason)

        async def work(session: Session) -> Profile:
            current = await self._users.find_user(user_id, session=session)
            if current is None or current.status is AccountStatus.ERASED:
                raise NotFound(f"there is no user {user_id}")
            if current.status is status:
                return profile_of(current)
            suspended = status is AccountStatus.SUSPENDED
            if suspended and Role.ADMIN in current.roles:
                await self._roles.keep_an_admin(user_id, session=session)
            kind = LetterKind.ACCOUNT_SUSPENDED if suspended else LetterKind.ACCOUNT_REACTIVATED
            changed = await self._set(current, status, kind, session)
            await self._audit.record(
                AuditAction.ACCOUNT_STATUS_CHANGED,
                by=by,
                user_id=user_id,
                origin=origin,
                details={"from": current.status.value, "to": status.value, "reason": cleaned},
                session=session,
            )
            return changed

        return await in_transaction(self._client, work)

    async def _set(self, account: UserDocument, status: AccountStatus, kind: LetterKind, session: Session) -> Profile:
        changes = {"status": status.value, "updated_at": self._clock.now()}
        changed = await self._users.update_user(account.id, changes, session=session)
        if changed is None:
            raise NotFound(f"there is no user {account.id}")
        if status is not AccountStatus.ACTIVE:
            await self._sessions.revoke_sessions_of(account.id, status.value, session=session)
            await self._repository.void_tokens(account.id, account.email_key, session=session)
        await self._postbox.tell(kind, account, session=session)
        return profile_of(changed)
