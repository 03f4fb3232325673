"""The supergraph as the planner asks about it: who can resolve what, and by which keys an entity can be reached."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from router.planner.operation import Argument, FieldSelection, SelectionSet
from router.planner.plan import OperationKind
from router.supergraph import Supergraph
from router.supergraph.contexts import find_setters, select_on
from router.supergraph.model import (
    ContextArgument,
    FieldInSubgraph,
    FieldSet,
    FieldSetField,
    FieldSetFragment,
    TypeInSubgraph,
    TypeKind,
)
from router.supergraph.type_text import is_list, named_type


@dataclass(frozen=True, slots=True)
class LocatedField:
    """A field of an object in one subgraph; *type* is its type's text there, *type_name* the type inside of lists.

    *declared_on* is the type that has it there: the object's own, or an interface object's. *contexts* are the
    arguments that the router fills from objects above.
    """

    type: str
    type_name: str
    is_external: bool
    requires: FieldSet
    provides: FieldSet
    declared_on: str = ""
    contexts: tuple[ContextArgument, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether the field gives a list."""
        return is_list(self.type)


@dataclass(frozen=True, slots=True)
class EntityKey:
    """A key by which a subgraph can be asked for an entity, sent with *sent_typename*."""

    sent_typename: str
    selections: FieldSet


@lru_cache(maxsize=16)
def graph_of(supergraph: Supergraph, labels: frozenset[str]) -> "Graph":
    """Return the planner's view of a supergraph; kept, because its memos serve every operation."""
    return Graph(supergraph, labels)


