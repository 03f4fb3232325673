"""Who may see what, as the schema declares it with `@authenticated`, `@requiresScopes` and `@policy`.

https://www.apollographql.com/docs/graphos/routing/security/authorization
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    visit,
)

from core.identity import Identity, Role
from router.limits import fragments_of
from router.spec_directives import AppliedDirective, find_applied_directives

HoldsPolicy: TypeAlias = Callable[[Identity, str], bool]
"""Tells whether a caller satisfies the policy of this name."""

_DIRECTIVES = frozenset({"authenticated", "requiresScopes", "policy"})


def holds_role(identity: Identity, policy: str) -> bool:
    """Read a policy's name as a role, in any case: `@policy(policies: [["staff"]])`. Admins count as staff."""
    if policy.upper() == Role.STAFF:
        return identity.is_staff
    return policy.upper() in {role.upper() for role in identity.roles}


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a caller needs, for one type or field. Alternatives of *scopes* and of *policies*: any one, in full.

    No alternatives at all means that the directive was not applied.
    """

    login: bool = False
    scopes: frozenset[frozenset[str]] = frozenset()
    policies: frozenset[frozenset[str]] = frozenset()

    def is_met_by(self, identity: Identity, holds_policy: HoldsPolicy) -> bool:
        """Tell whether *identity* may see what this requirement guards."""
        if self.login and not identity.is_authenticated:
            return False
        if self.scopes and not any(identity.scopes >= needed for needed in self.scopes):
            return False
        return not self.policies or any(
            all(holds_policy(identity, policy) for policy in needed) for needed in self.policies
        )


Guard: TypeAlias = frozenset[Requirement]
"""Requirements that must all be met."""

NO_GUARD: Guard = frozenset()


@dataclass(frozen=True, slots=True)
class AuthorisationRules:
    """The declared requirements of one supergraph. Remembers the guards that it has worked out."""

    types: dict[str, Requirement]
    fields: dict[tuple[str, str], Requirement]
    _guards: dict[tuple[str, str], Guard] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Tell whether everybody may see everything."""
        return not self.types and not self.fields

    def guard_of(self, schema: GraphQLSchema, parent: GraphQLNamedType, field_name: str) -> Guard:
        """Return what selecting *field_name* on *parent* needs.

        A field needs what it declares, what its type declares and what its parent declares. Selected on an interface it
        needs what every implementation of it needs, too: which one will answer is not known before it is fetched.
        """
        key = (parent.name, field_name)
        guard = self._guards.get(key)
        if guard is None:
            guard = frozenset(self._requirements(schema, parent, field_name))
            self._guards[key] = guard
        return guard

    def _requirements(self, schema: GraphQLSchema, parent: GraphQLNamedType, field_name: str) -> set[Requirement]:
        if field_name.startswith("__"):
            return set()
        owners = [parent.name]
        if isinstance(parent, GraphQLInterfaceType):
            implementations = schema.get_implementations(parent)
            owners += [type_.name for type_ in (*implementations.objects, *implementations.interfaces)]
        found: set[Requirement] = set()
        for owner in owners:
            definition = getattr(schema.get_type(owner), "fields", {}).get(field_name)
            returned = get_named_type(definition.type).name if definition is not None else ""
            for requirement in (
                self.types.get(owner),
                self.fields.get((owner, field_name)),
                self.types.get(returned),
            ):
                if requirement is not None:
                    found.add(requirement)
        return found


def read_authorisation(supergraph: DocumentNode) -> AuthorisationRules:
    """Return the requirements that *supergraph* declares."""
    types: dict[str, Requirement] = {}
    fields: dict[tuple[str, str], Requirement] = {}
    for applied in find_applied_directives(supergraph, _DIRECTIVES):
        if applied.argument_name is not None:
            continue
        if applied.field_name is None:
            types[applied.type_name] = _add(types.get(applied.type_name, Requirement()), applied)
        else:
            key = (applied.type_name, applied.field_name)
            fields[key] = _add(fields.get(key, Requirement()), applied)
    return AuthorisationRules(types, fields)


def _add(requirement: Requirement, applied: AppliedDirective) -> Requirement:
    match applied.name:
        case "authenticated":
            return Requirement(True, requirement.scopes, requirement.policies)
        case "requiresScopes":
            return Requirement(requirement.login, _alternatives(applied.arguments.get("scopes")), requirement.policies)
        case _:
            return Requirement(requirement.login, requirement.scopes, _alternatives(applied.arguments.get("policies")))


def _alternatives(value: Any) -> frozenset[frozenset[str]]:
    # An empty list is an alternative that nobody meets, not the absence of one: `scopes: []` closes the field
    alternatives = frozenset(frozenset(map(str, needed)) for needed in value or ())
    return alternatives or frozenset({frozenset({"\0nobody"})})


@dataclass(frozen=True, slots=True)
class GuardedField:
    """A field of an operation that not everybody may see."""

    node: FieldNode
    coordinate: str
    guard: Guard


def find_guarded_fields(
    schema: GraphQLSchema, rules: AuthorisationRules, document: DocumentNode, operation: OperationDefinitionNode
) -> tuple[GuardedField, ...]:
    """Return the guarded fields of *operation* and of every fragment, in document order."""
    if rules.is_empty:
        return ()
    found: list[GuardedField] = []
    type_info = TypeInfo(schema)

    class Collect(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            parent = type_info.get_parent_type()
            if parent is None:
                return
            guard = rules.guard_of(schema, parent, node.name.value)
            if guard:
                found.append(GuardedField(node, f"{parent.name}.{node.name.value}", guard))

    for definition in (operation, *fragments_of(document).values()):
        visit(definition, TypeInfoVisitor(type_info, Collect()))
    return tuple(found)
