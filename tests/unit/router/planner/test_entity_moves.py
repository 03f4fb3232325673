# ruff: noqa: E501 - a plan has a request a line, whatever its length
"""Plans that go from subgraph to subgraph by keys."""

from inline_snapshot import snapshot

from router.planner import count_fetches, format_plan
from tests.unit.router.planner.conftest import PlanFor


def test_root_fields_of_different_subgraphs_run_in_parallel(plan_for: PlanFor) -> None:
    plan = plan_for("roots-in-parallel", "{ apples berries }")
    assert format_plan(plan) == snapshot("""\
Parallel
  Fetch(a) { apples }
  Fetch(b) { berries }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_root_fields_of_one_subgraph_share_a_request(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ me { name } products { name } everything: products(first: 9) { id } }")
    assert format_plan(plan) == snapshot("""\
Parallel
  Fetch(user) { me { name } }
  Fetch(product) { products { name } everything: products(first: 9) { id } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_product_names_of_all_orders_need_one_batched_entity_fetch(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ orders { product { name } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(order) { orders { product { __typename id } } }
  Flatten(orders.@.product)
    Fetch(product) { __typename id } => { ... on Product { name } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_two_subgraphs_below_one_list_are_asked_in_parallel(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ orders { id product { name price } buyer { name } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(order) { orders { id product { __typename id } buyer { __typename id } } }
  Parallel
    Flatten(orders.@.product)
      Fetch(product) { __typename id } => { ... on Product { name price } }
    Flatten(orders.@.buyer)
      Fetch(user) { __typename id } => { ... on User { name } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_nothing_but_the_key_needs_no_entity_fetch(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ orders { product { id } buyer { id } } }")
    assert format_plan(plan) == snapshot("Fetch(order) { orders { product { id } buyer { id } } }")
    assert count_fetches(plan.root) == snapshot(1)


def test_compound_key_is_sent_whole(plan_for: PlanFor) -> None:
    plan = plan_for("compound-key", "{ pages { title } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { pages { __typename site slug } }
  Flatten(pages.@)
    Fetch(b) { __typename site slug } => { ... on Page { title } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_nested_key_is_sent_nested(plan_for: PlanFor) -> None:
    plan = plan_for("nested-key", "{ seats { number price hall { name } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { seats { __typename number hall { id } } }
  Flatten(seats.@)
    Fetch(b) { __typename number hall { id } } => { ... on Seat { price hall { name } } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_nested_key_of_values_is_sent_nested(plan_for: PlanFor) -> None:
    plan = plan_for("nested-key-of-values", "{ seats { price at { column } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { seats { __typename at { column row { number } } } }
  Flatten(seats.@)
    Fetch(b) { __typename at { row { number } column } } => { ... on Seat { price } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_entity_with_several_keys_is_reached_through_the_subgraph_that_knows_two(plan_for: PlanFor) -> None:
    plan = plan_for("several-keys", "{ product { weight } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { product { __typename sku } }
  Flatten(product)
    Fetch(b) { __typename sku } => { ... on Product { id } }
  Flatten(product)
    Fetch(c) { __typename id } => { ... on Product { weight } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_subgraph_on_the_way_is_asked_for_its_own_fields_at_once(plan_for: PlanFor) -> None:
    plan = plan_for("several-keys", "{ product { stock weight } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { product { __typename sku } }
  Flatten(product)
    Fetch(b) { __typename sku } => { ... on Product { stock id } }
  Flatten(product)
    Fetch(c) { __typename id } => { ... on Product { weight } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_key_chain_goes_through_three_subgraphs(plan_for: PlanFor) -> None:
    plan = plan_for("key-chain", "{ thing { last } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { thing { __typename a } }
  Flatten(thing)
    Fetch(b) { __typename a } => { ... on Thing { b } }
  Flatten(thing)
    Fetch(c) { __typename b } => { ... on Thing { c } }
  Flatten(thing)
    Fetch(d) { __typename c } => { ... on Thing { last } }\
""")
    assert count_fetches(plan.root) == snapshot(4)


def test_key_may_come_from_two_subgraphs(plan_for: PlanFor) -> None:
    plan = plan_for("key-from-two-subgraphs", "{ thing { whole } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { thing { __typename id } }
  Parallel
    Flatten(thing)
      Fetch(b) { __typename id } => { ... on Thing { left } }
    Flatten(thing)
      Fetch(c) { __typename id } => { ... on Thing { right } }
  Flatten(thing)
    Fetch(d) { __typename left right } => { ... on Thing { whole } }\
""")
    assert count_fetches(plan.root) == snapshot(4)


def test_key_that_is_not_resolvable_is_only_sent_elsewhere(plan_for: PlanFor) -> None:
    plan = plan_for("resolvable-false", "{ comments { author { id name } } admin { name } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Parallel
    Fetch(a) { comments { author { __typename id } } }
    Fetch(c) { admin { __typename id } }
  BatchFetch(b)
    Flatten(comments.@.author, admin) { __typename id } => { ... on User { name } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_key_with_values_of_an_entity_of_another_subgraph_is_completed_first(plan_for: PlanFor) -> None:
    plan = plan_for("complex-entity-call", "{ topProducts { products { price } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(list) { topProducts { products { __typename id } } }
  Flatten(topProducts.products.@)
    Fetch(links) { __typename id } => { ... on Product { pid } }
  Flatten(topProducts.products.@)
    Fetch(category) { __typename id pid } => { ... on Product { category { id tag } } }
  Flatten(topProducts.products.@)
    Fetch(price) { __typename id pid category { id tag } } => { ... on Product { price } }\
""")
    assert count_fetches(plan.root) == snapshot(4)


def test_list_of_entities_is_a_key_itself(plan_for: PlanFor) -> None:
    plan = plan_for("complex-entity-call", "{ topProducts { first { id } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(list) { topProducts { __typename products { id } } }
  Flatten(topProducts)
    Fetch(more) { __typename products { id } } => { ... on ProductList { first { id } } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_keys_that_name_the_same_fields_in_another_order_are_one(plan_for: PlanFor) -> None:
    plan = plan_for("keys-mashup", "{ b { a { nick } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(b) { b { a { __typename id } } }
  Flatten(b.a.@)
    Fetch(a) { __typename id } => { ... on A { name } }
  Flatten(b.a.@)
    Fetch(b) { __typename id name } => { ... on A { nick } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_external_fields_of_an_old_style_extension_are_not_its_own(plan_for: PlanFor) -> None:
    plan = plan_for("fed1-extends", "{ users { id name nick greeting } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { users { __typename id } }
  Flatten(users.@)
    Fetch(b) { __typename id } => { ... on User { name nick } }
  Flatten(users.@)
    Fetch(a) { __typename id name } => { ... on User { greeting } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_lists_of_lists_have_one_step_in_the_path(plan_for: PlanFor) -> None:
    plan = plan_for("lists-of-lists", "{ grid { id color rows { color } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { grid { __typename id rows { __typename id } } }
  BatchFetch(b)
    Flatten(grid.@.rows.@, grid.@) { __typename id } => { ... on Cell { color } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_entity_below_values_is_fetched_where_it_stands(plan_for: PlanFor) -> None:
    plan = plan_for(
        "value-with-entity",
        "{ invoice { total { amount } lines { price { currency } product { name price { amount } cost { currency } } } } }",
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { invoice { total { amount } lines { price { currency } product { __typename price { amount } id } } } }
  Flatten(invoice.lines.@.product)
    Fetch(b) { __typename id } => { ... on Product { name cost { currency } } }\
""")
    assert count_fetches(plan.root) == snapshot(2)
