"""The sync subgraph, put together."""

from strawberry.dataloader import DataLoader

from core.jobs import Job
from core.settings import Environment
from core.subgraph import Call, Runtime, Subgraph
from loaders.entity import entity_loader, list_loader
from subgraphs.sync.documents import RecentExportsDocument, RunDocument, ScheduleDocument
from subgraphs.sync.exporter import Exporter
from subgraphs.sync.handlers import build_handlers
from subgraphs.sync.repository import SyncRepository
from subgraphs.sync.schema import schema
from subgraphs.sync.service import SyncService
from subgraphs.sync.types import SyncContext
from subgraphs.sync.webhooks import WebhookSender

NAME = "sync"

# So long a schedule may be late, and a manual run waits
RUN_DUE_EVERY_S = 2.0


def build(runtime: Runtime) -> Subgraph:
    """Return the sync subgraph. Only a development installation posts to private addresses."""
    allow_private = runtime.settings.environment is Environment.DEVELOPMENT
    repository = SyncRepository(runtime.database)
    exporter = Exporter(
        repository,
        client=runtime.client,
        database=runtime.database,
        peers=runtime.peers,
        clock=runtime.clock,
        sender=WebhookSender(allow_private=allow_private),
    )
    service = SyncService(
        repository,
        exporter,
        client=runtime.client,
        database=runtime.database,
        clock=runtime.clock,
        allow_private=allow_private,
    )

    def make_context(call: Call) -> SyncContext:
        return SyncContext(
            identity=call.identity,
            service=service,
            timezone=runtime.settings.timezone,
            schedules=entity_loader(service.find_schedules, lambda row: row["_id"]),
            schedules_of=list_loader(service.find_schedules_of, lambda row: row["owner_id"]),
            runs=DataLoader(load_fn=service.list_runs),
            rows=call.rows,
        )

    return Subgraph(
        name=NAME,
        schema=schema,
        runtime=runtime,
        documents=(ScheduleDocument, RunDocument, RecentExportsDocument),
        context=make_context,
        handlers=build_handlers(repository),
        jobs=(Job("run_due_syncs", RUN_DUE_EVERY_S, exporter.run_due),),
    )
