from typing import Any

import pytest

from core.events import INBOX, OUTBOX, event_from_row, handle_once
from core.identity import service_identity
from core.mongo import Row
from core.peers import PeerUnavailable
from core.subgraph import Call
from subgraphs.user.bulk import NewAccount, insert_users
from subgraphs.user.model import InvalidCredentials, InvalidRefreshToken
from subgraphs.user.passwords import Passwords
from tests.integration.persons.conftest import ADDRESS, PASSWORD, TRACES, Person, keep_second_factor, service_of
from tests.integration.persons.test_data_export import CREATE_SCHEDULE, REQUEST
from tests.integration.security.things import SCHEDULE
from tests.integration.security.world import World
from tests.testkit.callers import ADMIN, STAFF, Caller
from tests.testkit.shop import Crash

ERASE = """
mutation($password: String!) {
  eraseAccount(password: $password) { __typename ... on AccountErased { message } ... on Problem { code message } }
}
"""
TOTALS = """
{ monthlyOrderTotals(from: "2027-01", to: "2027-12") { months { orderCount quantity revenue { amount } } } }
"""
# Kept for a month and then deleted by themselves: what was announced and mailed
PASSING = {OUTBOX, INBOX, "mailbox", "mails"}
# Whose they were is not to be known any more. Of ended sessions the ids are told to routers for a while
OF_LOGINS = ("sessions", "refresh_tokens", "second_factors", "login_challenges")


async def erase(person: Person, password: str = PASSWORD) -> dict[str, Any]:
    return await person.call(ERASE, {"password": password})


async def settle(world: World) -> None:
    """Deliver all events, send all letters, and let the order subgraph do what it has noted."""
    await world.shop.deliver_events()
    await world.shop.run_job("user", "send_letters")
    await world.shop.run_job("order", "anonymise_buyers")


async def order_of(world: World, order_id: str) -> Row:
    row = await world.subgraphs["order"].runtime.database["orders"].find_one({"_id": order_id})
    assert row is not None
    return row


def traces_of(person: Person, stored: dict[str, list[Row]]) -> list[str]:
    """Return where something of *person* is left."""
    known = (*TRACES, person.email)
    return [
        f"{place}: {row}"
        for place, rows in stored.items()
        if place.partition(".")[2] not in PASSING
        for row in rows
        if person.id in str(row) and any(trace in str(row) for trace in known)
    ]


async def make_history(person: Person) -> tuple[str, str]:
    """Leave as many traces as somebody can; return the ids of a delivered and of a cancelled order."""
    world, shop = person.world, person.world.shop
    await service_of(world).log_in(email=person.email, password=PASSWORD)
    delivered = await person.buy(note="for my grandmother")
    await person.receive(delivered)
    await person.choose()
    cancelled = (await person.order("second"))["id"]
    cancel = 'mutation($id: ID!) { cancelOrder(id: $id, reason: "changed my mind") { __typename } }'
    await shop.order.data(cancel, {"id": cancelled}, by=person.identity)
    await shop.deliver_events()
    await person.choose()
    await Caller(world.subgraphs["sync"]).data(CREATE_SCHEDULE, {"input": SCHEDULE}, by=person.identity)
    await person.call(
        "mutation($input: AddressInput!) { addAddress(input: $input) { __typename } }", {"input": ADDRESS}
    )
    await person.call(REQUEST, {"password": PASSWORD})
    await shop.run_job("user", "collect_exports")
    await person.user.data(f'mutation {{ requestPasswordReset(email: "{person.email}") {{ __typename }} }}')
    await person.mails()
    await keep_second_factor(person)
    return delivered, str(cancelled)


