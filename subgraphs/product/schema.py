"""The catalogue's federation schema."""

import strawberry

from schema.build import build_schema
from subgraphs.product.images.mutations import ImageMutation
from subgraphs.product.mutations import Mutation
from subgraphs.product.queries import Query


@strawberry.type(name="Mutation")
class _Mutation(Mutation, ImageMutation):
    """All mutations."""


SCHEMA = build_schema(Query, _Mutation)
