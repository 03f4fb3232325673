"""One subgraph as composition sees it: machinery stripped, roots renamed, directives resolved to what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from graphql import ValueNode

from router.composition.model import SourceLocation
from router.composition.type_refs import TypeRef


class Family(Enum):
    """Where the meaning of a directive comes from."""

    FEDERATION = "federation"
    BUILT_IN = "built-in"
    LINKED = "linked"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class DirectiveUse:
    """A directive applied to something.

    *name* is what the directive means (`key` even where the subgraph writes `@federation__key`), *written* how the
    subgraph spells it. *on_extension* tells whether it stands on an `extend` block, *block* on which block of its type,
    counted from 0.
    """

    name: str
    written: str
    family: Family
    arguments: Mapping[str, ValueNode]
    at: SourceLocation
    on_extension: bool = False
    block: int = 0


@dataclass(frozen=True, slots=True)
class InputValue:
    """An argument or a field of an input object."""

    name: str
    type: TypeRef
    default: ValueNode | None
    description: str | None
    directives: tuple[DirectiveUse, ...]
    at: SourceLocation


@dataclass(frozen=True, slots=True)
class OutputField:
    """A field of an object or an interface."""

    name: str
    type: TypeRef
    arguments: Mapping[str, InputValue]
    description: str | None
    directives: tuple[DirectiveUse, ...]
    at: SourceLocation
    on_extension: bool = False


@dataclass(frozen=True, slots=True)
class EnumValue:
    """A value of an enum."""

    name: str
    description: str | None
    directives: tuple[DirectiveUse, ...]
    at: SourceLocation


@dataclass(frozen=True, slots=True)
class ScalarType:
    """A custom scalar. Of every type, *has_base* is False when the subgraph only extends it."""

    name: str
    description: str | None
    directives: tuple[DirectiveUse, ...]
    at: SourceLocation
    has_base: bool = True


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object type."""

    name: str
    interfaces: tuple[str, ...]
    fields: Mapping[str, OutputField]
    description: str | None
    directives: tuple[DirectiveUse, ...]
    at: SourceLocation
    has_base: bool = True


@dataclass(frozen=True, slots=True)
class InterfaceType:
    """An interface type."""

    name: str
    interfaces: tuple[str, ...]
    fields: Mapping[str, OutputField]
    description: str | None
    directives: tuple[DirectiveUse, ...]
    at: SourceLocation
    has_base: bool = True


@dataclass(frozen=True, slots=True)
class UnionType:
    """A union type."""

    name: str
    members: tuple[str, ...]
    description: str | None
    directives: tuple[DirectiveUse, ...]
    at: SourceLocation
    has_base: bool = True


@dataclass(frozen=True, slots=True)
class EnumType:
    """An enum type."""

    name: str
    values: Mapping[str, EnumValue]
    description: str | None
    directives: tuple[DirectiveUse, ...]
    at: SourceLocation
    has_base: bool = True


@dataclass(frozen=True, slots=True)
class InputType:
    """An input object type."""

    name: str
    fields: Mapping[str, InputValue]
    description: str | None
    directives: tuple[DirectiveUse, ...]
    at: SourceLocation
    has_base: bool = True


CompositeType = ObjectType | InterfaceType
SubgraphType = ScalarType | ObjectType | InterfaceType | UnionType | EnumType | InputType
Element = SubgraphType | OutputField | InputValue | EnumValue


@dataclass(frozen=True, slots=True)
class DirectiveDefinition:
    """A directive that the subgraph defines itself (not one of federation's)."""

    name: str
    arguments: Mapping[str, InputValue]
    locations: tuple[str, ...]
    repeatable: bool
    description: str | None
    at: SourceLocation


@dataclass(frozen=True, slots=True)
class Import:
    """One entry of `@link(import:)`; directives keep their `@`."""

    name: str
    alias: str


@dataclass(frozen=True, slots=True)
class Link:
    """One `@link` of the schema: *identity* without the version, *namespace* the prefix of what is not imported."""

    identity: str
    version: tuple[int, int] | None
    namespace: str
    imports: tuple[Import, ...]
    at: SourceLocation
    written_url: str
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class Subgraph:
    """A subgraph, read.

    *version* is the federation version it speaks: (1, 0) when its schema links to no federation specification.
    *roots* maps `query`, `mutation`, `subscription` to the type the subgraph wrote; in *types* that type already has
    its standard name.
    """

    name: str
    url: str
    version: tuple[int, int]
    types: Mapping[str, SubgraphType]
    directive_definitions: Mapping[str, DirectiveDefinition]
    links: tuple[Link, ...]
    schema_directives: tuple[DirectiveUse, ...]
    roots: Mapping[str, str]
    composed_directives: tuple[DirectiveUse, ...] = ()
    ignored_interface_keys: tuple[str, ...] = ()
    """The interfaces whose @key an upgrade from Federation 1 has dropped."""

    @property
    def is_federation_1(self) -> bool:
        """Tell whether the subgraph has to be upgraded before it is merged."""
        return self.version < (2, 0)


ROOT_NAMES: Mapping[str, str] = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}


def find_part(definition: SubgraphType, name: str) -> OutputField | InputValue | EnumValue | None:
    """Return the field, input field or enum value *name* of a type, or None."""
    match definition:
        case ObjectType() | InterfaceType():
            return definition.fields.get(name)
        case InputType():
            return definition.fields.get(name)
        case EnumType():
            return definition.values.get(name)
        case _:
            return None


def directives_named(element: Element, name: str) -> tuple[DirectiveUse, ...]:
    """Return the applications of federation's (or GraphQL's own) directive *name* on *element*."""
    if not element.directives:
        return ()
    return tuple(
        use
        for use in element.directives
        if use.name == name and (use.family is Family.FEDERATION or use.family is Family.BUILT_IN)
    )


def has_directive(element: Element, name: str) -> bool:
    """Tell whether federation's (or GraphQL's own) directive *name* is applied to *element*."""
    return bool(element.directives) and bool(directives_named(element, name))