async def test_nothing_says_who_somebody_was_and_the_books_are_as_before(world: World, person: Person) -> None:
    delivered, cancelled = await make_history(person)
    assert len(traces_of(person, await world.snapshot())) > 8
    totals = await world.shop.order.data(TOTALS, by=STAFF)
    before = {order_id: await order_of(world, order_id) for order_id in (delivered, cancelled)}

    assert (await erase(person))["__typename"] == "AccountErased"
    await settle(world)

    stored = await world.snapshot()
    assert traces_of(person, stored) == []
    for rows in (stored["sync.schedules"], stored["order.carts"], *(stored[f"user.{name}"] for name in OF_LOGINS)):
        assert person.id not in str(rows)
    assert await world.shop.order.data(TOTALS, by=STAFF) == totals
    row = await order_of(world, delivered)
    assert row["shipping_address"] == {
        "recipient": "erased",
        "line1": "erased",
        "postal_code": "erased",
        "city": "Yogyakarta",
        "country": "ID",
    }
    assert [shipment["tracking_number"] for shipment in row["shipments"]] == ["erased"]
    changed = {"shipping_address", "shipments", "history", "version", "buyer_email", "buyer_name", "note"}
    for order_id, old in before.items():
        new = await order_of(world, order_id)
        assert new["buyer_erased_at"] == world.clock.now()
        assert new["version"] == old["version"] + 1
        assert {name: value for name, value in old.items() if name not in changed} == {
            name: value for name, value in new.items() if name not in changed | {"buyer_erased_at"}
        }
        # Who moved it and when stays, and what the store said about it
        assert [(entry["status"], entry["at"], entry["actor"]) for entry in new["history"]] == [
            (entry["status"], entry["at"], entry["actor"]) for entry in old["history"]
        ]


async def test_reasons_of_returns_and_staffs_notes_are_let_go_of(world: World, person: Person) -> None:
    order_id = await person.buy()
    await person.receive(order_id)
    row = await order_of(world, order_id)
    ask = """mutation($o: ID!, $l: ID!) { requestReturn(input: {
      orderId: $o, reason: "too small for my grandmother", lines: [{lineId: $l, quantity: 1}]}) { __typename } }"""
    variables = {"o": order_id, "l": row["lines"][0]["id"]}
    asked = await world.shop.order.data(ask, variables, by=person.identity)
    assert asked["requestReturn"]["__typename"] == "Order"
    note = 'mutation($o: ID!) { addOrderNote(id: $o, text: "a friend of the boss") { __typename } }'
    await world.shop.order.data(note, {"o": order_id}, by=STAFF)
    before = await order_of(world, order_id)
    await erase(person)
    await settle(world)
    after = await order_of(world, order_id)
    assert after["returns"] == [{**before["returns"][0], "reason": "erased"}]
    assert after["staff_notes"] == [{**before["staff_notes"][0], "text": "erased"}]
    assert "grandmother" not in str(after)
    assert "boss" not in str(await world.snapshot())


async def test_staff_still_reads_the_order_and_no_buyer(world: World, person: Person) -> None:
    order_id = await person.buy()
    await person.receive(order_id)
    await erase(person)
    await settle(world)
    document = """query($id: ID!) { order(id: $id) {
      total { amount } buyer { id name email phone status addresses { id } } payment { status } shippingAddress { city }
    } }"""
    order = (await world.ask(document, {"id": order_id}, by=STAFF))["data"]["order"]
    assert order["buyer"] == {
        "id": person.id,
        "name": "Erased user",
        "email": None,
        "phone": None,
        "status": "ERASED",
        "addresses": [],
    }
    assert (order["payment"]["status"], order["shippingAddress"]["city"]) == ("PAID", "Yogyakarta")
    users = (await world.ask('{ users(search: "erased") { nodes { id } } }', by=STAFF))["data"]["users"]["nodes"]
    everybody = (await world.ask("{ users(first: 100) { nodes { id } } }", by=STAFF))["data"]["users"]["nodes"]
    assert users == []
    assert {"id": person.id} not in everybody


async def test_the_person_is_told_and_out(world: World, person: Person) -> None:
    service = service_of(world)
    tokens = await service.log_in(email=person.email, password=PASSWORD)
    await erase(person)
    await settle(world)
    assert [mail.subject for mail in await person.mails()] == ["Your account is erased"]
    assert person.email not in str((await world.snapshot())["user.letters"])
    with pytest.raises(InvalidRefreshToken):
        await service.refresh(tokens.refresh_token)
    with pytest.raises(InvalidCredentials):
        await service.log_in(email=person.email, password=PASSWORD)
    # What is left of the access token is nobody's
    before = await world.snapshot()
    assert await person.user.data("{ me { id } }", by=person.identity) == {"me": None}
    for document, code in (
        (
            'mutation { updateProfile(input: {name: "Wening again"}) { __typename ... on Problem { code } } }',
            "NOT_FOUND",
        ),
        ('mutation { eraseAccount(password: "x") { __typename } }', "UNAUTHENTICATED"),
        ("{ dataExport { id } }", "UNAUTHENTICATED"),
    ):
        assert await person.user.refusals(document, by=person.identity) == [code]
    for name, value in (("setRoles", 'userId: "%s", roles: ["STAFF"]'), ("setAccountStatus", None)):
        given = value % person.id if value else f'input: {{userId: "{person.id}", status: ACTIVE, reason: "please"}}'
        document = f"mutation {{ {name}({given}) {{ __typename }} }}"
        assert await person.user.data(document, by=ADMIN) == {name: {"__typename": "NotFoundProblem"}}
    assert await world.snapshot() == before


