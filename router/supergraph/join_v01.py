"""Federation 1 supergraphs (join v0.1) say where entities live, but not value types: find those by reachability.

A value type, interface, union, enum or input belongs to each subgraph that can reach it from its root fields or its
entities, and all its fields with it, because Federation 1 demanded value types to be the same everywhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from router.supergraph.model import (
    Field,
    FieldInSubgraph,
    FieldSet,
    FieldSetField,
    FieldSetFragment,
    Subgraph,
    Type,
    TypeInSubgraph,
    TypeKind,
)
from router.supergraph.type_text import named_type


def spread_value_types(
    types: Mapping[str, Type],
    subgraphs: tuple[Subgraph, ...],
    root_types: frozenset[str],
    owners: Mapping[str, str],
) -> dict[str, Type]:
    """Return the types with every subgraph written down that knows each of them and each field."""
    spread = dict(types)
    for subgraph in subgraphs:
        _add_mentioned_fields(spread, subgraph.name)
    located = dict(spread)
    for subgraph in subgraphs:
        reachable = _reach(located, subgraph.name, root_types, owners)
        for name in reachable:
            spread[name] = _place(spread[name], subgraph.name, reachable, name in root_types or name in owners)
    return spread


def _add_mentioned_fields(types: dict[str, Type], subgraph: str) -> None:
    """Write down the fields that a subgraph has only in its keys (it resolves them) or field sets (it does not)."""
    for type_ in tuple(types.values()):
        here = type_.subgraphs.get(subgraph)
        for key in here.keys if here else ():
            _mention(types, subgraph, type_.name, key.selections, is_external=False)
        for field in type_.fields.values():
            in_subgraph = field.subgraphs.get(subgraph)
            if in_subgraph:
                _mention(types, subgraph, type_.name, in_subgraph.requires, is_external=True)
                _mention(types, subgraph, named_type(field.type), in_subgraph.provides, is_external=True)


def _mention(types: dict[str, Type], subgraph: str, type_name: str, selections: FieldSet, *, is_external: bool) -> None:
    for selection in selections:
        match selection:
            case FieldSetFragment(inner_name, inner):
                _mention(types, subgraph, inner_name, inner, is_external=is_external)
            case FieldSetField(name, _, inner):
                type_ = types.get(type_name)
                field = type_.fields.get(name) if type_ else None
                if type_ is None or field is None:
                    continue
                if subgraph not in field.subgraphs and type_.subgraphs:
                    known = FieldInSubgraph(subgraph, field.type, is_external=is_external)
                    grown = replace(field, subgraphs={**field.subgraphs, subgraph: known})
                    types[type_name] = replace(type_, fields={**type_.fields, name: grown})
                _mention(types, subgraph, named_type(field.type), inner, is_external=is_external)


def _reach(
    types: Mapping[str, Type], subgraph: str, root_types: frozenset[str], owners: Mapping[str, str]
) -> frozenset[str]:
    reached: set[str] = set()
    waiting = [*root_types, *(name for name in owners if name in types and subgraph in types[name].subgraphs)]
    while waiting:
        name = waiting.pop()
        type_ = types.get(name)
        if type_ is None or name in reached:
            continue
        if name in owners and subgraph not in type_.subgraphs:
            continue
        reached.add(name)
        waiting.extend(type_.members)
        waiting.extend(type_.interfaces)
        if type_.kind is TypeKind.INTERFACE:
            waiting.extend(other.name for other in types.values() if name in other.interfaces)
        is_located = name in root_types or name in owners
        for field in type_.fields.values():
            if not is_located or subgraph in field.subgraphs:
                waiting.append(named_type(field.type))
                waiting.extend(named_type(argument.type) for argument in field.arguments)
    return frozenset(reached)


def _place(type_: Type, subgraph: str, reachable: frozenset[str], is_located: bool) -> Type:
    """Return the type as known to the subgraph too; a located type keeps the fields it was read with."""
    fields: Mapping[str, Field] = type_.fields
    if not is_located:
        fields = {
            name: replace(field, subgraphs={**field.subgraphs, subgraph: FieldInSubgraph(subgraph, field.type)})
            for name, field in type_.fields.items()
        }
    known = type_.subgraphs.get(subgraph) or TypeInSubgraph(subgraph)
    return replace(
        type_,
        fields=fields,
        subgraphs={
            **type_.subgraphs,
            subgraph: replace(
                known,
                interfaces=_only(type_.interfaces, reachable),
                members=_only(type_.members, reachable),
                values=type_.values,
            ),
        },
    )


def _only(names: Iterable[str], known: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in known)
