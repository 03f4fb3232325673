"""What the sync subgraph announces.

| event           | payload                                                     |
|-----------------|-------------------------------------------------------------|
| SyncRunFinished | schedule_id, run_id, owner_id, status, exported_count, error |
"""

from datetime import datetime

from core.events import announce
from core.mongo import Database, Session
from subgraphs.sync.documents import RunDocument

SYNC_RUN_FINISHED = "SyncRunFinished"


async def announce_run_finished(run: RunDocument, *, database: Database, now: datetime, session: Session) -> None:
    """Tell that *run* has succeeded or failed."""
    payload = {
        "schedule_id": run.schedule_id,
        "run_id": run.id,
        "owner_id": run.owner_id,
        "status": run.status.value,
        "exported_count": run.exported_count,
        "error": run.error,
    }
    await announce(database, SYNC_RUN_FINISHED, run.id, payload, now=now, session=session)
