"""Payments are opened once, captured once, and never lost."""

import asyncio
from datetime import timedelta

import pytest

from core.errors import Unavailable
from core.events import OUTBOX, Event, event_from_row, handle_once
from core.identity import ANONYMOUS, Identity
from core.mail import MailboxMailer
from core.money import Money
from core.mongo import Row
from core.subgraph import Call
from subgraphs.payment.gateways.base import GatewayUnavailable, Notification
from subgraphs.payment.model import PaymentStatus
from subgraphs.payment.repository import PaymentRepository
from subgraphs.payment.service import PaymentService
from tests.integration.payment.conftest import CANCEL, OPEN, Till
from tests.testkit.callers import CUSTOMER, ORDER_SERVICE, OTHER_CUSTOMER, STAFF
from tests.testkit.gateway import MemoryGateway

FULL = Money(54_000, "IDR")


def service_of(till: Till) -> PaymentService:
    service: PaymentService = till.subgraph.context(Call()).service  # type: ignore[attr-defined]
    return service


async def capture(till: Till, gateway: MemoryGateway, reference: str = "ORD-1", amount: Money = FULL) -> None:
    notification = gateway.report(reference, PaymentStatus.PAID, amount, paid_at=till.clock.now())
    await service_of(till).receive_notification(notification)


async def tell(till: Till, type_: str, number: int = 1, **more: object) -> Event:
    payload = {
        "order_id": f"ord_{number}",
        "number": f"ORD-{number}",
        "buyer_email": "ani@example.org",
        "total_amount": 54_000,
        "currency": "IDR",
        **more,
    }
    event = Event(f"evt_{type_}_{number}", type_, f"ord_{number}", payload, till.clock.now())
    runtime = till.subgraph.runtime
    await handle_once(runtime.client, runtime.database, event, till.subgraph.handlers[type_])
    return event


async def test_a_payment_is_opened_with_the_gateway_and_shows_where_to_pay(till: Till, gateway: MemoryGateway) -> None:
    payment = await till.open()
    assert payment == {
        "id": (await till.rows())[0]["_id"],
        "status": "PENDING",
        "gateway": "memory",
        "payUrl": "https://pay.invalid/ORD-1",
        "amount": {"amount": 54_000, "currency": "IDR"},
        "expiresAt": "2027-03-01T03:30:00.000Z",
        "paidAt": None,
    }
    assert gateway.calls == ["create ORD-1"]


async def test_opening_twice_gives_one_payment_and_asks_the_gateway_once(till: Till, gateway: MemoryGateway) -> None:
    assert await till.open() == await till.open()
    assert gateway.calls == ["create ORD-1"]
    assert len(await till.rows()) == 1


async def test_opening_at_the_same_time_gives_one_payment_with_one_page(till: Till, gateway: MemoryGateway) -> None:
    payments = await asyncio.gather(*(till.open() for _ in range(8)))
    assert all(payment == payments[0] for payment in payments)
    assert len(await till.rows()) == 1
    assert len(gateway.opened) == 1
    assert gateway.cancelled == set()


@pytest.mark.parametrize("caller", [ANONYMOUS, CUSTOMER, STAFF])
async def test_only_services_open_and_cancel_payments(till: Till, gateway: MemoryGateway, caller: Identity) -> None:
    assert await till.refusals(OPEN, till.opening(), by=caller) == ["FORBIDDEN"]
    assert await till.refusals(CANCEL, {"orderId": "ord_1"}, by=caller) == ["FORBIDDEN"]
    assert await till.rows() == []
    assert await till.rows("closed_orders") == []
    assert gateway.calls == []


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"lines": [{"name": "Cup", "quantity": 1, "unitAmount": 1}]}, "lines"),
        ({"amount": {"amount": 0, "currency": "IDR"}, "lines": []}, "amount"),
        ({"amount": {"amount": -5, "currency": "IDR"}}, "amount"),
        ({"expiresAt": "2027-03-01T03:00:00Z"}, "expiresAt"),
    ],
)
async def test_what_cannot_be_paid_is_not_opened(
    till: Till, gateway: MemoryGateway, more: dict[str, object], field: str
) -> None:
    (error,) = (await till.ask(OPEN, till.opening(**more), by=ORDER_SERVICE))["errors"]  # type: ignore[arg-type]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_USER_INPUT", field)
    assert await till.rows() == []
    assert gateway.calls == []


async def test_another_amount_for_the_same_order_is_a_conflict(till: Till) -> None:
    await till.open()
    assert await till.refusals(OPEN, till.opening(total=60_000), by=ORDER_SERVICE) == ["CONFLICT"]
    assert [payment["amount"] for payment in await till.rows()] == [54_000]


