import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.identity import ANONYMOUS, service_identity
from core.peers import PeerUnavailable
from core.subgraph import Call, Origin
from subgraphs.user.accounts import neighbours
from tests.integration.persons.conftest import ADDRESS, PASSWORD, Person, keep_second_factor, service_of
from tests.integration.security.things import SCHEDULE
from tests.integration.security.world import World
from tests.testkit.callers import ADMIN, Caller
from tests.testkit.shop import BUDI

REQUEST = """
mutation($password: String!) {
  requestDataExport(password: $password) {
    __typename
    ... on DataExport { id status partCount requestedAt readyAt expiresAt part }
    ... on Problem { code }
  }
}
"""
EXPORT = "query($n: Int! = 1) { dataExport { status partCount readyAt expiresAt part(number: $n) } }"
CREATE_SCHEDULE = """
mutation($input: CreateSyncScheduleInput!) {
  createSyncSchedule(input: $input) { ... on SyncScheduleCreated { secret } }
}
"""


async def request(person: Person, password: str = PASSWORD) -> dict[str, Any]:
    return await person.call(REQUEST, {"password": password})


async def read_export(person: Person) -> list[dict[str, Any]]:
    """Return all parts of an export that is ready."""
    count = (await person.call(EXPORT))["partCount"]
    return [json.loads((await person.call(EXPORT, {"n": number}))["part"]) for number in range(1, count + 1)]


async def nothing(person: Person) -> bool:
    return await person.user.data(EXPORT, by=person.identity) == {"dataExport": None}


async def collect(world: World) -> None:
    await world.shop.run_job("user", "collect_exports")


