"""The fixtures that every integration test stands on."""

from datetime import UTC, datetime, timedelta

from core.mongo import Client
from tests.testkit.clock import FixedClock
from tests.testkit.store import MakeRuntime, own_databases


async def test_two_subgraphs_of_one_test_have_databases_of_their_own(make_runtime: MakeRuntime) -> None:
    clock = FixedClock(datetime(2026, 1, 31, tzinfo=UTC))
    order, user = make_runtime("order", clock=clock), make_runtime("user")
    assert order.database.name.removesuffix("order") == user.database.name.removesuffix("user")
    assert order.clock is clock
    await order.database["orders"].insert_one({"_id": "ord_1"})
    assert await user.database["orders"].count_documents({}) == 0


async def test_a_test_leaves_no_databases_behind(mongo_client: Client) -> None:
    async with own_databases(mongo_client) as prefix:
        await mongo_client[f"{prefix}order"]["orders"].insert_one({"_id": "ord_1"})
        assert f"{prefix}order" in await mongo_client.list_database_names()
    assert f"{prefix}order" not in await mongo_client.list_database_names()


def test_the_clock_stands_still_until_it_is_moved() -> None:
    clock = FixedClock(datetime(2026, 1, 31, 12, 0, 0, 123_999, tzinfo=UTC))
    assert clock.now() == clock.now() == datetime(2026, 1, 31, 12, 0, 0, 123_000, tzinfo=UTC)
    assert clock.advance(minutes=1) == datetime(2026, 1, 31, 12, 1, 0, 123_000, tzinfo=UTC)
    assert clock.advance(timedelta(days=1)) == datetime(2026, 2, 1, 12, 1, 0, 123_000, tzinfo=UTC)
