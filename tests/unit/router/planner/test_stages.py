# ruff: noqa: E501 - a plan has a request a line, whatever its length
"""Every stage as text, and what normalising does."""

import pytest
from graphql import parse
from inline_snapshot import snapshot

from router.planner import PlanningError, explain_operation, format_plan, plan_operation
from router.planner.graph import graph_of
from router.planner.normalising import normalise_operation
from router.planner.operation import format_operation
from tests.unit.router.planner.conftest import load_supergraph


def normalised(name: str, query: str, operation_name: str | None = None) -> str:
    graph = graph_of(load_supergraph(name), frozenset())
    return format_operation(normalise_operation(graph, parse(query), operation_name))


def test_each_stage_has_a_text() -> None:
    stages = explain_operation(
        load_supergraph("requires"), parse("query ($p: Boolean!) { best { stars shipping @include(if: $p) } }")
    )
    assert stages.operation == snapshot("""\
query
  best
    stars
    shipping if $p\
""")
    assert stages.paths == snapshot("""\
Query.best -> reviews
  Product.stars in reviews
  Product.shipping -> inventory if $p\
""")
    assert stages.fetch_graph == snapshot("""\
#0 reviews: Query { best { __typename stars upc } }
#1 products after #0 at best if $p: Product { price @include(if: $p) weight @include(if: $p) }
#2 inventory after #0, #1 at best if $p: Product { shipping @include(if: $p) }\
""")
    assert stages.optimised_fetch_graph == snapshot("""\
#0 reviews: Query { best { __typename stars upc } }
#1 products after #0 at best if $p: Product { price @include(if: $p) weight @include(if: $p) }
#2 inventory after #1 at best if $p: Product { shipping @include(if: $p) }\
""")
    assert stages.plan == snapshot("""\
Sequence
  Fetch(reviews) { best { __typename stars upc } }
  If($p)
    Flatten(best)
      Fetch(products) { __typename upc } => { ... on Product { price weight } }
  If($p)
    Flatten(best)
      Fetch(inventory) { __typename upc price weight } => { ... on Product { shipping } }\
""")


def test_passes_merge_steps_at_one_path() -> None:
    stages = explain_operation(
        load_supergraph("entity-fetch"),
        parse(
            "query ($p: Boolean!, $q: Boolean!)"
            " { orders { product @include(if: $p) { name } ... @include(if: $q) { product { name } } } }"
        ),
    )
    assert stages.fetch_graph == snapshot("""\
#0 order: Query { orders { product @include(if: $p) { __typename id } product @include(if: $q) { __typename id } } }
#1 product after #0 at orders.@.product: Product { name }\
""")
    stages = explain_operation(
        load_supergraph("requires-below-entity"),
        parse("query ($p: Boolean!) { order { tax buyer @include(if: $p) { country } } }"),
    )
    assert stages.fetch_graph == snapshot("""\
#0 a: Query { order { __typename buyer @include(if: $p) { __typename id } id buyer { __typename id } } }
#1 b after #0 at order.buyer if $p: User { country @include(if: $p) }
#2 b after #0 at order.buyer: User { country }
#3 c after #0, #2 at order: Order { tax }\
""")
    assert stages.optimised_fetch_graph == snapshot("""\
#0 a: Query { order { __typename buyer @include(if: $p) { __typename id } id buyer { __typename id } } }
#1 b after #0 at order.buyer: User { country }
#3 c after #1 at order: Order { tax }\
""")


def test_passes_merge_steps_below_sibling_types() -> None:
    stages = explain_operation(
        load_supergraph("interface-of-interfaces"), parse("{ boxes { inner { ... on Bag { weight } } } }")
    )
    assert stages.fetch_graph == snapshot("""\
#0 a: Query { boxes { __typename ... on Bag { inner { __typename id } } ... on Crate { inner { __typename ... on Bag { id } } } } }
#1 b after #0 at boxes.@.|Bag|.inner: Bag { weight }
#2 b after #0 at boxes.@.|Crate|.inner: Bag { weight }\
""")
    assert stages.optimised_fetch_graph == snapshot("""\
#0 a: Query { boxes { __typename ... on Bag { inner { __typename id } } ... on Crate { inner { __typename ... on Bag { id } } } } }
#1 b after #0 at boxes.@.|Bag,Crate|.inner: Bag { weight }\
""")


