"""What every change of the catalogue writes beside itself: its event, and its line of the audit log."""

from collections.abc import Mapping
from datetime import datetime

from core.audit import announce_privileged
from core.identity import Identity
from core.mongo import Database, Session
from subgraphs.product.events import announce_product


class Recorder:
    """Writes into one database, in the transaction of the change."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def announce(self, event: str, product_id: str, *, now: datetime, session: Session) -> None:
        """Announce a product's change to the other subgraphs."""
        await announce_product(self._database, event, product_id, now=now, session=session)

    async def note(
        self,
        action: str,
        target: str,
        *,
        by: Identity,
        now: datetime,
        session: Session,
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Tell the audit log what *by* did."""
        await announce_privileged(
            self._database, action, target, actor_id=by.subject, now=now, session=session, details=details
        )
