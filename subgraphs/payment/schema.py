"""The payment subgraph's schema."""

from strawberry.federation import Schema

from schema.build import build_schema
from subgraphs.payment.mutations import Mutation
from subgraphs.payment.queries import Query
from subgraphs.payment.types import Order, Payment


def build_payment_schema() -> Schema:
    """Return the schema."""
    return build_schema(Query, Mutation, types=[Order, Payment])
