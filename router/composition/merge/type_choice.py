"""Which type, default and description the supergraph takes when subgraphs differ."""

from collections.abc import Callable, Iterable, Sequence

from graphql import ValueNode, print_ast, strip_ignored_characters

from router.composition.type_refs import TypeRef, is_subtype

IsNamedSubtype = Callable[[str, str], bool]


def choose_output_type(types: Sequence[TypeRef], is_named_subtype: IsNamedSubtype) -> TypeRef | None:
    """Return the widest of *types*: what any subgraph may answer. None when there is none."""
    return _choose(types, lambda wide, narrow: is_subtype(narrow, wide, is_named_subtype))


def choose_input_type(types: Sequence[TypeRef], is_named_subtype: IsNamedSubtype) -> TypeRef | None:
    """Return the strictest of *types*: what every subgraph accepts. None when there is none."""
    return _choose(types, lambda strict, loose: is_subtype(strict, loose, is_named_subtype))


def _choose(types: Sequence[TypeRef], covers: Callable[[TypeRef, TypeRef], bool]) -> TypeRef | None:
    chosen = types[0]
    for candidate in types[1:]:
        if covers(chosen, candidate):
            continue
        if not covers(candidate, chosen):
            return None
        chosen = candidate
    return chosen


def same_value(one: ValueNode | None, other: ValueNode | None) -> bool:
    """Tell whether two values in SDL are the same, blanks and the order of object fields aside."""
    if one is None or other is None:
        return one is other
    return value_key(one) == value_key(other)


def value_key(value: ValueNode) -> str:
    """Return a text that is equal for equal values."""
    match value.kind:
        case "object_value":
            fields = sorted((field.name.value, value_key(field.value)) for field in value.fields)  # type: ignore[attr-defined]
            return "{" + ",".join(f"{name}:{text}" for name, text in fields) + "}"
        case "list_value":
            return "[" + ",".join(value_key(entry) for entry in value.values) + "]"  # type: ignore[attr-defined]
        case "string_value":
            return repr(value.value)  # type: ignore[attr-defined]
        case _:
            return strip_ignored_characters(print_ast(value))


def choose_default(defaults: Sequence[ValueNode | None]) -> ValueNode | None:
    """Return the default when all subgraphs agree on it; None when one of them has none."""
    if any(default is None for default in defaults):
        return None
    return defaults[0]


def choose_description(descriptions: Iterable[str | None]) -> str | None:
    """Return the description most subgraphs give; the first of equals."""
    counts: dict[str, int] = {}
    for description in descriptions:
        if description:
            counts[description] = counts.get(description, 0) + 1
    return max(counts, key=lambda text: counts[text]) if counts else None
