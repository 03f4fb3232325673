"""What federation's directives say about the fields of one subgraph."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import ListValueNode, StringValueNode, ValueNode

from router.composition.field_sets import (
    FieldSet,
    FieldSetSyntaxError,
    SelectedField,
    SelectedFragment,
    parse_field_set,
)
from router.composition.model import SourceLocation
from router.composition.subgraph import (
    DirectiveUse,
    InterfaceType,
    ObjectType,
    OutputField,
    Subgraph,
    UnionType,
    directives_named,
    has_directive,
)
from router.composition.type_refs import named_type

Coordinate = tuple[str, str]
"""A type's name and one of its fields'."""


@dataclass(frozen=True, slots=True)
class Key:
    """One `@key` of a type."""

    text: str
    selections: FieldSet
    resolvable: bool
    resolvable_written: bool
    on_extension: bool
    at: SourceLocation


@dataclass(frozen=True, slots=True)
class Annotations:
    """A subgraph's federation directives, looked up by type and field.

    *external* leaves out the key fields that an `extend type` repeats with `@external`: the subgraph does know them.
    *in_keys* are fields some `@key` selects, *referenced* those of `@key`, `@requires`, `@provides` together, and
    *provided* those that some `@provides` makes available.
    """

    keys: Mapping[str, tuple[Key, ...]]
    external: frozenset[Coordinate]
    declared_external: frozenset[Coordinate]
    in_keys: frozenset[Coordinate]
    provided: frozenset[Coordinate]
    referenced: frozenset[Coordinate]
    shareable: frozenset[Coordinate]
    interface_objects: frozenset[str]
    implementations: Mapping[str, frozenset[str]]


def annotate(subgraph: Subgraph) -> Annotations:
    """Collect the federation directives of *subgraph*; invalid field sets are passed over (a rule reports them)."""
    implementations = collect_implementations(subgraph)
    keys: dict[str, tuple[Key, ...]] = {}
    declared: set[Coordinate] = set()
    fakes: set[Coordinate] = set()
    in_keys: set[Coordinate] = set()
    provided: set[Coordinate] = set()
    referenced: set[Coordinate] = set()
    shareable: set[Coordinate] = set()
    interface_objects: set[str] = set()
    for definition in subgraph.types.values():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        if has_directive(definition, "interfaceObject"):
            interface_objects.add(definition.name)
        type_keys = tuple(read_keys(definition))
        if type_keys:
            keys[definition.name] = type_keys
        extends = has_directive(definition, "extends")
        for key in type_keys:
            selected = tuple(walk_field_set(subgraph, definition.name, key.selections))
            in_keys.update(selected)
            referenced.update(_with_implementations(selected, implementations))
            if key.on_extension or extends:
                fakes.update(selected)
        for field in definition.fields.values():
            coordinate = (definition.name, field.name)
            if has_directive(field, "external"):
                declared.add(coordinate)
            if has_directive(field, "shareable"):
                shareable.add(coordinate)
            for use in directives_named(field, "provides"):
                selected = tuple(walk_field_set(subgraph, named_type(field.type), read_fields_argument(use) or ()))
                provided.update(_with_implementations(selected, implementations))
            for use in directives_named(field, "requires"):
                selected = tuple(walk_field_set(subgraph, definition.name, read_fields_argument(use) or ()))
                referenced.update(_with_implementations(selected, implementations))
            for argument in field.arguments.values():
                for use in directives_named(argument, "fromContext"):
                    referenced.update(_context_fields(subgraph, use))
    return Annotations(
        keys=keys,
        external=frozenset(declared - fakes),
        declared_external=frozenset(declared),
        in_keys=frozenset(in_keys),
        provided=frozenset(provided),
        referenced=frozenset(referenced | provided),
        shareable=frozenset(shareable | in_keys),
        interface_objects=frozenset(interface_objects),
        implementations=implementations,
    )


def collect_implementations(subgraph: Subgraph) -> dict[str, frozenset[str]]:
    """Map each interface and union to the object types that it may be at run time."""
    found: dict[str, set[str]] = {}
    for definition in subgraph.types.values():
        if isinstance(definition, ObjectType):
            for interface in definition.interfaces:
                found.setdefault(interface, set()).add(definition.name)
        elif isinstance(definition, UnionType):
            found.setdefault(definition.name, set()).update(definition.members)
    return {name: frozenset(objects) for name, objects in found.items()}


def read_keys(definition: ObjectType | InterfaceType) -> Iterator[Key]:
    """Yield the readable `@key`s of a type."""
    for use in directives_named(definition, "key"):
        text = read_fields_text(use.arguments.get("fields"))
        if text is None:
            continue
        try:
            selections = parse_field_set(text)
        except FieldSetSyntaxError:
            continue
        resolvable = use.arguments.get("resolvable")
        yield Key(
            text=text.strip(),
            selections=selections,
            resolvable=getattr(resolvable, "value", True) is not False,
            resolvable_written=resolvable is not None,
            on_extension=use.on_extension,
            at=use.at,
        )


def read_fields_text(value: ValueNode | None) -> str | None:
    """Return the text of a `fields` argument; Federation 1 also wrote a list of strings. None if it is neither."""
    if isinstance(value, StringValueNode):
        return value.value
    if isinstance(value, ListValueNode):
        texts = [entry.value for entry in value.values if isinstance(entry, StringValueNode)]
        return " ".join(texts) if len(texts) == len(value.values) else None
    return None


def read_fields_argument(use: DirectiveUse) -> FieldSet | None:
    """Return the selections of a directive's `fields` argument, or None when they are not a readable string."""
    value = use.arguments.get("fields")
    text = value.value if isinstance(value, StringValueNode) else None
    if text is None:
        return None
    try:
        return parse_field_set(text)
    except FieldSetSyntaxError:
        return None


