"""What ANI owns and others are after."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.integration.security.world import World
from tests.testkit.callers import Caller
from tests.testkit.shop import ADDRESS, ANI

_CREATE_SCHEDULE = """
mutation($input: CreateSyncScheduleInput!) {
  createSyncSchedule(input: $input) { ... on SyncScheduleCreated { schedule { id } } }
}
"""
SCHEDULE = {
    "name": "To the ERP",
    "frequency": "DAILY",
    "timeOfDay": "03:00",
    "webhookUrl": "https://erp.example/orders",
}

_numbers: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Things:
    """Ids: ANI's paid order with its payment, an unpaid one, her schedule with a run, a product on sale, a draft.

    And an address of hers. She has a data export, too.
    """

    order: str
    number: str
    unpaid: str
    payment: str
    schedule: str
    run: str
    product: str
    draft: str
    address: str


async def make_things(world: World) -> Things:
    """Let ANI buy and export; every call makes new things."""
    shop = world.shop
    _numbers["things"] += 1
    name, draft = f"tea{_numbers['things']}", f"draft{_numbers['things']}"
    on_sale: dict[str, Any] = {name: 50}
    not_yet: dict[str, Any] = {draft: 5}
    bought: dict[str, Any] = {name: 2}
    await shop.stock_up(**on_sale)
    await shop.stock_up(status="DRAFT", **not_yet)
    order = await shop.order_paid(ANI, **bought)
    await shop.put_in_cart(ANI, **{name: 1})
    unpaid = (await shop.check_out(ANI, f"unpaid-{name}"))["order"]["id"]
    sync = Caller(world.subgraphs["sync"])
    created = await sync.data(_CREATE_SCHEDULE, {"input": SCHEDULE}, by=ANI)
    schedule = created["createSyncSchedule"]["schedule"]["id"]
    run_now = "mutation($id: ID!) { runSyncNow(id: $id) { ... on SyncRun { id } } }"
    run = (await sync.data(run_now, {"id": schedule}, by=ANI))["runSyncNow"]["id"]
    # As if it had ended, so that another one may be started
    await world.subgraphs["sync"].runtime.database["runs"].update_one({"_id": run}, {"$set": {"status": "FAILED"}})
    (row,) = [row for row in await shop.orders() if row["_id"] == order]
    (payment,) = [row for row in await shop.payments() if row["order_id"] == order]
    address = await _keep_personal_data(world)
    return Things(order, row["number"], unpaid, payment["_id"], schedule, run, f"prd_{name}", f"prd_{draft}", address)


async def _keep_personal_data(world: World) -> str:
    """Give ANI one address and a data export; return the address's id."""
    user, database = Caller(world.subgraphs["user"]), world.subgraphs["user"].runtime.database
    await database["users"].update_one({"_id": ANI.subject}, {"$set": {"addresses": [], "default_address_id": None}})
    await database["data_exports"].delete_many({})
    add = "mutation($a: AddressInput!) { addAddress(input: $a) { ... on User { addresses { id } } } }"
    (address,) = (await user.data(add, {"a": ADDRESS}, by=ANI))["addAddress"]["addresses"]
    export = 'mutation { requestDataExport(password: "correct horse battery") { __typename } }'
    assert (await user.data(export, by=ANI))["requestDataExport"]["__typename"] == "DataExport"
    await world.shop.run_job("user", "collect_exports")
    return str(address["id"])