async def test_a_lost_answer_of_the_gateway_opens_no_second_page(till: Till, gateway: MemoryGateway) -> None:
    gateway.loses_answers = 1
    assert await till.refusals(OPEN, till.opening(), by=ORDER_SERVICE) == ["UNAVAILABLE"]
    assert (await till.open())["payUrl"] == "https://pay.invalid/ORD-1"
    assert list(gateway.opened) == ["ORD-1"]


async def test_a_page_whose_link_was_lost_for_good_is_replaced(till: Till, gateway: MemoryGateway) -> None:
    gateway.loses_answers, gateway.forgets_keys = 1, True
    assert await till.refusals(OPEN, till.opening(), by=ORDER_SERVICE) == ["UNAVAILABLE"]
    assert (await till.open())["payUrl"] == "https://pay.invalid/ORD-1-2"
    # Whatever the gateway says about either name is about this payment
    await capture(till, gateway, "ORD-1-2")
    assert await till.status() == "PAID"


async def test_a_refusal_of_the_gateway_is_not_worth_another_try(till: Till, gateway: MemoryGateway) -> None:
    gateway.refusal = "closed"
    assert await till.refusals(OPEN, till.opening(), by=ORDER_SERVICE) == ["PAYMENT_REFUSED"]


async def test_a_payment_is_captured_once_however_often_the_gateway_says_so(till: Till, gateway: MemoryGateway) -> None:
    await till.open()
    await asyncio.gather(*(capture(till, gateway) for _ in range(10)))
    till.clock.advance(minutes=5)
    await capture(till, gateway)
    (payment,) = await till.rows()
    assert (payment["status"], payment["captured_amount"]) == ("PAID", 54_000)
    assert [entry["status"] for entry in payment["history"]] == ["PENDING", "PAID"]
    assert "check_due_at" not in payment
    (row,) = await till.rows(OUTBOX)
    assert (row["type"], row["payload"]) == (
        "PaymentCaptured",
        {
            "payment_id": payment["_id"],
            "order_id": "ord_1",
            "amount": 54_000,
            "currency": "IDR",
            "at": payment["paid_at"],
            "reverses_capture": False,
        },
    )


async def test_a_known_notification_does_not_even_ask_the_gateway(till: Till, gateway: MemoryGateway) -> None:
    await till.open()
    await capture(till, gateway)
    gateway.calls.clear()
    await capture(till, gateway)
    assert gateway.calls == []


async def test_a_notification_alone_captures_nothing(till: Till, gateway: MemoryGateway) -> None:
    await till.open()
    for claimed in (
        Notification("k1", "ORD-1", PaymentStatus.PAID),
        Notification("k2", "ORD-1", PaymentStatus.EXPIRED),
    ):
        # The gateway knows of no beginning of a payment yet; then of one that is still open
        await service_of(till).receive_notification(claimed)
        gateway.report("ORD-1", PaymentStatus.PENDING, FULL)
        await service_of(till).receive_notification(claimed)
    assert await till.status() == "PENDING"
    assert await till.events() == []
    # It is not taken for known: when it becomes true, it counts
    gateway.report("ORD-1", PaymentStatus.PAID, FULL)
    await service_of(till).receive_notification(Notification("k1", "ORD-1", PaymentStatus.PAID))
    assert await till.status() == "PAID"


async def test_a_notification_is_put_off_while_the_status_cannot_be_had(till: Till, gateway: MemoryGateway) -> None:
    await till.open()
    notification = gateway.report("ORD-1", PaymentStatus.PAID, FULL)
    gateway.is_down = True
    with pytest.raises(GatewayUnavailable):
        await service_of(till).receive_notification(notification)
    assert await till.status() == "PENDING"
    gateway.is_down = False
    await service_of(till).receive_notification(notification)
    assert await till.status() == "PAID"


async def test_a_lost_notification_is_made_up_for_by_asking(till: Till, gateway: MemoryGateway) -> None:
    await till.open()
    gateway.report("ORD-1", PaymentStatus.PAID, FULL)
    till.clock.advance(seconds=59)
    await till.run_job("check_payments")
    assert await till.status() == "PENDING"
    till.clock.advance(seconds=1)
    await till.run_job("check_payments")
    assert await till.status() == "PAID"
    assert await till.events() == ["PaymentCaptured"]


async def test_an_open_payment_is_asked_about_less_and_less_often(till: Till, gateway: MemoryGateway) -> None:
    await till.open(expiresAt=(till.clock.now() + timedelta(hours=3)).isoformat())
    asked = []
    for second in range(0, 3600, 5):
        gateway.calls.clear()
        await till.run_job("check_payments")
        if gateway.calls:
            asked.append(second)
        till.clock.advance(seconds=5)
    assert asked == [60, 180, 420, 900, 1500, 2100, 2700, 3300]


