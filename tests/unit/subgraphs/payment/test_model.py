"""States of payments, and letters about orders."""

import itertools

import pytest

from core.mail import Mail
from subgraphs.payment.letters import write_letter
from subgraphs.payment.model import (
    OPEN_STATUSES,
    UNPAID_ENDS,
    PaymentStatus,
    can_become,
    reverses_capture,
    status_after_refund,
)

S = PaymentStatus
MOVES = list(itertools.product(PaymentStatus, PaymentStatus))


def test_a_payment_never_goes_back_to_pending() -> None:
    assert [status for status in S if can_become(status, S.PENDING)] == []


def test_money_is_never_too_late() -> None:
    assert all(can_become(status, S.PAID) for status in (*OPEN_STATUSES, *UNPAID_ENDS))


def test_money_comes_in_once() -> None:
    assert not can_become(S.PAID, S.PAID)
    assert not any(can_become(status, S.PAID) for status in (S.REFUNDED, S.PARTIALLY_REFUNDED, S.CHARGED_BACK))


def test_an_unpaid_end_is_final_but_for_money() -> None:
    for before, after in itertools.product(UNPAID_ENDS, S):
        assert can_become(before, after) is (after is S.PAID)


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_only_the_end_of_a_paid_payment_reverses_a_capture(before: PaymentStatus, after: PaymentStatus) -> None:
    assert reverses_capture(before, after) is (before is S.PAID and after in UNPAID_ENDS)


ORDER = {
    "number": "ORD-1",
    "buyer_email": "ani@example.org",
    "total_amount": 54_000,
    "currency": "IDR",
    "was_paid": False,
}


@pytest.mark.parametrize(
    ("event", "was_paid", "subject", "text"),
    [
        (
            "OrderPaid",
            False,
            "Payment received for order ORD-1",
            "Thank you. We have received IDR 54,000 for order ORD-1 and are getting it ready.\n",
        ),
        (
            "OrderCancelled",
            False,
            "Order ORD-1 is cancelled",
            "Order ORD-1 over IDR 54,000 is cancelled. Nothing was charged. "
            "If you paid all the same, the money will be sent back.\n",
        ),
        (
            "OrderCancelled",
            True,
            "Order ORD-1 is cancelled",
            "Order ORD-1 over IDR 54,000 is cancelled. You will get your money back.\n",
        ),
        (
            "OrderExpired",
            False,
            "Order ORD-1 has expired",
            "Order ORD-1 over IDR 54,000 was not paid in time and has expired. Nothing was charged. "
            "If you paid all the same, the money will be sent back.\n",
        ),
    ],
)
def test_a_buyer_reads_what_became_of_the_order(event: str, was_paid: bool, subject: str, text: str) -> None:
    assert write_letter("evt_1", event, {**ORDER, "was_paid": was_paid}) == Mail(
        "evt_1", "ani@example.org", subject, text
    )


def test_without_an_address_there_is_no_letter() -> None:
    assert write_letter("evt_1", "OrderPaid", {**ORDER, "buyer_email": None}) is None


def test_a_payment_is_refunded_when_all_of_it_was_sent_back() -> None:
    assert status_after_refund(captured=10, refunded=9) is S.PARTIALLY_REFUNDED
    assert status_after_refund(captured=10, refunded=10) is S.REFUNDED
    assert status_after_refund(captured=10, refunded=11) is S.REFUNDED
