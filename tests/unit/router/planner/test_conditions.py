# ruff: noqa: E501 - a plan has a request a line, whatever its length
"""Plans with `@skip`, `@include` and variables."""

from inline_snapshot import snapshot

from router.planner import count_fetches, format_plan
from tests.unit.router.planner.conftest import PlanFor


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
