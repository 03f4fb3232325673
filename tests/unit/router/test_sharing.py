import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.identity import Identity
from router.app import RouterApp, build_app
from router.config import load_config
from router.cookies import RouterContext
from router.exchange import Answer, Caller, EventStream, GraphQLRequest
from router.sharing import SharedExecutions, identify_query
from router.telemetry import Telemetry
from router.transports.base import FirstAnswer, RequestContext, SubgraphRequest, SubgraphResponse, SubgraphTransport
from router.transports.dedupe import DedupingTransport
from tests.testkit.market import MARKET_SDL, Market, open_market

PRODUCTS = "{ products { name seller { name } } }"
PRODUCT_NAMES = [
    {"name": "Teapot", "seller": {"name": "Ani"}},
    {"name": "Cup", "seller": {"name": "Budi"}},
    {"name": "Spoon", "seller": {"name": "Ani"}},
]
ONE_PRODUCT = "query ($id: ID!) { product(id: $id) { name } }"
ANI = Identity("u1")


class Held:
    """A transport whose requests wait until the test lets them through, and may then fail."""

    def __init__(self, inner: SubgraphTransport) -> None:
        self.count = 0
        self.cancelled = 0
        self._inner = inner
        self._waiting: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        self.count += 1
        released: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(released)
        try:
            await released
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return await self._inner.send(request, context)

    def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncIterator[SubgraphResponse]:
        return self._inner.subscribe(request, context)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def arrival(self) -> "asyncio.Future[None]":
        """Wait for the next request; setting what is returned lets it through."""
        return await self._waiting.get()


class Clients:
    """Several clients of one router over the market, whose subgraphs answer when the test says so."""

    def __init__(self, **config: Any) -> None:
        self.market: Market = open_market()
        self.held = {name: Held(transport) for name, transport in self.market.transports.items()}
        self.app: RouterApp = build_app(
            load_config(environ={}, overrides=config),
            supergraph_sdl=MARKET_SDL,
            transports={name: DedupingTransport(held) for name, held in self.held.items()},
        )

    async def ask(
        self, query: str = PRODUCTS, variables: dict[str, Any] | None = None, **caller: Any
    ) -> "asyncio.Task[Answer]":
        """Send a query as far as it comes without an answer."""
        task = asyncio.create_task(self._handle(query, variables or {}, caller))
        await let_everything_run()
        return task

    async def _handle(self, query: str, variables: dict[str, Any], caller: dict[str, Any]) -> Answer:
        outcome = await self.app.pipeline.handle(GraphQLRequest(query, variables=variables), Caller(**caller))
        assert isinstance(outcome, Answer)
        return outcome

    async def release(self, subgraph: str) -> None:
        """Let the next request to *subgraph* through, and its answer arrive."""
        (await self.held[subgraph].arrival()).set_result(None)
        await let_everything_run()

    @property
    def shared(self) -> int:
        executions = self.app.pipeline.serving.executions
        assert executions is not None
        return executions.shared


