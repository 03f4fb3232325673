"""What the payment subgraph announces."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.mongo import Row
from subgraphs.payment.model import PaymentStatus

PAYMENT_CAPTURED = "PaymentCaptured"
PAYMENT_FAILED = "PaymentFailed"
PAYMENT_EXPIRED = "PaymentExpired"
PAYMENT_CANCELLED = "PaymentCancelled"
# A refund of ours came to its end
PAYMENT_REFUNDED = "PaymentRefunded"
PAYMENT_REFUND_FAILED = "PaymentRefundFailed"

EVENT_OF_STATUS: Mapping[PaymentStatus, str] = {
    PaymentStatus.PAID: PAYMENT_CAPTURED,
    PaymentStatus.FAILED: PAYMENT_FAILED,
    PaymentStatus.EXPIRED: PAYMENT_EXPIRED,
    PaymentStatus.CANCELLED: PAYMENT_CANCELLED,
}


def payment_payload(payment: Row, *, amount: int, at: datetime, reverses_capture: bool = False) -> dict[str, Any]:
    """Return the payload of an event about *payment*; *amount* is what the gateway says, in minor units.

    *reverses_capture* tells that money which had come in is gone again.
    """
    return {
        "payment_id": payment["_id"],
        "order_id": payment["order_id"],
        "amount": amount,
        "currency": payment["currency"],
        "at": at,
        "reverses_capture": reverses_capture,
    }


def refund_payload(refund: Row, payment: Row, *, at: datetime) -> dict[str, Any]:
    """Return the payload of an event about *refund*; *payment* is as it is afterwards, with all its refunds."""
    return {
        "payment_id": payment["_id"],
        "order_id": payment["order_id"],
        "refund_id": refund["_id"],
        "amount": refund["amount"],
        "currency": payment["currency"],
        "reason": refund["reason"],
        "requested_by": refund["requested_by"],
        "refunded_amount": payment.get("refunded_amount", 0),
        "captured_amount": payment["captured_amount"],
        "at": at,
    }
