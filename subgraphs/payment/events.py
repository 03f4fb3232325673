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