def walk_field_set(subgraph: Subgraph, type_name: str, selections: FieldSet) -> Iterator[Coordinate]:
    """Yield each field that *selections* names, with the type it is selected on, as far as the types are known."""
    definition = subgraph.types.get(type_name)
    for selection in selections:
        match selection:
            case SelectedField():
                field = (
                    definition.fields.get(selection.name)
                    if isinstance(definition, ObjectType | InterfaceType)
                    else None
                )
                if field is not None:
                    yield (type_name, field.name)
                    yield from walk_field_set(subgraph, named_type(field.type), selection.selections)
            case SelectedFragment():
                yield from walk_field_set(subgraph, selection.type_condition or type_name, selection.selections)


def _with_implementations(
    coordinates: tuple[Coordinate, ...], implementations: Mapping[str, frozenset[str]]
) -> Iterator[Coordinate]:
    """Add, to a field selected on an interface, the fields that implement it."""
    for type_name, field in coordinates:
        yield (type_name, field)
        for implementation in implementations.get(type_name, ()):
            yield (implementation, field)


def _context_fields(subgraph: Subgraph, use: DirectiveUse) -> Iterator[Coordinate]:
    """Yield the fields that `@fromContext(field:)` may select on the types that set its context."""
    value = use.arguments.get("field")
    if not isinstance(value, StringValueNode):
        return
    name, selection = split_context_field(value.value)
    if name is None:
        return
    try:
        selections = parse_field_set(selection)
    except FieldSetSyntaxError:
        return
    for definition in subgraph.types.values():
        if any(read_context_name(context) == name for context in directives_named(definition, "context")):
            yield from walk_field_set(subgraph, definition.name, selections)


def read_context_name(use: DirectiveUse) -> str | None:
    """Return the name that `@context(name:)` sets."""
    value = use.arguments.get("name")
    return value.value if isinstance(value, StringValueNode) else None


def split_context_field(text: str) -> tuple[str | None, str]:
    """Split `$name { selection }`; the name is None when the text does not begin with one."""
    stripped = text.strip()
    if not stripped.startswith("$"):
        return None, stripped
    end = 1
    while end < len(stripped) and (stripped[end].isalnum() or stripped[end] == "_"):
        end += 1
    return stripped[1:end] or None, stripped[end:]


def is_field_external(annotations: Annotations, type_name: str, field: OutputField) -> bool:
    """Tell whether the subgraph only mentions the field and does not resolve it by itself."""
    return (type_name, field.name) in annotations.external
