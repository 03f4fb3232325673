"""The executor behind the real planner, over subgraphs that obey their SDL: answers and numbers of requests."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
import strawberry
from aiohttp import web
from graphql import ExecutionResult as GraphQLResult
from graphql import execute_sync, parse
from strawberry.federation.schema import Schema

from benchmarks.workload import SUBGRAPH_SDL, WORKLOADS, Workload, executable_subgraph, resolve_as_monolith
from router.composition import SubgraphSchema, compose
from router.executor import ExecutionResult, Executor, prepare_operation
from router.planner import plan_operation
from router.supergraph import read_supergraph
from router.transports.base import RequestContext, SubgraphRequest, SubgraphUnreachable
from router.transports.dedupe import DedupingTransport
from router.transports.http import HttpTransport, SubgraphSession
from router.transports.in_process import InProcessTransport
from tests.testkit.federation.fixtures import FIXTURES
from tests.testkit.federation.graph import FederatedGraph, compose_graph
from tests.testkit.federation.subgraph import FakeSubgraph
from tests.testkit.federation.world import FieldFailure, LookUp
from tests.unit.router.transports.servers import Handler, serving

SHOP: Mapping[str, Mapping[str, Any]] = {
    "Query": {
        "me": "@User:1",
        "users": ["@User:1", "@User:2"],
        "topProducts": ["@Product:a", None, "@Product:b"],
        "product": LookUp("Product"),
        "latest": ["@Review:1", "@Review:2", "@Review:3"],
    },
    "User": {
        "1": {"id": "1", "name": "Ada", "username": "ada", "reviews": ["@Review:1", "@Review:2"]},
        "2": {"id": "2", "name": None, "username": "bob", "reviews": None},
    },
    "Product": {
        "a": {"upc": "a", "name": "Table", "price": 10, "label": "oak", "reviews": ["@Review:1"], "score": 1.5},
        "b": {
            "upc": "b",
            "name": "Chair",
            "price": None,
            "label": "ash",
            "reviews": [],
            "score": FieldFailure("no score"),
        },
    },
    "Review": {
        "1": {"id": "1", "body": "good", "author": "@User:1", "product": "@Product:a", "stars": 5},
        "2": {"id": "2", "body": "bad", "author": "@User:1", "product": "@Product:b", "stars": 1},
        "3": {"id": "3", "body": None, "author": "@User:2", "product": "@Product:a", "stars": 3},
    },
}


@pytest.fixture
def shop() -> FederatedGraph:
    return compose_graph(FIXTURES["entities-of-three-subgraphs"], SHOP)


async def test_objects_of_a_list_cost_one_request_per_subgraph_however_many_they_are(shop: FederatedGraph) -> None:
    asked = await shop.ask("{ latest { body author { name username } product { name price } } }")
    assert asked.router == asked.monolith
    assert asked.requests == {"accounts": 1, "products": 1, "reviews": 1}
    [sent] = shop.subgraphs["accounts"].requests
    assert sent.variables["representations"] == [
        {"__typename": "User", "id": "1"},
        {"__typename": "User", "id": "2"},
    ]


async def test_aliases_arguments_and_variables_reach_the_subgraph_that_owns_the_field(shop: FederatedGraph) -> None:
    asked = await shop.ask(
        'query($style: String) { latest { product { a: label(style: $style) b: label(style: "x") c: label } } }',
        {"style": "y"},
    )
    assert asked.violations == ()
    assert asked.router == asked.monolith
    assert asked.router.data["latest"][0]["product"] == {
        "a": 'oak{"style": "y"}',
        "b": 'oak{"style": "x"}',
        "c": "oak",
    }


@pytest.mark.parametrize("holding", [None, 0, 4])
async def test_a_request_under_many_conditions_is_made_when_one_holds(
    shop: FederatedGraph, holding: int | None
) -> None:
    variables = {f"{name}{i}": (i == holding) == (name == "a") for name in "ab" for i in range(5)}
    fields = " ".join(f"... @include(if: $a{i}) {{ n{i}: name @skip(if: $b{i}) }}" for i in range(5))
    definitions = ", ".join(f"${name}: Boolean!" for name in variables)
    asked = await shop.ask(f"query ({definitions}) {{ latest {{ product {{ upc {fields} }} }} }}", variables)
    assert asked.violations == ()
    assert asked.router == asked.monolith
    assert asked.requests == ({"reviews": 1} if holding is None else {"products": 1, "reviews": 1})


async def test_an_error_of_one_object_stands_at_its_places_and_takes_only_its_parents(shop: FederatedGraph) -> None:
    asked = await shop.ask("{ topProducts(first: 5) { name score } latest { product { score } } }")
    assert asked.router == asked.monolith
    assert asked.router.data == {
        "topProducts": [{"name": "Table", "score": 1.5}, None, None],
        "latest": [{"product": {"score": 1.5}}, {"product": None}, {"product": {"score": 1.5}}],
    }
    assert asked.router.errors == (("latest", 1, "product", "score"), ("topProducts", 2, "score"))
    assert [error["extensions"] for error in asked.result.errors] == [
        {"code": "FIELD_FAILED", "serviceName": "reviews"}
    ] * 2


async def test_a_subgraph_that_is_down_costs_its_own_fields_only(shop: FederatedGraph) -> None:
    shop.subgraphs["products"].failure = SubgraphUnreachable("10.0.0.7 refused")
    asked = await shop.ask('{ me { username reviews { body product { upc price } } } product(upc: "a") { price } }')
    assert asked.router.data == {
        "me": {
            "username": "ada",
            "reviews": [
                {"body": "good", "product": {"upc": "a", "price": None}},
                {"body": "bad", "product": {"upc": "b", "price": None}},
            ],
        },
        "product": None,
    }
    assert [(error["path"], error["extensions"]) for error in asked.result.errors] == [
        (["me", "reviews"], {"code": "SUBREQUEST_HTTP_ERROR", "serviceName": "products"}),
        (["product"], {"code": "SUBREQUEST_HTTP_ERROR", "serviceName": "products"}),
    ]
    assert "10.0.0.7" not in repr(asked.result)


async def test_mutations_are_carried_out_in_the_order_of_the_operation() -> None:
    graph = compose_graph(
        FIXTURES["mutations"],
        {
            "Mutation": {"place": "@Order:1", "cancel": "@Order:1", "rename": "@Product:1", "touch": True},
            "Order": {"1": {"id": "1", "state": "PLACED", "product": "@Product:1"}},
            "Product": {"1": {"id": "1", "name": "Table", "price": 5}},
        },
    )
    asked = await graph.ask(
        'mutation { b: touch place(product: "1") { product { name } } a: rename(name: "x") { name } cancel { state } }'
    )
    assert asked.router == asked.monolith
    order = ["b", "place", "a", "cancel"]
    assert graph.world.mutated == order * 2  # by the router, then by the monolith
    assert asked.requests["products"] == 3


@pytest.mark.parametrize(
    ("workload", "requests"),
    [
        (WORKLOADS[0], {"inventory": 1, "products": 2, "reviews": 1, "users": 2}),
        (WORKLOADS[1], {"products": 1, "reviews": 1, "users": 1}),
    ],
    ids=["heavy", "light"],
)
async def test_benchmark_operation_asks_for_each_entity_once_however_often_it_occurs(
    workload: Workload, requests: Mapping[str, int]
) -> None:
    composed = compose([SubgraphSchema(name, sdl) for name, sdl in SUBGRAPH_SDL.items()])
    assert composed.supergraph_sdl is not None, composed.errors
    supergraph = read_supergraph(composed.supergraph_sdl)
    asked: list[tuple[str, Mapping[str, Any]]] = []

    def serve(name: str) -> InProcessTransport:
        schema = executable_subgraph(name)

        async def answer(request: SubgraphRequest, _: RequestContext) -> dict[str, Any]:
            asked.append((name, request.variables))
            result = execute_sync(schema, parse(request.document), variable_values=dict(request.variables))
            assert isinstance(result, GraphQLResult)
            assert result.errors is None
            return {"data": result.data}

        return InProcessTransport(answer)

    executor = Executor(supergraph.api_schema, {name: serve(name) for name in SUBGRAPH_SDL})
    document = parse(workload.document)
    prepared = prepare_operation(supergraph.api_schema, plan_operation(supergraph, document), document, None)
    result = await executor.execute(prepared, {}, RequestContext())
    assert result.to_response() == resolve_as_monolith(workload.document)
    assert Counter(name for name, _ in asked) == requests
    for _, variables in asked:
        for representations in variables.values():
            sent = [str(sorted(each.items())) for each in representations]
            assert len(sent) == len(set(sent))


# --- the fakes are as strict as they claim


async def ask_subgraph(graph: FederatedGraph, name: str, document: str, **variables: Any) -> Mapping[str, Any]:
    return await graph.subgraphs[name].execute(SubgraphRequest(document, variables), RequestContext())


ENTITIES = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { estimate price } } }"
REQUIRES: Mapping[str, Mapping[str, Any]] = {
    "Query": {"product": "@Product:1"},
    "Product": {"1": {"id": "1", "price": 10, "weight": 3, "estimate": 7, "size": None, "box": None}},
}


@pytest.mark.parametrize(
    ("document", "representation", "violation"),
    [
        ("{ products { id } }", None, "Cannot query field 'products'"),
        (ENTITIES, {"__typename": "Product"}, "no resolvable key"),
        (ENTITIES, {"__typename": "Nothing", "id": "1"}, "no entity Nothing"),
        (ENTITIES, {"__typename": "Product", "id": "1"}, "requires price = 10"),
        (ENTITIES, {"__typename": "Product", "id": "1", "price": 9, "weight": 3}, "requires price = 10"),
        (ENTITIES, {"__typename": "Product", "id": "1", "price": 10, "weight": 3}, "Product.price is external"),
    ],
    ids=["unknown field", "no key", "unknown type", "missing requirement", "wrong requirement", "external field"],
)
async def test_a_fake_subgraph_refuses_what_a_real_one_could_not_answer(
    document: str, representation: Any, violation: str
) -> None:
    graph = compose_graph(FIXTURES["requires"], REQUIRES)
    variables = {} if representation is None else {"r": [representation]}
    answer = await ask_subgraph(graph, "shipping", document, **variables)
    assert answer["errors"]
    assert violation in graph.subgraphs["shipping"].violations[0]


async def test_a_fake_subgraph_answers_what_it_was_given_enough_for() -> None:
    graph = compose_graph(FIXTURES["requires"], REQUIRES)
    document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { estimate } } }"
    known = {"__typename": "Product", "id": "1", "price": 10, "weight": 3}
    unknown = {**known, "id": "2"}
    answer = await ask_subgraph(graph, "shipping", document, r=[known, unknown])
    assert answer == {"data": {"_entities": [{"estimate": 7}, None]}}
    assert graph.subgraphs["shipping"].violations == []


# --- over HTTP


async def test_the_answer_over_http_is_the_one_in_process(shop: FederatedGraph) -> None:
    query = "query($n: Int) { topProducts(first: $n) { name score reviews { body } } latest { author { username } } }"
    in_process = await shop.ask(query, {"n": 3})

    def serve(subgraph: FakeSubgraph) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            body = await request.json()
            answer = await subgraph.execute(SubgraphRequest(body["query"], body.get("variables", {})), RequestContext())
            return web.json_response(answer)

        return handle

    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(SubgraphSession())
        transports = {}
        for name, subgraph in shop.subgraphs.items():
            server = await stack.enter_async_context(serving(serve(subgraph)))
            transports[name] = DedupingTransport(HttpTransport(name, (server.url,), session))
        executor = Executor(shop.supergraph.api_schema, transports)
        results = await asyncio.gather(
            *(executor.execute(shop.prepare(parse(query)), {"n": 3}, RequestContext()) for _ in range(3))
        )
    assert in_process.router == in_process.monolith
    assert results == [in_process.result] * 3


# --- a Strawberry subgraph, in process


async def test_strawberry_subgraphs_take_representations_apart_without_harm_to_the_router() -> None:
    seen: list[dict[str, Any]] = []

    @strawberry.federation.type(keys=["id"])
    class Product:
        id: strawberry.ID
        stock: int

        @classmethod
        def resolve_reference(cls, **reference: Any) -> "Product":
            seen.append(reference)
            return cls(id=reference["id"], stock=int(reference["id"]) * 10)

    @strawberry.type
    class StockQuery:
        ready: bool = True

    stock = Schema(query=StockQuery, types=[Product])
    catalog_sdl = 'type Query { products: [Product!]! } type Product @key(fields: "id") { id: ID! name: String }'
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n'
    composed = compose([SubgraphSchema("catalog", link + catalog_sdl), SubgraphSchema("stock", stock.as_str())])
    assert composed.supergraph_sdl is not None, composed.errors
    supergraph = read_supergraph(composed.supergraph_sdl)

    def run(schema: Schema) -> Callable[[SubgraphRequest, RequestContext], Awaitable[dict[str, Any]]]:
        async def execute(request: SubgraphRequest, _: RequestContext) -> dict[str, Any]:
            result = await schema.execute(request.document, dict(request.variables))
            return {"data": result.data, "errors": [error.formatted for error in result.errors or ()]}

        return execute

    async def catalog(_request: SubgraphRequest, _: RequestContext) -> dict[str, Any]:
        products = [{"__typename": "Product", "id": number, "name": f"p{number}"} for number in ("1", "2", "1")]
        return {"data": {"products": products}}

    document = parse("{ products { __typename id name stock } }")
    prepared = prepare_operation(supergraph.api_schema, plan_operation(supergraph, document), document, None)
    executor = Executor(
        supergraph.api_schema, {"catalog": InProcessTransport(catalog), "stock": InProcessTransport(run(stock))}
    )
    results = await asyncio.gather(*(executor.execute(prepared, {}, RequestContext()) for _ in range(2)))
    expected = [
        {"__typename": "Product", "id": number, "name": f"p{number}", "stock": int(number) * 10}
        for number in ("1", "2", "1")
    ]
    assert results == [ExecutionResult({"products": expected})] * 2
    assert [reference["id"] for reference in seen] == ["1", "2", "1", "2"]
