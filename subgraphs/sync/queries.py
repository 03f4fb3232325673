"""Root queries of the sync subgraph."""

from typing import Annotated

import strawberry

from core.subgraph import require_login, require_person
from subgraphs.sync.types import OWNERS, SyncContext, SyncRun, SyncSchedule, load_visible_schedule


@strawberry.type
class Query:
    """Reads about schedules and runs."""

    @strawberry.federation.field(authenticated=True, directives=OWNERS)
    async def sync_schedules(self, info: strawberry.Info[SyncContext, None]) -> list[SyncSchedule]:
        """The caller's schedules, oldest first."""
        owner_id = require_person(info.context.identity)
        return [SyncSchedule.from_row(row) for row in await info.context.schedules_of.load(owner_id)]

    @strawberry.federation.field(authenticated=True, directives=OWNERS)
    async def sync_schedule(
        self,
        info: strawberry.Info[SyncContext, None],
        id: Annotated[strawberry.ID, strawberry.argument(description="The schedule's id.")],
    ) -> SyncSchedule | None:
        """One of the caller's schedules; null where there is none."""
        require_login(info.context.identity)
        return await load_visible_schedule(info.context, id)

    @strawberry.federation.field(authenticated=True, directives=OWNERS)
    async def sync_run(
        self,
        info: strawberry.Info[SyncContext, None],
        id: Annotated[strawberry.ID, strawberry.argument(description="The run's id.")],
    ) -> SyncRun | None:
        """A run of one of the caller's schedules; null where there is none."""
        run = await info.context.service.find_visible_run(id, by=info.context.identity)
        return None if run is None else SyncRun.from_row(run.model_dump(by_alias=True))
