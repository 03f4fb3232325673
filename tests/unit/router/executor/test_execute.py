import asyncio
from typing import Any

import pytest
from graphql import build_schema
from inline_snapshot import snapshot

from core.identity import Identity
from router.executor import ExecutionResult, Executor
from router.planner.plan import (
    Condition,
    EntityTarget,
    Fetch,
    Flatten,
    KeyRename,
    OperationKind,
    Parallel,
    RepresentationField,
    RepresentationFragment,
    Sequence,
)
from router.transports.base import (
    RequestContext,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphUnreachable,
)
from router.transports.fake import FakeTransport
from tests.unit.router.executor.plans import (
    API,
    PRODUCTS,
    TWO_PRODUCTS,
    WITH_STOCK,
    entities,
    entity_fetch,
    execute,
    failure,
    path,
    prepare,
    root_fetch,
    target,
)


async def test_one_entity_request_serves_all_objects() -> None:
    catalog, stock = FakeTransport([TWO_PRODUCTS]), FakeTransport([entities({"stock": 5}, {"stock": 6})])
    result = await execute("{ products { name stock } }", WITH_STOCK, {"catalog": catalog, "stock": stock})
    assert result == ExecutionResult({"products": [{"name": "Table", "stock": 5}, {"name": "Chair", "stock": 6}]})
    assert [request.variables for request in stock.requests] == [
        {"representations": [{"__typename": "Product", "id": "1"}, {"__typename": "Product", "id": "2"}]}
    ]
    assert len(catalog.requests) == 1


async def test_equal_objects_are_asked_about_once_and_null_ones_not_at_all() -> None:
    shelves = {
        "shelves": [
            [{"__typename": "Product", "id": "1"}, None, {"__typename": "Product", "id": "2"}],
            None,
            [{"__typename": "Product", "id": "1"}],
        ]
    }
    stock = FakeTransport([entities({"stock": 5}, {"stock": 6})])
    plan = Sequence(
        (
            root_fetch("catalog", "{shelves{__typename id}}"),
            entity_fetch("shelves.@", "stock", "...on Product{stock}", target("Product", "id")),
        )
    )
    result = await execute(
        "{ shelves { stock } }", plan, {"catalog": FakeTransport([{"data": shelves}]), "stock": stock}
    )
    assert result.data == {"shelves": [[{"stock": 5}, None, {"stock": 6}], None, [{"stock": 5}]]}
    assert result.errors == []
    assert stock.requests[0].variables["representations"] == [
        {"__typename": "Product", "id": "1"},
        {"__typename": "Product", "id": "2"},
    ]


async def test_nothing_is_requested_when_there_is_nobody_to_ask_about() -> None:
    stock = FakeTransport()
    result = await execute(
        "{ products { name stock } }",
        WITH_STOCK,
        {"catalog": FakeTransport([{"data": {"products": []}}]), "stock": stock},
    )
    assert result == ExecutionResult({"products": []})
    assert stock.requests == []


async def test_an_object_without_its_key_is_not_asked_about_and_its_other_fields_are_null() -> None:
    products = [{"__typename": "Product", "name": "Table"}, {"__typename": "Product", "id": "2", "name": "Chair"}]
    reviews = FakeTransport([entities({"reviews": []})])
    plan = Sequence(
        (PRODUCTS, entity_fetch("products.@", "reviews", "...on Product{reviews{id}}", target("Product", "id")))
    )
    result = await execute(
        "{ products { name reviews { id } } }",
        plan,
        {"catalog": FakeTransport([{"data": {"products": products}}]), "reviews": reviews},
    )
    assert result == ExecutionResult(
        {"products": [{"name": "Table", "reviews": None}, {"name": "Chair", "reviews": []}]}
    )
    assert reviews.requests[0].variables["representations"] == [{"__typename": "Product", "id": "2"}]


async def test_a_null_in_a_non_null_key_is_not_sent_but_a_null_in_a_nullable_one_is() -> None:
    products = [
        {"__typename": "Product", "id": None, "name": "Table"},
        {"__typename": "Product", "id": "2", "name": None},
    ]
    reviews = FakeTransport([entities({"reviews": []})])
    plan = Sequence(
        (PRODUCTS, entity_fetch("products.@", "reviews", "...on Product{reviews{id}}", target("Product", "id", "name")))
    )
    result = await execute(
        "{ products { reviews { id } } }",
        plan,
        {"catalog": FakeTransport([{"data": {"products": products}}]), "reviews": reviews},
    )
    assert result.data == {"products": [{"reviews": None}, {"reviews": []}]}
    assert reviews.requests[0].variables["representations"] == [{"__typename": "Product", "id": "2", "name": None}]


