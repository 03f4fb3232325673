"""Every query around carts, discounts and tariffs reads by an index, in its order."""

from collections.abc import AsyncIterator

import pytest

from core.clock import Clock
from core.ids import new_id
from core.mongo import Client, connect, init_documents
from core.peers import Peers
from core.settings import Settings
from core.subgraph import Runtime
from tests.integration.order.test_guest_carts import add, create, merge
from tests.testkit.commands import CommandLog
from tests.testkit.explained import SentCommands, find_unindexed
from tests.testkit.shop import ANI, STAFF, Shop, open_shop
from tests.testkit.store import build_runtime, make_settings
from tests.testkit.tariffs import apply_code, create_discount, quote, save_method, save_zone

BANDS = [{"upToGrams": 100_000, "amount": 5000}]


@pytest.fixture
async def watched(
    mongo_uri: str, tmp_path_factory: pytest.TempPathFactory, counted_shop: tuple[Shop, CommandLog]
) -> AsyncIterator[tuple[Shop, SentCommands]]:
    sent = SentCommands()
    client: Client = connect(mongo_uri, listeners=[sent])
    settings = make_settings(tmp_path_factory.mktemp("watched"), database_prefix=f"{new_id('t')}_")

    def make(
        name: str, *, peers: Peers | None = None, clock: Clock | None = None, settings: Settings | None = settings
    ) -> Runtime:
        assert settings is not None
        return build_runtime(name, client, settings, peers=peers, clock=clock)

    shop = await open_shop(make)
    yield shop, sent
    for subgraph in shop.subgraphs.values():
        await subgraph.stop()
        await client.drop_database(subgraph.runtime.database.name)
    await client.close()
    # Documents belong to the client that was bound last; the other tests' shop has its own
    for subgraph in counted_shop[0].subgraphs.values():
        await init_documents(subgraph.runtime.database, subgraph.documents)


async def test_no_query_scans_a_collection_or_sorts_in_memory(
    watched: tuple[Shop, SentCommands], mongo_uri: str
) -> None:
    shop, sent = watched
    await shop.stock_up(teapot=90, cup=90)
    for number in range(8):
        await create_discount(shop, f"CODE{number}", isStackable=True, usageLimitPerBuyer=5)
        await save_zone(shop, "ID", "11", region=f"Region {number}")
        await create(shop, "cup")
    await save_zone(shop, "ID", "11")
    sent.clear()
    token = (await create(shop, "teapot", 2))["token"]
    await add(shop, token, "cup", 1)
    await merge(shop, token)
    for code in ("CODE1", "CODE2"):
        assert (await apply_code(shop, code))["__typename"] == "Cart"
    await apply_code(shop, "NONE")
    await save_method(shop, "Slow", zones=[{"currency": "IDR", "bands": BANDS}])
    assert (await quote(shop, region="Region 3"))["__typename"] == "CartQuote"
    await shop.order.data('{ discounts { nodes { id } } discount(code: "CODE1") { id } }', by=STAFF)
    await shop.order.data("{ shippingMethods { id } taxZones { id } }", by=STAFF)
    await shop.order.data('mutation { removeTaxZone(country: "ID", region: "Region 1") { __typename } }', by=STAFF)
    order = (await shop.check_out())["order"]
    await shop.order.data("mutation($id: ID!) { cancelOrder(id: $id) { __typename } }", {"id": order["id"]}, by=ANI)
    shop.clock.advance(days=2)
    await shop.run_job("order", "announce_abandoned_carts")
    await (
        shop.subgraphs["order"]
        .runtime.database["erased_buyers"]
        .insert_one({"_id": "usr_ani", "at": shop.clock.now(), "due_at": shop.clock.now()})
    )
    await shop.run_job("order", "anonymise_buyers")
    database = shop.subgraphs["order"].runtime.database.name
    ours = ("carts", "discounts", "discount_uses", "code_guesses", "shipping_methods", "tax_zones")
    sent.sent[:] = [each for each in sent.sent if each.database == database and each.name.split()[1] in ours]
    assert {each.name for each in sent.sent} >= {
        *("find carts", "update carts", "delete carts", "find discounts", "update discounts", "find discount_uses"),
        *("update discount_uses", "delete discount_uses", "findAndModify code_guesses", "update code_guesses"),
        *("find shipping_methods", "find tax_zones", "findAndModify tax_zones"),
    }
    explaining: Client = connect(mongo_uri)
    found = await find_unindexed(explaining, sent)
    await explaining.close()
    assert [str(each) for each in found] == []
