"""A payment gateway in memory, with switches for what gateways do wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.money import Money
from subgraphs.payment.gateways.base import (
    BadNotification,
    ForgedNotification,
    GatewayError,
    GatewayPayment,
    GatewayUnavailable,
    NewPayment,
    NewRefund,
    Notification,
    OpenedPayment,
    ReferenceTaken,
)
from subgraphs.payment.model import PaymentStatus

SIGNATURE_HEADER = "x-memory-signature"


@dataclass
class MemoryGateway:
    """Keeps payments by reference. Mutable.

    *is_down* makes every call fail, *loses_answers* makes the next ones fail after they were carried out, and
    *refusal* refuses to open, *refund_refusal* to refund. *calls* are the calls in order.
    """

    name: str = "memory"
    payments: dict[str, GatewayPayment] = field(default_factory=dict)
    opened: dict[str, OpenedPayment] = field(default_factory=dict)
    by_key: dict[str, OpenedPayment] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    is_down: bool = False
    loses_answers: int = 0
    refusal: str | None = None
    forgets_keys: bool = False
    refunds: dict[str, NewRefund] = field(default_factory=dict)
    refund_refusal: str | None = None

    async def create(self, payment: NewPayment) -> OpenedPayment:
        self._enter(f"create {payment.reference}")
        if self.refusal is not None:
            raise GatewayError(self.refusal)
        opened = None if self.forgets_keys else self.by_key.get(payment.idempotency_key)
        if opened is None:
            if payment.reference in self.opened:
                raise ReferenceTaken(f"{payment.reference} is taken")
            opened = OpenedPayment(f"token-{payment.reference}", f"https://pay.invalid/{payment.reference}")
            self.opened[payment.reference] = self.by_key[payment.idempotency_key] = opened
        self._leave()
        return opened

    async def fetch_status(self, reference: str) -> GatewayPayment | None:
        self._enter(f"fetch_status {reference}")
        return self.payments.get(reference)

    async def cancel(self, reference: str, token: str) -> bool:
        self._enter(f"cancel {reference}")
        payment = self.payments.get(reference)
        if payment is not None and payment.status is not PaymentStatus.PENDING:
            return False
        if payment is not None:
            self.payments[reference] = replace(payment, status=PaymentStatus.CANCELLED, raw_status="cancel")
        self.cancelled.add(token)
        return True

    async def refund(self, refund: NewRefund) -> None:
        self._enter(f"refund {refund.reference}")
        if self.refund_refusal is not None:
            raise GatewayError(self.refund_refusal)
        assert self.refunds.setdefault(refund.key, refund) == refund
        self._leave()

    def read_notification(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        if headers.get(SIGNATURE_HEADER) != "right":
            raise ForgedNotification("the signature is not the gateway's")
        try:
            said = json.loads(body)
            return Notification(said["key"], said["reference"], PaymentStatus(said["status"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BadNotification("this is not a notification") from error

    async def aclose(self) -> None:
        """Do nothing."""

    def report(
        self, reference: str, status: PaymentStatus, amount: Money, *, paid_at: datetime | None = None
    ) -> Notification:
        """Have the gateway say from now on that a payment is in *status*; return its notification."""
        self.payments[reference] = GatewayPayment(reference, status, status.lower(), amount, paid_at)
        return Notification(f"{reference}-{status}", reference, status)

    def _enter(self, call: str) -> None:
        self.calls.append(call)
        if self.is_down:
            raise GatewayUnavailable("the gateway did not answer")

    def _leave(self) -> None:
        if self.loses_answers > 0:
            self.loses_answers -= 1
            raise GatewayUnavailable("the gateway did not answer")
