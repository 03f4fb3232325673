# ruff: noqa: E501 - a plan has a request a line, whatever its length
"""Plans with `@skip`, `@include` and variables."""

import random
from collections.abc import Callable

import pytest
from graphql import OperationDefinitionNode, parse
from inline_snapshot import snapshot

from benchmarks.planner_families import (
    Question,
    alternative_conditions,
    conditional_fragments,
    conditional_roots,
    conditions,
    nested_conditions,
)
from router.composition import SubgraphSchema, compose
from router.planner import count_fetches, format_plan, plan_operation
from router.supergraph import read_supergraph
from tests.unit.router.planner.conftest import PlanFor, prove
from tests.unit.router.planner.generated_world import World

# Five fields under two conditions each: written as conditions in each other, these would hold their request 31 times.
FIVE_PAIRS = ", ".join(f"$a{i}: Boolean!, $b{i}: Boolean!" for i in range(5))
ONLY_THE_THIRD = {f"{name}{i}": i != 3 or name == "a" for name in "ab" for i in range(5)}


def test_constant_conditions_are_folded(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ me @skip(if: true) { name } orders @include(if: true) { id @skip(if: false) } }")
    assert format_plan(plan) == snapshot("Fetch(order) { orders { id } }")
    assert count_fetches(plan.root) == snapshot(1)


def test_condition_on_a_field_stays_in_the_document(plan_for: PlanFor) -> None:
    plan = plan_for(
        "entity-fetch", "query ($p: Boolean!) { orders { id buyer @include(if: $p) { id } } }", {"p": False}
    )
    assert format_plan(plan) == snapshot("Fetch(order) { orders { id buyer @include(if: $p) { id } } }")
    assert count_fetches(plan.root) == snapshot(1)


