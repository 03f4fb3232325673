"""Guards: when a selection counts, as a sum of products over the client's Boolean variables.

A guard is a set of alternatives, each a set of literals that must all hold. No alternative means never, an empty
alternative means always. `@skip` and `@include` build them; constants are folded before.
"""

from collections.abc import Iterable
from typing import TypeAlias

Literal: TypeAlias = tuple[str, bool]
Alternative: TypeAlias = frozenset[Literal]
Guard: TypeAlias = frozenset[Alternative]

ALWAYS: Guard = frozenset({frozenset()})
NEVER: Guard = frozenset()


def when(variable: str, value: bool) -> Guard:
    """Return the guard that holds when the variable has the value."""
    return frozenset({frozenset({(variable, value)})})


def both(left: Guard, right: Guard) -> Guard:
    """Return the guard that holds when both do."""
    if left in (ALWAYS, right):
        return right
    if right == ALWAYS:
        return left
    return _simplify(one | other for one in left for other in right)


def either(left: Guard, right: Guard) -> Guard:
    """Return the guard that holds when at least one does."""
    if left == right:
        return left
    if left == ALWAYS or right == ALWAYS:
        return ALWAYS
    return _simplify([*left, *right])


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
    return right == ALWAYS or both(left, right) == left


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


def _simplify(alternatives: Iterable[Alternative]) -> Guard:
    """Drop impossible and implied alternatives, and join two that differ in one literal's sign."""
    kept = {alternative for alternative in alternatives if not _contradicts_itself(alternative)}
    changed = True
    while changed:
        changed = False
        for one in sorted(kept, key=sorted):
            for literal in sorted(one):
                variable, value = literal
                rest = one - {literal}
                if (rest | {(variable, not value)}) in kept:
                    kept -= {one, rest | {(variable, not value)}}
                    kept.add(rest)
                    changed = True
                    break
            if changed:
                break
    return frozenset(one for one in kept if not any(other < one for other in kept))


def _contradicts_itself(alternative: Alternative) -> bool:
    return any((variable, not value) in alternative for variable, value in alternative)
