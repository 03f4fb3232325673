"""The supergraph as values: what exists, and which subgraph knows it how.

Mappings are keyed by name; those of subgraphs by the subgraph's own name ("accounts"), not by its enum value.
Types of fields and arguments are kept as SDL text ("[Review!]!"), which is what documents and schemas are printed from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class TypeKind(Enum):
    """The kinds of named types."""

    SCALAR = "scalar"
    OBJECT = "type"
    INTERFACE = "interface"
    UNION = "union"
    ENUM = "enum"
    INPUT_OBJECT = "input"


@dataclass(frozen=True, slots=True)
class Subgraph:
    """One subgraph. *graph* is its value of the `join__Graph` enum; *url* may be empty."""

    name: str
    graph: str
    url: str


@dataclass(frozen=True, slots=True)
class FieldSetField:
    """A field of a key, `requires` or `provides`; arguments are name and GraphQL text of the value."""

    name: str
    arguments: tuple[tuple[str, str], ...] = ()
    selections: tuple["FieldSetSelection", ...] = ()


@dataclass(frozen=True, slots=True)
class FieldSetFragment:
    """An inline fragment of a field set."""

    type_name: str
    selections: tuple["FieldSetSelection", ...]


FieldSetSelection: TypeAlias = FieldSetField | FieldSetFragment
FieldSet: TypeAlias = tuple[FieldSetSelection, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """A way to name an entity. A key that is not *resolvable* may be sent elsewhere but not asked here."""

    selections: FieldSet
    resolvable: bool = True


@dataclass(frozen=True, slots=True)
class ContextArgument:
    """An argument that the router fills from an object above (`@fromContext`); *type* is text.

    *selections* lead to one value in each object that sets *context*, or to none in those that no fragment is about.
    """

    name: str
    type: str
    context: str
    selections: FieldSet


@dataclass(frozen=True, slots=True)
class TypeInSubgraph:
    """A type as one subgraph knows it.

    *interfaces* are those it implements there, *members* a union's, *values* an enum's.
    """

    subgraph: str
    keys: tuple[Key, ...] = ()
    is_interface_object: bool = False
    is_extension: bool = False
    interfaces: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldInSubgraph:
    """A field as one subgraph knows it.

    *is_external*: the subgraph mentions it but cannot resolve it, unless a path provides it. *override* names the
    subgraph that the field was taken from; *override_label* makes that (or, in the other subgraph, the loss) depend
    on a label; *is_used_overridden*: taken away, but still mentioned in a key or requirement.
    """

    subgraph: str
    type: str
    is_external: bool = False
    requires: FieldSet = ()
    provides: FieldSet = ()
    override: str | None = None
    override_label: str | None = None
    is_used_overridden: bool = False
    context_arguments: tuple[ContextArgument, ...] = ()


@dataclass(frozen=True, slots=True)
class InputValue:
    """An argument; *type* and *default* are text, None meaning no default."""

    name: str
    type: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object, interface or input type, and the subgraphs that know it (in the SDL's order)."""

    name: str
    type: str
    arguments: tuple[InputValue, ...]
    default: str | None
    is_inaccessible: bool
    subgraphs: Mapping[str, FieldInSubgraph]


@dataclass(frozen=True, slots=True)
class Type:
    """A named type, and the subgraphs that know it (in the SDL's order).

    *contexts* are those that the type itself sets (`@context`), by their names in the supergraph.
    """

    name: str
    kind: TypeKind
    fields: Mapping[str, Field]
    interfaces: tuple[str, ...]
    members: tuple[str, ...]
    values: tuple[str, ...]
    is_inaccessible: bool
    subgraphs: Mapping[str, TypeInSubgraph]
    contexts: tuple[str, ...] = ()