async def test_the_address_may_register_again_as_somebody_new(world: World, person: Person) -> None:
    await erase(person)
    await settle(world)
    accounts = service_of(world).accounts
    await accounts.registrations.register(email=person.email, password=PASSWORD, name="Somebody new")
    token = (await person.mails())[-1].text.partition("Token: ")[2].split()[0]
    tokens = await accounts.registrations.verify(token, PASSWORD)
    assert tokens.profile.id != person.id
    assert await world.shop.order.data("{ cart { itemCount } }", by=tokens.identity) == {"cart": {"itemCount": 0}}


async def test_the_audit_log_keeps_ids_alone(world: World, person: Person) -> None:
    audit = world.subgraphs["user"].runtime.database["audit_entries"]
    change = 'mutation { changePassword(input: {currentPassword: "%s", newPassword: "other horses"}) { __typename } }'
    call = Call(
        person.identity, trusted=True, headers={"user-agent": "Wening's phone", "x-pasar-client-address": "::1"}
    )
    await world.subgraphs["user"].execute(change % PASSWORD, None, None, call)
    assert [entry["address"] for entry in await audit.find({"user_id": person.id}).to_list()] == ["::1"]
    await erase(person, "other horses")
    entries = await audit.find({"user_id": person.id}).sort("_id", 1).to_list()
    assert [(entry["action"], entry["address"], entry["user_agent"]) for entry in entries] == [
        ("PASSWORD_CHANGED", "", ""),
        ("ACCOUNT_ERASED", "", ""),
    ]


# -- refusals ----------------------------------------------------------------------------------------------------------


async def test_an_order_that_is_on_its_way_comes_first(world: World, person: Person) -> None:
    order_id = await person.buy()
    before = await world.snapshot()
    assert await erase(person) == {
        "__typename": "ConflictProblem",
        "code": "CONFLICT",
        "message": "1 order is unpaid or not delivered yet; erase the account when that is over",
    }
    assert await world.snapshot() == before
    await person.receive(order_id)
    assert (await erase(person))["__typename"] == "AccountErased"


async def test_an_unpaid_order_and_an_unfinished_checkout_come_first(world: World, person: Person) -> None:
    await person.choose()
    world.shop.peers.before["payment"] = Crash("the process dies before the payment is opened")
    with pytest.raises(AssertionError):
        await person.order("crashed")
    before = await world.snapshot()
    assert (await erase(person))["message"].startswith("2 orders are unpaid")
    assert await world.snapshot() == before


async def test_who_cannot_prove_it_erases_nothing(world: World, person: Person) -> None:
    database = world.subgraphs["user"].runtime.database
    cheap = Passwords(time_cost=1, memory_kib=8, threads=1)
    root = NewAccount(f"{person.id}root", f"root-{person.email}", "Root", world.clock.now(), ("ADMIN",))
    await insert_users(database, [root], password=PASSWORD, passwords=cheap)
    before = await world.snapshot()
    assert (await erase(person, "a guess"))["code"] == "INVALID_CREDENTIALS"
    assert await person.user.refusals(ERASE, {"password": PASSWORD}) == ["UNAUTHENTICATED"]
    assert await person.user.refusals(ERASE, {"password": PASSWORD}, by=service_identity("order")) == ["FORBIDDEN"]
    assert (await erase(Person(world, root.id, root.email)))["code"] == "CONFLICT"
    assert await world.snapshot() == before


