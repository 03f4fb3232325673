# ruff: noqa: E501 - a plan has a request a line, whatever its length
"""Plans of mutations, subscriptions, and of what needs no subgraph."""

from inline_snapshot import snapshot

from router.planner import count_fetches, format_plan
from tests.unit.router.planner.conftest import PlanFor


def test_mutations_run_in_series_and_neighbours_of_one_subgraph_share_a_request(plan_for: PlanFor) -> None:
    plan = plan_for(
        "mutations",
        'mutation { one: addProduct(name: "a") { id } two: renameProduct(name: "b") { name } addCategory(name: "c") { id } three: addProduct(name: "d") { id } }',
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) mutation { one: addProduct(name: "a") { id } two: renameProduct(name: "b") { name } }
  Fetch(b) mutation { addCategory(name: "c") { id } }
  Fetch(a) mutation { three: addProduct(name: "d") { id } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_what_follows_a_mutation_runs_before_the_next_one(plan_for: PlanFor) -> None:
    plan = plan_for(
        "mutations", 'mutation { addProduct(name: "a") { rating } addCategory(name: "c") { first { name } } }'
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) mutation { addProduct(name: "a") { __typename id } }
  Flatten(addProduct)
    Fetch(b) { __typename id } => { ... on Product { rating } }
  Fetch(b) mutation { addCategory(name: "c") { first { __typename id } } }
  Flatten(addCategory.first)
    Fetch(a) { __typename id } => { ... on Product { name } }\
""")
    assert count_fetches(plan.root) == snapshot(4)


def test_conditional_mutation(plan_for: PlanFor) -> None:
    plan = plan_for(
        "mutations", 'mutation ($p: Boolean!) { addProduct(name: "a") @include(if: $p) { id } }', {"p": True}
    )
    assert format_plan(plan) == snapshot("""\
If($p)
  Fetch(a) mutation { addProduct(name: "a") { id } }\
""")
    assert count_fetches(plan.root) == snapshot(1)


def test_field_that_returns_the_query_type_goes_on_as_a_root_fetch(plan_for: PlanFor) -> None:
    plan = plan_for("query-in-payload", "mutation { act { done query { one two thing { name } } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) mutation { act { done query { one } } }
  Flatten(act.query)
    Fetch(b) { two thing { __typename id } }
  Flatten(act.query.thing)
    Fetch(c) { __typename id } => { ... on Thing { name } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_query_below_query(plan_for: PlanFor) -> None:
    plan = plan_for("query-in-payload", "{ self { self { two } one } two }")
    assert format_plan(plan) == snapshot("""\
Parallel
  Sequence
    Fetch(a) { self { self { __typename } one } }
    Flatten(self.self)
      Fetch(b) { two }
  Fetch(b) { two }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_subscription_is_followed_by_fetches_for_each_event(plan_for: PlanFor) -> None:
    plan = plan_for("subscriptions", "subscription ($p: ID) { reviewAdded(product: $p) { id product { name } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) subscription { reviewAdded(product: $p) { id product { __typename id } } }
  Flatten(reviewAdded.product)
    Fetch(b) { __typename id } => { ... on Product { name } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_type_name_of_the_root_needs_no_request(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ __typename }")
    assert format_plan(plan) == snapshot("Nothing")
    assert count_fetches(plan.root) == snapshot(0)


def test_introspection_needs_no_request(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", '{ __schema { queryType { name } } __type(name: "User") { name } }')
    assert format_plan(plan) == snapshot("Nothing")
    assert count_fetches(plan.root) == snapshot(0)


def test_introspection_beside_other_fields_is_left_out(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ __schema { queryType { name } } me { id } }")
    assert format_plan(plan) == snapshot("Fetch(user) { me { id } }")
    assert count_fetches(plan.root) == snapshot(1)
