"""The letters to buyers. Pure: an event's payload goes in, a mail comes out."""

from collections.abc import Mapping
from typing import Any

from core.mail import Mail
from core.money import Money
from core.mongo import Row


def write_letter(mail_id: str, event: str, order: Mapping[str, Any]) -> Mail | None:
    """Return the mail for an `OrderPaid`, `OrderCancelled` or `OrderExpired` event; None when there is no address."""
    to = order.get("buyer_email")
    if not to:
        return None
    number, total = order["number"], Money(order["total_amount"], order["currency"])
    match event:
        case "OrderPaid":
            subject = f"Payment received for order {number}"
            text = f"Thank you. We have received {total} for order {number} and are getting it ready."
        case "OrderCancelled":
            subject = f"Order {number} is cancelled"
            text = f"Order {number} over {total} is cancelled."
            text += (
                " You will get your money back."
                if order.get("was_paid")
                else " Nothing was charged. If you paid all the same, the money will be sent back."
            )
        case "OrderExpired":
            subject = f"Order {number} has expired"
            text = (
                f"Order {number} over {total} was not paid in time and has expired. Nothing was charged. "
                "If you paid all the same, the money will be sent back."
            )
        case _:
            raise ValueError(f"there is no letter for {event}")
    return Mail(mail_id, to, subject, f"{text}\n")


def write_refund_letter(mail_id: str, payment: Row, amount: Money) -> Mail | None:
    """Return the mail for money that was sent back; None when there is no address."""
    to = payment.get("buyer_email")
    if not to:
        return None
    number = payment["order_number"]
    text = f"We have sent back {amount} for order {number}. Depending on your bank, it takes some days to arrive.\n"
    return Mail(mail_id, to, f"Refund for order {number}", text)
