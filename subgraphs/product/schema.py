"""The catalogue's federation schema."""

from schema.build import build_schema
from subgraphs.product.mutations import Mutation
from subgraphs.product.queries import Query

SCHEMA = build_schema(Query, Mutation)