async def test_an_entity_that_the_subgraph_does_not_know_leaves_nulls_without_an_error() -> None:
    plan = Sequence(
        (PRODUCTS, entity_fetch("products.@", "reviews", "...on Product{reviews{id}}", target("Product", "id")))
    )
    result = await execute(
        "{ products { name reviews { id } } }",
        plan,
        {"catalog": FakeTransport([TWO_PRODUCTS]), "reviews": FakeTransport([entities(None, {"reviews": []})])},
    )
    assert result == ExecutionResult(
        {"products": [{"name": "Table", "reviews": None}, {"name": "Chair", "reviews": []}]}
    )


async def test_only_objects_of_the_asked_types_are_asked_about() -> None:
    hits = [{"__typename": "User", "id": "1"}, {"__typename": "Product", "id": "1"}]
    plan = Sequence(
        (
            root_fetch("catalog", "query($text:String!){search(text:$text){__typename ...on Node{id}}}", "text"),
            entity_fetch("search.@|Product", "stock", "...on Product{stock}", target("Product", "id")),
        )
    )
    catalog, stock = FakeTransport([{"data": {"search": hits}}]), FakeTransport([entities({"stock": 5})])
    result = await execute(
        "query($text: String!, $unused: Int) { search(text: $text) { __typename ... on Product { stock } } }",
        plan,
        {"catalog": catalog, "stock": stock},
        variables={"text": "a", "unused": 3},
    )
    assert result == ExecutionResult({"search": [{"__typename": "User"}, {"__typename": "Product", "stock": 5}]})
    assert catalog.requests[0].variables == {"text": "a"}
    assert stock.requests[0].variables == {"representations": [{"__typename": "Product", "id": "1"}]}


async def test_one_fetch_asks_about_several_types_under_the_names_that_the_subgraph_knows() -> None:
    hits = [{"__typename": "User", "id": "1"}, {"__typename": "Product", "id": "1"}]
    interface_object = EntityTarget(("Product", "User"), "Node", (RepresentationField("id", "id"),))
    plan = Sequence(
        (
            root_fetch("catalog", '{search(text:"a"){__typename ...on Node{id}}}'),
            entity_fetch("search.@", "names", "...on Node{name}", interface_object),
        )
    )
    names = FakeTransport([entities({"__typename": "Node", "name": "x"})])
    result = await execute(
        '{ search(text: "a") { __typename ... on Product { name } ... on User { name } } }',
        plan,
        {"catalog": FakeTransport([{"data": {"search": hits}}]), "names": names},
    )
    assert names.requests[0].variables == {"representations": [{"__typename": "Node", "id": "1"}]}
    assert result.data == {"search": [{"__typename": "User", "name": "x"}, {"__typename": "Product", "name": "x"}]}


async def test_the_concrete_type_of_an_interface_object_is_taken_from_the_subgraph_that_knows_it() -> None:
    node = EntityTarget(("Node",), "Node", (RepresentationField("id", "id"),))
    plan = Sequence(
        (
            root_fetch("ratings", '{node(id:"1"){__typename id}}'),
            entity_fetch("node", "catalog", "...on Node{__typename}", node),
            entity_fetch("node|Product", "ratings", "...on Product{__typename rating}", target("Product", "id")),
        )
    )
    ratings = FakeTransport(
        [{"data": {"node": {"__typename": "Node", "id": "1"}}}, entities({"__typename": "Node", "rating": 4.5})]
    )
    result = await execute(
        '{ node(id: "1") { __typename id ... on Product { rating } } }',
        plan,
        {"ratings": ratings, "catalog": FakeTransport([entities({"__typename": "Product"})])},
    )
    assert result == ExecutionResult({"node": {"__typename": "Product", "id": "1", "rating": 4.5}})


async def test_required_fields_are_copied_into_representations_with_lists_and_fragments() -> None:
    reviews = RepresentationField(
        "reviews",
        "_reviews",
        (
            RepresentationField("id", "id"),
            RepresentationField(
                "author", "author", (RepresentationFragment(("User",), (RepresentationField("name", "n"),)),)
            ),
        ),
    )
    product = EntityTarget(("Product",), "Product", (RepresentationField("id", "id"), reviews))
    plan = Sequence(
        (
            root_fetch("catalog", '{product(id:"1"){__typename id _reviews:reviews{id author{__typename n:name}}}}'),
            entity_fetch("product", "scores", "...on Product{rating}", product),
        )
    )
    scores = FakeTransport([entities({"rating": 4})])
    answer = {
        "product": {
            "__typename": "Product",
            "id": "1",
            "_reviews": [{"id": "r", "author": {"__typename": "User", "n": "Ada"}}, None],
        }
    }
    result = await execute(
        '{ product(id: "1") { rating } }', plan, {"catalog": FakeTransport([{"data": answer}]), "scores": scores}
    )
    assert result == ExecutionResult({"product": {"rating": 4}})
    assert scores.requests[0].variables == {
        "representations": [
            {"__typename": "Product", "id": "1", "reviews": [{"id": "r", "author": {"name": "Ada"}}, None]}
        ]
    }


