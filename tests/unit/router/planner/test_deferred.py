# ruff: noqa: E501 - a plan has a request a line, whatever its length
"""What is deferred is asked for apart from the rest: by the entity's key, or with its object where it has none."""

from inline_snapshot import snapshot

from router.planner import count_fetches, format_plan, measure_depth
from tests.unit.router.planner.conftest import PlanFor


def test_fields_of_another_subgraph_are_asked_for_beside_the_rest(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", '{ orders { id ... @defer(label: "buyer") { buyer { name } } } }')
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Fetch(order) { orders { __typename id } }
  Deferred(1 'buyer' at orders) after fetch 1
    Sequence
      Flatten(orders.@)
        Fetch(order) { __typename id } => { ... on Order { buyer { __typename id } } }
      Flatten(orders.@.buyer)
        Fetch(user) { __typename id } => { ... on User { name } }\
""")
    assert (count_fetches(plan.root), measure_depth(plan.root)) == (3, 3)


def test_fields_of_the_same_subgraph_are_asked_for_by_key(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ products { id ... @defer { name price } } }")
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Fetch(product) { products { __typename id } }
  Deferred(1 at products) after fetch 1
    Flatten(products.@)
      Fetch(product) { __typename id } => { ... on Product { name price } }\
""")
    assert (count_fetches(plan.root), measure_depth(plan.root)) == (2, 2)


def test_a_key_comes_with_its_object(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ products { name ... @defer { id __typename } } }")
    assert format_plan(plan) == snapshot("Fetch(product) { products { name __typename id } }")


def test_what_has_no_key_comes_with_its_object(plan_for: PlanFor) -> None:
    plan = plan_for("value-with-entity", "{ invoice { total { amount ... @defer { currency } } } }")
    assert format_plan(plan) == snapshot("Fetch(a) { invoice { total { amount currency } } }")


def test_root_fields_are_deferred_too(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ me { id } ... @defer { products { name } } }")
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Fetch(user) { me { id } }
  Deferred(1 at the root)
    Fetch(product) { products { name } }\
""")
    assert (count_fetches(plan.root), measure_depth(plan.root)) == (2, 1)


def test_all_of_the_operation_can_be_deferred(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ ... @defer { products { name } } }")
    assert format_plan(plan) == snapshot("""\
Defer
  Deferred(1 at the root)
    Fetch(product) { products { name } }\
""")


def test_what_is_deferred_within_a_deferred_fragment_waits_for_that(plan_for: PlanFor) -> None:
    plan = plan_for("entity-fetch", "{ orders { id ... @defer { product { id ... @defer { name } } } } }")
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Fetch(order) { orders { __typename id } }
  Deferred(1 at orders) after fetch 1
    Flatten(orders.@)
      Fetch(order) { __typename id } => { ... on Order { product { __typename id } } }
  Deferred(2 at orders.product) after fetch 2
    Flatten(orders.@.product)
      Fetch(product) { __typename id } => { ... on Product { name } }\
""")
    assert (count_fetches(plan.root), measure_depth(plan.root)) == (3, 3)


def test_what_a_condition_writes_twice_is_counted_twice(plan_for: PlanFor) -> None:
    plan = plan_for(
        "entity-fetch",
        "query ($p: Boolean!, $q: Boolean!) { orders { product { name @include(if: $p) price @include(if: $q) } "
        "... @defer { buyer { id ... @defer { name } } } } }",
        {"p": True, "q": False},
    )
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Sequence
      Fetch(order) { orders { __typename product { __typename id } id } }
      If($p)
        Flatten(orders.@.product)
          Fetch(product) { __typename id } => { ... on Product { name @include(if: $p) price @include(if: $q) } }
      Unless($p)
        If($q)
          Flatten(orders.@.product)
            Fetch(product) { __typename id } => { ... on Product { name @include(if: $p) price @include(if: $q) } }
  Deferred(1 at orders) after fetch 1
    Flatten(orders.@)
      Fetch(order) { __typename id } => { ... on Order { buyer { __typename id } } }
  Deferred(2 at orders.buyer) after fetch 4
    Flatten(orders.@.buyer)
      Fetch(user) { __typename id } => { ... on User { name } }\
""")


def test_two_fragments_that_share_a_field_ask_for_it_once(plan_for: PlanFor) -> None:
    plan = plan_for(
        "entity-fetch", "{ orders { id ... @defer { product { name } } ... @defer { product { price } } } }"
    )
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Fetch(order) { orders { __typename id } }
  Deferred(1 at orders & 2 at orders) after fetch 1
    Flatten(orders.@)
      Fetch(order) { __typename id } => { ... on Order { product { __typename id } } }
  Deferred(1 at orders) after fetch 2
    Flatten(orders.@.product)
      Fetch(product) { __typename id } => { ... on Product { name } }
  Deferred(2 at orders) after fetch 2
    Flatten(orders.@.product)
      Fetch(product) { __typename id } => { ... on Product { price } }\
""")
    assert (count_fetches(plan.root), measure_depth(plan.root)) == (4, 3)


