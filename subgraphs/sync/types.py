"""GraphQL types of the sync subgraph."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry.dataloader import DataLoader

from core.budget import RowBudget
from core.errors import Forbidden
from core.identity import Identity
from core.mongo import Row
from core.paging import Page, PageRequest, read_page_request
from core.subgraph import require_login
from schema.ownership import Owned
from schema.pagination import After, Before, Connection, First, Last, connection_arguments
from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from schema.scalars import DateTime
from subgraphs.sync.service import SyncService, may_see


@dataclass(slots=True)
class SyncContext:
    """What the resolvers of one request share."""

    identity: Identity
    service: SyncService
    timezone: str
    schedules: DataLoader[str, Row | None]
    schedules_of: DataLoader[str, list[Row]]
    runs: DataLoader[tuple[str, PageRequest], Page[Row]]
    rows: RowBudget


# Schedules are their owner's alone: staff does not see those of others, either
OWNERS = [Owned(by="owner")]


@strawberry.enum(description="How often a schedule runs.")
class SyncFrequency(Enum):
    DAILY = strawberry.enum_value("DAILY", description="Every day.")
    WEEKLY = strawberry.enum_value("WEEKLY", description="Every week, on `dayOfWeek`.")
    MONTHLY = strawberry.enum_value("MONTHLY", description="Every month, on `dayOfMonth` or its last day before.")
    YEARLY = strawberry.enum_value("YEARLY", description="Every year, on `dayOfMonth` of `month`.")


@strawberry.enum(name="Weekday", description="A day of the week.")
class WeekdayName(Enum):
    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


@strawberry.enum(description="Whose orders a schedule exports.")
class SyncScope(Enum):
    OWN = strawberry.enum_value("OWN", description="Those that its owner has placed.")
    ALL = strawberry.enum_value("ALL", description="Those of everybody; needs the scope sync:write, also when it runs.")


@strawberry.enum(description="How a run stands.")
class SyncRunStatus(Enum):
    RUNNING = strawberry.enum_value("RUNNING", description="Orders are being sent, or a failed try is repeated later.")
    SUCCEEDED = strawberry.enum_value("SUCCEEDED", description="The webhook has taken every order.")
    FAILED = strawberry.enum_value("FAILED", description="Given up; the next run sends what is left.")


@strawberry.enum(description="Why a run was started.")
class SyncTrigger(Enum):
    SCHEDULED = strawberry.enum_value("SCHEDULED", description="Its time had come.")
    MANUAL = strawberry.enum_value("MANUAL", description="Its owner asked for it.")


@strawberry.type(description="One export of changed orders.")
class SyncRun:
    id: strawberry.ID = strawberry.field(description="Identifier.")
    status: SyncRunStatus = strawberry.field(description="How it stands.")
    trigger: SyncTrigger = strawberry.field(description="Why it was started.")
    started_at: DateTime = strawberry.field(description="When it was started.")
    finished_at: DateTime | None = strawberry.field(description="When it was over; null while it runs.")
    exported_count: int = strawberry.field(description="How many orders the webhook has taken.")
    from_: DateTime | None = strawberry.field(
        name="from", description="Changes from this moment on are exported; null for all since the first order."
    )
    until: DateTime = strawberry.field(description="Changes before this moment are exported.")
    error: str | None = strawberry.field(description="What went wrong last; null if nothing did.", directives=OWNERS)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "SyncRun":
        return cls(
            id=strawberry.ID(row["_id"]),
            status=SyncRunStatus[row["status"]],
            trigger=SyncTrigger[row["trigger"]],
            started_at=DateTime(row["started_at"]),
            finished_at=_moment(row["finished_at"]),
            exported_count=row["exported_count"],
            from_=_moment(row["since"]),
            until=DateTime(row["until"]),
            error=row["error"],
        )


@strawberry.federation.type(keys=["id"], description="A regular export of changed orders to a webhook.")
class SyncSchedule:
    id: strawberry.ID = strawberry.field(description="Identifier.")
    name: str = strawberry.field(description="Name that its owner gave it.")
    frequency: SyncFrequency = strawberry.field(description="How often it runs.")
    time_of_day: str = strawberry.field(description='When it runs on its day, "03:30" on the clocks of `timezone`.')
    timezone: str = strawberry.field(description="Timezone by its IANA name, such as Asia/Jakarta.")
    day_of_week: WeekdayName | None = strawberry.field(description="The day of a WEEKLY schedule.")
    day_of_month: int | None = strawberry.field(description="The day of a MONTHLY or YEARLY schedule, 1 to 31.")
    month: int | None = strawberry.field(description="The month of a YEARLY schedule, 1 to 12.")
    webhook_url: str = strawberry.field(description="Where orders are posted to.", directives=OWNERS)
    scope: SyncScope = strawberry.field(description="Whose orders are exported.")
    enabled: bool = strawberry.field(description="Whether it runs by itself.")
    next_run_at: DateTime | None = strawberry.field(description="When it runs next; null while it is not enabled.")
    last_run_at: DateTime | None = strawberry.field(description="When its last run was started.")
    created_at: DateTime = strawberry.field(description="When it was created.")
    owner: "User" = strawberry.field(description="Whose schedule it is.", directives=OWNERS)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "SyncSchedule":
        return cls(
            id=strawberry.ID(row["_id"]),
            name=row["name"],
            frequency=SyncFrequency[row["frequency"]],
            time_of_day=row["time_of_day"],
            timezone=row["timezone"],
            day_of_week=None if row["day_of_week"] is None else WeekdayName[row["day_of_week"]],
            day_of_month=row["day_of_month"],
            month=row["month"],
            webhook_url=row["webhook_url"],
            scope=SyncScope[row["scope"]],
            enabled=row["enabled"],
            next_run_at=_moment(row["next_run_at"]),
            last_run_at=_moment(row["last_run_at"]),
            created_at=DateTime(row["created_at"]),
            owner=User(id=strawberry.ID(row["owner_id"])),
        )

    @classmethod
    async def resolve_reference(
        cls, info: strawberry.Info[SyncContext, None], id: strawberry.ID, **_: object
    ) -> "SyncSchedule | None":
        return await load_visible_schedule(info.context, id)

    @strawberry.field(description="Its runs, newest first.", directives=OWNERS)
    async def runs(
        self,
        info: strawberry.Info[SyncContext, None],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[SyncRun]:
        page = await info.context.runs.load((self.id, read_page_request(first, after, last, before)))
        info.context.rows.take(len(page.rows))
        return Connection(**connection_arguments(page, SyncRun.from_row))


@strawberry.federation.type(keys=["id"], description="Somebody with an account.")
class User:
    id: strawberry.ID = strawberry.field(description="Identifier.")

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, **_: object) -> "User":
        return cls(id=id)

    @strawberry.federation.field(
        authenticated=True, description="Regular exports of orders, oldest first; only for the user.", directives=OWNERS
    )
    async def sync_schedules(self, info: strawberry.Info[SyncContext, None]) -> list[SyncSchedule] | None:
        identity = info.context.identity
        require_login(identity)
        if not may_see(self.id, identity):
            raise Forbidden("the schedules of another user are not shown")
        rows = await info.context.schedules_of.load(self.id)
        info.context.rows.take(len(rows))
        return [SyncSchedule.from_row(row) for row in rows]


async def load_visible_schedule(context: SyncContext, schedule_id: str) -> SyncSchedule | None:
    """Return a schedule to its owner, None to everybody else."""
    row = await context.schedules.load(schedule_id)
    return SyncSchedule.from_row(row) if row is not None and may_see(row["owner_id"], context.identity) else None


@strawberry.type(description="A new schedule with its secret.")
class SyncScheduleCreated:
    schedule: SyncSchedule = strawberry.field(description="The schedule.", directives=OWNERS)
    secret: str = strawberry.field(
        description="Verifies the webhook's signatures, as https://www.standardwebhooks.com says. Shown this once.",
        directives=OWNERS,
    )


@strawberry.type(description="A schedule was deleted, with its runs.")
class SyncScheduleDeleted:
    id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="A new schedule.")
class CreateSyncScheduleInput:
    name: str = strawberry.field(description="Name to show.")
    frequency: SyncFrequency = strawberry.field(description="How often it runs.")
    time_of_day: str = strawberry.field(description='When it runs on its day: "03:30".')
    webhook_url: str = strawberry.field(description="Where to post the orders: https://... or http://...")
    timezone: str | None = strawberry.field(default=None, description="Timezone; the store's if not given.")
    day_of_week: WeekdayName | None = strawberry.field(default=None, description="For WEEKLY.")
    day_of_month: int | None = strawberry.field(default=None, description="For MONTHLY and YEARLY.")
    month: int | None = strawberry.field(default=None, description="For YEARLY.")
    scope: SyncScope = strawberry.field(default=SyncScope.OWN, description="Whose orders to export.")
    enabled: bool = strawberry.field(default=True, description="Whether it runs by itself.")


@strawberry.input(description="Changes to a schedule; a field that is left out stays as it is.")
class EditSyncScheduleInput:
    id: strawberry.ID = strawberry.field(description="Which schedule.")
    name: strawberry.Maybe[str] = strawberry.field(description="New name.")
    frequency: strawberry.Maybe[SyncFrequency] = strawberry.field(
        description="New frequency; days and month that it does not have are dropped."
    )
    time_of_day: strawberry.Maybe[str] = strawberry.field(description='New time: "03:30".')
    timezone: strawberry.Maybe[str] = strawberry.field(description="New timezone.")
    day_of_week: strawberry.Maybe[WeekdayName | None] = strawberry.field(description="New day, for WEEKLY.")
    day_of_month: strawberry.Maybe[int | None] = strawberry.field(description="New day, for MONTHLY and YEARLY.")
    month: strawberry.Maybe[int | None] = strawberry.field(description="New month, for YEARLY.")
    webhook_url: strawberry.Maybe[str] = strawberry.field(description="New URL.")
    scope: strawberry.Maybe[SyncScope] = strawberry.field(description="Whose orders to export from now on.")
    enabled: strawberry.Maybe[bool] = strawberry.field(description="Whether it runs by itself.")


CreateSyncScheduleResult: TypeAlias = Annotated[
    SyncScheduleCreated | InvalidInputProblem | ConflictProblem,
    strawberry.union("CreateSyncScheduleResult", description="The new schedule, or why there is none."),
]
EditSyncScheduleResult: TypeAlias = Annotated[
    SyncSchedule | NotFoundProblem | InvalidInputProblem | ConflictProblem,
    strawberry.union("EditSyncScheduleResult", description="The changed schedule, or why it is unchanged."),
]
DeleteSyncScheduleResult: TypeAlias = Annotated[
    SyncScheduleDeleted | NotFoundProblem,
    strawberry.union("DeleteSyncScheduleResult", description="What was deleted, or why nothing was."),
]
RunSyncNowResult: TypeAlias = Annotated[
    SyncRun | NotFoundProblem | ConflictProblem,
    strawberry.union("RunSyncNowResult", description="The run that was started, or why none was."),
]


def _moment(value: Any) -> DateTime | None:
    return None if value is None else DateTime(value)
