"""The words, times, amounts and signatures of Midtrans, which the sandbox gateway speaks, too.

Source: Midtrans' documentation of Snap, Get Status and HTTP notifications.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha512

from core.money import CURRENCY_EXPONENTS, Money
from subgraphs.payment.model import PaymentStatus

# Their times carry no offset and are in Jakarta's
_GMT7 = timezone(timedelta(hours=7))

_STATUSES: Mapping[str, PaymentStatus] = {
    "pending": PaymentStatus.PENDING,
    "authorize": PaymentStatus.AUTHORIZED,
    "capture": PaymentStatus.PAID,
    "settlement": PaymentStatus.PAID,
    "deny": PaymentStatus.FAILED,
    "failure": PaymentStatus.FAILED,
    "cancel": PaymentStatus.CANCELLED,
    "expire": PaymentStatus.EXPIRED,
    "refund": PaymentStatus.REFUNDED,
    "partial_refund": PaymentStatus.PARTIALLY_REFUNDED,
    "chargeback": PaymentStatus.CHARGED_BACK,
    "partial_chargeback": PaymentStatus.CHARGED_BACK,
}


def read_status(transaction_status: str, fraud_status: str | None) -> PaymentStatus | None:
    """Return our word for theirs, or None for one that we do not know. Case does not matter.

    A card payment under review is captured but not ours yet.
    """
    if transaction_status.lower() == "capture" and (fraud_status or "").lower() == "challenge":
        return PaymentStatus.IN_REVIEW
    return _STATUSES.get(transaction_status.lower())


def sign_notification(order_id: str, status_code: str, gross_amount: str, server_key: str) -> str:
    """Return the signature_key: SHA-512 of the texts exactly as the body has them. It does not cover the status."""
    return sha512(f"{order_id}{status_code}{gross_amount}{server_key}".encode()).hexdigest()


def write_gross_amount(money: Money) -> str:
    """Return an amount as notifications and status answers have it: major units with two decimals."""
    return f"{money.decimal:.2f}"


def write_amount(amount: int, currency: str) -> int | str:
    """Return minor units as requests have them: an integer for currencies without decimals, as theirs is, else a text.

    Midtrans knows rupiah only; the text is what the sandbox adds for other currencies.
    """
    return amount if CURRENCY_EXPONENTS[currency] == 0 else str(Money(amount, currency).decimal)


def write_time(moment: datetime) -> str:
    """Return a time as they write it: to the second, GMT+7, without an offset."""
    return moment.astimezone(_GMT7).strftime("%Y-%m-%d %H:%M:%S")


def read_time(text: str) -> datetime:
    """Read a time of theirs; raise ValueError when it is none."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_GMT7).astimezone(UTC)
