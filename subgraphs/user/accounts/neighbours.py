"""What the user subgraph asks of the others about a person, as a service."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec

from core.peers import Peers, PeerUnavailable
from loaders.remote import remote_entity_loader

# The longest page that a connection gives
PAGE_SIZE = 100
BEGINNING = "1970-01-01T00:00:00.000Z"

_OPEN_ORDERS = "query OpenOrders($buyerId: ID!) { openOrderCount(buyerId: $buyerId) }"

_CART = """
query PersonalCart($ownerId: ID!) {
  cartOf(ownerId: $ownerId) { discountCodes lines { product { id } quantity } }
}
"""

_MONEY = "{ amount currency }"
# The way that the sync subgraph reads orders, with everything that an order says about its buyer
_ORDERS = f"""
query PersonalOrders($until: DateTime!, $buyerId: ID!, $first: Int!, $after: String) {{
  changedOrders(since: "{BEGINNING}", until: $until, buyerId: $buyerId, first: $first, after: $after) {{
    orders {{
      id number status placedAt paidAt updatedAt quantity note
      subtotal {_MONEY} discountTotal {_MONEY} shipping {_MONEY} total {_MONEY}
      discounts {{ code kind amount {_MONEY} }} shippingMethod {{ name }} tax {{ name isInclusive amount {_MONEY} }}
      lines {{ id product {{ id }} name sku quantity unitPrice {_MONEY} discount {_MONEY} total {_MONEY} }}
      shippingAddress {{ recipient phone line1 line2 city region postalCode country }}
      shipments {{
        carrier trackingNumber shippedAt deliveredAt lines {{ lineId quantity }} events {{ at status location }}
      }}
      returns {{ status reason requestedAt decidedAt receivedAt lines {{ lineId quantity }} }}
      refunds {{ amount {_MONEY} reason at }}
      staffNotes {{ at text }}
      invoiceNumber
      history {{ status event at by reason }}
    }}
    endCursor
    hasNextPage
  }}
}}
"""
_PAYMENT = f"""
payment {{
  id status amount {_MONEY} gateway createdAt expiresAt paidAt
  refunds {{ status amount {_MONEY} reason requestedAt finishedAt }}
}}
"""
_SCHEDULES = """
syncSchedules {
  id name frequency timeOfDay timezone dayOfWeek dayOfMonth month webhookUrl scope enabled nextRunAt lastRunAt createdAt
}
"""


class Neighbours:
    """Typed calls to the other subgraphs. Each raises PeerError when the other one refuses or does not answer."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def count_open_orders(self, user_id: str) -> int:
        """Return how many orders of a user are unpaid, or paid and not delivered."""
        answer = await self._peers.query("order", _OPEN_ORDERS, {"buyerId": user_id})
        count = answer.get("openOrderCount")
        if not isinstance(count, int):
            raise PeerUnavailable("subgraph order answered with something else than a number of orders")
        return count

    async def read_orders(self, user_id: str, *, until: datetime) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield a user's orders with their payments, page by page, the longest unchanged first."""
        after: str | None = None
        while True:
            variables = {
                "until": until.isoformat(timespec="milliseconds"),
                "buyerId": user_id,
                "first": PAGE_SIZE,
                "after": after,
            }
            answer = (await self._peers.query("order", _ORDERS, variables)).get("changedOrders")
            try:
                page = msgspec.convert(answer, _Page)
            except msgspec.ValidationError as error:
                raise PeerUnavailable(f"subgraph order answered with something else than orders: {error}") from error
            if page.orders:
                yield await self._with_payments(page.orders)
            if not page.hasNextPage:
                return
            after = page.endCursor

    async def read_cart(self, user_id: str) -> dict[str, Any]:
        """Return what is in a user's cart."""
        cart = (await self._peers.query("order", _CART, {"ownerId": user_id})).get("cartOf")
        if not isinstance(cart, dict):
            raise PeerUnavailable("subgraph order answered with something else than a cart")
        return cart

    async def read_schedules(self, user_id: str) -> list[dict[str, Any]]:
        """Return a user's sync schedules, without their secrets."""
        user = await remote_entity_loader(self._peers, "sync", "User", _SCHEDULES).load(user_id)
        return [] if user is None else list(user["syncSchedules"] or ())

    async def _with_payments(self, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
        loader = remote_entity_loader(self._peers, "payment", "Order", _PAYMENT)
        paid = await loader.load_many([order["id"] for order in orders])
        return [
            {**order, "payment": None if entity is None else entity["payment"]}
            for order, entity in zip(orders, paid, strict=True)
        ]


class _Page(msgspec.Struct):
    orders: list[dict[str, Any]]
    endCursor: str | None
    hasNextPage: bool