class Graph:
    """Answers the planner's questions about a supergraph, each worked out once. *labels* are the active ones."""

    def __init__(self, supergraph: Supergraph, labels: frozenset[str]) -> None:
        self.supergraph = supergraph
        self._types = supergraph.types
        self._labels = labels
        self._possible: dict[str, frozenset[str]] = {}
        self._runtime: dict[tuple[str, str], frozenset[str]] = {}
        self._fields: dict[tuple[str, str, str], LocatedField | None] = {}
        self._declared: dict[tuple[str, str, str], LocatedField | None] = {}
        self._keys: dict[tuple[str, str], tuple[EntityKey, ...]] = {}
        self._field_sets: dict[tuple[str, FieldSet], SelectionSet] = {}
        self._knowing: dict[str, tuple[str, ...]] = {}
        self._contexts = self._find_contexts()
        #: Whether any argument is filled from a context.
        self.has_contexts = bool(self._contexts)
        self._context_selections: dict[tuple[frozenset[str], FieldSet], SelectionSet] = {}
        self._key_fields = frozenset(
            found
            for type_ in self._types.values()
            for here in type_.subgraphs.values()
            for key in here.keys
            for found in self._fields_in(here.subgraph, type_.name, key.selections)
        )

    # --- what the supergraph says ---

    def root_type(self, kind: OperationKind) -> str:
        """Return the root type of a kind of operation; a validated operation has one."""
        match kind:
            case OperationKind.QUERY:
                return self.supergraph.query_type
            case OperationKind.MUTATION:
                return self.supergraph.mutation_type or "Mutation"
            case OperationKind.SUBSCRIPTION:
                return self.supergraph.subscription_type or "Subscription"

    def possible_types(self, name: str) -> frozenset[str]:
        """Return the object types that an object of the type can have."""
        known = self._possible.get(name)
        if known is None:
            type_ = self._types[name]
            match type_.kind:
                case TypeKind.INTERFACE:
                    known = frozenset(
                        other.name
                        for other in self._types.values()
                        if other.kind is TypeKind.OBJECT and name in other.interfaces
                    )
                case TypeKind.UNION:
                    known = frozenset(type_.members)
                case _:
                    known = frozenset({name})
            self._possible[name] = known
        return known

    def is_abstract(self, name: str) -> bool:
        """Tell whether the type is an interface or union of the supergraph."""
        return self._types[name].kind in (TypeKind.INTERFACE, TypeKind.UNION)

    def field_type_name(self, parent: str, name: str) -> str:
        """Return the named type of a field of the supergraph."""
        return "String" if name == "__typename" else named_type(self._types[parent].fields[name].type)

    # --- what a subgraph knows ---

    def here(self, subgraph: str, name: str) -> TypeInSubgraph | None:
        """Return a type as the subgraph knows it, or None."""
        type_ = self._types.get(name)
        return type_.subgraphs.get(subgraph) if type_ else None

    def is_interface_object(self, subgraph: str, name: str) -> bool:
        """Tell whether the subgraph knows the interface as an object, and so not which type an object has."""
        here = self.here(subgraph, name)
        return here is not None and here.is_interface_object

    def is_abstract_in(self, subgraph: str, name: str) -> bool:
        """Tell whether the type is an interface or union in the subgraph."""
        return self.is_abstract(name) and not self.is_interface_object(subgraph, name)

    def runtime_types(self, subgraph: str, name: str) -> frozenset[str]:
        """Return the object types that the subgraph can return for a field of the type.

        For an interface object these are all implementations, though the subgraph cannot tell which.
        """
        known = self._runtime.get((subgraph, name))
        if known is None:
            type_ = self._types[name]
            here = type_.subgraphs.get(subgraph)
            if here is not None and here.is_interface_object:
                known = self.possible_types(name)
            elif type_.kind is TypeKind.INTERFACE:
                known = frozenset(
                    other.name
                    for other in self._types.values()
                    if other.kind is TypeKind.OBJECT
                    and subgraph in other.subgraphs
                    and name in other.subgraphs[subgraph].interfaces
                )
            elif type_.kind is TypeKind.UNION:
                known = frozenset(here.members) if here else frozenset()
            else:
                known = frozenset({name})
            self._runtime[subgraph, name] = known
        return known

    def subgraphs_knowing(self, name: str) -> tuple[str, ...]:
        """Return the subgraphs that know the object type, itself or as an interface object; sorted."""
        known = self._knowing.get(name)
        if known is None:
            type_ = self._types[name]
            found = set(type_.subgraphs)
            for interface in type_.interfaces:
                found.update(
                    here.subgraph for here in self._types[interface].subgraphs.values() if here.is_interface_object
                )
            known = self._knowing[name] = tuple(sorted(found))
        return known

    def knows_concretely(self, subgraph: str, name: str) -> bool:
        """Tell whether the subgraph knows the object type itself."""
        return subgraph in self._types[name].subgraphs

    def interface_field(self, subgraph: str, name: str, field_name: str) -> LocatedField | None:
        """Return a field of a type of any kind exactly as the subgraph declares it there."""
        key = (subgraph, name, field_name)
        if key not in self._declared:
            self._declared[key] = self._locate(subgraph, name, field_name)
        return self._declared[key]

    def field(self, subgraph: str, name: str, field_name: str) -> LocatedField | None:
        """Return a field of an object type in the subgraph, there or on an interface object; None if it has none."""
        key = (subgraph, name, field_name)
        if key not in self._fields:
            located: LocatedField | None = None
            if self.knows_concretely(subgraph, name):
                located = self._locate(subgraph, name, field_name)
            else:
                for interface in self._types[name].interfaces:
                    if self.is_interface_object(subgraph, interface):
                        located = located or self._locate(subgraph, interface, field_name)
            self._fields[key] = located
        return self._fields[key]

    def subgraphs_resolving(self, name: str, field_name: str) -> list[str]:
        """Return the subgraphs that can resolve a field of an object type; sorted."""
        located = ((subgraph, self.field(subgraph, name, field_name)) for subgraph in self.subgraphs_knowing(name))
        return [subgraph for subgraph, field in located if field is not None and not field.is_external]

    # --- contexts ---

    def contexts_of(self, name: str) -> frozenset[str]:
        """Return the contexts that objects of a type set for what is below them, of those that arguments come from.

        Not those of a mutation's or subscription's root: to select something there would be one more side effect.
        """
        if name in (self.supergraph.mutation_type, self.supergraph.subscription_type):
            return frozenset()
        return self._contexts.get(name, frozenset())

    def context_arguments(self, name: str, field_name: str) -> tuple[ContextArgument, ...]:
        """Return the arguments that a field takes from contexts, wherever its objects can be asked about by a key."""
        return tuple(
            argument
            for subgraph in self.subgraphs_knowing(name)
            if (located := self.field(subgraph, name, field_name)) is not None
            and (self.own_keys(subgraph, name) or self.entity_keys(subgraph, name))
            for argument in located.contexts
        )

    def context_selections(self, types: frozenset[str], selections: FieldSet) -> SelectionSet:
        """Return what an argument's *selections* select on objects of *types*, as internal selections."""
        key = (types, selections)
        if key not in self._context_selections:
            joined: dict[tuple[object, ...], FieldSelection] = {}
            for name in sorted(types):
                for one in self.field_set(name, select_on(self._types, name, selections)).fields:
                    # Field sets of one type are kept, so equal ones below are the same
                    mark = (one.signature, one.selections)
                    known = joined.get(mark)
                    joined[mark] = replace(known, types=known.types | one.types) if known else one
            self._context_selections[key] = SelectionSet(min(types), tuple(joined.values()))
        return self._context_selections[key]

    def may_be_null(self, types: frozenset[str], selections: FieldSet) -> bool:
        """Tell whether what an argument's *selections* lead to on objects of *types* may be null, or nothing at all."""
        for name in types:
            chosen = select_on(self._types, name, selections)
            if not chosen:
                return True
            for one in chosen:
                if one.name == "__typename":
                    continue
                type_text = self._types[name].fields[one.name].type
                if not type_text.endswith("!"):
                    return True
                if one.selections and self.may_be_null(self.possible_types(named_type(type_text)), one.selections):
                    return True
        return False

    def _find_contexts(self) -> dict[str, frozenset[str]]:
        """Return for each object type the contexts that it sets, of those that some argument comes from."""
        used = {
            argument.context
            for type_ in self._types.values()
            for field in type_.fields.values()
            for here in field.subgraphs.values()
            for argument in here.context_arguments
        }
        found: dict[str, set[str]] = {}
        for context in sorted(used):
            for name in find_setters(self._types, context):
                found.setdefault(name, set()).add(context)
        return {name: frozenset(contexts) for name, contexts in found.items()}

    # --- keys ---

    def entity_keys(self, subgraph: str, name: str) -> tuple[EntityKey, ...]:
        """Return the keys by which a subgraph can be asked for objects of the type, as that or an interface object."""
        known = self._keys.get((subgraph, name))
        if known is None:
            found: list[EntityKey] = []
            type_ = self._types[name]
            if subgraph in type_.subgraphs:
                found.extend(
                    EntityKey(name, key.selections) for key in type_.subgraphs[subgraph].keys if key.resolvable
                )
            else:
                for interface in type_.interfaces:
                    here = self.here(subgraph, interface)
                    if here is not None and here.is_interface_object:
                        found.extend(EntityKey(interface, key.selections) for key in here.keys if key.resolvable)
            known = self._keys[subgraph, name] = tuple(found)
        return known

    def own_keys(self, subgraph: str, name: str) -> tuple[EntityKey, ...]:
        """Return all keys of the type in the subgraph, those too that others may not use."""
        here = self.here(subgraph, name)
        return tuple(EntityKey(name, key.selections) for key in here.keys) if here else ()

    def interface_keys(self, subgraph: str, interface: str) -> tuple[EntityKey, ...]:
        """Return the keys by which the subgraph can be asked for an object of which only the interface is known."""
        here = self.here(subgraph, interface)
        keys = here.keys if here else ()
        return tuple(EntityKey(interface, key.selections) for key in keys if key.resolvable)

    def field_set(self, name: str, field_set: FieldSet) -> SelectionSet:
        """Return a field set on objects of a type as internal selections."""
        key = (name, field_set)
        if key not in self._field_sets:
            self._field_sets[key] = self._read_field_set(name, field_set)
        return self._field_sets[key]

    def _read_field_set(self, name: str, field_set: FieldSet) -> SelectionSet:
        found: dict[tuple[str, tuple[tuple[str, str], ...], frozenset[str]], list[FieldSet]] = {}
        parents: dict[object, str] = {}
        waiting: list[tuple[str, frozenset[str], FieldSet]] = [(name, self.possible_types(name), field_set)]
        while waiting:
            parent, types, selections = waiting.pop(0)
            for selection in selections:
                match selection:
                    case FieldSetFragment(type_name, inner):
                        waiting.append((type_name, types & self.possible_types(type_name), inner))
                    case FieldSetField(field_name, arguments, inner):
                        cell = (field_name, arguments, types)
                        found.setdefault(cell, []).append(inner)
                        parents.setdefault(cell, parent)
        fields: list[FieldSelection] = []
        for cell, inners in found.items():
            field_name, arguments, types = cell
            returned = self.field_type_name(parents[cell], field_name)
            inner_set = tuple(selection for inner in inners for selection in inner)
            fields.append(
                FieldSelection(
                    response_key=field_name,
                    name=field_name,
                    types=types,
                    arguments=tuple(Argument(argument, value) for argument, value in sorted(arguments)),
                    selections=self.field_set(returned, inner_set) if inner_set else None,
                    is_internal=True,
                )
            )
        return SelectionSet(name, tuple(fields))

    def _locate(self, subgraph: str, name: str, field_name: str) -> LocatedField | None:
        field = self._types[name].fields.get(field_name)
        here = field.subgraphs.get(subgraph) if field else None
        if here is None:
            return None
        return LocatedField(
            type=here.type,
            type_name=named_type(here.type),
            # A subgraph can always give back what its own keys name, even if an old-style schema calls it external.
            is_external=self._is_lost(here) and (subgraph, name, field_name) not in self._key_fields,
            requires=here.requires,
            provides=here.provides,
            declared_on=name,
            contexts=here.context_arguments,
        )

    def _is_lost(self, here: FieldInSubgraph) -> bool:
        """Tell whether the subgraph cannot resolve the field it mentions.

        1. The field is external.
        2. A label decides, and it decides for the other subgraph.
        3. Another subgraph took the field over, and it is only mentioned in a key or requirement.
        """
        if here.is_external:
            return True
        if here.override_label is not None:
            is_active = here.override_label in self._labels
            return not is_active if here.override is not None else is_active
        return here.is_used_overridden

    def _fields_in(self, subgraph: str, name: str, field_set: FieldSet) -> set[tuple[str, str, str]]:
        found: set[tuple[str, str, str]] = set()
        types: Mapping[str, object] = self._types
        for selection in field_set:
            match selection:
                case FieldSetFragment(type_name, inner):
                    found |= self._fields_in(subgraph, type_name, inner)
                case FieldSetField(field_name, _, inner):
                    found.add((subgraph, name, field_name))
                    if inner and name in types:
                        found |= self._fields_in(subgraph, self.field_type_name(name, field_name), inner)
        return found
