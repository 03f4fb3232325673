"""Captured money goes back once per request, never more than came in, and to its end whatever happens on the way."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core.identity import Identity
from core.mongo import Row
from subgraphs.payment.model import PaymentStatus
from subgraphs.payment.refunds import RETRY_FOR
from tests.integration.payment.conftest import Till
from tests.integration.payment.test_payments import FULL, capture, service_of
from tests.testkit.callers import ADMIN, CUSTOMER, OTHER_CUSTOMER, STAFF
from tests.testkit.gateway import MemoryGateway

REFUND = """
mutation($input: RefundPaymentInput!) {
  refundPayment(input: $input) {
    __typename
    ... on Payment { status refunded { amount currency } refunds { status amount { amount } reason finishedAt } }
    ... on InvalidInputProblem { field }
    ... on Problem { code message }
  }
}
"""


async def open_and_capture(till: Till, gateway: MemoryGateway) -> Row:
    await till.open()
    await capture(till, gateway)
    (payment,) = await till.rows()
    return payment


async def refund(
    till: Till,
    payment: Row,
    amount: int | dict[str, str] | None = None,
    *,
    key: str = "key-1",
    by: Identity = ADMIN,
    **more: Any,
) -> Any:
    given: dict[str, Any] = {"paymentId": payment["_id"], "reason": " too  late ", "idempotencyKey": key, **more}
    if amount is not None:
        given["amount"] = amount if isinstance(amount, dict) else {"decimal": str(amount), "currency": "IDR"}
    return (await till.data(REFUND, {"input": given}, by=by))["refundPayment"]


async def test_a_refund_of_everything_goes_through_the_gateway_and_is_told(till: Till, gateway: MemoryGateway) -> None:
    payment = await open_and_capture(till, gateway)
    assert await refund(till, payment) == {
        "__typename": "Payment",
        "status": "REFUNDED",
        "refunded": {"amount": 54_000, "currency": "IDR"},
        "refunds": [
            {
                "status": "DONE",
                "amount": {"amount": 54_000},
                "reason": "too late",
                "finishedAt": "2027-03-01T03:00:00.000Z",
            }
        ],
    }
    (row,) = await till.rows("refunds")
    sent = gateway.refunds[row["_id"]]
    assert (sent.reference, sent.amount, sent.reason) == ("ORD-1", FULL, "too late")
    assert await till.events() == ["PaymentCaptured", "PrivilegedAction", "PaymentRefunded"]
    told = [event["payload"] for event in await till.rows("outbox") if event.get("type") == "PaymentRefunded"]
    assert told == [
        {
            "payment_id": payment["_id"],
            "order_id": "ord_1",
            "refund_id": row["_id"],
            "amount": 54_000,
            "currency": "IDR",
            "reason": "too late",
            "requested_by": "usr_admin",
            "refunded_amount": 54_000,
            "captured_amount": 54_000,
            "at": till.clock.now(),
        }
    ]
    (mail,) = await till.rows("mails")
    assert (mail["to"], mail["subject"]) == ("ani@example.org", "Refund for order ORD-1")
    assert "IDR 54,000" in mail["text"]
    assert [(entry["status"]) for entry in (await till.rows())[0]["history"]] == ["PENDING", "PAID", "REFUNDED"]


async def test_parts_go_back_until_nothing_is_left(till: Till, gateway: MemoryGateway) -> None:
    payment = await open_and_capture(till, gateway)
    assert (await refund(till, payment, 20_000, key="a"))["status"] == "PARTIALLY_REFUNDED"
    too_much = await refund(till, payment, 34_001, key="b")
    assert (too_much["code"], too_much["field"]) == ("BAD_USER_INPUT", "amount")
    assert too_much["message"] == "at most IDR 34,000 can be refunded, and not less than one minor unit"
    rest = await refund(till, payment, key="c")
    assert (rest["status"], [each["amount"]["amount"] for each in rest["refunds"]]) == ("REFUNDED", [20_000, 34_000])
    assert (await refund(till, payment, 1, key="d"))["code"] == "CONFLICT"
    assert sum(each.amount.amount for each in gateway.refunds.values()) == 54_000


async def test_the_same_key_is_the_same_refund_also_at_the_same_time(till: Till, gateway: MemoryGateway) -> None:
    payment = await open_and_capture(till, gateway)
    results = await asyncio.gather(*(refund(till, payment, 10_000) for _ in range(6)))
    assert {result["__typename"] for result in results} == {"Payment"}
    assert len(await till.rows("refunds")) == len(gateway.refunds) == 1
    assert (await till.rows())[0]["refunded_amount"] == 10_000
    other = await refund(till, payment, 10_001)
    assert other["message"] == "the idempotency key was used for a refund over another amount"
    assert (await till.events()).count("PaymentRefunded") == 1


async def test_refunds_at_the_same_time_never_send_more_than_came_in(till: Till, gateway: MemoryGateway) -> None:
    payment = await open_and_capture(till, gateway)
    results = await asyncio.gather(*(refund(till, payment, 20_000, key=f"key-{number}") for number in range(5)))
    assert [result["__typename"] for result in results].count("Payment") == 2
    (row,) = await till.rows()
    assert (row["refund_amount"], row["refunded_amount"]) == (40_000, 40_000)
    assert sum(each.amount.amount for each in gateway.refunds.values()) == 40_000


async def test_what_the_gateway_does_not_answer_is_asked_again_under_the_same_key(
    till: Till, gateway: MemoryGateway
) -> None:
    payment = await open_and_capture(till, gateway)
    gateway.is_down = True
    waiting = await refund(till, payment, 20_000)
    assert (waiting["status"], waiting["refunds"][0]["status"]) == ("PAID", "REQUESTED")
    # Its money is set aside: nobody else can have it
    assert (await refund(till, payment, 34_001, key="other"))["field"] == "amount"
    await till.run_job("carry_out_refunds")
    assert gateway.calls.count("refund ORD-1") == 1
    till.clock.advance(seconds=30)
    await till.run_job("carry_out_refunds")
    assert gateway.calls.count("refund ORD-1") == 2
    gateway.is_down = False
    till.clock.advance(minutes=10)
    await till.run_job("carry_out_refunds")
    assert await till.status() == "PARTIALLY_REFUNDED"
    assert len(gateway.refunds) == 1
    await till.run_job("carry_out_refunds")
    assert (await till.events()).count("PaymentRefunded") == 1


async def test_a_lost_answer_sends_the_money_once(till: Till, gateway: MemoryGateway) -> None:
    payment = await open_and_capture(till, gateway)
    gateway.loses_answers = 1
    assert (await refund(till, payment))["refunds"][0]["status"] == "REQUESTED"
    assert len(gateway.refunds) == 1
    till.clock.advance(minutes=1)
    await till.run_job("carry_out_refunds")
    assert (await till.rows("refunds"))[0]["status"] == "DONE"
    assert len(gateway.refunds) == 1


async def test_a_process_that_dies_while_it_asks_leaves_the_refund_to_the_job(
    till: Till, gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = await open_and_capture(till, gateway)

    async def die(*_: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as dying:
        dying.setattr(gateway, "refund", die)
        given = {"paymentId": payment["_id"], "reason": "x", "idempotencyKey": "k"}
        assert await till.refusals(REFUND, {"input": given}, by=ADMIN) == ["INTERNAL_SERVER_ERROR"]
    till.clock.advance(seconds=59)
    await till.run_job("carry_out_refunds")
    assert gateway.refunds == {}
    till.clock.advance(seconds=1)
    await till.run_job("carry_out_refunds")
    assert await till.status() == "REFUNDED"
    assert len(gateway.refunds) == 1


async def test_a_refusal_frees_the_money_for_another_try(till: Till, gateway: MemoryGateway) -> None:
    payment = await open_and_capture(till, gateway)
    gateway.refund_refusal = "no balance"
    refused = await refund(till, payment)
    assert (refused["status"], refused["refunds"][0]["status"], refused["refunded"]["amount"]) == ("PAID", "FAILED", 0)
    (row,) = await till.rows("refunds")
    assert row["failure"] == "no balance"
    assert "due_at" not in row
    assert (await till.events())[-1] == "PaymentRefundFailed"
    assert await till.rows("mails") == []
    gateway.refund_refusal = None
    assert (await refund(till, payment, key="again"))["status"] == "REFUNDED"


async def test_after_the_gateway_has_forgotten_the_key_nobody_asks_again(till: Till, gateway: MemoryGateway) -> None:
    payment = await open_and_capture(till, gateway)
    gateway.is_down = True
    await refund(till, payment)
    till.clock.advance(RETRY_FOR)
    await till.run_job("carry_out_refunds")
    asked = gateway.calls.count("refund ORD-1")
    till.clock.advance(timedelta(days=30))
    await till.run_job("carry_out_refunds")
    assert gateway.calls.count("refund ORD-1") == asked
    # Nobody knows, so its money stays set aside
    (row,) = await till.rows()
    assert (row["refund_amount"], row.get("refunded_amount")) == (54_000, None)


async def test_the_gateways_own_word_may_come_first(till: Till, gateway: MemoryGateway) -> None:
    payment = await open_and_capture(till, gateway)
    gateway.loses_answers = 1
    await refund(till, payment)
    notification = gateway.report("ORD-1", PaymentStatus.REFUNDED, FULL)
    await service_of(till).receive_notification(notification)
    assert await till.status() == "REFUNDED"
    till.clock.advance(minutes=1)
    await till.run_job("carry_out_refunds")
    assert (await till.rows())[0]["refunded_amount"] == 54_000
    assert (await till.events()).count("PaymentRefunded") == 1


async def test_money_that_did_not_come_in_does_not_go_back(till: Till, gateway: MemoryGateway) -> None:
    await till.open()
    (payment,) = await till.rows()
    refused = await refund(till, payment)
    assert refused["message"] == f"payment {payment['_id']} is PENDING and cannot be refunded"
    assert (await refund(till, {"_id": "pay_none"}))["code"] == "NOT_FOUND"
    assert await till.rows() == [payment]
    assert await till.rows("refunds") == []


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({"idempotencyKey": ""}, "idempotencyKey"),
        ({"idempotencyKey": "x" * 101}, "idempotencyKey"),
        ({"amount": {"decimal": "0", "currency": "IDR"}}, "amount"),
        ({"amount": {"decimal": "-1", "currency": "IDR"}}, "amount"),
        ({"amount": {"decimal": "1.5", "currency": "IDR"}}, "amount"),
        ({"amount": {"decimal": "1", "currency": "USD"}}, "amount.currency"),
    ],
)
async def test_bad_input_is_refused_and_changes_nothing(
    till: Till, gateway: MemoryGateway, more: dict[str, Any], field: str
) -> None:
    payment = await open_and_capture(till, gateway)
    assert (await refund(till, payment, **more))["field"] == field
    assert await till.rows() == [payment]
    assert await till.rows("refunds") == []
    assert gateway.refunds == {}


@pytest.mark.parametrize("caller", [STAFF, CUSTOMER, OTHER_CUSTOMER])
async def test_only_whoever_may_refund_does(till: Till, gateway: MemoryGateway, caller: Identity) -> None:
    payment = await open_and_capture(till, gateway)
    given = {"paymentId": payment["_id"], "reason": "x", "idempotencyKey": "k"}
    assert await till.refusals(REFUND, {"input": given}, by=caller) == ["FORBIDDEN"]
    assert await till.refusals(REFUND, {"input": given}) == ["UNAUTHENTICATED"]
    assert await till.rows() == [payment]


async def test_a_buyer_sees_the_own_refunds(till: Till, gateway: MemoryGateway) -> None:
    payment = await open_and_capture(till, gateway)
    await refund(till, payment, 10_000)
    document = (
        f'{{ payment(id: "{payment["_id"]}") {{ refunded {{ amount }} refunds {{ amount {{ amount }} reason }} }} }}'
    )
    shown = (await till.data(document, by=CUSTOMER))["payment"]
    assert shown == {"refunded": {"amount": 10_000}, "refunds": [{"amount": {"amount": 10_000}, "reason": "too late"}]}
    assert (await till.data(document, by=OTHER_CUSTOMER))["payment"] is None
