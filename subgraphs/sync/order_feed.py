"""What changed in the order subgraph, read through its service interface."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec

from core.peers import Peers, PeerUnavailable

# The longest page that a connection gives
BATCH_SIZE = 100

# Changes are read again so far back. A change gets its time before its transaction commits (MongoDB ends one after
# 60 s), and two machines' clocks differ: at the moment of reading, older changes may not be visible yet
OVERLAP = timedelta(minutes=5)

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

CHANGED_ORDERS = """
query SyncChangedOrders($since: DateTime!, $until: DateTime!, $buyerId: ID, $first: Int!, $after: String) {
  changedOrders(since: $since, until: $until, buyerId: $buyerId, first: $first, after: $after) {
    orders {
      id number status placedAt paidAt updatedAt
      buyer { id }
      subtotal { amount currency }
      discountTotal { amount currency }
      shipping { amount currency }
      tax { name isInclusive amount { amount currency } }
      total { amount currency }
      lines {
        product { id }
        name sku quantity
        unitPrice { amount currency }
        discount { amount currency }
        total { amount currency }
        tax { amount currency }
      }
    }
    endCursor
    hasNextPage
  }
}
"""


@dataclass(frozen=True, slots=True)
class ChangedOrder:
    """An order as it is exported. *fingerprint* differs whenever anything in *content* does."""

    id: str
    updated_at: datetime
    fingerprint: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OrderBatch:
    """A page of changed orders, oldest change first."""

    orders: tuple[ChangedOrder, ...]
    end_cursor: str | None
    has_next: bool


async def read_changed_orders(
    peers: Peers, *, since: datetime | None, until: datetime, buyer_id: str | None, after: str | None
) -> OrderBatch:
    """Return the next batch of orders that changed between *since* (None: ever) less OVERLAP, and *until*.

    Raises:
        PeerError: the order subgraph did not answer as it should.
    """
    start = BEGINNING if since is None else since - OVERLAP
    variables = {
        "since": start.isoformat(timespec="milliseconds"),
        "until": until.isoformat(timespec="milliseconds"),
        "buyerId": buyer_id,
        "first": BATCH_SIZE,
        "after": after,
    }
    answer = (await peers.query("order", CHANGED_ORDERS, variables)).get("changedOrders")
    try:
        page = msgspec.convert(answer, _Page)
    except msgspec.ValidationError as error:
        raise PeerUnavailable(f"subgraph order answered with something else than changed orders: {error}") from error
    return OrderBatch(tuple(map(_read_order, page.orders)), page.endCursor, page.hasNextPage)


class _Page(msgspec.Struct):
    orders: list[dict[str, Any]]
    endCursor: str | None
    hasNextPage: bool


def _read_order(node: dict[str, Any]) -> ChangedOrder:
    return ChangedOrder(
        id=node["id"],
        updated_at=datetime.fromisoformat(node["updatedAt"]),
        fingerprint=fingerprint_of(node),
        content=node,
    )


def fingerprint_of(value: Any) -> str:
    """Return 128 bits that stand for a JSON value, whatever the order of its keys."""
    return sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:32]
