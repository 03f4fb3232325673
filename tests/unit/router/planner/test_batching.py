# ruff: noqa: E501 - a plan has a request a line, whatever its length
"""Entity fetches to one subgraph share a request where that costs no waiting."""

from functools import cache

import pytest
from graphql import parse, validate
from inline_snapshot import snapshot

from benchmarks.workload import SUBGRAPH_SDL, WORKLOADS, Workload
from router.composition import SubgraphSchema, compose
from router.planner import Plan, count_fetches, explain_operation, format_plan, measure_depth, plan_operation
from router.planner.plan import BatchFetch, Sequence
from router.supergraph import Supergraph, read_supergraph
from tests.testkit.federation.graph import FEDERATION_LINK
from tests.unit.router.planner.conftest import PlanFor, prove
from tests.unit.router.planner.generated_world import World

CHAIN = {
    "a": 'type Query { x: X y: Y } type X @key(fields: "id") { id: ID! } type Y @key(fields: "id") { id: ID! }',
    "b": 'type X @key(fields: "id") { id: ID! name: String }',
    "c": 'type X @key(fields: "id") { id: ID! name: String @external shout: String @requires(fields: "name") }',
    "d": 'type Y @key(fields: "id") { id: ID! x: X } type X @key(fields: "id") { id: ID! }',
}


@cache
def compose_supergraph(name: str) -> Supergraph:
    sdl = SUBGRAPH_SDL if name == "market" else {each: FEDERATION_LINK + text for each, text in CHAIN.items()}
    composed = compose([SubgraphSchema(each, text) for each, text in sdl.items()])
    assert composed.supergraph_sdl is not None, composed.errors
    return read_supergraph(composed.supergraph_sdl)


def proved_plan(name: str, query: str, **variables: bool) -> Plan:
    """Return the plan of an operation, run over a generated world with the answer of one schema."""
    supergraph = compose_supergraph(name)
    document = parse(query)
    assert validate(supergraph.api_schema, document) == []
    plan = plan_operation(supergraph, document)
    prove(World(supergraph, frozenset()), plan, query, variables)
    return plan


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_operations_of_the_benchmark_need_no_more_requests_than_possible(workload: Workload) -> None:
    plan = proved_plan("market", workload.document)
    assert (count_fetches(plan.root), measure_depth(plan.root)) == {"heavy": (6, 4), "light": (3, 3)}[workload.name]
    assert workload.best_requests is not None
    assert count_fetches(plan.root) <= workload.best_requests


def test_steps_that_ask_the_same_at_different_paths_are_one_selection() -> None:
    plan = proved_plan("chain", "{ x { name } again: x { name } y { x { name } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { x { __typename id } again: x { __typename id } y { __typename id } }
  Flatten(y)
    Fetch(d) { __typename id } => { ... on Y { x { __typename id } } }
  BatchFetch(b)
    Flatten(x, again, y.x) { __typename id } => { ... on X { name } }\
""")
    assert (count_fetches(plan.root), measure_depth(plan.root)) == snapshot((3, 3))


def test_steps_that_ask_differently_are_selections_of_one_request() -> None:
    plan = proved_plan("market", "{ me { reviews { id } } topProducts { reviews { body } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Parallel
    Fetch(users) { me { __typename id } }
    Fetch(products) { topProducts { __typename upc } }
  BatchFetch(reviews)
    Flatten(me) { __typename id } => { ... on User { reviews { id } } }
    Flatten(topProducts.@) { __typename upc } => { ... on Product { reviews { body } } }\
""")
    assert isinstance(plan.root, Sequence)
    batch = plan.root.nodes[1]
    assert isinstance(batch, BatchFetch)
    assert batch.document == snapshot(
        "query($r0: [_Any!]!, $r1: [_Any!]!) { _e0: _entities(representations: $r0) { ... on User { reviews { id } } } _e1: _entities(representations: $r1) { ... on Product { reviews { body } } } }"
    )