async def test_while_nobody_knows_of_open_orders_nothing_is_erased(world: World, person: Person) -> None:
    working = world.shop.calls["order"]

    async def away(*_: Any) -> dict[str, Any]:
        raise PeerUnavailable("subgraph order did not answer")

    before = await world.snapshot()
    world.shop.calls["order"] = away
    try:
        assert await person.user.refusals(ERASE, {"password": PASSWORD}, by=person.identity) == ["UNAVAILABLE"]
    finally:
        world.shop.calls["order"] = working
    assert await world.snapshot() == before


# -- events ------------------------------------------------------------------------------------------------------------


async def test_the_event_names_nobody_and_its_second_delivery_changes_nothing(world: World, person: Person) -> None:
    await make_history(person)
    await erase(person)
    await settle(world)
    outbox = world.subgraphs["user"].runtime.database[OUTBOX]
    row = await outbox.find_one({"type": "UserErased", "subject": person.id})
    assert row is not None
    assert row["payload"] == {"user_id": person.id}
    before = {name: rows for name, rows in (await world.snapshot()).items() if not name.endswith(f".{INBOX}")}
    subscribers = [subgraph for subgraph in world.subgraphs.values() if "UserErased" in subgraph.handlers]
    assert [subgraph.name for subgraph in subscribers] == ["inventory", "order", "payment", "sync"]
    for subgraph in subscribers:
        runtime, handler = subgraph.runtime, subgraph.handlers["UserErased"]
        assert not await handle_once(runtime.client, runtime.database, event_from_row(row), handler)
        # Even without an inbox, or after it has forgotten
        await runtime.database[INBOX].delete_one({"_id": row["_id"]})
        assert await handle_once(runtime.client, runtime.database, event_from_row(row), handler)
    await settle(world)
    after = {name: rows for name, rows in (await world.snapshot()).items() if not name.endswith(f".{INBOX}")}
    erased = "order.erased_buyers"
    assert {**after, erased: []} == {**before, erased: []}


@pytest.mark.parametrize("name", ["order", "payment", "sync"])
async def test_a_subscriber_that_dies_in_the_middle_has_done_nothing_and_does_it_later(
    world: World, person: Person, name: str
) -> None:
    await make_history(person)
    await erase(person)
    row = await world.subgraphs["user"].runtime.database[OUTBOX].find_one({"type": "UserErased", "subject": person.id})
    assert row is not None
    subgraph = world.subgraphs[name]
    database = subgraph.runtime.database
    names = [each for each in await database.list_collection_names() if each != "system.profile"]
    before = {each: await database[each].find().sort("_id", 1).to_list() for each in names}

    async def die_after_writing(event: Any, session: Any) -> None:
        await subgraph.handlers["UserErased"](event, session)
        raise Crash("after the writes, before the commit")

    with pytest.raises(Crash):
        await handle_once(subgraph.runtime.client, database, event_from_row(row), die_after_writing)
    assert {each: await database[each].find().sort("_id", 1).to_list() for each in names} == before
    await settle(world)
    assert traces_of(person, await world.snapshot()) == []


async def test_an_order_that_was_placed_in_the_last_moment_keeps_what_its_parcel_needs(
    world: World, person: Person
) -> None:
    # The access token outlives the account by a minute or so
    await person.choose()
    await erase(person)
    order = await person.order("late")
    await person.pay(order)
    await settle(world)
    row = await order_of(world, order["id"])
    assert row["status"] == "PAID"
    assert row["shipping_address"]["line1"] == "Gang Cempaka 77"
    assert "buyer_email" not in row

    await person.receive(order["id"])
    # However long it takes
    world.clock.advance(days=3)
    await settle(world)
    assert traces_of(person, await world.snapshot()) == []
    world.clock.advance(hours=1)
    await settle(world)
    assert person.id not in str((await world.snapshot())["order.erased_buyers"])


async def test_only_services_ask_for_open_orders(world: World, person: Person) -> None:
    document = "query($id: ID!) { openOrderCount(buyerId: $id) }"
    await person.buy()
    for by, codes in ((person.identity, ["FORBIDDEN"]), (ADMIN, ["FORBIDDEN"])):
        assert await world.shop.order.refusals(document, {"id": person.id}, by=by) == codes
    asked = await world.shop.order.data(document, {"id": person.id}, by=service_identity("user"))
    assert asked == {"openOrderCount": 1}
