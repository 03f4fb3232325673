# ruff: noqa: E501 - a plan has a request a line, whatever its length
"""Plans for fields with `@requires`."""

from inline_snapshot import snapshot

from router.planner import count_fetches, format_plan
from tests.unit.router.planner.conftest import PlanFor


def test_required_fields_are_sent_with_the_key(plan_for: PlanFor) -> None:
    plan = plan_for("requires", "{ topProducts { shipping } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(products) { topProducts { __typename upc price weight } }
  Flatten(topProducts.@)
    Fetch(inventory) { __typename upc price weight } => { ... on Product { shipping } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_field_with_requirements_shares_the_request_of_its_siblings(plan_for: PlanFor) -> None:
    plan = plan_for("requires", "{ topProducts { inStock shipping } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(products) { topProducts { __typename upc price weight } }
  Flatten(topProducts.@)
    Fetch(inventory) { __typename upc price weight } => { ... on Product { inStock shipping } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_required_fields_of_a_third_subgraph_are_fetched_first(plan_for: PlanFor) -> None:
    plan = plan_for("requires", "{ best { stars inStock shipping } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(reviews) { best { __typename stars upc } }
  Flatten(best)
    Fetch(products) { __typename upc } => { ... on Product { price weight } }
  Flatten(best)
    Fetch(inventory) { __typename upc price weight } => { ... on Product { inStock shipping } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_required_fields_may_be_nested(plan_for: PlanFor) -> None:
    plan = plan_for("requires-nested", "{ parcel { cost } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { parcel { __typename id box { weight size { width } } } }
  Flatten(parcel)
    Fetch(b) { __typename id box { weight size { width } } } => { ... on Parcel { cost } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_requirement_of_a_requirement_is_fetched_before(plan_for: PlanFor) -> None:
    plan = plan_for("requires-of-requires", "{ item { thrice } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { item { __typename id base } }
  Flatten(item)
    Fetch(b) { __typename id base } => { ... on Item { twice } }
  Flatten(item)
    Fetch(c) { __typename id twice } => { ... on Item { thrice } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_requirements_share_what_they_have_in_common(plan_for: PlanFor) -> None:
    plan = plan_for("requires-of-requires", "{ item { final } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { item { __typename id base } }
  Flatten(item)
    Fetch(b) { __typename id base } => { ... on Item { twice } }
  Flatten(item)
    Fetch(c) { __typename id twice } => { ... on Item { thrice } }
  Flatten(item)
    Fetch(d) { __typename id twice thrice } => { ... on Item { final } }\
""")
    assert count_fetches(plan.root) == snapshot(4)


def test_circle_between_two_subgraphs_is_cut_into_two_requests(plan_for: PlanFor) -> None:
    plan = plan_for("requires-back-and-forth", "{ item { plain end } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { item { __typename id } }
  Flatten(item)
    Fetch(b) { __typename id } => { ... on Item { plain start } }
  Flatten(item)
    Fetch(c) { __typename id start } => { ... on Item { middle } }
  Flatten(item)
    Fetch(b) { __typename id middle } => { ... on Item { end } }\
""")
    assert count_fetches(plan.root) == snapshot(4)


def test_requirement_of_the_own_subgraph_comes_back_to_it(plan_for: PlanFor) -> None:
    plan = plan_for("requires-in-own-subgraph", "{ items { name label } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { items { __typename name id } }
  Flatten(items.@)
    Fetch(b) { __typename id } => { ... on Item { price } }
  Flatten(items.@)
    Fetch(a) { __typename id price } => { ... on Item { label } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_requirement_with_arguments_has_a_key_of_its_own(plan_for: PlanFor) -> None:
    plan = plan_for("requires-with-arguments", '{ item { price(currency: "CHF") dollars } }')
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { item { __typename price(currency: "CHF") id _pasar_0: price(currency: "USD") } }
  Flatten(item)
    Fetch(b) { __typename id price: _pasar_0 } => { ... on Item { dollars } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_requirements_with_different_arguments_are_sent_apart(plan_for: PlanFor) -> None:
    plan = plan_for("requires-with-arguments", "{ item { dollars yen } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { item { __typename id price(currency: "USD") _pasar_0: price(currency: "JPY") } }
  BatchFetch(b)
    Flatten(item) { __typename id price } => { ... on Item { dollars } }
    Flatten(item) { __typename id price: _pasar_0 } => { ... on Item { yen } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_required_field_of_an_entity_below_is_fetched_there(plan_for: PlanFor) -> None:
    plan = plan_for("requires-below-entity", "{ order { tax } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { order { __typename id buyer { __typename id } } }
  Flatten(order.buyer)
    Fetch(b) { __typename id } => { ... on User { country } }
  Flatten(order)
    Fetch(c) { __typename id buyer { id country } } => { ... on Order { tax } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_requirement_on_abstract_types_tells_the_type(plan_for: PlanFor) -> None:
    plan = plan_for("requires-with-fragments", "{ entity { label kind } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { entity { __typename id owner { __typename id ... on Person { nick } ... on Firm { vat } } data { __typename ... on Foo { foo } ... on Bar { bar } } } }
  Flatten(entity)
    Fetch(b) { __typename id owner { __typename id ... on Person { nick } ... on Firm { vat } } data { __typename ... on Foo { foo } ... on Bar { bar } } } => { ... on Entity { label kind } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_requirement_through_a_list_is_fetched_in_it(plan_for: PlanFor) -> None:
    plan = plan_for("requires-of-list", "{ carts { total } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { carts { __typename id lines { quantity product { __typename sku } } } }
  Flatten(carts.@.lines.@.product)
    Fetch(b) { __typename sku } => { ... on Product { price } }
  Flatten(carts.@)
    Fetch(c) { __typename id lines { quantity product { sku price } } } => { ... on Cart { total } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_conditional_requirement_is_fetched_under_its_condition(plan_for: PlanFor) -> None:
    plan = plan_for(
        "requires-in-own-subgraph", "query ($p: Boolean!) { item { name label @include(if: $p) } }", {"p": True}
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { item { __typename name id } }
  If($p)
    Flatten(item)
      Fetch(b) { __typename id } => { ... on Item { price } }
  If($p)
    Flatten(item)
      Fetch(a) { __typename id price } => { ... on Item { label } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_conditional_requirement_does_not_hold_up_what_needs_none(plan_for: PlanFor) -> None:
    plan = plan_for("requires", "query ($p: Boolean!) { best { inStock shipping @include(if: $p) } }", {"p": False})
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(reviews) { best { __typename upc } }
  Parallel
    Flatten(best)
      Fetch(inventory) { __typename upc } => { ... on Product { inStock } }
    Sequence
      If($p)
        Flatten(best)
          Fetch(products) { __typename upc } => { ... on Product { price weight } }
      If($p)
        Flatten(best)
          Fetch(inventory) { __typename upc price weight } => { ... on Product { shipping } }\
""")
    assert count_fetches(plan.root) == snapshot(4)


def test_subgraph_comes_back_to_its_own_objects_by_a_key_that_others_may_not_use(plan_for: PlanFor) -> None:
    plan = plan_for("requires-with-unresolvable-key", "{ item { label } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { item { __typename id } }
  Flatten(item)
    Fetch(b) { __typename id } => { ... on Item { price } }
  Flatten(item)
    Fetch(a) { __typename id price } => { ... on Item { label } }\
""")
    assert count_fetches(plan.root) == snapshot(3)