async def test_parallel_requests_are_under_way_at_the_same_time() -> None:
    started: list[str] = []
    both_started = asyncio.Event()

    class Meeting(FakeTransport):
        async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
            started.append(request.document)
            if len(started) == 2:
                both_started.set()
            await both_started.wait()
            return await super().send(request, context)

    plan = Parallel((root_fetch("a", "{me{name}}"), root_fetch("b", "{status}")))
    result = await execute(
        "{ status me { name } }",
        plan,
        {"a": Meeting([{"data": {"me": {"name": "Ada"}}}]), "b": Meeting([{"data": {"status": "OPEN"}}])},
    )
    assert result == ExecutionResult({"status": "OPEN", "me": {"name": "Ada"}})


async def test_mutations_run_one_after_the_other_and_say_that_they_are_mutations() -> None:
    mutation = OperationKind.MUTATION
    catalog = FakeTransport([{"data": {"a": True}}, {"data": {"b": False}}])
    plan = Sequence(
        (
            root_fetch("catalog", 'mutation{a:remove(id:"1")}', kind=mutation),
            root_fetch("catalog", 'mutation{b:remove(id:"2")}', kind=mutation),
        )
    )
    result = await execute(
        'mutation { a: remove(id: "1") b: remove(id: "2") }', plan, {"catalog": catalog}, kind=mutation
    )
    assert result == ExecutionResult({"a": True, "b": False})
    assert [(request.document, request.is_mutation) for request in catalog.requests] == [
        ('mutation{a:remove(id:"1")}', True),
        ('mutation{b:remove(id:"2")}', True),
    ]


@pytest.mark.parametrize(("shown", "expected"), [(True, {"me": {"name": "Ada"}}), (False, {"status": "OPEN"})])
async def test_a_condition_chooses_what_is_fetched_and_what_is_answered(shown: bool, expected: dict[str, Any]) -> None:
    plan = Condition("shown", root_fetch("a", "{me{name}}"), root_fetch("b", "{status}"))
    a, b = FakeTransport([{"data": {"me": {"name": "Ada"}}}]), FakeTransport([{"data": {"status": "OPEN"}}])
    result = await execute(
        "query($shown: Boolean!) { me @include(if: $shown) { name } status @skip(if: $shown) }",
        plan,
        {"a": a, "b": b},
        variables={"shown": shown},
    )
    assert result == ExecutionResult(expected)
    assert (len(a.requests), len(b.requests)) == ((1, 0) if shown else (0, 1))


async def test_a_condition_without_a_branch_asks_nobody() -> None:
    plan = Condition("shown", root_fetch("a", "{me{name}}"), None)
    a = FakeTransport()
    result = await execute("query($shown: Boolean = false) { me @include(if: $shown) { name } }", plan, {"a": a})
    assert result == ExecutionResult({})
    assert a.requests == []


async def test_defaults_of_variables_are_sent_and_variables_without_a_value_are_not() -> None:
    catalog = FakeTransport([{"data": {"products": []}}])
    plan = root_fetch("catalog", "query($first:Int,$x:Int){products(first:$first){id} }", "first", "x")
    await execute("query($first: Int = 7, $x: Int) { products(first: $first) { id } }", plan, {"catalog": catalog})
    assert catalog.requests[0].variables == {"first": 7}


async def test_a_variable_of_the_wrong_type_is_refused_before_anybody_is_asked() -> None:
    catalog = FakeTransport()
    plan = root_fetch("catalog", "query($first:Int){products(first:$first){id}}", "first")
    result = await execute(
        "query($first: Int!, $id: ID) { products(first: $first) { id } }",
        plan,
        {"catalog": catalog},
        variables={"first": "many", "id": 3},
    )
    assert result.to_response() == snapshot(
        {
            "errors": [
                {
                    "message": "Variable '$first' has invalid value: Int cannot represent non-integer value: 'many'",
                    "extensions": {"code": "BAD_USER_INPUT"},
                    "locations": [{"line": 1, "column": 7}],
                }
            ]
        }
    )
    assert catalog.requests == []


