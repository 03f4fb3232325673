"""Representations of entities: what is copied from the response to name an object to a subgraph."""

from collections.abc import Iterable

from router.planner.plan import RepresentationField, RepresentationFragment, RepresentationSelection


def merge_representations(selections: Iterable[RepresentationSelection]) -> list[RepresentationSelection]:
    """Merge selections of the same field or types, keeping the order of their first occurrences."""
    merged: dict[tuple[object, ...], RepresentationSelection] = {}
    for one in selections:
        match one:
            case RepresentationField(name, key, inner):
                known = merged.get((name, key))
                if isinstance(known, RepresentationField):
                    inner = tuple(merge_representations([*known.selections, *inner]))
                merged[name, key] = RepresentationField(name, key, inner)
            case RepresentationFragment(types, inner):
                known = merged.get(types)
                if isinstance(known, RepresentationFragment):
                    inner = tuple(merge_representations([*known.selections, *inner]))
                merged[types] = RepresentationFragment(types, inner)
    return list(merged.values())


def can_not_be_merged(left: Iterable[RepresentationSelection], right: Iterable[RepresentationSelection]) -> bool:
    """Tell whether two selections copy different values to one field of a representation.

    That happens when a field is required twice with different arguments.
    """
    found: dict[object, RepresentationSelection] = {}
    for one in left:
        found[one.name if isinstance(one, RepresentationField) else one.type_names] = one
    for one in right:
        other = found.get(one.name if isinstance(one, RepresentationField) else one.type_names)
        if other is None:
            continue
        if (
            isinstance(one, RepresentationField)
            and isinstance(other, RepresentationField)
            and one.response_key != other.response_key
        ):
            return True
        if can_not_be_merged(other.selections, one.selections):
            return True
    return False


def select_for_type(selections: Iterable[RepresentationSelection], type_name: str) -> list[RepresentationSelection]:
    """Return what is copied from objects of one type, without fragments around it."""
    found: list[RepresentationSelection] = []
    for one in selections:
        if isinstance(one, RepresentationField):
            found.append(one)
        elif type_name in one.type_names:
            found.extend(select_for_type(one.selections, type_name))
    return found
