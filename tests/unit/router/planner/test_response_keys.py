# ruff: noqa: E501 - a plan has a request a line, whatever its length
"""Plans where response keys would clash."""

from inline_snapshot import snapshot

from router.planner import count_fetches, format_plan
from tests.unit.router.planner.conftest import PlanFor


def test_key_that_the_client_calls_otherwise_is_taken_under_that_name(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ orders { product { id: name } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(order) { orders { product { __typename _pasar_0: id } } }
  Flatten(orders.@.product)
    Fetch(product) { __typename id: _pasar_0 } => { ... on Product { id: name } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_key_whose_name_the_client_uses_for_another_field_gets_a_name_of_its_own(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ products { id: name } orders { product { name id: price } } }")
    assert format_plan(plan) == snapshot("""\
Parallel
  Fetch(product) { products { id: name } }
  Sequence
    Fetch(order) { orders { product { __typename _pasar_0: id } } }
    Flatten(orders.@.product)
      Fetch(product) { __typename id: _pasar_0 } => { ... on Product { name id: price } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_clients_alias_of_the_key_is_reused(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ orders { product { pid: id id: name } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(order) { orders { product { __typename pid: id } } }
  Flatten(orders.@.product)
    Fetch(product) { __typename id: pid } => { ... on Product { id: name } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_keys_of_different_types_under_one_name_are_kept_apart(plan_for: PlanFor) -> None:
    plan = plan_for("keys-of-different-types", "{ search { ... on Book { title } ... on Film { title } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { search { __typename ... on Book { code } ... on Film { _pasar_0: code } } }
  Flatten(search.@)
    Fetch(b) { ... on Book { __typename code } ... on Film { __typename code: _pasar_0 } } => { ... on Book { title } ... on Film { title } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_values_of_different_shapes_are_renamed_after_the_fetch(plan_for: PlanFor) -> None:
    plan = plan_for("shapes-differ-in-one-subgraph", "{ search { ... on Book { title } ... on Film { title } } }")
    assert format_plan(plan) == snapshot(
        "Fetch(a) { search { __typename ... on Book { title } ... on Film { _pasar_0: title } } } rename search.@._pasar_0 to title"
    )
    assert count_fetches(plan.root) == snapshot(1)


def test_objects_of_different_shapes_are_renamed_after_the_fetch(plan_for: PlanFor) -> None:
    plan = plan_for(
        "shapes-differ-in-one-subgraph",
        "{ search { ... on Book { maker { name } } ... on Film { maker { id name } } } }",
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { search { __typename ... on Book { maker { __typename id } } ... on Film { _pasar_0: maker { __typename id } } } } rename search.@._pasar_0 to maker
  Flatten(search.@.|Book,Film|.maker)
    Fetch(b) { __typename id } => { ... on Person { name } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_same_key_with_other_arguments_on_another_type(plan_for: PlanFor) -> None:
    plan = plan_for("requires-with-arguments", '{ item { price } again: item { price(currency: "USD") dollars } }')
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { item { price } again: item { __typename price(currency: "USD") id } }
  Flatten(again)
    Fetch(b) { __typename id price } => { ... on Item { dollars } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_clients_use_of_internal_names_is_respected(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ orders { product { _pasar_0: name id: price } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(order) { orders { product { __typename _pasar_1: id } } }
  Flatten(orders.@.product)
    Fetch(product) { __typename id: _pasar_1 } => { ... on Product { _pasar_0: name id: price } }\
""")
    assert count_fetches(plan.root) == snapshot(2)