async def test_a_condition_that_is_null_is_refused() -> None:
    result = await execute(
        "query($shown: Boolean = true) { status @include(if: $shown) }", None, {}, variables={"shown": None}
    )
    assert result.to_response() == {
        "errors": [
            {
                "message": "Variable '$shown' decides a condition and must not be null.",
                "extensions": {"code": "BAD_USER_INPUT"},
            }
        ]
    }


async def test_the_context_of_the_request_reaches_every_subgraph() -> None:
    catalog, stock = FakeTransport([TWO_PRODUCTS]), FakeTransport([entities({"stock": 5}, {"stock": 6})])
    context = RequestContext(Identity("u1"), "request-1", {"traceparent": "t"})
    await execute("{ products { stock } }", WITH_STOCK, {"catalog": catalog, "stock": stock}, context=context)
    assert [request.context for request in [*catalog.requests, *stock.requests]] == [context, context]


async def test_objects_that_share_a_representation_never_share_what_is_fetched_for_one_of_them_only() -> None:
    # both hits have the same maker; only the product's is asked for its country later on
    hits = [
        {"__typename": "Product", "id": "1", "owner": {"__typename": "Org", "id": "o"}},
        {"__typename": "Service", "id": "2", "owner": {"__typename": "Org", "id": "o"}},
    ]
    api = build_schema(
        """
        type Query { search: [Hit!]! }
        union Hit = Product | Service
        type Product { id: ID! owner: Org }
        type Service { id: ID! owner: Org }
        type Org { id: ID! boss: Boss }
        type Boss { id: ID! label(style: String): String }
        """
    )
    plan = Sequence(
        (
            root_fetch(
                "a", "{search{__typename ...on Product{id owner{__typename id}}...on Service{id owner{__typename id}}}}"
            ),
            entity_fetch("search.@.owner", "b", "...on Org{boss{__typename id}}", target("Org", "id")),
            entity_fetch("search.@|Product.owner.boss", "c", '...on Boss{x:label(style:"p")}', target("Boss", "id")),
            entity_fetch("search.@|Service.owner.boss", "c", '...on Boss{x:label(style:"s")}', target("Boss", "id")),
        )
    )
    b = FakeTransport([entities({"boss": {"__typename": "Boss", "id": "7"}})])
    c = FakeTransport([entities({"x": "for products"}), entities({"x": "for services"})])
    result = await execute(
        """{ search { ... on Product { owner { boss { x: label(style: "p") } } }
                      ... on Service { owner { boss { x: label(style: "s") } } } } }""",
        plan,
        {"a": FakeTransport([{"data": {"search": hits}}]), "b": b, "c": c},
        api=api,
    )
    assert result == ExecutionResult(
        {
            "search": [
                {"owner": {"boss": {"x": "for products"}}},
                {"owner": {"boss": {"x": "for services"}}},
            ]
        }
    )
    assert (len(b.requests), len(c.requests)) == (1, 2)


async def test_lists_of_two_subgraphs_are_merged_item_by_item() -> None:
    plan = Parallel((root_fetch("a", "{products{name}}"), root_fetch("b", "{products{price}}")))
    result = await execute(
        "{ products { price name } }",
        plan,
        {
            "a": FakeTransport([{"data": {"products": [{"name": "Table"}, {"name": "Chair"}]}}]),
            "b": FakeTransport([{"data": {"products": [{"price": 1}, {"price": 2}]}}]),
        },
    )
    assert result == ExecutionResult({"products": [{"price": 1, "name": "Table"}, {"price": 2, "name": "Chair"}]})


async def test_values_fetched_under_another_key_are_moved_to_the_clients() -> None:
    # at the root, in a list, and in an entity; the paths of errors move along
    root = Fetch(
        "catalog",
        OperationKind.QUERY,
        "{_m:me{id} search{__typename id _n:name}}",
        renames=(KeyRename((), "_m", "me"), KeyRename(path("search.@|User"), "_n", "x")),
    )
    names = Fetch(
        "names",
        OperationKind.QUERY,
        "query($r:[_Any!]!){_entities(representations:$r){...on Product{_t:name}}}",
        targets=(target("Product", "id"),),
        renames=(KeyRename((), "_t", "x"),),
        representations_variable="r",
    )
    hits = [{"__typename": "User", "id": "1", "_n": "Ada"}, {"__typename": "Product", "id": "2", "_n": "unmoved"}]
    catalog = FakeTransport([{"data": {"_m": None, "search": hits}, "errors": [{"message": "no me", "path": ["_m"]}]}])
    entity = {"data": {"_entities": [{"_t": None}]}, "errors": [{"message": "no x", "path": ["_entities", 0, "_t"]}]}
    transport = FakeTransport([entity])
    result = await execute(
        """{ me { id } search(text: "a") { ... on User { x: name } ... on Product { x: name } } }""",
        Sequence((root, Flatten(path("search.@|Product"), names))),
        {"catalog": catalog, "names": transport},
    )
    assert result.data == {"me": None, "search": [{"x": "Ada"}, {"x": None}]}
    assert [(error["message"], error["path"]) for error in result.errors] == [
        ("no me", ["me"]),
        ("no x", ["search", 1, "x"]),
    ]
    assert transport.requests[0].variables == {"r": [{"__typename": "Product", "id": "2"}]}