def test_request_that_only_a_condition_asks_for_is_conditional(plan_for: PlanFor) -> None:
    plan = plan_for(
        "entity-fetch", "query ($p: Boolean!) { orders { id product { name @include(if: $p) } } }", {"p": True}
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(order) { orders { id product { __typename id } } }
  If($p)
    Flatten(orders.@.product)
      Fetch(product) { __typename id } => { ... on Product { name } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_conditional_root_field_makes_the_request_conditional(plan_for: PlanFor) -> None:
    plan = plan_for("roots-in-parallel", "query ($p: Boolean!) { apples berries @skip(if: $p) }", {"p": True})
    assert format_plan(plan) == snapshot("""\
Parallel
  Fetch(a) { apples }
  Unless($p)
    Fetch(b) { berries }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_several_conditions_nest(plan_for: PlanFor) -> None:
    plan = plan_for(
        "entity-fetch",
        "query ($p: Boolean!, $q: Boolean!) { orders { product { ... @include(if: $p) { name @skip(if: $q) } } } }",
        {"p": True, "q": False},
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(order) { orders { product { __typename id } } }
  If($p)
    Unless($q)
      Flatten(orders.@.product)
        Fetch(product) { __typename id } => { ... on Product { name } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_alternatives_are_tried_one_after_the_other(plan_for: PlanFor) -> None:
    plan = plan_for(
        "entity-fetch",
        "query ($p: Boolean!, $q: Boolean!) { orders { product { name @include(if: $p) price @include(if: $q) } } }",
        {"p": False, "q": True},
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(order) { orders { product { __typename id } } }
  If($p)
    Flatten(orders.@.product)
      Fetch(product) { __typename id } => { ... on Product { name @include(if: $p) price @include(if: $q) } }
  Unless($p)
    If($q)
      Flatten(orders.@.product)
        Fetch(product) { __typename id } => { ... on Product { name @include(if: $p) price @include(if: $q) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_field_asked_twice_under_opposite_conditions_is_unconditional(plan_for: PlanFor) -> None:
    plan = plan_for(
        "entity-fetch", "query ($p: Boolean!) { orders { id @include(if: $p) id @skip(if: $p) } }", {"p": True}
    )
    assert format_plan(plan) == snapshot("Fetch(order) { orders { id } }")
    assert count_fetches(plan.root) == snapshot(1)


def test_contradiction_is_never_asked(plan_for: PlanFor) -> None:
    plan = plan_for(
        "entity-fetch",
        "query ($p: Boolean!) { orders { id product @skip(if: $p) { id name @include(if: $p) } } }",
        {"p": True},
    )
    assert format_plan(plan) == snapshot("Fetch(order) { orders { id product @skip(if: $p) { id } } }")
    assert count_fetches(plan.root) == snapshot(1)


def test_selection_below_two_conditions_keeps_them_apart(plan_for: PlanFor) -> None:
    plan = plan_for(
        "entity-fetch",
        "query ($p: Boolean!, $q: Boolean!) { orders { product @include(if: $p) { name } product @include(if: $q) { price } } }",
        {"p": True, "q": False},
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(order) { orders { product @include(if: $p) { __typename id } product @include(if: $q) { __typename id } } }
  If($p)
    Flatten(orders.@.product)
      Fetch(product) { __typename id } => { ... on Product { name @include(if: $p) price @include(if: $q) } }
  Unless($p)
    If($q)
      Flatten(orders.@.product)
        Fetch(product) { __typename id } => { ... on Product { name @include(if: $p) price @include(if: $q) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_object_selected_twice_is_fetched_once(plan_for: PlanFor) -> None:
    plan = plan_for(
        "requires-below-entity",
        "query ($p: Boolean!) { order { tax buyer @include(if: $p) { country } } }",
        {"p": True},
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { order { __typename buyer @include(if: $p) { __typename id } id buyer { __typename id } } }
  Flatten(order.buyer)
    Fetch(b) { __typename id } => { ... on User { country } }
  Flatten(order)
    Fetch(c) { __typename id buyer { id country } } => { ... on Order { tax } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_two_conditions_on_one_field_wrap_it(plan_for: PlanFor) -> None:
    plan = plan_for(
        "entity-fetch",
        "query ($p: Boolean!, $q: Boolean!) { orders { ... @include(if: $p) { id @include(if: $q) } buyer { id } } }",
        {"p": True, "q": True},
    )
    assert format_plan(plan) == snapshot(
        "Fetch(order) { orders { ... @include(if: $q) { id @include(if: $p) } buyer { id } } }"
    )
    assert count_fetches(plan.root) == snapshot(1)


def test_only_the_variables_used_are_passed_on(plan_for: PlanFor) -> None:
    plan = plan_for(
        "enums-and-inputs",
        "query ($by: By!, $to: Near, $s: Sort = UP) { find(by: $by) { id distance(to: $to) flag(s: $s) } }",
        {"by": {"id": "1"}, "to": {"lat": 1.0, "lon": 2.0}},
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { find(by: $by) { __typename id } }
  Flatten(find.@)
    Fetch(b) { __typename id } => { ... on Item { distance(to: $to) flag(s: $s) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_variables_inside_of_values_are_passed_on(plan_for: PlanFor) -> None:
    plan = plan_for(
        "enums-and-inputs",
        'query ($id: ID, $sort: Sort!) { find(by: {id: $id, tags: ["a", "b"]}, sort: [$sort, DOWN]) { sort } }',
        {"id": "1", "sort": "UP"},
    )
    assert format_plan(plan) == snapshot(
        'Fetch(a) { find(by: {id: $id, tags: ["a", "b"]}, sort: [$sort, DOWN]) { sort } }'
    )
    assert count_fetches(plan.root) == snapshot(1)


def test_fragments_are_expanded_and_merged(plan_for: PlanFor) -> None:
    plan = plan_for(
        "entity-fetch",
        "query { orders { ...O ...O product { price } } } fragment O on Order { id product { ...P } } fragment P on Product { name }",
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(order) { orders { id product { __typename id } } }
  Flatten(orders.@.product)
    Fetch(product) { __typename id } => { ... on Product { name price } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_requirement_at_a_path_that_others_fill_too_keeps_its_condition(plan_for: PlanFor) -> None:
    query = "query ($p: Boolean!) { items { rank next @include(if: $p) { rank } } }"
    plan = plan_for("requires-below-the-same-type", query, {"p": False})
    assert plan == plan_for("requires-below-the-same-type", query, {"p": True})
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { items { __typename next @include(if: $p) { __typename id next { __typename id } base } id next { __typename id } base } }
  BatchFetch(b)
    Flatten(items.@.next.next, items.@.next) { __typename id } => { ... on Item { score } }
  BatchFetch(c)
    Flatten(items.@.next) if $p { __typename id next { score } base } => { ... on Item { rank } }
    Flatten(items.@) { __typename id next { score } base } => { ... on Item { rank } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_request_under_tangled_conditions_is_written_once_with_them(plan_for: PlanFor) -> None:
    fields = " ".join(f"... @include(if: $a{i}) {{ n{i}: name @skip(if: $b{i}) }}" for i in range(5))
    plan = plan_for("entity-fetch", f"query ({FIVE_PAIRS}) {{ orders {{ product {{ {fields} }} }} }}", ONLY_THE_THIRD)
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(order) { orders { product { __typename id } } }
  BatchFetch(product)
    Flatten(orders.@.product) if $a0 & !$b0 | $a1 & !$b1 | $a2 & !$b2 | $a3 & !$b3 | $a4 & !$b4 { __typename id } => { ... on Product { n0: name @include(if: $a0) @skip(if: $b0) n1: name @include(if: $a1) @skip(if: $b1) n2: name @include(if: $a2) @skip(if: $b2) n3: name @include(if: $a3) @skip(if: $b3) n4: name @include(if: $a4) @skip(if: $b4) } }\
""")


def test_root_request_under_tangled_conditions_is_made_in_any_case(plan_for: PlanFor) -> None:
    fields = " ".join(f"... @include(if: $a{i}) {{ n{i}: berries @skip(if: $b{i}) }}" for i in range(5))
    plan = plan_for("roots-in-parallel", f"query ({FIVE_PAIRS}) {{ apples {fields} }}", ONLY_THE_THIRD)
    assert format_plan(plan) == snapshot("""\
Parallel
  Fetch(a) { apples }
  Fetch(b) { n0: berries @include(if: $a0) @skip(if: $b0) n1: berries @include(if: $a1) @skip(if: $b1) n2: berries @include(if: $a2) @skip(if: $b2) n3: berries @include(if: $a3) @skip(if: $b3) n4: berries @include(if: $a4) @skip(if: $b4) }\
""")


def test_root_request_under_tangled_conditions_keeps_the_one_they_have_in_common(plan_for: PlanFor) -> None:
    fields = " ".join(f"... @include(if: $a{i}) {{ n{i}: berries @skip(if: $b{i}) }}" for i in range(5))
    plan = plan_for(
        "roots-in-parallel",
        f"query ($c: Boolean!, {FIVE_PAIRS}) {{ apples ... @include(if: $c) {{ {fields} }} }}",
        {"c": True, **ONLY_THE_THIRD},
    )
    assert format_plan(plan) == snapshot("""\
Parallel
  Fetch(a) { apples }
  If($c)
    Fetch(b) { ... @include(if: $c) { n0: berries @include(if: $a0) @skip(if: $b0) } ... @include(if: $c) { n1: berries @include(if: $a1) @skip(if: $b1) } ... @include(if: $c) { n2: berries @include(if: $a2) @skip(if: $b2) } ... @include(if: $c) { n3: berries @include(if: $a3) @skip(if: $b3) } ... @include(if: $c) { n4: berries @include(if: $a4) @skip(if: $b4) } }\
""")


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (conditions, 7),
        (alternative_conditions, 7),
        (conditional_roots, 7),
        (nested_conditions, 3),
        # From here on fields are collected, and written, under looser conditions than the client's
        (nested_conditions, 6),
        (nested_conditions, 8),
        (conditional_fragments, 8),
    ],
)
def test_answers_under_many_conditions_are_those_of_one_schema(make: Callable[[int], Question], size: int) -> None:
    question = make(size)
    composed = compose([SubgraphSchema(name, sdl, "") for name, sdl in question.subgraphs.items()])
    assert composed.supergraph_sdl is not None
    supergraph = read_supergraph(composed.supergraph_sdl)
    document = parse(question.operation)
    plan = plan_operation(supergraph, document)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    names = [one.variable.name.value for one in operation.variable_definitions or ()]
    dice = random.Random(1)
    for chance in (0.0, 0.1, 0.5, 0.5, 0.9, 1.0):
        prove(World(supergraph), plan, question.operation, {name: dice.random() < chance for name in names})
