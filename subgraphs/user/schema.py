"""The federation schema of the user subgraph."""

import strawberry

from schema.build import build_schema
from subgraphs.user.audit_fields import AuditQuery
from subgraphs.user.mutations import Mutation
from subgraphs.user.problems import USER_PROBLEM_HANDLERS
from subgraphs.user.queries import Query
from subgraphs.user.role_fields import RoleMutation, RoleQuery
from subgraphs.user.second_factor.problems import SECOND_FACTOR_HANDLERS
from subgraphs.user.types import User


@strawberry.type(name="Query")
class _Query(Query, RoleQuery, AuditQuery):
    """All root queries."""


@strawberry.type(name="Mutation")
class _Mutation(Mutation, RoleMutation):
    """All mutations."""


schema = build_schema(
    _Query, _Mutation, types=[User], exception_handlers=(*USER_PROBLEM_HANDLERS, *SECOND_FACTOR_HANDLERS)
)
