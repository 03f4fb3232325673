"""Federation 1 supergraphs (join v0.1) say where entities are, but nothing of value types: find those by reach.

Federation 1 wanted value types to be the same everywhere, so a value type, interface, union, enum, input or scalar
belongs with all of its fields to each subgraph that can come to it from its root fields or its entities.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from router.composition.field_sets import (
    FieldSet,
    FieldSetSyntaxError,
    SelectedField,
    SelectedFragment,
    parse_field_set,
)
from router.composition.merged import (
    JoinField,
    JoinType,
    MergedComposite,
    MergedField,
    MergedInputType,
    MergedType,
    MergedUnion,
    Supergraph,
)
from router.composition.type_refs import named_type


def place_value_types(supergraph: Supergraph, owners: Mapping[str, str]) -> Supergraph:
    """Write down every subgraph that knows a type; *owners* maps each entity to the graph that defines it."""
    types = {name: _place_owned_fields(merged, owners.get(name)) for name, merged in supergraph.types.items()}
    graphs = [graph.id for graph in supergraph.graphs]
    for graph in graphs:
        _add_mentioned_fields(types, graph)
    roots = frozenset(supergraph.roots.values())
    reached = {graph: _Reach(types, graph, roots, frozenset(owners)).run() for graph in graphs}
    return replace(supergraph, types={name: _place(merged, reached) for name, merged in types.items()})


def _place_owned_fields(merged: MergedType, owner: str | None) -> MergedType:
    """Give an entity's field that names no graph to the owner of the entity."""
    if owner is None or not isinstance(merged, MergedComposite):
        return merged
    return replace(
        merged,
        fields={
            name: field if _graphs_of(field) else replace(field, joins=(JoinField(owner),))
            for name, field in merged.fields.items()
        },
    )


def _graphs_of(field: MergedField) -> frozenset[str]:
    return frozenset(join.graph for join in field.joins if join.graph is not None)


def _add_mentioned_fields(types: dict[str, MergedType], graph: str) -> None:
    """Write down the fields that a subgraph has only in its keys (it resolves them) or field sets (it does not)."""
    for merged in tuple(types.values()):
        if not isinstance(merged, MergedComposite):
            continue
        for join in merged.joins:
            if join.graph == graph:
                _mention(types, graph, merged.name, _selections(join.key), is_external=False)
        for field in merged.fields.values():
            for field_join in field.joins:
                if field_join.graph == graph:
                    _mention(types, graph, merged.name, _selections(field_join.requires), is_external=True)
                    provided = _selections(field_join.provides)
                    _mention(types, graph, named_type(field.type), provided, is_external=True)


def _selections(text: str | None) -> FieldSet:
    """Read a field set; one that cannot be read mentions nothing."""
    try:
        return parse_field_set(text) if text else ()
    except FieldSetSyntaxError:
        return ()


def _mention(
    types: dict[str, MergedType], graph: str, type_name: str, selections: FieldSet, *, is_external: bool
) -> None:
    for selection in selections:
        match selection:
            case SelectedFragment():
                condition = selection.type_condition or type_name
                _mention(types, graph, condition, selection.selections, is_external=is_external)
            case SelectedField():
                merged = types.get(type_name)
                field = merged.fields.get(selection.name) if isinstance(merged, MergedComposite) else None
                if not isinstance(merged, MergedComposite) or field is None:
                    continue
                if merged.joins and graph not in _graphs_of(field):
                    known = replace(field, joins=(*field.joins, JoinField(graph, external=is_external)))
                    types[type_name] = replace(merged, fields={**merged.fields, field.name: known})
                _mention(types, graph, named_type(field.type), selection.selections, is_external=is_external)


@dataclass(frozen=True, slots=True)
class _Reach:
    """The types that one subgraph can come to. Its own fields of *roots* and *entities* are all it has of them."""

    types: Mapping[str, MergedType]
    graph: str
    roots: frozenset[str]
    entities: frozenset[str]

    def run(self) -> frozenset[str]:
        reached: set[str] = set()
        waiting = [*self.roots, *(name for name in self.entities if self.has_entity(name))]
        while waiting:
            name = waiting.pop()
            if name in reached or name not in self.types:
                continue
            if name not in self.entities or self.has_entity(name):
                reached.add(name)
                waiting.extend(self.neighbours(self.types[name]))
        return frozenset(reached)

    def has_entity(self, name: str) -> bool:
        merged = self.types.get(name)
        return merged is not None and any(join.graph == self.graph for join in merged.joins)

    def neighbours(self, merged: MergedType) -> Iterator[str]:
        match merged:
            case MergedUnion():
                yield from merged.types
            case MergedInputType():
                yield from (named_type(field.type) for field in merged.fields.values())
            case MergedComposite():
                yield from merged.interfaces
                if merged.is_interface:
                    yield from self.implementations(merged.name)
                is_located = merged.name in self.roots or merged.name in self.entities
                for field in merged.fields.values():
                    if not is_located or self.graph in _graphs_of(field):
                        yield named_type(field.type)
                        yield from (named_type(argument.type) for argument in field.arguments.values())

    def implementations(self, interface: str) -> Iterator[str]:
        for merged in self.types.values():
            if isinstance(merged, MergedComposite) and interface in merged.interfaces:
                yield merged.name


def _place(merged: MergedType, reached: Mapping[str, frozenset[str]]) -> MergedType:
    """Name the graphs that reach the type, and what of its interfaces or members they reach with it."""
    graphs = [graph for graph, names in reached.items() if merged.name in names]
    known = {join.graph for join in merged.joins}
    joins = (*merged.joins, *(JoinType(graph) for graph in graphs if graph not in known))
    match merged:
        case MergedComposite():
            implements = ((graph, name) for graph in graphs for name in merged.interfaces if name in reached[graph])
            return replace(merged, joins=joins, implements=tuple(implements))
        case MergedUnion():
            members = ((graph, name) for graph in graphs for name in merged.types if name in reached[graph])
            return replace(merged, joins=joins, members=tuple(members))
        case _:
            return replace(merged, joins=joins)
