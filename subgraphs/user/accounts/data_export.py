"""What the store knows about a person, collected for that person (GDPR, articles 15 and 20).

The worker collects it in parts, each a JSON document that says what is in it: the account with its cart, its sessions
and its audit entries, then the orders with their payments a hundred at a time, then the sync schedules. So neither
memory nor an answer grows with the length of a history. Whoever asks proves the password, and only the session that has
asked can read it: a token that was stolen elsewhere does not open it.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from core.clock import Clock
from core.errors import Conflict
from core.identity import Identity
from core.ids import new_id
from core.mongo import Client, Row, Session, in_transaction
from core.peers import PeerError
from core.subgraph import UNKNOWN_ORIGIN, Origin
from subgraphs.user.accounts.documents import DataExportDocument, ExportPartDocument, ExportStatus, LetterKind
from subgraphs.user.accounts.neighbours import Neighbours
from subgraphs.user.accounts.owner import Owners
from subgraphs.user.accounts.postbox import Postbox
from subgraphs.user.accounts.repository import AccountRepository
from subgraphs.user.audit import AuditAction, AuditLog
from subgraphs.user.documents import UserDocument
from subgraphs.user.model import session_of
from subgraphs.user.repository import UserRepository

log = structlog.get_logger(__name__)

EXPORT_TTL = timedelta(days=7)
# Collecting costs several subgraphs work
EXPORT_AGAIN_AFTER = timedelta(hours=1)
# A worker has so long for one export before another one may begin it anew
CLAIM = timedelta(minutes=15)
LONGEST_RETRY = timedelta(hours=1)
# Exports that one run of the job collects
BATCH = 20
# The feed of orders ends before its `until`
MILLISECOND = timedelta(milliseconds=1)

_SESSION_FIELDS = (
    *("transport", "user_agent", "address", "created_at", "last_used_at", "expires_at"),
    *("revoked_at", "revoked_reason"),
)


class DataExports:
    """Takes requests for a person's data, collects it, and shows it."""

    def __init__(
        self,
        repository: AccountRepository,
        users: UserRepository,
        owners: Owners,
        neighbours: Neighbours,
        *,
        client: Client,
        clock: Clock,
        postbox: Postbox,
        audit: AuditLog,
    ) -> None:
        self._repository = repository
        self._users = users
        self._owners = owners
        self._neighbours = neighbours
        self._client = client
        self._clock = clock
        self._postbox = postbox
        self._audit = audit

    async def request(self, password: str, *, by: Identity, origin: Origin = UNKNOWN_ORIGIN) -> DataExportDocument:
        """Have the caller's data collected; an earlier export is deleted.

        Raises:
            InvalidCredentials: it is another password.
            Conflict: one is being collected, or was asked for less than an hour ago.
        """
        account = await self._owners.prove(by, password)
        now = self._clock.now()
        earlier = await self._repository.find_export(account.id)
        if earlier is not None and now < earlier.requested_at + EXPORT_AGAIN_AFTER:
            raise Conflict("a data export was asked for within the last hour; read that one")
        export = DataExportDocument(
            id=account.id,
            export_id=new_id("exp"),
            session_id=session_of(by.token_id),
            status=ExportStatus.COLLECTING,
            requested_at=now,
            expires_at=now + EXPORT_TTL,
            due_at=now,
        )

        async def work(session: Session) -> None:
            await self._repository.replace_export(export, session=session)
            await self._audit.record(
                AuditAction.DATA_EXPORT_REQUESTED, by=by, user_id=account.id, origin=origin, session=session
            )

        await in_transaction(self._client, work)
        return export

    async def find(self, *, by: Identity) -> DataExportDocument | None:
        """Return the caller's export; None when there is none, it has expired, or another session has asked for it."""
        account = await self._owners.find(by)
        export = await self._repository.find_export(account.id)
        if export is None or export.expires_at <= self._clock.now() or export.session_id != session_of(by.token_id):
            return None
        return export

    async def read_part(self, export: DataExportDocument, number: int) -> str | None:
        """Return part *number*, from 1, of an export that `find` has returned; None when there is no such part."""
        if export.status is not ExportStatus.READY or not 1 <= number <= export.part_count:
            return None
        return await self._repository.find_part(_part_id(export, number))

    async def collect_due(self, now: datetime) -> None:
        """Collect the exports that are asked for. One that cannot be collected now is begun again later."""
        for _ in range(BATCH):
            export = await self._repository.claim_export(now=now, until=now + CLAIM)
            if export is None:
                return
            try:
                await self._collect(export)
            except Exception as error:
                log.warning(
                    "data export not collected yet",
                    user_id=export.id,
                    attempts=export.attempts,
                    error=type(error).__name__,
                    exc_info=None if isinstance(error, PeerError) else error,
                )
                delay = min(timedelta(minutes=1) * 2 ** min(export.attempts - 1, 10), LONGEST_RETRY)
                await self._repository.postpone_export(export, now + delay)

    async def _collect(self, export: DataExportDocument) -> None:
        account = await self._users.find_user(export.id)
        if account is None or export.expires_at <= self._clock.now():
            return
        number = 0
        async for content in self._read(account, export):
            number += 1
            part = ExportPartDocument(
                id=_part_id(export, number), user_id=export.id, content=_to_json(content), expires_at=export.expires_at
            )
            await self._repository.store_part(part)

        async def work(session: Session) -> bool:
            finished = await self._repository.finish_export(
                export, part_count=number, now=self._clock.now(), session=session
            )
            if finished:
                await self._postbox.tell(LetterKind.EXPORT_READY, account, session=session)
            return finished

        if not await in_transaction(self._client, work):
            # The account was erased, or another worker was faster: what was just stored is of no use to anybody
            current = await self._repository.find_export(export.id)
            if current is None or current.export_id != export.export_id:
                await self._repository.delete_parts(export.export_id)

    async def _read(self, account: UserDocument, export: DataExportDocument) -> AsyncIterator[Mapping[str, Any]]:
        entries = await self._audit.find_entries_about(account.id)
        yield {
            "part": "account",
            "account": {
                "id": account.id,
                "email": account.email,
                "name": account.name,
                "phone": account.phone,
                "roles": account.roles,
                "status": account.status.value,
                "addresses": account.addresses,
                "default_address_id": account.default_address_id,
                "last_login_at": account.last_login_at,
                "created_at": account.created_at,
                "updated_at": account.updated_at,
            },
            "cart": await self._neighbours.read_cart(account.id),
            "second_factor": await self._read_second_factor(account.id),
            "sessions": _pick(await self._repository.find_sessions(account.id), _SESSION_FIELDS),
            "audit_log": [
                {
                    "at": entry.at,
                    "action": entry.action,
                    "address": entry.address,
                    "user_agent": entry.user_agent,
                    "details": entry.details,
                }
                for entry in entries
            ],
        }
        async for orders in self._neighbours.read_orders(account.id, until=export.requested_at + MILLISECOND):
            yield {"part": "orders", "orders": orders}
        yield {"part": "sync_schedules", "sync_schedules": await self._neighbours.read_schedules(account.id)}

    async def _read_second_factor(self, user_id: str) -> Mapping[str, Any]:
        """Return that there is one, without what would let somebody log in."""
        factor = await self._repository.find_second_factor(user_id)
        if factor is None:
            return {"enabled": False}
        return {
            "enabled": True,
            "enabled_at": factor["confirmed_at"],
            "recovery_codes_left": len(factor["recovery_digests"]),
        }


def _part_id(export: DataExportDocument, number: int) -> str:
    return f"{export.export_id}/{number}"


def _pick(rows: list[Row], fields: tuple[str, ...]) -> list[Row]:
    return [{field: row.get(field) for field in fields} for row in rows]


def _to_json(content: Mapping[str, Any]) -> str:
    return msgspec.json.encode(content).decode()