async def test_a_person_gets_all_that_the_store_knows(world: World, person: Person) -> None:
    order_id = await person.buy(note="for my grandmother")
    sync = Caller(world.subgraphs["sync"])
    created = await sync.data(CREATE_SCHEDULE, {"input": SCHEDULE}, by=person.identity)
    add = "mutation($input: AddressInput!) { addAddress(input: $input) { __typename } }"
    await person.call(add, {"input": ADDRESS})
    await service_of(world).log_in(email=person.email, password=PASSWORD, origin=Origin("203.0.113.7", "a browser"))
    await keep_second_factor(person)
    suspend = "mutation($input: SetAccountStatusInput!) { setAccountStatus(input: $input) { __typename } }"
    for status in ("SUSPENDED", "ACTIVE"):
        given = {"userId": person.id, "status": status, "reason": "to be sure"}
        call = Call(ADMIN, trusted=True, headers={"x-pasar-client-address": "198.51.100.9"})
        await world.subgraphs["user"].execute(suspend, {"input": given}, None, call)
    await person.mails()

    # Something that is not ordered yet
    await person.choose()

    asked = await request(person)
    now = world.clock.now()
    assert asked == {
        "__typename": "DataExport",
        "id": asked["id"],
        "status": "COLLECTING",
        "partCount": 0,
        "requestedAt": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "readyAt": None,
        "expiresAt": (now + timedelta(days=7)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "part": None,
    }
    await collect(world)
    account, orders, schedules = await read_export(person)

    assert account["part"] == "account"
    assert account["account"]["email"] == person.email
    assert (account["account"]["name"], account["account"]["phone"]) == ("Wening Kartika", "+628119999000")
    assert account["account"]["addresses"][0]["line1"] == "Gang Cempaka 77"
    (line,) = account["cart"]["lines"]
    assert (line["quantity"], account["cart"]["discountCodes"]) == (2, [])
    assert account["second_factor"] == {
        "enabled": True,
        "enabled_at": now.isoformat().replace("+00:00", "Z"),
        "recovery_codes_left": 2,
    }
    assert [(row["address"], row["user_agent"]) for row in account["sessions"]] == [("203.0.113.7", "a browser")]
    # Where the administrator sat is nobody's business but the log's
    assert [(entry["action"], entry["address"]) for entry in account["audit_log"]] == [
        ("ACCOUNT_STATUS_CHANGED", ""),
        ("ACCOUNT_STATUS_CHANGED", ""),
        ("DATA_EXPORT_REQUESTED", ""),
    ]
    assert (orders["part"], [order["id"] for order in orders["orders"]]) == ("orders", [order_id])
    (order,) = orders["orders"]
    assert order["shippingAddress"] == ADDRESS
    assert order["note"] == "for my grandmother"
    assert (order["shippingMethod"], order["discounts"], order["tax"]) == ({"name": "Standard"}, [], None)
    assert (order["payment"]["status"], order["payment"]["amount"]) == ("PAID", order["total"])
    assert [schedule["webhookUrl"] for schedule in schedules["sync_schedules"]] == [SCHEDULE["webhookUrl"]]
    everything = json.dumps([account, orders, schedules])
    assert created["createSyncSchedule"]["secret"] not in everything
    assert not [secret for secret in ("argon2", "a sealed secret", "a digest") if secret in everything]
    assert (await person.mails())[-1].subject == "Your data is ready"
    assert await person.user.data(EXPORT, {"n": 4}, by=person.identity) == {
        "dataExport": {**(await person.call(EXPORT)), "part": None}
    }


async def test_a_long_history_comes_in_parts(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "PAGE_SIZE", 2)
    bought = [await person.buy(f"number {number}") for number in range(5)]
    await request(person)
    await collect(person.world)
    parts = await read_export(person)
    assert [part["part"] for part in parts] == ["account", "orders", "orders", "orders", "sync_schedules"]
    assert sorted(order["id"] for part in parts for order in part.get("orders", ())) == sorted(bought)


async def test_only_the_session_that_has_asked_reads_it(world: World, person: Person) -> None:
    await request(person)
    await collect(world)
    assert len(await read_export(person)) == 2
    assert await nothing(replace(person, session="ses_second"))
    assert await person.user.data(EXPORT, by=BUDI) == {"dataExport": None}
    assert await person.user.refusals(EXPORT, by=ANONYMOUS) == ["UNAUTHENTICATED"]
    assert await person.user.refusals(EXPORT, by=service_identity("order")) == ["FORBIDDEN"]


async def test_a_wrong_password_has_nothing_collected(world: World, person: Person) -> None:
    before = await world.snapshot()
    assert await request(person, "a guess") == {
        "__typename": "InvalidCredentialsProblem",
        "code": "INVALID_CREDENTIALS",
    }
    assert await person.user.refusals(REQUEST, {"password": PASSWORD}) == ["UNAUTHENTICATED"]
    assert await world.snapshot() == before


async def test_a_second_request_waits_for_an_hour_and_replaces_the_first(world: World, person: Person) -> None:
    first = await request(person)
    await collect(world)
    before = await world.snapshot()
    assert await request(person) == {"__typename": "ConflictProblem", "code": "CONFLICT"}
    assert await world.snapshot() == before
    world.clock.advance(hours=1)
    second = await request(person)
    assert second["id"] != first["id"]
    assert (await person.call(EXPORT))["part"] is None
    parts = world.subgraphs["user"].runtime.database["data_export_parts"]
    assert await parts.count_documents({"user_id": person.id}) == 0
    await collect(world)
    assert len(await read_export(person)) == 2


async def test_it_is_gone_after_a_week(world: World, person: Person) -> None:
    await request(person)
    await collect(world)
    world.clock.advance(days=7, seconds=-1)
    assert not await nothing(person)
    world.clock.advance(seconds=1)
    assert await nothing(person)


async def test_while_a_subgraph_is_away_it_waits_and_is_complete_afterwards(world: World, person: Person) -> None:
    await person.buy()
    await request(person)
    working = world.shop.calls["sync"]

    async def away(*_: Any) -> dict[str, Any]:
        raise PeerUnavailable("subgraph sync did not answer")

    world.shop.calls["sync"] = away
    try:
        await collect(world)
    finally:
        world.shop.calls["sync"] = working
    assert (await person.call(EXPORT))["status"] == "COLLECTING"
    # Not at once: who is away needs no more questions
    await collect(world)
    assert (await person.call(EXPORT))["status"] == "COLLECTING"
    world.clock.advance(minutes=1)
    await collect(world)
    assert [part["part"] for part in await read_export(person)] == ["account", "orders", "sync_schedules"]
    assert len(await person.mails()) == 1


async def test_two_workers_at_once_make_one_export_and_one_letter(world: World, person: Person) -> None:
    await person.buy()
    await request(person)
    exports = world.subgraphs["user"].runtime.database["data_exports"]
    working = world.shop.calls["sync"]

    async def overtaken(*arguments: Any) -> dict[str, Any]:
        # The first worker is so slow that a second one begins, and ends before it
        world.shop.calls["sync"] = working
        await exports.update_one({"_id": person.id}, {"$set": {"due_at": world.clock.now()}})
        await collect(world)
        return await working(*arguments)

    world.shop.calls["sync"] = overtaken
    await collect(world)
    assert len(await read_export(person)) == 3
    assert [mail.subject for mail in await person.mails()] == ["Your data is ready"]


async def test_returns_refunds_and_notes_are_in_the_export(world: World, person: Person) -> None:
    order_id = await person.buy()
    await person.receive(order_id)
    shop = world.shop
    (row,) = [each for each in await shop.orders() if each["_id"] == order_id]
    line = row["lines"][0]["id"]
    ask = """mutation($o: ID!, $l: ID!) { requestReturn(input: {
      orderId: $o, reason: "too small", lines: [{lineId: $l, quantity: 1}]}) { __typename } }"""
    await shop.order.data(ask, {"o": order_id, "l": line}, by=person.identity)
    note = 'mutation($o: ID!) { addOrderNote(id: $o, text: "called twice") { __typename } }'
    await shop.order.data(note, {"o": order_id}, by=ADMIN)
    (payment,) = [each for each in await shop.payments() if each["order_id"] == order_id]
    refund = "mutation($i: RefundPaymentInput!) { refundPayment(input: $i) { __typename } }"
    given = {"paymentId": payment["_id"], "reason": "a scratch", "idempotencyKey": order_id}
    amount = {"decimal": "5", "currency": "IDR"}
    await shop.payment.data(refund, {"i": {**given, "amount": amount}}, by=ADMIN)
    await shop.deliver_events()
    await request(person)
    await collect(world)
    _, orders, _ = await read_export(person)
    (order,) = orders["orders"]
    assert [(each["reason"], each["lines"]) for each in order["returns"]] == [
        ("too small", [{"lineId": line, "quantity": 1}])
    ]
    assert [(each["amount"]["amount"], each["reason"]) for each in order["refunds"]] == [(5, "a scratch")]
    assert [each["text"] for each in order["staffNotes"]] == ["called twice"]
    assert [each["reason"] for each in order["payment"]["refunds"]] == ["a scratch"]