async def test_a_payment_that_nobody_began_expires_by_our_clock_and_its_page_is_closed(
    till: Till, gateway: MemoryGateway
) -> None:
    await till.open()
    till.clock.advance(minutes=30, seconds=5)
    await till.run_job("check_payments")
    assert await till.status() == "EXPIRED"
    assert await till.events() == ["PaymentExpired"]
    assert gateway.cancelled == {"token-ORD-1"}


async def test_an_outage_at_the_end_leaves_the_payment_open_until_the_gateway_answers(
    till: Till, gateway: MemoryGateway
) -> None:
    await till.open()
    till.clock.advance(minutes=31)
    gateway.is_down = True
    await till.run_job("check_payments")
    assert await till.status() == "PENDING"
    gateway.is_down = False
    gateway.report("ORD-1", PaymentStatus.PAID, FULL)
    till.clock.advance(minutes=10)
    await till.run_job("check_payments")
    assert await till.status() == "PAID"


async def test_a_cancelled_payment_cannot_be_made_and_its_order_gets_no_other(
    till: Till, gateway: MemoryGateway
) -> None:
    await till.open()
    assert await till.cancel() == "CANCELLED"
    assert await till.cancel() == "CANCELLED"
    assert gateway.cancelled == {"token-ORD-1"}
    assert await till.events() == ["PaymentCancelled"]
    assert await till.refusals(OPEN, till.opening(), by=ORDER_SERVICE) == ["CONFLICT"]
    assert await till.status() == "CANCELLED"


async def test_an_order_that_is_cancelled_before_its_payment_is_opened_gets_none(
    till: Till, gateway: MemoryGateway
) -> None:
    assert await till.cancel() is None
    assert await till.refusals(OPEN, till.opening(), by=ORDER_SERVICE) == ["CONFLICT"]
    assert gateway.opened == {}
    assert await till.status() == "CANCELLED"


async def test_opening_and_cancelling_at_the_same_time_leave_nothing_to_pay(till: Till, gateway: MemoryGateway) -> None:
    for number in range(10):
        await asyncio.gather(till.ask(OPEN, till.opening(number), by=ORDER_SERVICE), till.cancel(number))
        await till.cancel(number)
    assert {payment["status"] for payment in await till.rows()} == {"CANCELLED"}
    open_pages = {opened.token for opened in gateway.opened.values()} - gateway.cancelled
    assert open_pages == set()


