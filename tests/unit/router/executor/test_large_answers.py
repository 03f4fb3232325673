"""Answers that are too large to stand in memory as objects, from the transport to the response."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from router.app import build_app
from router.config import RouterConfig
from router.exchange import Answer, Caller, GraphQLRequest
from router.executor import ExecutionResult
from router.executor.large_answers import OUT_OF_PLACE_IN_BYTES, encode_large_answer
from router.planner.plan import Defer, Deferral, DeferredBlock, DeferredField, KeyRename, PlanNode
from router.transports.base import (
    LargeResponse,
    MalformedResponse,
    RequestContext,
    SubgraphHttpError,
    SubgraphRequest,
    SubgraphResponse,
)
from router.transports.fake import FakeTransport
from router.transports.http import LARGE_BYTES, HttpAnswer
from tests.testkit.market import MARKET_SDL, open_market
from tests.unit.router.executor.plans import (
    PRODUCTS,
    WITH_STOCK,
    entity_fetch,
    execute,
    failure,
    prepare,
    root_fetch,
    target,
)

COUNT = 10_000
NAMES = [f"Product number {number}" for number in range(COUNT)]
DATA = {
    "products": [{"__typename": "Product", "id": str(number), "name": name} for number, name in enumerate(NAMES)],
}
QUERY = "{ products { name } }"


class Bytes(FakeTransport):
    """Answers with a body over HTTP."""

    def __init__(self, body: Any, status: int = 200) -> None:
        super().__init__()
        self._answer = HttpAnswer(status, body if isinstance(body, bytes) else msgspec.json.encode(body))
        assert len(self._answer.body) > LARGE_BYTES

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        self._record(request, context)
        return self._answer.read()


async def answer(body: Any, query: str = QUERY, plan: PlanNode = PRODUCTS, **others: FakeTransport) -> ExecutionResult:
    return await execute(query, plan, {"catalog": Bytes(body), **others})


def decoded(result: ExecutionResult) -> Any:
    assert result.data is None
    assert result.encoded is not None
    return msgspec.json.decode(result.encoded)


async def test_the_answer_to_the_only_request_is_encoded_at_once() -> None:
    result = await answer({"data": DATA})
    assert decoded(result) == {"products": [{"name": name} for name in NAMES]}
    assert msgspec.json.encode(result.to_response()).startswith(b'{"data":{"products":[{"name":"Product number 0"},')


async def test_data_beside_errors_is_read_and_both_are_told() -> None:
    result = await answer({"data": {"products": DATA["products"]}, "errors": [{"message": "no", "path": ["products"]}]})
    assert result.data == {"products": [{"name": name} for name in NAMES]}
    assert [error["message"] for error in result.errors] == ["no"]


async def test_what_is_out_of_place_is_reported_with_its_path() -> None:
    data = {"products": [*DATA["products"], {"id": None}]}
    result = await answer({"data": data}, "{ products { id } }")
    assert result.data is None
    assert result.encoded is None
    assert [error["path"] for error in result.errors] == [["products", COUNT, "id"]]


async def test_other_requests_are_about_the_objects_in_the_answer_so_it_is_read() -> None:
    stock = FakeTransport([{"data": {"_entities": [{"stock": number} for number in range(COUNT)]}}])
    result = await answer({"data": DATA}, "{ products { name stock } }", WITH_STOCK, stock=stock)
    assert result.data == {"products": [{"name": name, "stock": number} for number, name in enumerate(NAMES)]}


async def test_deferred_requests_are_about_them_too() -> None:
    prices = FakeTransport([{"data": {"_entities": [{"price": number} for number in range(COUNT)]}}])
    later = entity_fetch("products.@", "prices", "... on Product { price }", target("Product", "id"))
    deferred = DeferredField(("products", "price"), frozenset({"Product"}))
    block = DeferredBlock((Deferral(1, ()),), (deferred,), waits_for=(1,), node=later)
    plan = Defer(primary=PRODUCTS, blocks=(block,))
    result = await answer({"data": DATA}, "{ products { name price } }", plan, prices=prices)
    assert result.data == {"products": [{"name": name, "price": number} for number, name in enumerate(NAMES)]}


async def test_large_entities_are_read() -> None:
    names = [name * 20 for name in NAMES]
    catalog = FakeTransport([{"data": {"products": [{"__typename": "Product", "id": name} for name in names]}}])
    stock = Bytes({"data": {"_entities": [{"stock": len(name), "name": name} for name in names]}})
    result = await execute("{ products { stock } }", WITH_STOCK, {"catalog": catalog, "stock": stock})
    assert result.data == {"products": [{"stock": len(name)} for name in names]}


async def test_renamed_keys_are_renamed() -> None:
    fetch = root_fetch("catalog", "{p:products{name}}")
    renamed = replace(fetch, renames=(KeyRename(path=(), fetched_key="p", response_key="products"),))
    result = await answer({"data": {"p": DATA["products"]}}, plan=renamed)
    assert result.data == {"products": [{"name": name} for name in NAMES]}


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":{"products":[' + b"1," * LARGE_BYTES + b"}]}}",
        b'{"data":' + msgspec.json.encode(list(range(LARGE_BYTES))) + b"}",
        msgspec.json.encode(list(range(LARGE_BYTES))),
        msgspec.json.encode({"data": None, "extensions": {"x": "x" * LARGE_BYTES}}),
        msgspec.json.encode({"data": {"x": "x" * LARGE_BYTES}, "errors": "none"}),
        b'{"data":{"products":[{"name":"\xff' + b"x" * LARGE_BYTES + b'"}]}}',
    ],
    ids=["no JSON", "data is no object", "no object", "nothing", "errors are no list", "no UTF-8"],
)
async def test_a_malformed_answer_is_a_failure(body: bytes) -> None:
    result = await answer(body)
    message = "Subgraph 'catalog' sent a malformed response."
    assert result.errors == [
        failure("catalog", "products", code="SUBREQUEST_MALFORMED_RESPONSE", message=message),
    ]
    assert result.encoded is None


async def test_malformed_entities_are_a_failure() -> None:
    catalog = FakeTransport([{"data": {"products": [{"__typename": "Product", "id": "1"}]}}])
    stock = Bytes(b'{"data":' + msgspec.json.encode(list(range(LARGE_BYTES))) + b"}")
    result = await execute("{ products { name stock } }", WITH_STOCK, {"catalog": catalog, "stock": stock})
    assert [error["extensions"]["code"] for error in result.errors] == ["SUBREQUEST_MALFORMED_RESPONSE"]


def test_an_http_error_without_a_graphql_response_stays_one() -> None:
    with pytest.raises(SubgraphHttpError):
        HttpAnswer(500, b"<html>" + b" " * LARGE_BYTES).read()
    with pytest.raises(MalformedResponse):
        HttpAnswer(200, b"<html>" + b" " * LARGE_BYTES).read()


def test_only_a_large_answer_is_left_unread() -> None:
    small, large = ({"x": "x" * size} for size in (10, LARGE_BYTES))
    read, unread = (
        HttpAnswer(200, msgspec.json.encode({"data": data, "extensions": {"a": 1}})).read() for data in (small, large)
    )
    assert (read.__class__, read.data) == (SubgraphResponse, small)
    assert isinstance(unread, LargeResponse)
    assert unread.extensions == {"a": 1}
    assert unread.decode() == SubgraphResponse(large, [], {"a": 1})


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("{ shelves { name } }", {"shelves": [[{"name": "a" * 9}, None], None, [], [{"name": None}]]}),
        (
            '{ search(text: "x") { __typename ... on Product { price } ... on User { name } } }',
            {"search": [{"__typename": "Product", "price": 10**9}, {"__typename": "User", "name": "Ada of Ada"}]},
        ),
        (
            "{ product(id: 1) { id reviews { body author { name reviews { id } } } } }",
            {
                "product": {
                    "id": 1,
                    "reviews": [{"body": "b" * 9, "author": {"name": "Ada", "reviews": [{"id": 7}, {"id": 8}]}}],
                }
            },
        ),
        ("{ __typename ids blob status }", {"ids": [1, "2"], "blob": {"any": ["thing"]}, "status": "OPEN"}),
        ("{ me { id reviews { id } } }", {"me": None}),
        ("{ products { id } }", {"products": []}),
    ],
    ids=["lists in lists", "types", "deep", "leaves", "null", "empty"],
)
def test_however_small_the_pieces_the_response_is_the_same(query: str, data: Any) -> None:
    response = prepare(query, None).response_for({})
    expected = msgspec.json.encode(response.projection.project_root(data))
    body = msgspec.Raw(msgspec.json.encode(data))
    for piece_bytes in (4, 16, 64, 1000):
        encoded = encode_large_answer(response.reader, response.projection, body, piece_bytes=piece_bytes)
        assert bytes(encoded) == expected


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("{ products { id } }", {"products": [{"id": "1"}, None]}),
        ("{ products { id } }", {"products": [{"id": "1"}, {"id": None}]}),
        ("{ products { id } }", {"products": [[{"id": "1"}]]}),
        ("{ products { id } }", {"products": {"id": "a long identifier"}}),
        ("{ me { id } }", {"me": [{"id": "a long identifier"}]}),
        ("{ must { id name } }", {}),
        ('{ search(text: "x") { ... on User { name } } }', {"search": [{"__typename": "Maker", "name": "Ada of Ada"}]}),
        ('{ node(id: "1") { ... on User { name } } }', {"node": {"__typename": "Maker", "name": "Ada of Ada"}}),
    ],
    ids=["null item", "null in item", "list", "object for a list", "list for an object", "missing", "type", "its type"],
)
def test_what_only_the_careful_projection_can_report_is_refused(query: str, data: Any) -> None:
    response = prepare(query, None).response_for({})
    body = msgspec.Raw(msgspec.json.encode(data))
    for piece_bytes in (4, 16, 1000):
        with pytest.raises(OUT_OF_PLACE_IN_BYTES):
            encode_large_answer(response.reader, response.projection, body, piece_bytes=piece_bytes)


def test_another_answer_generates_no_further_functions() -> None:
    response = prepare("{ me { id reviews { id } } node(id: 1) { id } blob }", None).response_for({})
    data = {
        "me": {"id": "1", "reviews": [{"id": "2"}, {"id": "3"}]},
        "node": {"__typename": "User", "id": "1"},
        "blob": "x" * 20,
    }
    body = msgspec.Raw(msgspec.json.encode(data))
    sizes = []
    for _ in range(3):
        encode_large_answer(response.reader, response.projection, body, piece_bytes=4)
        sizes.append(len(response.projection._namespace))
    assert sizes[0] == sizes[1] == sizes[2]


async def test_a_field_that_is_refused_takes_a_large_answer_with_it_like_a_small_one() -> None:
    market = open_market()
    names = [{"name": name} for name in NAMES]
    transports = {
        **market.transports,
        "catalog": Bytes({"data": {"products": names, "search": [], "product": names[0]}}),
    }
    app = build_app(RouterConfig(), supergraph_sdl=MARKET_SDL, transports=transports)

    async def ask(query: str) -> Any:
        outcome = await app.pipeline.handle(GraphQLRequest(query), Caller())
        assert isinstance(outcome, Answer)
        return msgspec.json.decode(outcome.encoded)

    refused = await ask("{ products { name cost } }")
    assert refused["data"] is None
    assert {error["extensions"]["code"] for error in refused["errors"]} == {"UNAUTHENTICATED"}
    assert await ask("{ products { name } }") == {"data": {"products": names}}
    partly = await ask("{ products { name } me { id } }")
    assert partly["data"] == {"products": names, "me": None}