def test_step_on_no_critical_path_is_delayed_to_a_later_request_that_asks_the_same() -> None:
    stages = explain_operation(compose_supergraph("chain"), parse("{ x { name shout } y { x { name shout } } }"))
    assert stages.fetch_graph == snapshot("""\
#0 a: Query { x { __typename id } y { __typename id } }
#1 b after #0 at x: X { name }
#2 c after #0, #1 at x: X { shout }
#3 d after #0 at y: Y { x { __typename id } }
#4 b after #3 at y.x: X { name }
#5 c after #3, #4 at y.x: X { shout }\
""")
    assert stages.optimised_fetch_graph == snapshot("""\
#0 a: Query { x { __typename id } y { __typename id } }
#1 b after #3 at x: X { name }
  with #4 at y.x: X { name }
#2 c after #1 at x: X { shout }
  with #5 at y.x: X { shout }
#3 d after #0 at y: Y { x { __typename id } }\
""")
    plan = proved_plan("chain", "{ x { name shout } y { x { name shout } } }")
    assert (count_fetches(plan.root), measure_depth(plan.root)) == snapshot((4, 4))


def test_step_that_another_waits_for_is_not_delayed() -> None:
    plan = proved_plan("chain", "{ x { name shout } y { x { name } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { x { __typename id } y { __typename id } }
  Parallel
    Sequence
      Flatten(x)
        Fetch(b) { __typename id } => { ... on X { name } }
      Flatten(x)
        Fetch(c) { __typename id name } => { ... on X { shout } }
    Sequence
      Flatten(y)
        Fetch(d) { __typename id } => { ... on Y { x { __typename id } } }
      Flatten(y.x)
        Fetch(b) { __typename id } => { ... on X { name } }\
""")
    assert (count_fetches(plan.root), measure_depth(plan.root)) == snapshot((5, 3))


def test_step_is_not_delayed_to_a_later_request_that_asks_something_else() -> None:
    plan = proved_plan("market", "{ topProducts { inStock reviews { product { inStock shippingEstimate } } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(products) { topProducts { __typename upc } }
  Parallel
    Flatten(topProducts.@)
      Fetch(inventory) { __typename upc } => { ... on Product { inStock } }
    Sequence
      Flatten(topProducts.@)
        Fetch(reviews) { __typename upc } => { ... on Product { reviews { product { __typename upc } } } }
      Flatten(topProducts.@.reviews.@.product)
        Fetch(products) { __typename upc } => { ... on Product { price weight } }
      Flatten(topProducts.@.reviews.@.product)
        Fetch(inventory) { __typename upc price weight } => { ... on Product { inStock shippingEstimate } }\
""")
    assert (count_fetches(plan.root), measure_depth(plan.root)) == snapshot((5, 4))


@pytest.mark.parametrize("p", [True, False])
def test_step_is_not_delayed_to_a_later_request_that_may_not_be_made(p: bool) -> None:
    plan = proved_plan("chain", "query ($p: Boolean!) { x { name } y { x { name @include(if: $p) } } }", p=p)
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { x { __typename id } y { __typename id } }
  Parallel
    Flatten(x)
      Fetch(b) { __typename id } => { ... on X { name } }
    Sequence
      Flatten(y)
        Fetch(d) { __typename id } => { ... on Y { x { __typename id } } }
      If($p)
        Flatten(y.x)
          Fetch(b) { __typename id } => { ... on X { name } }\
""")


@pytest.mark.parametrize("p", [True, False])
@pytest.mark.parametrize("q", [True, False])
def test_parts_keep_their_own_conditions_and_a_shared_one_decides_about_the_request(p: bool, q: bool) -> None:
    query = "query ($p: Boolean!, $q: Boolean!) {{ me {{ reviews @include(if: $p) {{ id }} }} topProducts {{ reviews @skip(if: ${}) {{ body }} }} }}"
    plan = proved_plan("market", query.format("q"), p=p, q=q)
    assert format_plan(plan) == snapshot("""\
