"""What the order subgraph announces."""

from collections.abc import Mapping
from typing import Any

from core.mongo import Row
from subgraphs.order.model import OrderStatus

ORDER_PLACED = "OrderPlaced"
ORDER_PAID = "OrderPaid"
ORDER_CANCELLED = "OrderCancelled"
ORDER_EXPIRED = "OrderExpired"
ORDER_SHIPPED = "OrderShipped"
ORDER_DELIVERED = "OrderDelivered"
# Pieces have come back; with `restock` they are to be sold again
ORDER_RETURN_RECEIVED = "OrderReturnReceived"
# Money came in, or stays, for an order that will not be delivered
PAYMENT_NEEDS_REFUND = "PaymentNeedsRefund"

# Nobody has changed a cart with something in it for a while
CART_ABANDONED = "CartAbandoned"

# What is announced when an order reaches a status. Packing happens inside the store: nobody else acts on it
EVENT_OF_STATUS: Mapping[OrderStatus, str] = {
    OrderStatus.PENDING_PAYMENT: ORDER_PLACED,
    OrderStatus.PAID: ORDER_PAID,
    OrderStatus.CANCELLED: ORDER_CANCELLED,
    OrderStatus.EXPIRED: ORDER_EXPIRED,
    OrderStatus.SHIPPED: ORDER_SHIPPED,
    OrderStatus.DELIVERED: ORDER_DELIVERED,
}


def order_payload(order: Row, *, was_paid: bool = False) -> dict[str, Any]:
    """Return the payload of an event about *order*; *was_paid* tells of a cancelled one that its stock had left."""
    return {
        "order_id": order["_id"],
        "number": order["number"],
        "buyer_id": order["buyer_id"],
        "buyer_email": order.get("buyer_email"),
        "total_amount": order["total_amount"],
        "currency": order["currency"],
        "placed_at": order["placed_at"],
        "quantity": order["quantity"],
        "was_paid": was_paid,
    }
