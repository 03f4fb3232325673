"""Each subgraph past the router: attacked over HTTP, and asked with a proven identity for what it must refuse."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from itertools import cycle
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from core.identity import ANONYMOUS, Identity, service_identity
from core.service_calls import CALLERS
from core.subgraph import MAX_UNTRUSTED_DOCUMENT
from core.subgraph_app import build_subgraph_app
from core.tokens import AssertionSigner, AssertionVerifier
from router.supergraph.reading import read_supergraph
from subgraphs.payment.gateways.base import BadNotification
from subgraphs.payment.gateways.sandbox import SandboxGateway
from tests.integration.security.asking import direct_document, read_outcome, write_document, write_outcome
from tests.integration.security.expected import DONE, FIELDS, READS, WRITES, Field, Read
from tests.integration.security.things import Things, make_all_things, make_things
from tests.integration.security.world import PEOPLE, World, local_part
from tests.testkit.asgi_server import running_asgi
from tests.testkit.callers import Caller
from tests.testkit.shop import ANI, BUDI
from tests.testkit.store import INTERNAL_SECRET

SECRET = INTERNAL_SECRET.encode()
REFUSALS = {"UNAUTHENTICATED", "FORBIDDEN"}

# What would show something of ANI's to whoever is taken for somebody
DATA = {
    "inventory": ["{ stockLevels { nodes { onHand } } }"],
    "order": [
        "{ orders { nodes { id } } }",
        "{ cart { id } }",
        '{ monthlyOrderTotals(from: "2027-01", to: "2027-03") { asOf } }',
    ],
    "payment": ["{ payments { nodes { id } } }"],
    "product": ["{ products(filter: {status: DRAFT}) { nodes { id } } }"],
    "sync": ["{ syncSchedules { id } }"],
    "user": ["{ users { nodes { id } } }", '{ user(id: "usr_ani") { email } }', "{ dataExport { id } }"],
}
# What only the store's own services may ask
INTERNAL = {
    "inventory": [
        'mutation { reserveStock(input: {orderId: "ord_x", lines: [{productId: "%(product)s", quantity: 1}], '
        'expiresAt: "2027-03-02T00:00:00Z"}) { __typename } }',
        'mutation { releaseStock(orderId: "%(unpaid)s") { status } }',
        'mutation { commitStock(orderId: "%(unpaid)s") { status } }',
    ],
    "order": [
        '{ changedOrders(since: "2020-01-01T00:00:00Z", until: "2030-01-01T00:00:00Z", first: 10) { orders { id } } }',
        '{ changedOrders(since: "2020-01-01T00:00:00Z", until: "2030-01-01T00:00:00Z", first: 10, buyerId: "usr_ani") '
        "{ orders { id } } }",
        '{ openOrderCount(buyerId: "usr_ani") }',
        '{ cartOf(ownerId: "usr_ani") { itemCount } }',
    ],
    "payment": [
        'mutation { openPayment(input: {orderId: "ord_x", orderNumber: "X", buyerId: "usr_ani", amount: {amount: 1, '
        'currency: "IDR"}, lines: [{name: "a", quantity: 1, unitAmount: 1}], expiresAt: "2027-03-02T00:00:00Z"}) '
        "{ id } }",
        'mutation { cancelPayment(orderId: "%(unpaid)s") { id } }',
    ],
}
ENTITY_TYPES = {
    "inventory": "Product",
    "order": "Order",
    "payment": "Payment",
    "product": "Product",
    "sync": "SyncSchedule",
    "user": "User",
}


@pytest.fixture(scope="module")
async def things(world: World) -> Things:
    return await make_things(world)


@pytest.fixture(scope="module")
async def urls(world: World) -> AsyncIterator[dict[str, str]]:
    async with AsyncExitStack() as running:
        yield {
            name: await running.enter_async_context(
                running_asgi(_without_lifespan(build_subgraph_app(subgraph, AssertionVerifier(SECRET, name))))
            )
            for name, subgraph in sorted(world.subgraphs.items())
        }


def _without_lifespan(app: Starlette) -> ASGIApp:
    # The world has started its subgraphs already
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)

    return call


def _attacks(name: str, things: Things) -> list[str]:
    values = {field: getattr(things, field) for field in Things.__dataclass_fields__}
    key = {"Order": things.order, "Payment": things.payment, "SyncSchedule": things.schedule, "User": "usr_ani"}
    type_ = ENTITY_TYPES[name]
    representation = f'{{__typename: "{type_}", id: "{key.get(type_, things.draft)}"}}'
    entities = [
        f"{{ _entities(representations: [{representation}]) {{ ... on {type_} {{ id }} }} }}",
        f"{{ ...F }} fragment F on Query {{ a: _entities(representations: [{representation}]) {{ __typename }} }}",
        f"{{ ... on Query {{ ... {{ _entities(representations: [{representation}]) {{ __typename }} }} }} }}",
    ]
    return [document % values for document in (*DATA[name], *INTERNAL.get(name, ()))] + entities


Sign = Callable[[World, str], dict[str, str]]


def _signed(world: World, name: str, *, audience: str = "", secret: bytes = SECRET, age_s: int = 0) -> dict[str, str]:
    now = world.clock.now() - timedelta(seconds=age_s)
    assertion = AssertionSigner(secret).sign(service_identity("order"), audience=audience or name, now=now)
    return {"x-pasar-identity": assertion}


NOBODY: dict[str, Sign] = {
    "no assertion": lambda world, name: {},
    "an access token": lambda world, name: {"authorization": f"Bearer {world.token(PEOPLE['admin'])}"},
    "a cookie": lambda world, name: {"cookie": f"pasar_access={world.token(PEOPLE['admin'])}"},
    "names only": lambda world, name: {"x-pasar-subject": "usr_ani", "x_pasar_identity": "usr_ani"},
}
FORGED: dict[str, Sign] = {
    "for another subgraph": lambda world, name: _signed(world, name, audience="user" if name != "user" else "order"),
    "expired": lambda world, name: _signed(world, name, age_s=3600),
    "from the future": lambda world, name: _signed(world, name, age_s=-3600),
    "signed with another secret": lambda world, name: _signed(world, name, secret=b"y" * 48),
    "an access token instead": lambda world, name: {"x-pasar-identity": world.token(PEOPLE["admin"])},
    "without a signature": lambda world, name: {
        "x-pasar-identity": _signed(world, name)["x-pasar-identity"].rpartition(".")[0] + "."
    },
    "empty": lambda world, name: {"x-pasar-identity": ""},
    "bytes": lambda world, name: {"x-pasar-identity": "\u00ff.\u00ff.\u00ff"},
    "nested": lambda world, name: {"x-pasar-identity": "W1tb" * 8000 + ".e30.e30"},
}


@pytest.mark.parametrize("claim", NOBODY)
@pytest.mark.parametrize("name", sorted(ENTITY_TYPES))
async def test_whoever_reaches_a_subgraph_without_an_assertion_gets_nothing(
    world: World, things: Things, urls: dict[str, str], name: str, claim: str
) -> None:
    before = await world.snapshot()
    for document in _attacks(name, things):
        status, answer = await _post(urls[name], document, NOBODY[claim](world, name))
        assert status == 200
        assert {error["extensions"]["code"] for error in answer["errors"]} <= REFUSALS, document
        assert not any((answer["data"] or {}).values()), document
    assert await world.snapshot() == before


@pytest.mark.parametrize("claim", FORGED)
@pytest.mark.parametrize("name", sorted(ENTITY_TYPES))
async def test_a_forged_assertion_is_refused_whatever_is_asked(
    world: World, things: Things, urls: dict[str, str], name: str, claim: str
) -> None:
    before = await world.snapshot()
    for document in _attacks(name, things):
        status, answer = await _post(urls[name], document, FORGED[claim](world, name))
        assert (status, answer["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
        assert "data" not in answer
    assert await world.snapshot() == before


def _rows_of(world: World, name: str, things: Things) -> list[tuple[str, dict[str, Any], Callable[[Any], str], str]]:
    """Return the table's rows that one subgraph answers: document, variables, how to read the answer, and the outcome.

    What is expected is what an anonymous caller gets through the router, and of references nothing at all.
    """
    rows: list[tuple[str, dict[str, Any], Callable[[Any], str], str]] = []
    reads: tuple[Read | Field, ...] = (*READS, *FIELDS)
    for read in reads:
        document, variables, path = direct_document(read, things)
        if variables:
            answering = world.subgraph_of(variables["r"][0]["__typename"], path.split(".")[2])
        else:
            answering = world.subgraph_of("Query", path.partition(".")[0])
        if answering == name:
            expected = "FORBIDDEN" if variables else read.expected[0]
            document = local_part(world.subgraphs[name], document)
            rows.append((document, variables, partial(read_outcome, path=path), expected))
    for write in WRITES:
        if world.subgraph_of("Mutation", write.mutation) == name:
            document, variables = write_document(write, things)
            rows.append((document, variables, partial(write_outcome, mutation=write.mutation), write.expected[0]))
    return rows


@pytest.mark.parametrize("name", sorted(ENTITY_TYPES))
async def test_past_the_router_every_row_of_the_table_is_an_anonymous_callers(
    world: World, urls: dict[str, str], name: str
) -> None:
    things = await make_all_things(world)
    # What everybody may do is no attack
    rows = [row for row in _rows_of(world, name, things) if row[3] not in DONE]
    assert len(rows) >= 3
    before = await world.snapshot()
    for claim in NOBODY.values():
        await world.forget_attempts()
        for document, variables, read, expected in rows:
            status, answer = await _post(urls[name], document, claim(world, name), variables)
            assert (status, read(answer)) == (200, expected), document
    assert await world.snapshot() == before


@pytest.mark.parametrize("name", sorted(ENTITY_TYPES))
async def test_past_the_router_every_row_of_the_table_is_refused_to_forgers(
    world: World, urls: dict[str, str], name: str
) -> None:
    things = await make_all_things(world)
    before = await world.snapshot()
    claims = cycle(FORGED.values())
    for (document, variables, _, _), claim in zip(_rows_of(world, name, things), claims, strict=False):
        status, answer = await _post(urls[name], document, claim(world, name), variables)
        assert (status, answer["errors"][0]["extensions"]["code"], "data" in answer) == (401, "UNAUTHENTICATED", False)
    assert await world.snapshot() == before


@pytest.mark.parametrize("caller", sorted(ENTITY_TYPES))
@pytest.mark.parametrize("name", sorted(INTERNAL))
async def test_an_internal_field_is_for_the_services_that_need_it(
    world: World, things: Things, urls: dict[str, str], name: str, caller: str
) -> None:
    before = await world.snapshot()
    values = asdict(things)
    for document in INTERNAL[name]:
        field = re.search(r"\w+(?=\()", document)
        assert field is not None
        if caller in CALLERS[field.group()]:
            continue
        signed = AssertionSigner(SECRET).sign(service_identity(caller), audience=name, now=world.clock.now())
        status, answer = await _post(urls[name], document % values, {"x-pasar-identity": signed})
        assert (status, [error["extensions"]["code"] for error in answer["errors"]]) == (200, ["FORBIDDEN"])
        assert not any((answer["data"] or {}).values())
    assert await world.snapshot() == before


@pytest.mark.parametrize("name", sorted(ENTITY_TYPES))
async def test_what_a_stranger_sends_directly_is_bounded(urls: dict[str, str], name: str) -> None:
    status, answer = await _post(urls[name], "{ __typename " + "#" * MAX_UNTRUSTED_DOCUMENT + "\n}", {})
    assert (status, answer["data"], answer["errors"][0]["extensions"]["code"]) == (200, None, "BAD_REQUEST")
    async with aiohttp.ClientSession() as http:
        nested = b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}}"
        async with http.post(f"{urls[name]}/graphql", data=nested) as answered:
            assert answered.status == 400
        async with http.post(f"{urls[name]}/graphql", data=b'{"query": "\xff"}') as answered:
            assert answered.status == 400


def test_a_nested_notification_is_refused() -> None:
    gateway = SandboxGateway("http://sandbox.invalid", server_key="k")
    for body in (b'{"order_id": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", b'{"order_id": "\xff"}'):
        with pytest.raises(BadNotification):
            gateway.read_notification(body, {})


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("name", sorted(INTERNAL))
async def test_internal_fields_are_for_services_alone(world: World, things: Things, name: str, person: str) -> None:
    before = await world.snapshot()
    values = {field: getattr(things, field) for field in Things.__dataclass_fields__}
    for document in INTERNAL[name]:
        response = await Caller(world.subgraphs[name]).ask(document % values, by=PEOPLE[person])
        assert [error["extensions"]["code"] for error in response["errors"]] == ["FORBIDDEN"]
        assert not any((response["data"] or {}).values())
    assert await world.snapshot() == before


@pytest.mark.parametrize("person", PEOPLE)
async def test_internal_fields_are_not_in_the_api(world: World, things: Things, person: str) -> None:
    values = {field: getattr(things, field) for field in Things.__dataclass_fields__}
    before = await world.snapshot()
    for document in [each for documents in INTERNAL.values() for each in documents]:
        response = await world.ask(document % values, by=PEOPLE[person])
        assert response["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert "data" not in response
    for document in ("{ _entities(representations: []) { __typename } }", "{ _service { sdl } }"):
        response = await world.ask(document, by=PEOPLE[person])
        assert response["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert await world.snapshot() == before


def test_every_inaccessible_root_field_is_attacked(world: World) -> None:
    supergraph = read_supergraph(world.supergraph_sdl)
    attacked = " ".join(each for documents in INTERNAL.values() for each in documents)
    for name in sorted(world.subgraphs):
        schema = supergraph.subgraph_schema(name)
        for type_, public in (
            (schema.query_type, supergraph.api_schema.query_type),
            (schema.mutation_type, supergraph.api_schema.mutation_type),
        ):
            hidden = set(type_.fields if type_ else ()) - set(public.fields if public else ()) - {"_entities"}
            assert all(f"{field}(" in attacked for field in hidden - {"_service"}), hidden
            assert hidden - {"_service"} <= set(CALLERS)


# (subgraph, selection, representation), then what BUDI gets to see of ANI's: nothing, by null or by refusal
ENTITIES: list[tuple[str, str, dict[str, Any], Any]] = [
    ("user", "... on User { email phone roles }", {"__typename": "User", "id": "usr_ani"}, "nulls"),
    ("order", "... on Order { id }", {"__typename": "Order", "id": "order"}, None),
    ("order", "... on Order { id }", {"__typename": "Order", "number": "number"}, None),
    ("order", "... on User { orders { nodes { id } } }", {"__typename": "User", "id": "usr_ani"}, "refused"),
    ("payment", "... on Payment { id payUrl }", {"__typename": "Payment", "id": "payment"}, None),
    ("payment", "... on Order { payment { id } }", {"__typename": "Order", "id": "order"}, "refused"),
    ("sync", "... on SyncSchedule { webhookUrl }", {"__typename": "SyncSchedule", "id": "schedule"}, None),
    ("sync", "... on User { syncSchedules { id } }", {"__typename": "User", "id": "usr_ani"}, "refused"),
    ("product", "... on Product { name }", {"__typename": "Product", "id": "draft"}, None),
    ("inventory", "... on Product { stockLevel { onHand } }", {"__typename": "Product", "id": "product"}, "refused"),
]


@pytest.mark.parametrize("caller", [ANONYMOUS, BUDI], ids=["anonymous", "other"])
@pytest.mark.parametrize(
    ("name", "selection", "representation", "expected"), ENTITIES, ids=[f"{e[0]}-{n}" for n, e in enumerate(ENTITIES)]
)
async def test_a_reference_shows_no_more_than_a_query(
    world: World,
    things: Things,
    name: str,
    selection: str,
    representation: dict[str, Any],
    expected: Any,
    caller: Identity,
) -> None:
    filled = {key: getattr(things, value, value) for key, value in representation.items()}
    document = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ {selection} }} }}"
    subgraph = Caller(world.subgraphs[name])
    response = await subgraph.ask(document, {"r": [dict(filled)]}, by=caller)
    if expected == "refused":
        refusal = "UNAUTHENTICATED" if caller is ANONYMOUS else "FORBIDDEN"
        assert [error["extensions"]["code"] for error in response["errors"]] == [refusal]
    (entity,) = response["data"]["_entities"]
    assert not any((entity or {}).values())
    # The owner, and where that is not enough staff, does see it
    seen = [await subgraph.ask(document, {"r": [dict(filled)]}, by=by) for by in (ANI, PEOPLE["staff"])]
    assert any(any(((each["data"] or {}).get("_entities") or [{}])[0] or {}) for each in seen)


@pytest.mark.parametrize("key", [{"$ne": None}, {"$gt": ""}, ["usr_ani"], {"$where": "sleep(1000)"}, True, 7])
@pytest.mark.parametrize("name", sorted(ENTITY_TYPES))
async def test_a_key_is_no_query_operator(world: World, things: Things, name: str, key: Any) -> None:
    document = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on {ENTITY_TYPES[name]} {{ id }} }} }}"
    variables = {"r": [{"__typename": ENTITY_TYPES[name], "id": key}]}
    response = await Caller(world.subgraphs[name]).ask(document, variables, by=BUDI)
    (entity,) = (response["data"] or {"_entities": [None]})["_entities"]
    shown = {things.order, things.payment, things.schedule, things.product, things.draft, "usr_ani"}
    assert entity is None or entity["id"] not in shown


@pytest.mark.parametrize("value", [{"$ne": None}, {"$gt": ""}, ["a"], True, 1.5, {}])
async def test_a_variable_is_no_query_operator(world: World, things: Things, value: Any) -> None:
    before = await world.snapshot()
    for document in (
        "query($v: ID!) { payment(id: $v) { id } }",
        "query($v: ID) { order(id: $v) { id } }",
        "query($v: String) { order(number: $v) { id } }",
        "query($v: ID!) { user(id: $v) { id } }",
        "query($v: ID!) { syncRun(id: $v) { id } }",
        "query($v: String) { users(search: $v) { nodes { id } } }",
        "query($v: String) { orders(after: $v) { nodes { id } } }",
        "query($v: ID) { orders(filter: {buyerId: $v}) { nodes { id } } }",
        'mutation($v: String!) { login(input: {email: $v, password: "x"}) { __typename } }',
        "mutation($v: String) { refresh(refreshToken: $v) { __typename } }",
        "mutation($v: ID!) { cancelOrder(id: $v) { __typename } }",
    ):
        response = await world.ask(document, {"v": value}, by=PEOPLE["admin"])
        assert response["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert "data" not in response
    assert await world.snapshot() == before


async def _post(
    url: str, document: str, headers: dict[str, str], variables: dict[str, Any] | None = None
) -> tuple[int, dict[str, Any]]:
    async with (
        asyncio.timeout(30),
        aiohttp.ClientSession() as http,
        http.post(f"{url}/graphql", json={"query": document, "variables": variables}, headers=headers) as answer,
    ):
        return answer.status, await answer.json()