def test_mutation_has_a_group_for_each_run_of_fields() -> None:
    stages = explain_operation(
        load_supergraph("mutations"),
        parse('mutation { addProduct(name: "a") { rating } addCategory(name: "b") { id } }'),
    )
    assert stages.fetch_graph == snapshot("""\
group 0
#0 a: Mutation { addProduct(name: "a") { __typename id } }
#1 b after #0 at addProduct: Product { rating }
group 1
#0 b: Mutation { addCategory(name: "b") { id } }\
""")


def test_equal_response_keys_are_merged() -> None:
    assert normalised("entity-fetch", "{ orders { id } orders { product { id } product { name } } }") == snapshot("""\
query
  orders
    id
    product
      id
      name\
""")


def test_types_of_fragments_are_intersected() -> None:
    query = "{ nodes { id ... on Product { id ... on User { name } ... on Node { p: id } } } }"
    assert normalised("interface-of-entities", query) == snapshot("""\
query
  nodes
    id
    p: id [Product]\
""")


def test_arguments_are_sorted_and_block_strings_made_plain() -> None:
    query = 'query ($n: String) { find(filter: {name: $n}, color: RED) { id } x: find(color: RED, filter: {name: """a\n  "b" """}) { id } }'
    assert normalised("inaccessible-parts", query) == snapshot("""\
query
  find(color: RED, filter: {name: $n})
    id
  x: find(color: RED, filter: {name: "a\\n\\"b\\" "})
    id\
""")


def test_conditions_of_merged_fields_move_to_what_they_guard() -> None:
    query = """query ($p: Boolean!, $q: Boolean!) {
        orders { product @include(if: $p) { id name } product @skip(if: $q) { id price } }
    }"""
    assert normalised("entity-fetch", query) == snapshot("""\
query
  orders
    product if $p | !$q
      id
      name if $p
      price if !$q\
""")


def test_a_field_tells_the_defer_that_it_begins() -> None:
    query = """
      { orders { ... @defer(label: "a") { id product { id } } ... @defer { product { name ... @defer { price } } } } }
    """
    assert normalised("entity-fetch", query) == snapshot("""\
query
  orders
    id in defer 1
    product in defer 1 & 2
      id in defer 1
      name in defer 2
      price in defer 3\
""")


def test_what_is_also_wanted_without_defer_is_not_deferred() -> None:
    query = "{ orders { id ... @defer { id ... @defer { id } } } me { ... @defer(if: false) { id } } }"
    assert normalised("entity-fetch", query) == snapshot("""\
query
  orders
    id
  me
    id\
""")


def test_operation_is_found_by_name() -> None:
    document = "query A { me { id } } query B { orders { id } }"
    assert normalised("entity-fetch", document, "B") == snapshot("""\
query
  orders
    id\
""")


def test_unknown_operation_is_refused() -> None:
    supergraph = load_supergraph("entity-fetch")
    document = parse("query A { me { id } } query B { orders { id } }")
    with pytest.raises(PlanningError, match="the document has no operation C") as refused:
        plan_operation(supergraph, document, "C")
    assert refused.value.code == "UNKNOWN_OPERATION"
    with pytest.raises(PlanningError, match="2 operations, and no name says which"):
        plan_operation(supergraph, document, None)


def test_type_name_may_not_be_the_alias_of_another_field() -> None:
    with pytest.raises(PlanningError, match="name may not be called __typename") as refused:
        plan_operation(load_supergraph("entity-fetch"), parse("{ me { __typename: name } }"))
    assert refused.value.code == "RESERVED_ALIAS"


def test_equal_questions_get_equal_plans() -> None:
    supergraph = load_supergraph("interface-of-entities")
    query = "{ nodes { ... on User { name } ... on Product { name price maker { name } } } }"
    first = plan_operation(supergraph, parse(query))
    assert first == plan_operation(supergraph, parse(query))
    assert format_plan(first) == format_plan(plan_operation(supergraph, parse(query)))


def test_variable_of_the_name_of_representations_is_evaded() -> None:
    plan = plan_operation(
        load_supergraph("enums-and-inputs"),
        parse('query ($representations: Near) { find(by: {id: "1"}) { distance(to: $representations) } }'),
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { find(by: {id: "1"}) { __typename id } }
  Flatten(find.@)
    Fetch(b) { __typename id } => { ... on Item { distance(to: $representations) } }\
""")
    assert "query($_representations: [_Any!]!, $representations: Near)" in repr(plan)
    assert "representations_variable='_representations'" in repr(plan)
