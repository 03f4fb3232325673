"""The federation schema of the user subgraph."""

from schema.build import build_schema
from subgraphs.user.mutations import Mutation
from subgraphs.user.problems import USER_PROBLEM_HANDLERS
from subgraphs.user.queries import Query
from subgraphs.user.second_factor.problems import SECOND_FACTOR_HANDLERS
from subgraphs.user.types import User

schema = build_schema(
    Query, Mutation, types=[User], exception_handlers=(*USER_PROBLEM_HANDLERS, *SECOND_FACTOR_HANDLERS)
)
