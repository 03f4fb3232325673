"""The stock's federation schema."""

from schema.build import build_schema
from subgraphs.inventory.mutations import Mutation
from subgraphs.inventory.problems import HANDLERS
from subgraphs.inventory.queries import Query

SCHEMA = build_schema(Query, Mutation, exception_handlers=HANDLERS)
