"""The API schema: what of a supergraph clients may see."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from router.composition.merged import (
    MergedComposite,
    MergedElement,
    MergedEnum,
    MergedField,
    MergedInput,
    MergedInputType,
    MergedType,
    MergedUnion,
    Supergraph,
    has_applied,
)
from router.composition.type_refs import named_type


def is_visible(element: MergedElement) -> bool:
    """Tell whether clients may see *element*."""
    return not has_applied(element, "inaccessible")


def derive_api_schema(supergraph: Supergraph) -> Supergraph:
    """Return *supergraph* without what is `@inaccessible`."""
    hidden = {name for name, merged in supergraph.types.items() if not is_visible(merged)}
    types = {name: _visible_part(merged, hidden) for name, merged in supergraph.types.items() if name not in hidden}
    return replace(
        supergraph,
        types=types,
        roots={operation: name for operation, name in supergraph.roots.items() if name in types},
        directive_definitions={
            name: replace(definition, arguments=_visible_inputs(definition.arguments, hidden))
            for name, definition in supergraph.directive_definitions.items()
        },
    )


def _visible_part(merged: MergedType, hidden: set[str]) -> MergedType:
    match merged:
        case MergedComposite():
            return replace(
                merged,
                interfaces=_without(merged.interfaces, hidden),
                fields={
                    field.name: _visible_field(field, hidden)
                    for field in merged.fields.values()
                    if is_visible(field) and named_type(field.type) not in hidden
                },
            )
        case MergedUnion():
            return replace(merged, types=_without(merged.types, hidden))
        case MergedEnum():
            return replace(merged, values={value.name: value for value in merged.values.values() if is_visible(value)})
        case MergedInputType():
            return replace(merged, fields=_visible_inputs(merged.fields, hidden))
        case _:
            return merged


def _visible_field(field: MergedField, hidden: set[str]) -> MergedField:
    return replace(field, arguments=_visible_inputs(field.arguments, hidden))


def _visible_inputs(inputs: Mapping[str, MergedInput], hidden: set[str]) -> dict[str, MergedInput]:
    return {
        value.name: value for value in inputs.values() if is_visible(value) and named_type(value.type) not in hidden
    }


def _without(names: Sequence[str], hidden: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in hidden)