async def test_a_page_that_opens_while_its_payment_is_being_cancelled_is_closed(
    till: Till, gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await till.open()
    original = PaymentRepository.find_by_order

    async def find_as_it_was(self: PaymentRepository, order_id: str) -> Row | None:
        row = await original(self, order_id)
        return row and {name: value for name, value in row.items() if name not in ("token", "pay_url")}

    monkeypatch.setattr(PaymentRepository, "find_by_order", find_as_it_was)
    assert await till.cancel() == "CANCELLED"
    assert gateway.cancelled == {"token-ORD-1"}
    assert await till.events() == ["PaymentCancelled"]


async def test_cancelling_a_payment_that_was_just_made_finds_it_paid(till: Till, gateway: MemoryGateway) -> None:
    await till.open()
    gateway.report("ORD-1", PaymentStatus.PAID, FULL, paid_at=till.clock.now())
    assert await till.cancel() == "PAID"
    assert await till.events() == ["PaymentCaptured"]


async def test_a_cancellation_that_the_gateway_does_not_confirm_is_not_believed(
    till: Till, gateway: MemoryGateway
) -> None:
    await till.open()
    gateway.is_down = True
    assert await till.refusals(CANCEL, {"orderId": "ord_1"}, by=ORDER_SERVICE) == ["UNAVAILABLE"]
    assert await till.status() == "PENDING"


async def test_money_after_the_end_is_captured_and_announced(till: Till, gateway: MemoryGateway) -> None:
    await till.open()
    till.clock.advance(minutes=31)
    assert await till.cancel() == "EXPIRED"
    await capture(till, gateway)
    assert await till.status() == "PAID"
    assert await till.events() == ["PaymentExpired", "PaymentCaptured"]


async def test_a_settled_payment_that_is_denied_says_that_money_is_gone_again(
    till: Till, gateway: MemoryGateway
) -> None:
    await till.open()
    await capture(till, gateway)
    await service_of(till).receive_notification(gateway.report("ORD-1", PaymentStatus.FAILED, FULL))
    rows = await till.rows(OUTBOX)
    assert [(row["type"], row["payload"]["reverses_capture"]) for row in rows] == [
        ("PaymentCaptured", False),
        ("PaymentFailed", True),
    ]


async def test_another_amount_is_captured_as_what_it_is(till: Till, gateway: MemoryGateway) -> None:
    await till.open()
    await capture(till, gateway, amount=Money(1, "IDR"))
    (row,) = await till.rows(OUTBOX)
    assert row["payload"]["amount"] == 1
    assert (await till.rows())[0]["captured_amount"] == 1


async def test_another_currency_is_not_believed(till: Till, gateway: MemoryGateway) -> None:
    await till.open()
    await capture(till, gateway, amount=Money(54_000, "USD"))
    assert await till.status() == "PENDING"


async def test_the_end_of_an_order_stops_its_payment_and_tells_the_buyer_once(
    till: Till, gateway: MemoryGateway
) -> None:
    await till.open()
    event = await tell(till, "OrderCancelled")
    await tell(till, "OrderCancelled")
    await till.run_job("check_payments")
    assert await till.status() == "CANCELLED"
    for _ in range(2):
        await till.run_job("send_mails")
    mailer = till.subgraph.runtime.mailer
    assert isinstance(mailer, MailboxMailer)
    (mail,) = await mailer.read(to="ani@example.org")
    assert (mail.id, mail.subject) == (event.id, "Order ORD-1 is cancelled")


async def test_a_mail_server_that_is_away_holds_up_nothing(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    mailer = till.subgraph.runtime.mailer
    assert isinstance(mailer, MailboxMailer)
    original, refused = MailboxMailer.send, []

    async def refuse(self: MailboxMailer, mail: object, **more: object) -> None:
        refused.append(mail)
        raise Unavailable("away")

    monkeypatch.setattr(MailboxMailer, "send", refuse)
    await tell(till, "OrderPaid", 1)
    await tell(till, "OrderExpired", 2)
    await till.run_job("send_mails")
    assert len(refused) == 2
    monkeypatch.setattr(MailboxMailer, "send", original)
    till.clock.advance(minutes=1)
    await till.run_job("send_mails")
    assert sorted(mail.subject for mail in await mailer.read()) == [
        "Order ORD-2 has expired",
        "Payment received for order ORD-1",
    ]


PAYMENT_OF = "... on Order { payment { id status payUrl } }"
ORDER = {"__typename": "Order", "id": "ord_1"}


async def test_a_payment_is_shown_to_its_buyer_staff_and_services_only(till: Till) -> None:
    payment = await till.open()
    shown = {"id": payment["id"], "status": "PENDING", "payUrl": "https://pay.invalid/ORD-1"}
    for caller in (CUSTOMER, STAFF, ORDER_SERVICE):
        assert await till.entities(PAYMENT_OF, [ORDER], by=caller) == [{"payment": shown}]
    document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Order { payment { id } } } }"
    for stranger, code in ((OTHER_CUSTOMER, "FORBIDDEN"), (ANONYMOUS, "UNAUTHENTICATED")):
        response = await till.ask(document, {"r": [ORDER]}, by=stranger)
        assert response["data"] == {"_entities": [{"payment": None}]}
        assert [error["extensions"]["code"] for error in response["errors"]] == [code]
        by_id = "query($id: ID!) { payment(id: $id) { id } }"
        assert await till.data(by_id, {"id": payment["id"]}, by=stranger) == {"payment": None}
        assert await till.entities("... on Payment { id }", [{"__typename": "Payment", "id": payment["id"]}]) == [None]
    assert await till.refusals("{ payments { nodes { id } } }", by=CUSTOMER) == ["FORBIDDEN"]
    assert await till.data("{ payments(filter: {status: [PENDING]}) { nodes { id } } }", by=STAFF) == {
        "payments": {"nodes": [{"id": payment["id"]}]}
    }


async def test_an_order_without_a_payment_shows_null_and_a_finished_one_no_page(
    till: Till, gateway: MemoryGateway
) -> None:
    assert await till.entities(PAYMENT_OF, [ORDER], by=CUSTOMER) == [{"payment": None}]
    await till.open()
    await capture(till, gateway)
    (order,) = await till.entities("... on Order { payment { status payUrl paidAt } }", [ORDER], by=CUSTOMER)
    assert order["payment"] == {"status": "PAID", "payUrl": None, "paidAt": "2027-03-01T03:00:00.000Z"}


async def test_events_of_the_outbox_read_back(till: Till, gateway: MemoryGateway) -> None:
    await till.open()
    await capture(till, gateway)
    (row,) = await till.rows(OUTBOX)
    assert event_from_row(row).subject == (await till.rows())[0]["_id"]
