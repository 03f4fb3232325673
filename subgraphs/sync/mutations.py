"""Mutations of the sync subgraph."""

from typing import Annotated, Any

import strawberry

from subgraphs.sync.documents import Scope
from subgraphs.sync.model import Frequency, Weekday
from subgraphs.sync.service import ScheduleDraft
from subgraphs.sync.types import (
    OWNERS,
    CreateSyncScheduleInput,
    CreateSyncScheduleResult,
    DeleteSyncScheduleResult,
    EditSyncScheduleInput,
    EditSyncScheduleResult,
    RunSyncNowResult,
    SyncContext,
    SyncFrequency,
    SyncRun,
    SyncSchedule,
    SyncScheduleCreated,
    SyncScheduleDeleted,
    SyncScope,
    WeekdayName,
)

ScheduleId = Annotated[strawberry.ID, strawberry.argument(description="The schedule's id.")]


@strawberry.type
class Mutation:
    """Changes to schedules."""

    @strawberry.federation.mutation(authenticated=True, directives=OWNERS)
    async def create_sync_schedule(
        self,
        info: strawberry.Info[SyncContext, None],
        input: Annotated[CreateSyncScheduleInput, strawberry.argument(description="The new schedule.")],
    ) -> CreateSyncScheduleResult:
        """Export changed orders to a webhook regularly. The answer alone shows the secret that signs its calls."""
        draft = ScheduleDraft(
            name=input.name,
            frequency=Frequency[input.frequency.name],
            time_of_day=input.time_of_day,
            timezone=info.context.timezone if input.timezone is None else input.timezone,
            day_of_week=None if input.day_of_week is None else Weekday[input.day_of_week.name],
            day_of_month=input.day_of_month,
            month=input.month,
            webhook_url=input.webhook_url,
            scope=Scope[input.scope.name],
            enabled=input.enabled,
        )
        schedule = await info.context.service.create_schedule(draft, by=info.context.identity)
        return SyncScheduleCreated(
            schedule=SyncSchedule.from_row(schedule.model_dump(by_alias=True)), secret=schedule.secret
        )

    @strawberry.federation.mutation(authenticated=True, directives=OWNERS)
    async def edit_sync_schedule(
        self,
        info: strawberry.Info[SyncContext, None],
        input: Annotated[EditSyncScheduleInput, strawberry.argument(description="What changes.")],
    ) -> EditSyncScheduleResult:
        """Change a schedule."""
        schedule = await info.context.service.edit_schedule(input.id, _given(input), by=info.context.identity)
        return SyncSchedule.from_row(schedule.model_dump(by_alias=True))

    @strawberry.federation.mutation(authenticated=True)
    async def delete_sync_schedule(
        self, info: strawberry.Info[SyncContext, None], id: ScheduleId
    ) -> DeleteSyncScheduleResult:
        """Delete a schedule with its runs; one in progress ends after the batch that it is sending."""
        return SyncScheduleDeleted(
            id=strawberry.ID(await info.context.service.delete_schedule(id, by=info.context.identity))
        )

    @strawberry.federation.mutation(authenticated=True, directives=OWNERS)
    async def run_sync_now(self, info: strawberry.Info[SyncContext, None], id: ScheduleId) -> RunSyncNowResult:
        """Start a run at once, also of a schedule that is not enabled. `syncRun` shows how it goes."""
        run = await info.context.service.run_now(id, by=info.context.identity)
        return SyncRun.from_row(run.model_dump(by_alias=True))


def _given(input: EditSyncScheduleInput) -> dict[str, Any]:
    """Return the fields that the client has named, as the service knows them."""
    given: dict[str, Any] = {}
    for name in vars(input):
        change = getattr(input, name)
        if name == "id" or change is None:
            continue
        match change.value:
            case SyncFrequency() as frequency:
                given[name] = Frequency[frequency.name]
            case WeekdayName() as day:
                given[name] = Weekday[day.name]
            case SyncScope() as scope:
                given[name] = Scope[scope.name]
            case value:
                given[name] = value
    return given
