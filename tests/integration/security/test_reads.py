"""Who reads what: every root query, and every field below it that shows money or a person."""

from dataclasses import asdict
from typing import Any

import pytest

from router.supergraph.reading import read_supergraph
from tests.integration.security.things import Things, make_things
from tests.integration.security.world import PEOPLE, World

# Shown to everybody: the catalogue, and what is in stock of it
PUBLIC = {"categories", "category", "product", "products"}

LOGIN, SCOPE, SHOWN, NULL = "UNAUTHENTICATED", "FORBIDDEN", "shown", "null"

# (path, document), then the outcome for anonymous, another customer, staff, admin, owner
READS: list[tuple[str, str, tuple[str, ...]]] = [
    ("me", "{ me { id email phone roles } }", (NULL, SHOWN, SHOWN, SHOWN, SHOWN)),
    ("user", '{ user(id: "usr_ani") { id } }', (LOGIN, NULL, SHOWN, SHOWN, SHOWN)),
    ("user.email", '{ user(id: "usr_ani") { email } }', (LOGIN, NULL, SHOWN, SHOWN, SHOWN)),
    ("user.status", '{ user(id: "usr_ani") { status } }', (LOGIN, NULL, SHOWN, SHOWN, SHOWN)),
    (
        "user.addresses.0",
        '{ user(id: "usr_ani") { addresses { recipient phone line1 } } }',
        (LOGIN, NULL, SHOWN, SHOWN, SHOWN),
    ),
    ("dataExport", "{ dataExport { status part } }", (LOGIN, NULL, NULL, NULL, SHOWN)),
    (
        "order.buyer.addresses.0",
        '{ order(id: "%(order)s") { buyer { addresses { id } } } }',
        (NULL, NULL, *[SHOWN] * 3),
    ),
    ("user.roles", '{ user(id: "usr_ani") { roles } }', (LOGIN, NULL, SHOWN, SHOWN, SHOWN)),
    ("user.orders", '{ user(id: "usr_ani") { orders { nodes { id } } } }', (LOGIN, NULL, SHOWN, SHOWN, SHOWN)),
    ("user.syncSchedules", '{ user(id: "usr_ani") { syncSchedules { id } } }', (LOGIN, NULL, SCOPE, SCOPE, SHOWN)),
    ("users", "{ users { nodes { email } } }", (LOGIN, SCOPE, SHOWN, SHOWN, SCOPE)),
    ("sessions", "{ sessions { id address } }", (LOGIN, SHOWN, SHOWN, SHOWN, SHOWN)),
    ("sessions", '{ sessions(userId: "usr_ani") { id address } }', (LOGIN, SCOPE, SCOPE, SHOWN, SHOWN)),
    ("secondFactor", "{ secondFactor { recoveryCodesLeft } }", (LOGIN, SHOWN, SHOWN, SHOWN, SHOWN)),
    ("cart", "{ cart { itemCount } }", (LOGIN, SHOWN, SHOWN, SHOWN, SHOWN)),
    ("order", '{ order(id: "%(order)s") { id total { amount } } }', (NULL, NULL, SHOWN, SHOWN, SHOWN)),
    ("order", '{ order(number: "%(number)s") { id } }', (NULL, NULL, SHOWN, SHOWN, SHOWN)),
    (
        "order.shippingAddress",
        '{ order(id: "%(order)s") { shippingAddress { recipient } } }',
        (NULL, NULL, *[SHOWN] * 3),
    ),
    ("order.buyer.email", '{ order(id: "%(order)s") { buyer { email } } }', (NULL, NULL, SHOWN, SHOWN, SHOWN)),
    ("order.payment", '{ order(id: "%(order)s") { payment { id amount { amount } } } }', (NULL, NULL, *[SHOWN] * 3)),
    ("order.history.0.actorId", '{ order(id: "%(order)s") { history { actorId } } }', (NULL, NULL, SHOWN, SHOWN, NULL)),
    ("orders", "{ orders { nodes { id } } }", (LOGIN, SCOPE, SHOWN, SHOWN, SCOPE)),
    ("orders", '{ orders(filter: {buyerId: "usr_ani"}) { nodes { id } } }', (LOGIN, SCOPE, SHOWN, SHOWN, SCOPE)),
    (
        "monthlyOrderTotals",
        '{ monthlyOrderTotals(from: "2027-01", to: "2027-03") { months { revenue { amount } } } }',
        (LOGIN, SCOPE, SHOWN, SHOWN, SCOPE),
    ),
    ("payment", '{ payment(id: "%(payment)s") { id payUrl } }', (NULL, NULL, SHOWN, SHOWN, SHOWN)),
    ("payments", "{ payments { nodes { id } } }", (LOGIN, SCOPE, SHOWN, SHOWN, SCOPE)),
    ("product", '{ product(id: "%(draft)s") { id } }', (NULL, NULL, SHOWN, SHOWN, NULL)),
    ("products", "{ products(filter: {status: DRAFT}) { nodes { id } } }", (SCOPE, SCOPE, SHOWN, SHOWN, SCOPE)),
    (
        "product.stockLevel",
        '{ product(id: "%(product)s") { stockLevel { onHand } } }',
        (LOGIN, SCOPE, SHOWN, SHOWN, SCOPE),
    ),
    ("stockLevels", "{ stockLevels { nodes { onHand } } }", (LOGIN, SCOPE, SHOWN, SHOWN, SCOPE)),
    ("syncSchedules.0", "{ syncSchedules { id webhookUrl } }", (LOGIN, NULL, NULL, NULL, SHOWN)),
    ("syncSchedule", '{ syncSchedule(id: "%(schedule)s") { webhookUrl } }', (LOGIN, NULL, NULL, NULL, SHOWN)),
    (
        "syncSchedule.runs",
        '{ syncSchedule(id: "%(schedule)s") { runs { nodes { id } } } }',
        (LOGIN, NULL, NULL, NULL, SHOWN),
    ),
    ("syncRun", '{ syncRun(id: "%(run)s") { error } }', (LOGIN, NULL, NULL, NULL, SHOWN)),
]


