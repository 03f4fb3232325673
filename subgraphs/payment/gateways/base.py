"""What the store needs from a payment gateway.

GatewayError             the gateway refused; another try would meet the same
├── ReferenceTaken       it knows a payment with this reference already
├── ForgedNotification   a notification that it did not sign
└── BadNotification      a notification that cannot be read
GatewayUnavailable       it did not answer, or has trouble: try again later
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.errors import PasarError, Unavailable
from core.money import Money
from subgraphs.payment.model import PaymentStatus


class GatewayError(PasarError):
    """The gateway refused."""

    code = "PAYMENT_REFUSED"


class ReferenceTaken(GatewayError):
    """The reference is in use, and what it belongs to cannot be found out."""


class ForgedNotification(GatewayError):
    """The signature is not the gateway's."""

    code = "FORBIDDEN"


class BadNotification(GatewayError):
    """It is not a notification."""

    code = "BAD_REQUEST"


class GatewayUnavailable(Unavailable):
    """The gateway did not answer."""


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """A line that the pay page shows."""

    name: str
    quantity: int
    unit_price: Money


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A payment to open. The lines add up to *amount*. Two calls with one *idempotency_key* open one payment."""

    reference: str
    idempotency_key: str
    amount: Money
    lines: tuple[PaymentLine, ...]
    buyer_name: str | None
    buyer_email: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedPayment:
    """A payment that can be made at *pay_url*; *token* is the gateway's name for it."""

    token: str
    pay_url: str


@dataclass(frozen=True, slots=True)
class NewRefund:
    """Captured money to send back. Two calls with one *key* send it once, however far they lie apart."""

    reference: str
    key: str
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True)
class GatewayPayment:
    """What a gateway says about a payment; *raw_status* is its own word. *paid_at* only where money came in."""

    reference: str
    status: PaymentStatus
    raw_status: str
    amount: Money
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification whose signature is right. Its *status* may still be a lie: ask before acting.

    *key* is the same for copies of one notification and different for any other.
    """

    key: str
    reference: str
    status: PaymentStatus


class Gateway(Protocol):
    """One payment gateway. Every call has a time-out of its own; GatewayUnavailable may come from any of them."""

    name: str

    async def create(self, payment: NewPayment) -> OpenedPayment:
        """Open a payment; raise ReferenceTaken or GatewayError when that is refused."""
        ...

    async def fetch_status(self, reference: str) -> GatewayPayment | None:
        """Return what the gateway knows about a payment; None while nobody has begun to pay it."""
        ...

    async def cancel(self, reference: str, token: str) -> bool:
        """Stop a payment; return whether the gateway now refuses money for it. False: ask for its status."""
        ...

    async def refund(self, refund: NewRefund) -> None:
        """Send captured money back; raise GatewayError when that is refused for good: none of it was sent."""
        ...

    def read_notification(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Check and read a notification; raise ForgedNotification or BadNotification."""
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...
