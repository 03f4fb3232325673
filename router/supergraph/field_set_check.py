"""Check that a field set names what exists."""

from collections.abc import Mapping

from router.supergraph.model import FieldSet, FieldSetField, FieldSetFragment, Type, TypeKind
from router.supergraph.type_text import named_type

_COMPOSITE = frozenset({TypeKind.OBJECT, TypeKind.INTERFACE, TypeKind.UNION})


def find_field_set_problem(types: Mapping[str, Type], type_name: str, field_set: FieldSet, subgraph: str) -> str | None:
    """Return what is wrong with a field set on a type, as a sentence; None if nothing is."""
    if not field_set:
        return None
    type_ = types.get(type_name)
    if type_ is None:
        return f"there is no type {type_name}, which a field set of {subgraph} names"
    for selection in field_set:
        match selection:
            case FieldSetFragment(inner_name, inner):
                problem = find_field_set_problem(types, inner_name, inner, subgraph)
            case FieldSetField("__typename", _, ()):
                problem = None
            case FieldSetField(name, _, inner):
                problem = _find_field_problem(types, type_, name, inner, subgraph)
        if problem:
            return problem
    return None


def _find_field_problem(
    types: Mapping[str, Type], type_: Type, name: str, inner: FieldSet, subgraph: str
) -> str | None:
    field = type_.fields.get(name)
    if field is None:
        return f"{type_.name} has no field {name}, which a field set of {subgraph} names"
    returned = named_type(field.type)
    has_fields = returned in types and types[returned].kind in _COMPOSITE
    if inner and not has_fields:
        return f"{type_.name}.{name} has no fields, but a field set of {subgraph} selects some"
    if has_fields and not inner:
        return f"{type_.name}.{name} needs fields, but a field set of {subgraph} selects none"
    return find_field_set_problem(types, returned, inner, subgraph)
