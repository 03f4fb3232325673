"""Say, subgraph by subgraph, why a field cannot be answered."""

from collections.abc import Iterator

from router.composition.field_sets import format_field_set
from router.composition.satisfiability.contexts import Context, contexts_needed
from router.composition.satisfiability.moves import Moves, Places
from router.composition.satisfiability.places import Place


def explain(moves: Moves, type_name: str, field: str, places: Places, contexts: frozenset[Context]) -> list[str]:
    """Return one reason for each subgraph that was reached, then one for each that has the field and was not.

    *contexts* are those that are set above the object.
    """
    reached = sorted(places, key=lambda place: (place.member, place.type_name))
    reasons = [_why_not_here(moves, field, place, contexts) for place in reached]
    reasons.extend(_why_not_reached(moves, type_name, field, places))
    return list(dict.fromkeys(reasons))


def _why_not_here(moves: Moves, field: str, place: Place, contexts: frozenset[Context]) -> str:
    name = moves.resolvers.member(place).name
    coordinate = f"{place.type_name}.{field}"
    if field == "__typename":
        return f"{name!r} has {place.type_name} as an @interfaceObject and cannot tell what it is"
    source = moves.resolvers.source(place, field)
    if source is None:
        return f"{name!r} is reached, but has no field {coordinate}"
    if source.overridden_by is not None:
        return f"{name!r} is reached, but {coordinate} is overridden by {source.overridden_by.by.name!r}"
    resolver = moves.resolvers.find(place, field)
    if resolver is None:
        return f"{name!r} is reached, but {coordinate} is @external there"
    lacking = ", ".join(repr(context) for _, context in sorted(contexts_needed(source) - contexts))
    if lacking:
        return f"{name!r} is reached, but {coordinate} takes an argument from {lacking}, which nothing above it sets"
    return (
        f"{name!r} is reached, but {coordinate} requires {format_field_set(resolver.requires)!r}, which cannot be"
        " gathered"
    )


def _why_not_reached(moves: Moves, type_name: str, field: str, places: Places) -> Iterator[str]:
    there = {place.member for place in places}
    where = ", ".join(
        dict.fromkeys(
            repr(moves.resolvers.member(place).name) for place in sorted(places, key=lambda each: each.member)
        )
    )
    names = [type_name, *sorted(moves.landscape.supertypes.get(type_name, ()))]
    for name in names:
        if name not in moves.landscape.types:
            continue
        for member, _ in moves.landscape.types[name]:
            if member.index in there or moves.resolvers.find(Place(member.index, name), field) is None:
                continue
            keys = member.annotations.keys.get(name, ())
            if not keys:
                yield f"{member.name!r} has {name}.{field}, but {name} has no @key there to move to it by"
            elif not any(key.resolvable for key in keys):
                yield f"{member.name!r} has {name}.{field}, but its @key is not resolvable"
            else:
                wanted = ", ".join(repr(key.text) for key in keys if key.resolvable)
                yield f"{member.name!r} has {name}.{field}, but its @key ({wanted}) cannot be gathered from {where}"
