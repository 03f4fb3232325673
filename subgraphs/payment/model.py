"""Payments: their states and what may follow what. No I/O, and no clock."""

from collections.abc import Mapping
from enum import StrEnum


class PaymentStatus(StrEnum):
    """Where a payment stands."""

    PENDING = "PENDING"
    AUTHORIZED = "AUTHORIZED"
    IN_REVIEW = "IN_REVIEW"
    PAID = "PAID"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    CHARGED_BACK = "CHARGED_BACK"


class RefundStatus(StrEnum):
    """Where a refund stands. REQUESTED: the gateway has not confirmed it. FAILED: it refused, and none was sent."""

    REQUESTED = "REQUESTED"
    DONE = "DONE"
    FAILED = "FAILED"


# Money came in, and some of it may still be here
REFUNDABLE_STATUSES = (PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED)
# Money may still come in
OPEN_STATUSES = (PaymentStatus.PENDING, PaymentStatus.AUTHORIZED, PaymentStatus.IN_REVIEW)
# It is over and no money came in, as far as the gateway knew then
UNPAID_ENDS = (PaymentStatus.FAILED, PaymentStatus.EXPIRED, PaymentStatus.CANCELLED)

# An order of states: news that is older than what we know never moves a payment back
NEXT_STATUSES: Mapping[PaymentStatus, tuple[PaymentStatus, ...]] = {
    PaymentStatus.PENDING: tuple(status for status in PaymentStatus if status is not PaymentStatus.PENDING),
    PaymentStatus.AUTHORIZED: (PaymentStatus.IN_REVIEW, PaymentStatus.PAID, *UNPAID_ENDS),
    PaymentStatus.IN_REVIEW: (PaymentStatus.PAID, *UNPAID_ENDS),
    # Some bank channels settle and then deny, within minutes
    PaymentStatus.PAID: (
        PaymentStatus.REFUNDED,
        PaymentStatus.PARTIALLY_REFUNDED,
        PaymentStatus.CHARGED_BACK,
        PaymentStatus.FAILED,
        PaymentStatus.CANCELLED,
    ),
    # Money can come in after the end: a transfer that was on its way. It is never lost
    PaymentStatus.FAILED: (PaymentStatus.PAID,),
    PaymentStatus.EXPIRED: (PaymentStatus.PAID,),
    PaymentStatus.CANCELLED: (PaymentStatus.PAID,),
    PaymentStatus.PARTIALLY_REFUNDED: (PaymentStatus.REFUNDED, PaymentStatus.CHARGED_BACK),
    PaymentStatus.REFUNDED: (),
    PaymentStatus.CHARGED_BACK: (),
}


def can_become(status: PaymentStatus, target: PaymentStatus) -> bool:
    """Tell whether a payment in *status* may move to *target*."""
    return target in NEXT_STATUSES[status]


def status_after_refund(*, captured: int, refunded: int) -> PaymentStatus:
    """Return what a payment becomes when *refunded* of *captured* minor units were sent back in all."""
    return PaymentStatus.REFUNDED if refunded >= captured else PaymentStatus.PARTIALLY_REFUNDED


def reverses_capture(status: PaymentStatus, target: PaymentStatus) -> bool:
    """Tell whether the move takes captured money away again, without a refund of ours."""
    return status is PaymentStatus.PAID and target in UNPAID_ENDS