PAYLOADS = build_schema("type Query { payloads: [Payload!]! status: String must: Int! } type Payload { query: Query }")
BELOW = Sequence(
    (
        root_fetch("a", "{payloads{query{__typename}}}"),
        Flatten(path("payloads.@.query"), root_fetch("b", "{status must}")),
    )
)
TWO_PAYLOADS = {
    "data": {"payloads": [{"query": {"__typename": "Query"}}, {"query": None}, {"query": {"__typename": "Query"}}]}
}


async def test_a_root_fetch_below_the_root_is_sent_once_and_answers_every_place() -> None:
    b = FakeTransport([{"data": {"status": "x", "must": 1}}])
    result = await execute(
        "{ payloads { query { status must } } }", BELOW, {"a": FakeTransport([TWO_PAYLOADS]), "b": b}, api=PAYLOADS
    )
    whole = {"query": {"status": "x", "must": 1}}
    assert result == ExecutionResult({"payloads": [whole, {"query": None}, whole]})
    assert len(b.requests) == 1


async def test_an_error_of_a_root_fetch_below_the_root_stands_at_every_place() -> None:
    answer = {"data": None, "errors": [{"message": "no", "path": ["must"]}]}
    result = await execute(
        "{ payloads { query { status must } } }",
        BELOW,
        {"a": FakeTransport([TWO_PAYLOADS]), "b": FakeTransport([answer])},
        api=PAYLOADS,
    )
    assert result.data == {"payloads": [{"query": None}] * 3}
    assert [error["path"] for error in result.errors] == [
        ["payloads", 0, "query", "must"],
        ["payloads", 2, "query", "must"],
    ]
    down = await execute(
        "{ payloads { query { status } } }",
        BELOW,
        {"a": FakeTransport([TWO_PAYLOADS]), "b": FakeTransport([SubgraphUnreachable("down")])},
        api=PAYLOADS,
    )
    assert down.data == {"payloads": [{"query": {"status": None}}, {"query": None}, {"query": {"status": None}}]}
    assert down.errors[0] == failure("b", "payloads", 0, "query", "status")


async def test_a_root_fetch_below_the_root_is_not_sent_when_nobody_is_there() -> None:
    b = FakeTransport()
    result = await execute(
        "{ payloads { query { status } } }",
        BELOW,
        {"a": FakeTransport([{"data": {"payloads": [{"query": None}]}}]), "b": b},
        api=PAYLOADS,
    )
    assert result == ExecutionResult({"payloads": [{"query": None}]})
    assert b.requests == []


async def test_a_prepared_operation_serves_many_requests_at_once() -> None:
    prepared = prepare("{ products { name stock } }", WITH_STOCK)

    def stock(request: SubgraphRequest) -> dict[str, Any]:
        return entities(*({"stock": int(each["id"])} for each in request.variables["representations"]))

    executor = Executor(API, {"catalog": FakeTransport(lambda _: TWO_PRODUCTS), "stock": FakeTransport(stock)})
    results = await asyncio.gather(*(executor.execute(prepared, {}, RequestContext()) for _ in range(20)))
    assert (
        results == [ExecutionResult({"products": [{"name": "Table", "stock": 1}, {"name": "Chair", "stock": 2}]})] * 20
    )
    objects = [result.data["products"][0] for result in results if result.data]
    assert len({id(each) for each in objects}) == 20


def test_a_fetch_is_named_as_an_operation_when_the_plan_names_it() -> None:
    fetch = Fetch("a", OperationKind.QUERY, "query X{status}", operation_name="X")
    a = FakeTransport([{"data": {"status": "OPEN"}}])
    asyncio.run(execute("{ status }", fetch, {"a": a}))
    assert a.requests[0].operation_name == "X"
