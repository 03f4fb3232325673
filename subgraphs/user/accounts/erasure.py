"""The end of an account (GDPR, article 17).

Of the account an id remains, because orders, payments and the audit log refer to it; nothing behind it says who it was.
The other subgraphs hear of it (UserErased) and let go of what they have: see their handlers. While an order is unpaid
or on its way there is no erasure, for a parcel needs its address. The e-mail address is free again at once.
"""

from typing import Any

from core.clock import Clock
from core.errors import Conflict, Unauthenticated
from core.identity import Identity
from core.mongo import Client, Database, Session, in_transaction
from subgraphs.user.accounts.documents import LetterKind
from subgraphs.user.accounts.neighbours import Neighbours
from subgraphs.user.accounts.owner import Owners
from subgraphs.user.accounts.postbox import Postbox
from subgraphs.user.accounts.repository import AccountRepository
from subgraphs.user.accounts.standing import check_may_leave
from subgraphs.user.audit import AuditAction, AuditLog
from subgraphs.user.events import announce_user_erased
from subgraphs.user.model import AccountStatus
from subgraphs.user.repository import UserRepository
from subgraphs.user.sessions import Sessions

# What staff reads as the buyer of an old order
ERASED_NAME = "Erased user"


class Erasure:
    """Erases accounts."""

    def __init__(
        self,
        repository: AccountRepository,
        users: UserRepository,
        owners: Owners,
        neighbours: Neighbours,
        *,
        client: Client,
        database: Database,
        clock: Clock,
        sessions: Sessions,
        postbox: Postbox,
        audit: AuditLog,
    ) -> None:
        self._repository = repository
        self._users = users
        self._owners = owners
        self._neighbours = neighbours
        self._client = client
        self._database = database
        self._clock = clock
        self._sessions = sessions
        self._postbox = postbox
        self._audit = audit

    async def erase(self, password: str, *, by: Identity) -> None:
        """Erase the caller's account and have the other subgraphs forget the person.

        Raises:
            InvalidCredentials: it is another password.
            Conflict: an order is unpaid or not delivered yet, or the caller is an administrator.
            PeerError: nobody knows whether there is one; nothing is changed.
        """
        account = await self._owners.prove(by, password)
        check_may_leave(account)
        count = await self._neighbours.count_open_orders(account.id)
        if count:
            orders = "1 order is" if count == 1 else f"{count} orders are"
            raise Conflict(f"{orders} unpaid or not delivered yet; erase the account when that is over")

        async def work(session: Session) -> None:
            current = await self._users.find_user(account.id, session=session)
            if (
                current is None
                or current.status is not AccountStatus.ACTIVE
                or current.password_hash != account.password_hash
            ):
                raise Unauthenticated("this account was changed meanwhile; log in again")
            check_may_leave(current)
            now = self._clock.now()
            await self._repository.void_tokens(account.id, current.email_key, session=session)
            # Ended like any others before they are deleted: whoever watches for ended sessions hears of these, too
            await self._sessions.revoke_sessions_of(account.id, AccountStatus.ERASED.value, session=session)
            changes: dict[str, Any] = {
                "email": "",
                # Unique, and no address: nobody logs in with it, and the old one may register anew
                "email_key": f"erased:{account.id}",
                "name": ERASED_NAME,
                "phone": None,
                "roles": [],
                "password_hash": "",
                "search_keys": [],
                "status": AccountStatus.ERASED.value,
                "addresses": [],
                "default_address_id": None,
                "last_login_at": None,
                "has_second_factor": False,
                "updated_at": now,
            }
            # Without the address in it: the entry stays
            await self._audit.record(AuditAction.ACCOUNT_ERASED, by=by, user_id=account.id, session=session)
            await self._audit.forget_origins_of(account.id, session=session)
            await self._repository.erase_user(account.id, changes, session=session)
            await announce_user_erased(account.id, database=self._database, now=now, session=session)
            # After the others were deleted; it is deleted, too, when it is out
            await self._postbox.put(LetterKind.ACCOUNT_ERASED, to=current.email, session=session)

        await in_transaction(self._client, work)
