"""What a schedule does when its owner is gone."""

from collections.abc import Mapping

from core.events import Event, EventHandler
from core.mongo import Session
from subgraphs.sync.repository import SyncRepository


def build_handlers(repository: SyncRepository) -> Mapping[str, EventHandler]:
    """Return the reactions to the events of user."""

    async def delete_schedules(event: Event, session: Session) -> None:
        await repository.delete_schedules_of(event.payload["user_id"], session=session)

    return {"UserErased": delete_schedules}
