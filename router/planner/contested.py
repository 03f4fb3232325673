"""Fields that one response key stands for, on objects that a request cannot tell apart."""

from collections import Counter

from router.planner.operation import FieldSelection, SelectionSet


def find_contested(selections: SelectionSet) -> set[FieldSelection]:
    """Return the fields that cannot be asked of all objects of a subgraph that does not know their types.

    Such objects are all asked the same, so a response key can stand for one field only. Where the client uses it for
    several, on different types, it has to be known first which object is which, and only those may be sent.
    """
    by_key: dict[str, list[FieldSelection]] = {}
    for field in selections.fields:
        by_key.setdefault(field.response_key, []).append(field)
    return {field for fields in by_key.values() if len(fields) > 1 for field in _find_clashing(fields)}


def _find_clashing(fields: list[FieldSelection]) -> set[FieldSelection]:
    """Return the fields of one response key that differ from another one of them, or below which anything does.

    All that stands under one path of response keys is compared at once: field by field would square at every level.
    """
    clashing: set[FieldSelection] = set()
    # Under one path: the field of *fields* that it is in, and what is selected there.
    waiting = [[(field, field) for field in fields]]
    while waiting:
        holders_of: dict[str, set[FieldSelection]] = {}
        below: dict[str, list[tuple[FieldSelection, FieldSelection]]] = {}
        for holder, field in waiting.pop():
            holders_of.setdefault(field.signature, set()).add(holder)
            for inner in field.selections.fields if field.selections else ():
                below.setdefault(inner.response_key, []).append((holder, inner))
        if len(holders_of) > 1:
            count = Counter(holder for holders in holders_of.values() for holder in holders)
            for holders in holders_of.values():
                # A holder clashes with another one that has something else there, maybe besides the same.
                others = len(count) - sum(count[holder] == 1 for holder in holders)
                clashing.update(holder for holder in holders if others > (count[holder] > 1))
        waiting += [pairs for pairs in below.values() if pairs[0][0] is not pairs[-1][0]]
    return clashing
