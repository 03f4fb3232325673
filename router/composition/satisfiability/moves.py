"""Moves: which places the router can reach from a place, and what it can gather there."""

from collections.abc import Iterable, Iterator

from router.composition.annotations import Key
from router.composition.field_sets import FieldSet, SelectedField, SelectedFragment
from router.composition.landscape import Landscape
from router.composition.satisfiability.places import (
    CoordinateInMember,
    Place,
    Resolver,
    Resolvers,
    is_abstract,
    is_interface_object,
)
from router.composition.subgraph import EnumType, InterfaceType, ScalarType, UnionType
from router.composition.type_refs import named_type

Places = frozenset[Place]


class Moves:
    """Answers what can be reached. Everything is remembered: the same places come up again and again."""

    def __init__(self, landscape: Landscape, resolvers: Resolvers) -> None:
        self.landscape = landscape
        self.resolvers = resolvers
        self._reached: dict[tuple[str, Place], Places] = {}
        self._growing: dict[tuple[str, Place], set[Place]] = {}
        self._incomplete: set[tuple[str, Place]] = set()
        self._requiring: set[CoordinateInMember] = set()
        self._satisfied: set[tuple[str, Place, CoordinateInMember]] = set()
        self._grouped: dict[Places, dict[tuple[int, str], list[Place]]] = {}
        self._known_as: dict[str, list[str]] = {}
        self._targets: dict[str, tuple[tuple[Place, tuple[Key, ...]], ...]] = {}

    def reach_all(self, runtime: str, places: Iterable[Place]) -> Places:
        """Return every place an object of the type *runtime* can be at, starting from *places*."""
        return frozenset().union(*(self.reach(runtime, place) for place in places))

    def reach(self, runtime: str, start: Place) -> Places:
        """Return the places reachable from *start* for an object whose supergraph type is *runtime*.

        Keys are gathered from all places reached so far, so this grows until nothing is added. A nested key may ask
        for the same closure again while it grows: it then gets what there is so far, and is asked again in the next
        round.
        """
        key = (runtime, start)
        if key in self._reached:
            return self._reached[key]
        if key in self._growing:
            self._incomplete.add(key)
            return frozenset(self._growing[key])
        places = {start, *self._free_moves(runtime)}
        self._growing[key] = places
        outer, self._incomplete = self._incomplete, set()
        grown = True
        while grown:
            grown = False
            for target, keys in self._key_targets(runtime):
                if target not in places and any(
                    self.can_gather(runtime, frozenset(places), key.selections) for key in keys
                ):
                    places.add(target)
                    grown = True
        del self._growing[key]
        self._incomplete.discard(key)
        result = frozenset(places)
        # What leaned on a closure that is still growing, or on a guarded requirement, is not the last word.
        if not self._incomplete and not self._requiring:
            self._reached[key] = result
        self._incomplete |= outer
        return result

    def _free_moves(self, runtime: str) -> Iterator[Place]:
        """The query type needs no key: every subgraph can be asked anew."""
        if runtime == "Query":
            for member, _ in self.landscape.types["Query"]:
                yield Place(member.index, "Query")

    def _key_targets(self, runtime: str) -> tuple[tuple[Place, tuple[Key, ...]], ...]:
        """Return the places that can be entered by a key for an object of *runtime*, as itself or as an interface."""
        if runtime not in self._targets:
            found: list[tuple[Place, tuple[Key, ...]]] = []
            for name in self._names(runtime):
                for member, definition in self.landscape.types[name]:
                    if name != runtime and not is_interface_object(member, name):
                        continue
                    keys = tuple(key for key in member.annotations.keys.get(definition.name, ()) if key.resolvable)
                    if keys:
                        found.append((Place(member.index, name), keys))
            self._targets[runtime] = tuple(found)
        return self._targets[runtime]

    def can_gather(self, runtime: str, places: Places, selections: FieldSet) -> bool:
        """Tell whether all of *selections* can be read of an object of *runtime* that can be at *places*."""
        return all(self._can_gather_one(runtime, places, selection) for selection in selections)

    def _can_gather_one(self, runtime: str, places: Places, selection: SelectedField | SelectedFragment) -> bool:
        match selection:
            case SelectedFragment():
                condition = selection.type_condition
                if (
                    condition is not None
                    and condition != runtime
                    and condition not in self.landscape.supertypes.get(runtime, ())
                ):
                    return True  # never asked of this object
                return self.can_gather(runtime, places, selection.selections)
            case SelectedField(name="__typename"):
                return True
            case SelectedField():
                # Keys and requirements must hold for every request alike, so they cannot hang on an override's label.
                found = [
                    resolver
                    for resolver in self.find_resolvers(runtime, places, selection.name)
                    if not resolver.depends_on_label
                ]
                if not found:
                    return False
                if not selection.selections:
                    return True
                supergraph_type = self._type_of(runtime, found)
                targets = {resolver.target for resolver in found}
                for concrete, entries in self.runtime_types(supergraph_type, targets).items():
                    # Most nested keys are answered on the spot; moving on is tried only when they are not.
                    if not self.can_gather(concrete, frozenset(entries), selection.selections) and not self.can_gather(
                        concrete, self.reach_all(concrete, entries), selection.selections
                    ):
                        return False
                return True

    def _type_of(self, runtime: str, found: list[Resolver]) -> str:
        names = sorted({named_type(resolver.source.field.type) for resolver in found})
        for name in names:
            if all(other == name or self.landscape.is_named_subtype(other, name) for other in names):
                return name
        return names[0]

    def find_resolvers(self, runtime: str, places: Places, field: str) -> Iterator[Resolver]:
        """Yield the ways to read *field* at *places*, requirements seen to."""
        grouped = self._group(places)
        for name in self._names(runtime):
            for source in self.landscape.field_sources(name).get(field, ()):
                for place in grouped.get((source.member.index, name), ()):
                    resolver = self.resolvers.resolve(place, source)
                    if resolver is not None and self.can_require(runtime, places, place, resolver):
                        yield resolver

    def _group(self, places: Places) -> dict[tuple[int, str], list[Place]]:
        """Index *places* by what they are called: a type with a hundred places is asked about each of its fields."""
        if places not in self._grouped:
            grouped: dict[tuple[int, str], list[Place]] = {}
            for place in places:
                grouped.setdefault((place.member, place.type_name), []).append(place)
            self._grouped[places] = grouped
        return self._grouped[places]

    def _names(self, runtime: str) -> list[str]:
        """Return the names an object of *runtime* can go by: its own, and those of its interfaces."""
        if runtime not in self._known_as:
            self._known_as[runtime] = [
                name
                for name in (runtime, *sorted(self.landscape.supertypes.get(runtime, ())))
                if name in self.landscape.types
            ]
        return self._known_as[runtime]

    def can_require(self, runtime: str, places: Places, place: Place, resolver: Resolver) -> bool:
        """Tell whether what *resolver* requires can be gathered, and its subgraph entered again with it.

        It is gathered from the place of the field itself: what was passed on the way there is not asked again.
        """
        if not resolver.requires:
            return True
        if self.can_gather(runtime, frozenset({place}), resolver.requires):
            return True
        guard = (place.member, (place.type_name, resolver.source.field.name))
        if (runtime, place, guard) in self._satisfied:
            return True
        if guard in self._requiring:
            return False
        self._requiring.add(guard)
        try:
            keys = self.resolvers.member(place).annotations.keys.get(place.type_name, ())
            if not any(self.can_gather(runtime, places, key.selections) for key in keys):
                return False
            if not self.can_gather(runtime, self.reach(runtime, place), resolver.requires):
                return False
            # A yes stays a yes: whatever was guarded or incomplete on the way could only have said no.
            self._satisfied.add((runtime, place, guard))
            return True
        finally:
            self._requiring.discard(guard)

    def runtime_types(self, name: str, places: Iterable[Place]) -> dict[str, set[Place]]:
        """Map each object type that a value of type *name* may be, coming from *places*, to the places it is at.

        A place in a subgraph that does not know an implementation never returns one. An interface object does not know
        what it is: a subgraph with the interface itself must say, and is reached by a key. When none can be reached,
        the interface's own name stands for the object.
        """
        if not is_abstract(self.landscape, name):
            return {name: set(places)}
        found: dict[str, set[Place]] = {}
        for place in places:
            member = self.resolvers.member(place)
            definition = member.subgraph.types.get(place.type_name)
            if is_interface_object(member, place.type_name):
                for concrete, reached in self._reveal(place).items():
                    found.setdefault(concrete, set()).update(reached)
            elif isinstance(definition, InterfaceType | UnionType):
                for concrete in member.annotations.implementations.get(place.type_name, ()):
                    found.setdefault(concrete, set()).add(Place(place.member, concrete, place.provided))
            elif definition is not None and not isinstance(definition, ScalarType | EnumType):
                found.setdefault(place.type_name, set()).add(place)
        return dict(sorted(found.items()))

    def _reveal(self, place: Place) -> dict[str, set[Place]]:
        """Find out what an interface object really is."""
        found: dict[str, set[Place]] = {}
        for reached in self.reach(place.type_name, place):
            member = self.resolvers.member(reached)
            if not isinstance(member.subgraph.types.get(reached.type_name), InterfaceType):
                continue
            for concrete in member.annotations.implementations.get(reached.type_name, ()):
                found.setdefault(concrete, set()).update({place, Place(reached.member, concrete)})
        return found or {place.type_name: {place}}
