"""The order subgraph's schema."""

from strawberry.federation import Schema

from schema.build import build_schema
from subgraphs.order.mutations import Mutation
from subgraphs.order.problems import ORDER_PROBLEM_HANDLERS
from subgraphs.order.queries import Query
from subgraphs.order.subscriptions import Subscription
from subgraphs.order.types import Order, Product, User


def build_order_schema() -> Schema:
    """Return the schema with its own problems."""
    return build_schema(
        Query,
        Mutation,
        subscription=Subscription,
        types=[Order, Product, User],
        exception_handlers=ORDER_PROBLEM_HANDLERS,
    )
