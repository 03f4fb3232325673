"""Guards: when a selection counts, as a sum of products over the client's Boolean variables.

A guard is a set of alternatives, each a set of literals that must all hold. No alternative means never, an empty
alternative means always. `@skip` and `@include` build them; constants are folded before.
"""

from collections.abc import Iterable
from functools import reduce
from heapq import heapify, heappop, heappush
from typing import TypeAlias

Literal: TypeAlias = tuple[str, bool]
Alternative: TypeAlias = frozenset[Literal]
Guard: TypeAlias = frozenset[Alternative]

ALWAYS: Guard = frozenset({frozenset()})
NEVER: Guard = frozenset()

# Alternatives multiply where conditions are nested, so that guards of more than these are not worked out for a gain.
_MOST_ALTERNATIVES = 16


def when(variable: str, value: bool) -> Guard:
    """Return the guard that holds when the variable has the value."""
    return frozenset({frozenset({(variable, value)})})


def both(left: Guard, right: Guard) -> Guard:
    """Return the guard that holds when both do."""
    if left in (ALWAYS, right):
        return right
    if right == ALWAYS:
        return left
    return _simplify({one | other for one in left for other in right})


def both_or_looser(left: Guard, right: Guard) -> Guard:
    """Return a guard that holds whenever both do: that they do, unless it takes too many alternatives to say so."""
    return left if len(left) * len(right) > _MOST_ALTERNATIVES else both(left, right)


def either(left: Guard, right: Guard) -> Guard:
    """Return the guard that holds when at least one does."""
    if left == right:
        return left
    if left == ALWAYS or right == ALWAYS:
        return ALWAYS
    return _simplify(left | right, known=left)


def loosen(guard: Guard) -> Guard:
    """Return the guard that holds when what all alternatives have in common does: one alternative for many."""
    return frozenset({reduce(frozenset.intersection, guard)}) if guard else NEVER


def contradict(left: Guard, right: Guard) -> bool:
    """Tell whether the two never hold both."""
    return all(_contradicts_itself(one | other) for one in left for other in right)


def relax(guard: Guard, known: Guard) -> Guard:
    """Return what is left to ask of a guard where *known* holds anyway."""
    if implies(known, guard):
        return ALWAYS
    if len(known) != 1:
        return guard
    (literals,) = known
    return _simplify(one - literals for one in guard if not _contradicts_itself(one | literals))


def implies(left: Guard, right: Guard) -> bool:
    """Tell whether the right guard surely holds whenever the left one does."""
    if left == right or all(any(other <= one for other in right) for one in left):
        return True
    return len(left) * len(right) <= _MOST_ALTERNATIVES**2 and both(left, right) == left


def sorted_alternatives(guard: Guard) -> tuple[tuple[Literal, ...], ...]:
    """Return the alternatives, and the literals in each, in an order that is always the same."""
    return tuple(sorted(tuple(sorted(alternative)) for alternative in guard))


def print_guard(guard: Guard) -> str:
    """Return the guard as text: `$a & !$b | $c`."""
    if guard == ALWAYS:
        return "always"
    return " | ".join(
        " & ".join(f"${variable}" if value else f"!${variable}" for variable, value in alternative)
        for alternative in sorted_alternatives(guard)
    )


def _simplify(alternatives: Iterable[Alternative], known: Guard = NEVER) -> Guard:
    """Drop impossible and implied alternatives, and join two that differ in one literal's sign, the first ones first.

    *known* are alternatives among them that are simplified already: only what is new can change something.
    """
    kept = {one for one in alternatives if one in known or not _contradicts_itself(one)}
    if len(kept) < 2:
        return frozenset(kept)
    new = [one for one in kept if one not in known]
    waiting = [sorted(one) for one in {*new, *(other for one in new for other in _complements(one) if other in kept)}]
    heapify(waiting)
    while waiting:
        one = frozenset(heappop(waiting))
        other = next((other for other in _complements(one) if other in kept), None)
        if one in kept and other is not None:
            joined = one & other
            kept -= {one, other}
            kept.add(joined)
            new.append(joined)
            for again in (joined, *_complements(joined)):
                if again in kept:
                    heappush(waiting, sorted(again))
    implying = [one for one in new if one in kept]
    return frozenset(one for one in kept if not any(other < one for other in (implying if one in known else kept)))


def _complements(alternative: Alternative) -> list[Alternative]:
    """Return the alternatives that differ in the sign of one literal, in the order of the literals."""
    return [alternative - {(variable, value)} | {(variable, not value)} for variable, value in sorted(alternative)]


def _contradicts_itself(alternative: Alternative) -> bool:
    return any((variable, not value) in alternative for variable, value in alternative)
