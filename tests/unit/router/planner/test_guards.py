from hypothesis import given
from hypothesis import strategies as st

from router.planner.guards import (
    ALWAYS,
    NEVER,
    Guard,
    both,
    both_or_looser,
    contradict,
    either,
    implies,
    loosen,
    print_guard,
    relax,
    when,
)

A, NOT_A = when("a", True), when("a", False)
B = when("b", True)

VARIABLES = ("a", "b", "c")
literals = st.tuples(st.sampled_from(VARIABLES), st.booleans())
guards = st.recursive(
    st.one_of(st.just(ALWAYS), st.just(NEVER), literals.map(lambda one: when(*one))),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: both(*pair)), st.tuples(inner, inner).map(lambda pair: either(*pair))
    ),
    max_leaves=8,
)


def holds(guard: Guard, values: dict[str, bool]) -> bool:
    return any(all(values[variable] == value for variable, value in one) for one in guard)


def all_values() -> list[dict[str, bool]]:
    return [{name: bool(number >> index & 1) for index, name in enumerate(VARIABLES)} for number in range(8)]


def test_opposite_guards_contradict_each_other() -> None:
    assert both(A, NOT_A) == NEVER


def test_one_of_two_opposite_guards_always_holds() -> None:
    assert either(A, NOT_A) == ALWAYS


def test_implied_alternative_is_dropped() -> None:
    assert either(A, both(A, B)) == A


def test_literal_that_does_not_matter_is_dropped() -> None:
    assert either(both(A, B), both(NOT_A, B)) == B


def test_guard_as_text_is_sorted() -> None:
    assert print_guard(either(both(B, NOT_A), A)) == "!$a & $b | $a"
    assert print_guard(ALWAYS) == "always"


@given(guards, guards)
def test_guards_mean_what_their_parts_mean(left: Guard, right: Guard) -> None:
    for values in all_values():
        assert holds(both(left, right), values) == (holds(left, values) and holds(right, values))
        assert holds(either(left, right), values) == (holds(left, values) or holds(right, values))


@given(guards, guards)
def test_what_is_left_of_a_guard_decides_as_before_where_the_known_one_holds(guard: Guard, known: Guard) -> None:
    left = relax(guard, known)
    for values in all_values():
        if holds(known, values):
            assert holds(left, values) == holds(guard, values)


def test_what_holds_anyway_is_not_asked_again() -> None:
    assert relax(both(A, B), A) == B
    assert relax(A, both(A, B)) == ALWAYS
    assert relax(NOT_A, A) == NEVER


@given(guards, guards)
def test_implication_is_never_claimed_wrongly(left: Guard, right: Guard) -> None:
    if implies(left, right):
        assert all(holds(right, values) for values in all_values() if holds(left, values))


@given(guards, guards)
def test_contradicting_guards_never_hold_together(left: Guard, right: Guard) -> None:
    never_both = all(not (holds(left, values) and holds(right, values)) for values in all_values())
    assert contradict(left, right) == never_both


@given(guards, guards)
def test_looser_guards_hold_whenever_the_exact_ones_do(left: Guard, right: Guard) -> None:
    for values in all_values():
        assert not holds(left, values) or holds(loosen(left), values)
        assert not (holds(left, values) and holds(right, values)) or holds(both_or_looser(left, right), values)


def test_guard_is_loosened_to_what_its_alternatives_have_in_common() -> None:
    assert loosen(both(A, either(B, when("c", True)))) == A
    assert loosen(either(A, B)) == ALWAYS
    assert loosen(NEVER) == NEVER


def test_two_guards_of_many_alternatives_are_not_multiplied() -> None:
    left, right = NEVER, NEVER
    for number in range(5):
        left, right = either(left, when(f"l{number}", True)), either(right, when(f"r{number}", True))
    assert both_or_looser(left, right) == left
    assert len(both(left, right)) == 25


def test_alternatives_join_whatever_the_order_they_come_in() -> None:
    pairs = [both(when("a", a), when("b", b)) for a in (True, False) for b in (True, False)]
    joined = NEVER
    for one in pairs:
        joined = either(joined, one)
    assert joined == ALWAYS
