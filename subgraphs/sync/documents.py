"""What the sync subgraph stores."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from beanie import Document
from pymongo import ASCENDING, DESCENDING, IndexModel

from subgraphs.sync.model import Frequency, Recurrence, Weekday


class Scope(StrEnum):
    """Whose orders are exported."""

    OWN = "OWN"
    ALL = "ALL"


class RunStatus(StrEnum):
    """How a run stands."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class Trigger(StrEnum):
    """Why a run was started."""

    SCHEDULED = "SCHEDULED"
    MANUAL = "MANUAL"


class ScheduleDocument(Document):
    """A schedule with how far it has exported."""

    id: str  # type: ignore[assignment]  # Beanie's is an ObjectId
    owner_id: str
    name: str
    frequency: Frequency
    time_of_day: str
    timezone: str
    day_of_week: Weekday | None = None
    day_of_month: int | None = None
    month: int | None = None
    webhook_url: str
    # In the clear, for a signature needs it; GraphQL shows it once
    secret: str
    scope: Scope
    enabled: bool
    # Null while it is not enabled
    next_run_at: datetime | None
    last_run_at: datetime | None = None
    # Every change before this moment has been taken by the receiver; null before the first batch
    exported_until: datetime | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 1

    @property
    def recurrence(self) -> Recurrence:
        """Return when it is due."""
        return Recurrence(
            self.frequency, self.time_of_day, self.timezone, self.day_of_week, self.day_of_month, self.month
        )

    class Settings:
        """Collection and indexes."""

        name = "schedules"
        indexes: ClassVar = [
            IndexModel([("owner_id", ASCENDING), ("_id", ASCENDING)]),
            IndexModel([("next_run_at", ASCENDING)], partialFilterExpression={"enabled": True}),
        ]


class RunDocument(Document):
    """One export, resumable: *after* is the cursor behind the last batch that the receiver took."""

    id: str  # type: ignore[assignment]
    schedule_id: str
    owner_id: str
    status: RunStatus
    trigger: Trigger
    started_at: datetime
    finished_at: datetime | None = None
    since: datetime | None
    until: datetime
    after: str | None = None
    exported_count: int = 0
    error: str | None = None
    # Failed deliveries in a row
    attempts: int = 0
    # While it runs: when a worker may take it on, and a token of the one that did
    due_at: datetime | None
    lease: str | None = None

    class Settings:
        """Collection and indexes."""

        name = "runs"
        indexes: ClassVar = [
            IndexModel([("schedule_id", ASCENDING), ("_id", DESCENDING)]),
            # One at a time per schedule, whoever starts it
            IndexModel(
                [("schedule_id", ASCENDING)],
                name="one_running",
                unique=True,
                partialFilterExpression={"status": RunStatus.RUNNING.value},
            ),
            IndexModel([("due_at", ASCENDING)], partialFilterExpression={"status": RunStatus.RUNNING.value}),
        ]


class RecentExportsDocument(Document):
    """What a schedule exported last, so that the overlap of two runs is not sent twice. Its id is the schedule's."""

    id: str  # type: ignore[assignment]
    orders: list[dict[str, Any]]

    class Settings:
        """Collection."""

        name = "recent_exports"
