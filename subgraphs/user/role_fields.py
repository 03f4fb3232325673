"""Roles in the graph: the type, the query and the mutations."""

from typing import Annotated, TypeAlias

import strawberry

from core.scopes import ROLES_WRITE, USERS_READ
from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from subgraphs.user.role_model import RoleDefinition
from subgraphs.user.types import UserContext

RoleName = Annotated[str, strawberry.argument(description="The role's name.")]


@strawberry.type(description="A name for a set of scopes. Accounts have roles; scopes are what a caller may do.")
class Role:
    """RoleDefinition in the graph."""

    name: str = strawberry.field(description="Its key, such as WAREHOUSE; it never changes.")
    description: str = strawberry.field(description="What it is for.")
    scopes: list[str] = strawberry.field(description="What it allows, by the names that `@requiresScopes` uses.")
    is_built_in: bool = strawberry.field(description="Whether it is CUSTOMER, STAFF or ADMIN, which cannot be changed.")

    @classmethod
    def from_definition(cls, role: RoleDefinition) -> "Role":
        """Show *role*."""
        return cls(name=role.name, description=role.description, scopes=list(role.scopes), is_built_in=role.is_built_in)


@strawberry.type(description="A role was deleted.")
class RoleDeleted:
    """What is left of it."""

    name: str = strawberry.field(description="Its name.")


@strawberry.input(description="A new role.")
class CreateRoleInput:
    """What `createRole` takes."""

    name: str = strawberry.field(description="Its key, such as WAREHOUSE: A-Z, 0-9 and _. It never changes.")
    description: str = strawberry.field(default="", description="What it is for.")
    scopes: list[str] = strawberry.field(
        description="What it allows. Nobody gives scopes that they lack; users:write and roles:write are ADMIN's alone."
    )


@strawberry.input(description="Changes to a role; what is not given stays as it is.")
class UpdateRoleInput:
    """What `updateRole` takes."""

    name: str = strawberry.field(description="Which role.")
    description: str | None = strawberry.field(default=None, description="What it is for.")
    scopes: list[str] | None = strawberry.field(default=None, description="All that it allows from now on.")


CreateRoleResult: TypeAlias = Annotated[
    Role | InvalidInputProblem | ConflictProblem,
    strawberry.union("CreateRoleResult", description="The new role, or why there is none."),
]
UpdateRoleResult: TypeAlias = Annotated[
    Role | NotFoundProblem | InvalidInputProblem | ConflictProblem,
    strawberry.union("UpdateRoleResult", description="The changed role, or why it is unchanged."),
]
DeleteRoleResult: TypeAlias = Annotated[
    RoleDeleted | NotFoundProblem | InvalidInputProblem | ConflictProblem,
    strawberry.union("DeleteRoleResult", description="The role is gone, or why it is not."),
]


@strawberry.type
class RoleQuery:
    """Reads about roles."""

    @strawberry.federation.field(requires_scopes=[[USERS_READ]])
    async def roles(self, info: strawberry.Info[UserContext, None]) -> list[Role]:
        """All roles, the built-in ones first."""
        found = await info.context.service.roles.list_roles(by=info.context.identity)
        return [Role.from_definition(role) for role in found]


@strawberry.type
class RoleMutation:
    """Changes to roles."""

    @strawberry.federation.mutation(requires_scopes=[[ROLES_WRITE]])
    async def create_role(
        self,
        info: strawberry.Info[UserContext, None],
        input: Annotated[CreateRoleInput, strawberry.argument(description="The role.")],
    ) -> CreateRoleResult:
        """Make up a role."""
        role = await info.context.service.roles.create_role(
            name=input.name, description=input.description, scopes=input.scopes, by=info.context.identity
        )
        return Role.from_definition(role)

    @strawberry.federation.mutation(requires_scopes=[[ROLES_WRITE]])
    async def update_role(
        self,
        info: strawberry.Info[UserContext, None],
        input: Annotated[UpdateRoleInput, strawberry.argument(description="What changes.")],
    ) -> UpdateRoleResult:
        """Change what a role is for or allows. Access tokens with what it has lost stop working within a minute."""
        role = await info.context.service.update_role(
            input.name, description=input.description, scopes=input.scopes, by=info.context.identity
        )
        return Role.from_definition(role)

    @strawberry.federation.mutation(requires_scopes=[[ROLES_WRITE]])
    async def delete_role(self, info: strawberry.Info[UserContext, None], name: RoleName) -> DeleteRoleResult:
        """Delete a role that nobody has."""
        return RoleDeleted(name=await info.context.service.roles.delete_role(name, by=info.context.identity))
