"""Plans that choose between subgraphs (`@shareable`)."""

from inline_snapshot import snapshot

from router.planner import count_fetches, format_plan
from tests.unit.router.planner.conftest import PlanFor


def test_field_of_several_subgraphs_is_taken_where_one_has_to_go_anyway(plan_for: PlanFor) -> None:
    plan = plan_for("shareable-cheapest", "{ product { name price } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { product { __typename id } }
  Flatten(product)
    Fetch(c) { __typename id } => { ... on Product { name price } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_field_is_taken_from_the_subgraph_that_can_go_on_from_there(plan_for: PlanFor) -> None:
    plan = plan_for("shareable-cheapest", "{ product { maker { name } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { product { __typename id } }
  Flatten(product)
    Fetch(c) { __typename id } => { ... on Product { maker { name } } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_value_of_which_each_subgraph_knows_a_part_is_fetched_from_both(plan_for: PlanFor) -> None:
    plan = plan_for("shareable-value-type-split", "{ product { size { width depth height } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { product { __typename size { width depth } id } }
  Flatten(product)
    Fetch(b) { __typename id } => { ... on Product { size { height } } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_list_of_values_of_which_each_subgraph_knows_a_part_is_merged(plan_for: PlanFor) -> None:
    plan = plan_for("shareable-value-type-split", "{ product { sizes { depth height } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { product { __typename sizes { depth } id } }
  Flatten(product)
    Fetch(b) { __typename id } => { ... on Product { sizes { height } } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_part_that_one_subgraph_knows_is_fetched_from_it_alone(plan_for: PlanFor) -> None:
    plan = plan_for("shareable-value-type-split", "{ product { size { width height } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { product { __typename id } }
  Flatten(product)
    Fetch(b) { __typename id } => { ... on Product { size { width height } } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_root_field_of_which_each_subgraph_knows_a_part_is_fetched_from_all(plan_for: PlanFor) -> None:
    plan = plan_for("shared-root", "{ product { id name { brand } category { name } price { amount } } }")
    assert format_plan(plan) == snapshot("""\
Parallel
  Fetch(a) { product { id name { brand } } }
  Fetch(b) { product { category { name } } }
  Fetch(c) { product { price { amount } } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_dead_end_is_avoided(plan_for: PlanFor) -> None:
    plan = plan_for("shareable-dead-end", "{ start { next { x y } } }")
    assert format_plan(plan) == snapshot("Fetch(b) { start { next { x y } } }")
    assert count_fetches(plan.root) == snapshot(1)


def test_dead_end_is_entered_for_what_only_it_has(plan_for: PlanFor) -> None:
    plan = plan_for("shareable-dead-end", "{ start { only next { x y } } }")
    assert format_plan(plan) == snapshot("""\
Parallel
  Fetch(a) { start { next { x } only } }
  Fetch(b) { start { next { y } } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_a_dozen_interchangeable_subgraphs_need_one_request(plan_for: PlanFor) -> None:
    plan = plan_for("interchangeable", "{ thing { a b child { a children { b } } } }")
    assert format_plan(plan) == snapshot("Fetch(s00) { thing { a b child { a children { b } } } }")
    assert count_fetches(plan.root) == snapshot(1)


def test_a_dozen_subgraphs_with_own_fields_are_asked_once_each(plan_for: PlanFor) -> None:
    plan = plan_for("interchangeable-with-own-fields", "{ thing { u0 u1 u2 child { u3 } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(s00) { thing { __typename u0 child { __typename id } id } }
  Parallel
    Flatten(thing.child)
      Fetch(s03) { __typename id } => { ... on Thing { u3 } }
    Flatten(thing)
      Fetch(s01) { __typename id } => { ... on Thing { u1 } }
    Flatten(thing)
      Fetch(s02) { __typename id } => { ... on Thing { u2 } }\
""")
    assert count_fetches(plan.root) == snapshot(4)


def test_what_lies_below_decides_where_to_go(plan_for: PlanFor) -> None:
    plan = plan_for("deep-choice", "{ user { team { title } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { user { __typename id } }
  Flatten(user)
    Fetch(c) { __typename id } => { ... on User { team { title } } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_requests_that_can_run_together_are_preferred(plan_for: PlanFor) -> None:
    plan = plan_for("deep-choice", "{ user { name team { title } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { user { __typename id } }
  Parallel
    Flatten(user)
      Fetch(b) { __typename id } => { ... on User { name } }
    Flatten(user)
      Fetch(c) { __typename id } => { ... on User { team { title } } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_parent_is_fetched_again_for_what_its_value_lacks(plan_for: PlanFor) -> None:
    plan = plan_for("parent-entity-call", "{ products { category { details { products name } } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { products { __typename id pid } }
  Parallel
    Flatten(products.@)
      Fetch(b) { __typename id pid } => { ... on Product { category { details { products } } } }
    Flatten(products.@)
      Fetch(c) { __typename id pid } => { ... on Product { category { details { name } } } }\
""")
    assert count_fetches(plan.root) == snapshot(3)