def test_what_a_deferred_field_requires_is_deferred_with_it(plan_for: PlanFor) -> None:
    plan = plan_for("requires", "{ best { stars ... @defer { shipping } } }")
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Fetch(reviews) { best { __typename stars upc } }
  Deferred(1 at best) after fetch 1
    Sequence
      Flatten(best)
        Fetch(products) { __typename upc } => { ... on Product { price weight } }
      Flatten(best)
        Fetch(inventory) { __typename upc price weight } => { ... on Product { shipping } }\
""")
    assert (count_fetches(plan.root), measure_depth(plan.root)) == (3, 3)


def test_what_a_deferred_field_requires_is_not_asked_for_twice(plan_for: PlanFor) -> None:
    plan = plan_for("requires", "{ best { price weight ... @defer { shipping } } }")
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Sequence
      Fetch(reviews) { best { __typename upc } }
      Flatten(best)
        Fetch(products) { __typename upc } => { ... on Product { price weight } }
  Deferred(1 at best) after fetch 2
    Flatten(best)
      Fetch(inventory) { __typename upc price weight } => { ... on Product { shipping } }\
""")
    assert (count_fetches(plan.root), measure_depth(plan.root)) == (3, 3)


def test_a_condition_on_a_deferred_fragment_stays_with_its_request(plan_for: PlanFor) -> None:
    plan = plan_for(
        "entity-fetch",
        "query ($p: Boolean!) { products { id ... @include(if: $p) @defer { name } } }",
        {"p": True},
    )
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Fetch(product) { products { __typename id } }
  Deferred(1 at products) after fetch 1
    If($p)
      Flatten(products.@)
        Fetch(product) { __typename id } => { ... on Product { name } }\
""")


def test_what_follows_a_mutation_is_deferred_until_after_it(plan_for: PlanFor) -> None:
    plan = plan_for(
        "mutations",
        'mutation { addProduct(name: "a") { id ... @defer { rating } } addCategory(name: "b") { id } renameProduct(name: "c") { name } }',
    )
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Sequence
      Fetch(a) mutation { addProduct(name: "a") { __typename id } }
      Fetch(b) mutation { addCategory(name: "b") { id } }
      Fetch(a) mutation { renameProduct(name: "c") { name } }
  Deferred(1 at addProduct) after fetch 1
    Flatten(addProduct)
      Fetch(b) { __typename id } => { ... on Product { rating } }\
""")


def test_deferred_fields_of_an_interface_object_are_asked_for_by_the_interface(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object", "{ media { title ... @defer { stars } ... on Book @defer { isbn } } }")
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Fetch(a) { media { __typename title id } }
  Deferred(1 at media) after fetch 1
    Flatten(media.@)
      Fetch(b) { ... on Book|Film as Media { __typename id } } => { ... on Media { stars } }
  Deferred(2 at media) after fetch 1
    Flatten(media.@)
      Fetch(d) { __typename id } => { ... on Book { isbn } }\
""")
    assert (count_fetches(plan.root), measure_depth(plan.root)) == (3, 2)


def test_an_object_is_told_its_type_with_the_rest_of_it(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object-chain", "{ rated { stars ... @defer { __typename ... on Film { minutes } } } }")
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Sequence
      Fetch(b) { rated { __typename stars code } }
      Flatten(rated)
        Fetch(a) { ... on Media|Book|Film as Media { __typename code } } => { ... on Media { __typename } }
  Deferred(1 at rated) after fetch 1
    Flatten(rated)
      Fetch(a) { ... on Media|Book|Film as Media { __typename code } } => { ... on Media { __typename ... on Film { minutes } } }\
""")


def test_an_object_is_told_its_type_first_where_only_deferred_fields_depend_on_it(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object-chain", "{ rated { stars ... on Film @defer { minutes } } }")
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Sequence
      Fetch(b) { rated { __typename stars code } }
      Flatten(rated)
        Fetch(a) { ... on Media|Book|Film as Media { __typename code } } => { ... on Media { __typename } }
  Deferred(1 at rated) after fetch 1
    Flatten(rated)
      Fetch(a) { ... on Media|Book|Film as Media { __typename code } } => { ... on Media { __typename ... on Film { minutes } } }\
""")