@pytest.fixture(scope="module")
async def things(world: World) -> Things:
    return await make_things(world)


@pytest.mark.parametrize(
    ("path", "document", "expected"), READS, ids=[f"{path}-{n}" for n, (path, *_) in enumerate(READS)]
)
async def test_each_caller_reads_what_is_theirs(
    world: World, things: Things, path: str, document: str, expected: tuple[str, ...]
) -> None:
    before = await world.snapshot()
    outcomes = {}
    for name, identity in PEOPLE.items():
        response = await world.ask(document % asdict(things), by=identity)
        outcomes[name] = _outcome(response, path)
    assert outcomes == dict(zip(PEOPLE, expected, strict=True))
    assert await world.snapshot() == before


def test_every_query_of_the_api_is_in_the_table(world: World) -> None:
    query = read_supergraph(world.supergraph_sdl).api_schema.query_type
    assert query is not None
    assert set(query.fields) == {path.partition(".")[0] for path, *_ in READS} | PUBLIC


async def test_what_one_reads_of_oneself_is_of_oneself(world: World, things: Things) -> None:
    for name, identity in PEOPLE.items():
        me = (await world.ask("{ me { id orders { nodes { id } } } }", by=identity))["data"]["me"]
        if name == "anonymous":
            assert me is None
            continue
        assert me["id"] == identity.subject
        assert (
            {node["id"] for node in me["orders"]["nodes"]} >= {things.order}
            if name == "owner"
            else not me["orders"]["nodes"]
        )


def _outcome(response: dict[str, Any], path: str) -> str:
    if response.get("errors"):
        # A refusal comes without what was refused
        assert _find(response.get("data"), path) is None, response
        return str(response["errors"][0]["extensions"]["code"])
    return NULL if _find(response["data"], path) is None else SHOWN


def _find(value: Any, path: str) -> Any:
    for step in path.split("."):
        if value is None:
            return None
        if step.isdecimal():
            value = value[int(step)] if len(value) > int(step) else None
        else:
            value = value[step]
    return value