Sequence
  Parallel
    Fetch(users) { me { __typename id } }
    Fetch(products) { topProducts { __typename upc } }
  BatchFetch(reviews)
    Flatten(me) if $p { __typename id } => { ... on User { reviews { id } } }
    Flatten(topProducts.@) if !$q { __typename upc } => { ... on Product { reviews { body } } }\
""")
    query = "query ($p: Boolean!) { me { reviews @include(if: $p) { id } } topProducts { reviews @include(if: $p) { body } } }"
    assert format_plan(proved_plan("market", query, p=p)) == snapshot("""\
Sequence
  Parallel
    Fetch(users) { me { __typename id } }
    Fetch(products) { topProducts { __typename upc } }
  If($p)
    BatchFetch(reviews)
      Flatten(me) { __typename id } => { ... on User { reviews { id } } }
      Flatten(topProducts.@) { __typename upc } => { ... on Product { reviews { body } } }\
""")


def test_variables_of_the_client_keep_their_names() -> None:
    query = "query ($r0: Boolean!, $representations: Boolean!) { me { reviews { id @include(if: $r0) } } topProducts { reviews { body @skip(if: $representations) } } }"
    plan = proved_plan("market", query, r0=True, representations=False)
    assert isinstance(plan.root, Sequence)
    batch = plan.root.nodes[1]
    assert isinstance(batch, BatchFetch)
    assert [part.representations_variable for part in batch.parts] == ["_r0", "r1"]
    assert batch.variables == ("r0", "representations")


def test_mutations_batch_what_follows_one_field_and_never_across_fields(plan_for: PlanFor) -> None:
    plan = plan_for("mutations", 'mutation { x: addProduct(name: "a") { rating } y: addProduct(name: "b") { rating } }')
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) mutation { x: addProduct(name: "a") { __typename id } y: addProduct(name: "b") { __typename id } }
  BatchFetch(b)
    Flatten(x, y) { __typename id } => { ... on Product { rating } }\
""")
    plan = plan_for(
        "mutations",
        'mutation { x: addProduct(name: "a") { rating } addCategory(name: "c") { id } y: addProduct(name: "b") { rating } }',
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) mutation { x: addProduct(name: "a") { __typename id } }
  Flatten(x)
    Fetch(b) { __typename id } => { ... on Product { rating } }
  Fetch(b) mutation { addCategory(name: "c") { id } }
  Fetch(a) mutation { y: addProduct(name: "b") { __typename id } }
  Flatten(y)
    Fetch(b) { __typename id } => { ... on Product { rating } }\
""")
    assert count_fetches(plan.root) == 5


def test_batches_of_many_steps_are_one_request() -> None:
    fields = " ".join(f"x{number}: x {{ name }}" for number in range(1500))
    plan = plan_operation(compose_supergraph("chain"), parse(f"{{ {fields} y {{ x {{ name }} }} }}"))
    assert (count_fetches(plan.root), measure_depth(plan.root)) == (3, 3)


def test_plan_is_no_deeper_than_the_longest_chain_of_its_steps() -> None:
    query = "{ me { reviews { product { name } } } topProducts { inStock reviews { body } } }"
    plan = proved_plan("market", query)
    # The reviews wait for both roots; if they also waited for what follows the products, it would be four.
    assert format_plan(plan) == snapshot("""\
Sequence
  Parallel
    Fetch(users) { me { __typename id } }
    Fetch(products) { topProducts { __typename upc } }
  Parallel
    Sequence
      BatchFetch(reviews)
        Flatten(me) { __typename id } => { ... on User { reviews { product { __typename upc } } } }
        Flatten(topProducts.@) { __typename upc } => { ... on Product { reviews { body } } }
      Flatten(me.reviews.@.product)
        Fetch(products) { __typename upc } => { ... on Product { name } }
    Flatten(topProducts.@)
      Fetch(inventory) { __typename upc } => { ... on Product { inStock } }\
""")
    assert (count_fetches(plan.root), measure_depth(plan.root)) == snapshot((5, 3))
