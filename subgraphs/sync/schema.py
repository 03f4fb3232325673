"""The federation schema of the sync subgraph."""

from schema.build import build_schema
from subgraphs.sync.mutations import Mutation
from subgraphs.sync.queries import Query
from subgraphs.sync.types import SyncSchedule, User

schema = build_schema(Query, Mutation, types=[SyncSchedule, User])
