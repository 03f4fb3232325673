"""The supergraph as merging leaves it and rendering writes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import ValueNode

from router.composition.specs import SPEC_HOST
from router.composition.type_refs import TypeRef


@dataclass(frozen=True, slots=True)
class Graph:
    """A subgraph as the supergraph lists it: *id* is its value in `enum join__Graph`."""

    id: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class AppliedDirective:
    """A directive that stays on an element of the supergraph."""

    name: str
    arguments: Mapping[str, ValueNode] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContextArgument:
    """An argument that the router fills from the path instead of the client."""

    context: str
    name: str
    type: str
    selection: str


@dataclass(frozen=True, slots=True)
class JoinType:
    """One `@join__type`."""

    graph: str
    key: str | None = None
    extension: bool = False
    resolvable: bool | None = None
    is_interface_object: bool = False


@dataclass(frozen=True, slots=True)
class JoinField:
    """One `@join__field`; *graph* is None on a field that an implementation owes to an interface object."""

    graph: str | None
    requires: str | None = None
    provides: str | None = None
    type: str | None = None
    external: bool = False
    override: str | None = None
    used_overridden: bool = False
    override_label: str | None = None
    context_arguments: tuple[ContextArgument, ...] = ()


@dataclass(frozen=True, slots=True)
class MergedInput:
    """An argument, or a field of an input object (only these have *joins*)."""

    name: str
    type: TypeRef
    default: ValueNode | None
    description: str | None
    directives: tuple[AppliedDirective, ...] = ()
    joins: tuple[JoinField, ...] = ()


@dataclass(frozen=True, slots=True)
class MergedField:
    """A field of an object or interface. Without *joins*, every subgraph of the type resolves it."""

    name: str
    type: TypeRef
    arguments: Mapping[str, MergedInput]
    description: str | None
    directives: tuple[AppliedDirective, ...] = ()
    joins: tuple[JoinField, ...] = ()


@dataclass(frozen=True, slots=True)
class MergedEnumValue:
    """A value of an enum and the graphs that define it."""

    name: str
    description: str | None
    directives: tuple[AppliedDirective, ...]
    graphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MergedScalar:
    """A scalar."""

    name: str
    description: str | None
    directives: tuple[AppliedDirective, ...]
    joins: tuple[JoinType, ...]


@dataclass(frozen=True, slots=True)
class MergedComposite:
    """An object or an interface; *implements* pairs a graph with an interface that the type has there."""

    name: str
    is_interface: bool
    description: str | None
    directives: tuple[AppliedDirective, ...]
    joins: tuple[JoinType, ...]
    interfaces: tuple[str, ...]
    implements: tuple[tuple[str, str], ...]
    fields: Mapping[str, MergedField]


@dataclass(frozen=True, slots=True)
class MergedUnion:
    """A union; *members* pairs a graph with a member that the union has there."""

    name: str
    description: str | None
    directives: tuple[AppliedDirective, ...]
    joins: tuple[JoinType, ...]
    types: tuple[str, ...]
    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MergedEnum:
    """An enum."""

    name: str
    description: str | None
    directives: tuple[AppliedDirective, ...]
    joins: tuple[JoinType, ...]
    values: Mapping[str, MergedEnumValue]


@dataclass(frozen=True, slots=True)
class MergedInputType:
    """An input object."""

    name: str
    description: str | None
    directives: tuple[AppliedDirective, ...]
    joins: tuple[JoinType, ...]
    fields: Mapping[str, MergedInput]


MergedType = MergedScalar | MergedComposite | MergedUnion | MergedEnum | MergedInputType
MergedElement = MergedType | MergedField | MergedInput | MergedEnumValue


EXECUTABLE_LOCATIONS = frozenset(
    {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
    }
)


@dataclass(frozen=True, slots=True)
class MergedDirectiveDefinition:
    """A directive definition the supergraph keeps: composed (*executable* False) or executable."""

    name: str
    arguments: Mapping[str, MergedInput]
    locations: tuple[str, ...]
    repeatable: bool
    description: str | None
    executable: bool


@dataclass(frozen=True, slots=True)
class SupergraphLink:
    """One `@link` on the supergraph's schema."""

    url: str
    purpose: str | None = None
    alias: str | None = None
    imports: tuple[tuple[str, str], ...] = ()


BASE_LINKS = (
    SupergraphLink(f"{SPEC_HOST}/link/v1.0"),
    SupergraphLink(f"{SPEC_HOST}/join/v0.5", purpose="EXECUTION"),
)


@dataclass(frozen=True, slots=True)
class Supergraph:
    """Everything the supergraph SDL says."""

    graphs: tuple[Graph, ...]
    types: Mapping[str, MergedType]
    directive_definitions: Mapping[str, MergedDirectiveDefinition]
    links: tuple[SupergraphLink, ...]
    roots: Mapping[str, str]
    """The type of each operation there is: `query`, and maybe `mutation` and `subscription`."""
    schema_directives: tuple[AppliedDirective, ...] = ()
    spellings: Mapping[str, str] = field(default_factory=dict)
    """How the supergraph spells the directives that all subgraphs import by another name."""


def has_applied(element: MergedElement, name: str) -> bool:
    """Tell whether *element* carries the directive *name*."""
    directives = element.directives
    return bool(directives) and any(directive.name == name for directive in directives)