async def let_everything_run() -> None:
    """Give every task that is not waiting for the test its turn; no chain of tasks here is half as long."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_query_that_comes_before_the_first_answer_joins_the_execution() -> None:
    clients = Clients()
    first, second = await clients.ask(), await clients.ask()
    await clients.release("catalog")
    await clients.release("accounts")
    assert (await first).body == {"data": {"products": PRODUCT_NAMES}}
    assert await second is await first
    assert clients.shared == 1
    assert clients.market.request_counts == {"accounts": 1, "catalog": 1}


async def test_the_joined_answer_is_encoded_once() -> None:
    clients = Clients()
    first, second = await clients.ask(), await clients.ask()
    await clients.release("catalog")
    await clients.release("accounts")
    assert (await first).encoded is (await second).encoded
    assert (await first).encoded.startswith(b'{"data":{"products":[{"name":"Teapot",')


async def test_a_query_that_comes_after_the_first_answer_is_executed_anew_and_may_be_joined_itself() -> None:
    clients = Clients()
    first = await clients.ask()
    await clients.release("catalog")
    later, last = await clients.ask(), await clients.ask()
    assert (clients.shared, clients.held["catalog"].count) == (1, 2)
    await clients.release("catalog")
    # the requests of the two executions for the sellers are equal and under way at the same time
    await clients.release("accounts")
    assert [(await one).body for one in (first, later)] == [{"data": {"products": PRODUCT_NAMES}}] * 2
    assert await later is not await first
    assert await last is await later
    assert clients.market.request_counts == {"accounts": 1, "catalog": 2}


async def test_one_answer_of_several_requests_at_once_is_enough_to_close_the_execution() -> None:
    clients = Clients()
    query = "{ users { name } products { name } }"
    first = await clients.ask(query)
    await clients.release("accounts")
    second = await clients.ask(query)
    # the products are not there yet, so that request is shared; the users are asked for again
    assert (clients.shared, clients.held["accounts"].count, clients.held["catalog"].count) == (0, 2, 1)
    await clients.release("catalog")
    await clients.release("accounts")
    assert (await first).body == (await second).body
    assert await first is not await second


@pytest.mark.parametrize(
    "other",
    [
        {"variables": {"id": "p2"}},
        {"variables": {"id": "p1", "unused": 1}},
        {"identity": ANI},
        {"identity": Identity("u1", token_id="another")},
        {"headers": {"accept-language": "id"}},
        {"headers": {"cookie": "a=2"}},
        {"query": ONE_PRODUCT.replace("name", "id")},
    ],
    ids=["variables", "more variables", "identity", "token", "header", "cookie", "document"],
)
async def test_queries_that_differ_are_executed_each(other: dict[str, Any]) -> None:
    clients = Clients(authentication={"cookie_setting_subgraphs": ["accounts"]})
    own: dict[str, Any] = {"query": ONE_PRODUCT, "variables": {"id": "p1"}, "headers": {"cookie": "a=1"}}
    tasks = [await clients.ask(**own), await clients.ask(**{**own, **other})]
    assert clients.shared == 0
    for _ in range(clients.held["catalog"].count):
        await clients.release("catalog")
    assert await tasks[0] is not await tasks[1]


@pytest.mark.parametrize(
    "other",
    [
        {"variables": {"b": 2, "id": "p1"}},
        {"headers": {"traceparent": "00-2"}},
        {"headers": {"x-unforwarded": "1"}},
        {"headers": {"cookie": "a=2"}},
        {"request_id": "2", "address": "192.0.2.2"},
    ],
    ids=["order of variables", "trace", "header that is not forwarded", "cookie that nobody sees", "request"],
)
async def test_what_cannot_change_the_answer_makes_no_difference(other: dict[str, Any]) -> None:
    clients = Clients()
    own: dict[str, Any] = {"query": ONE_PRODUCT, "variables": {"id": "p1", "b": 2}, "headers": {"cookie": "a=1"}}
    tasks = [await clients.ask(**own), await clients.ask(**{**own, **other})]
    await clients.release("catalog")
    assert await tasks[0] is await tasks[1]
    assert clients.shared == 1


async def test_mutations_are_executed_each() -> None:
    clients = Clients()
    tasks = [await clients.ask('mutation { login(name: "x") }') for _ in range(2)]
    for _ in tasks:
        await clients.release("accounts")
    assert [(await task).body for task in tasks] == [{"data": {"login": "token-of-x"}}] * 2
    assert (clients.shared, clients.market.request_counts["accounts"]) == (0, 2)


async def test_subscriptions_are_opened_each() -> None:
    clients = Clients()
    request = GraphQLRequest("subscription { ticks(count: 1) }")
    streams = [await clients.app.pipeline.handle(request, Caller()) for _ in range(2)]
    for stream in streams:
        assert isinstance(stream, EventStream)
        assert [event async for event in stream.events] == [{"data": {"ticks": 0}}]
    assert (clients.shared, clients.market.request_counts["catalog"]) == (0, 2)


async def test_an_operation_without_requests_is_executed_each() -> None:
    clients = Clients()
    tasks = [asyncio.create_task(clients._handle("{ __typename }", {}, {})) for _ in range(2)]
    assert [(await task).body for task in tasks] == [{"data": {"__typename": "Query"}}] * 2
    assert clients.shared == 0


async def test_without_shared_requests_no_execution_is_shared() -> None:
    market = open_market()
    transports = market.transports
    app = build_app(
        load_config(environ={}),
        supergraph_sdl=MARKET_SDL,
        transports={**transports, "catalog": DedupingTransport(transports["catalog"])},
    )
    assert app.pipeline.serving.executions is None


@pytest.mark.parametrize("leaving", [0, 1], ids=["first", "second"])
async def test_a_client_that_goes_away_does_not_take_the_answer_from_the_other(leaving: int) -> None:
    clients = Clients()
    tasks = [await clients.ask(ONE_PRODUCT, {"id": "p1"}) for _ in range(2)]
    tasks[leaving].cancel()
    await let_everything_run()
    await clients.release("catalog")
    assert (await tasks[1 - leaving]).body == {"data": {"product": {"name": "Teapot"}}}
    assert tasks[leaving].cancelled()
    assert (clients.held["catalog"].count, clients.held["catalog"].cancelled) == (1, 0)


async def test_the_last_client_that_goes_away_ends_the_execution_and_the_next_one_starts_anew() -> None:
    clients = Clients()
    tasks = [await clients.ask(ONE_PRODUCT, {"id": "p1"}) for _ in range(2)]
    abandoned = await clients.held["catalog"].arrival()
    for task in tasks:
        task.cancel()
        await let_everything_run()
    assert (abandoned.cancelled(), clients.held["catalog"].cancelled) == (True, 1)
    next_one = await clients.ask(ONE_PRODUCT, {"id": "p1"})
    await clients.release("catalog")
    assert (await next_one).body == {"data": {"product": {"name": "Teapot"}}}
    assert clients.shared == 1


async def test_a_subgraphs_failure_is_in_everybodys_answer_and_not_in_the_next() -> None:
    clients = Clients()
    tasks = [await clients.ask(ONE_PRODUCT, {"id": "p1"}) for _ in range(2)]
    (await clients.held["catalog"].arrival()).set_exception(OSError("gone"))
    for task in tasks:
        assert (await task).body["errors"][0]["extensions"]["code"] == "SUBREQUEST_HTTP_ERROR"
    next_one = await clients.ask(ONE_PRODUCT, {"id": "p1"})
    await clients.release("catalog")
    assert (await next_one).body == {"data": {"product": {"name": "Teapot"}}}


async def test_variables_that_are_refused_are_refused_to_everybody() -> None:
    clients = Clients()
    tasks = [asyncio.create_task(clients._handle(ONE_PRODUCT, {}, {})) for _ in range(2)]
    for task in tasks:
        answer = await task
        assert answer.error is not None
        assert answer.error.code == "BAD_USER_INPUT"
    assert (clients.shared, clients.market.request_counts["catalog"]) == (1, 0)


async def test_cookies_that_a_joined_execution_sets_are_set_for_everybody_who_joined_it() -> None:
    clients = Clients(authentication={"cookie_setting_subgraphs": ["accounts"]})
    clients.market.accounts.extensions["pasar"] = {"setCookies": [{"name": "seen", "value": "1"}]}
    tasks = [await clients.ask("{ users { name } }") for _ in range(2)]
    await clients.release("accounts")
    assert [[cookie.name for cookie in (await task).set_cookies] for task in tasks] == [["seen"], ["seen"]]


async def test_every_client_is_counted() -> None:
    clients = Clients()
    tasks = [await clients.ask(ONE_PRODUCT, {"id": "p1"}) for _ in range(3)]
    assert metric(clients.app.telemetry, "pasar_router_in_flight") == 3
    await clients.release("catalog")
    await asyncio.gather(*tasks)
    assert metric(clients.app.telemetry, "pasar_router_in_flight") == 0
    assert metric(clients.app.telemetry, "pasar_router_operations_total", kind="query", outcome="ok") == 3
    assert metric(clients.app.telemetry, "pasar_router_operations_shared_total") == 2
    labels = {"subgraph": "catalog", "outcome": "ok"}
    assert metric(clients.app.telemetry, "pasar_router_subgraph_requests_total", **labels) == 1


def metric(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.registry.get_sample_value(name, labels)


async def test_an_execution_that_raises_raises_for_everybody_and_is_forgotten() -> None:
    executions: SharedExecutions[int] = SharedExecutions()
    gate: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def execute() -> int:
        return await gate

    tasks = [asyncio.create_task(executions.run("key", FirstAnswer(), execute)) for _ in range(2)]
    await let_everything_run()
    gate.set_exception(ValueError("a bug"))
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [repr(outcome) for outcome in outcomes] == ["ValueError('a bug')"] * 2

    async def recover() -> int:
        return 7

    assert await executions.run("key", FirstAnswer(), recover) == 7
    assert executions.shared == 1


async def test_an_execution_that_has_ended_is_not_joined_even_if_nobody_has_read_its_answer_yet() -> None:
    executions: SharedExecutions[int] = SharedExecutions()
    answers = iter((1, 2))

    async def execute() -> int:
        return next(answers)

    first = asyncio.create_task(executions.run("key", FirstAnswer(), execute))
    # one turn each to start the execution and to run it: its answer is there, its client has not been woken
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not first.done()
    assert await executions.run("key", FirstAnswer(), execute) == 2
    assert (await first, executions.shared) == (1, 0)


@pytest.mark.parametrize(
    "value",
    [{1: "a key that is no text"}, object(), "\ud800"],
    ids=["a key that is no text", "an object", "half a character"],
)
def test_variables_that_are_no_json_are_like_no_others(value: Any) -> None:
    assert identify_query("planned", {"value": value}, RouterContext()) is None
