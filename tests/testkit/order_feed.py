"""Peers of the sync subgraph: order and user subgraphs in memory, as their service interfaces show them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.peers import PeerUnavailable
from core.scopes import scopes_of


@dataclass(slots=True)
class FakeOrderFeed:
    """Implements Peers for `changedOrders` and for users' roles.

    Mutable: tests change orders, roles, who is *suspended*, and failures.
    """

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    roles: dict[str, list[str]] = field(default_factory=dict)
    suspended: set[str] = field(default_factory=set)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def put(self, order_id: str, *, updated_at: datetime, buyer_id: str = "usr_ani", status: str = "PAID") -> None:
        """Place an order, or change it."""
        self.orders[order_id] = {
            "id": order_id,
            "number": order_id.upper(),
            "status": status,
            "placedAt": "2040-01-01T00:00:00.000Z",
            "paidAt": None,
            "updatedAt": updated_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "buyer": {"id": buyer_id},
            "subtotal": {"amount": 100, "currency": "IDR"},
            "shipping": {"amount": 0, "currency": "IDR"},
            "total": {"amount": 100, "currency": "IDR"},
            "lines": [],
        }

    async def query(self, subgraph: str, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one operation."""
        self.requests.append((subgraph, dict(variables)))
        if self.failures:
            raise self.failures.pop(0)
        match subgraph:
            case "order" if "changedOrders" in document:
                return {"changedOrders": self._changed_orders(variables)}
            case "user" if "_entities" in document:
                ids = [reference["id"] for reference in variables["representations"]]
                return {"_entities": [self._user(id_) if id_ in self.roles else None for id_ in ids]}
        raise PeerUnavailable(f"nobody answers for subgraph {subgraph}")

    def _user(self, user_id: str) -> dict[str, Any]:
        status = "SUSPENDED" if user_id in self.suspended else "ACTIVE"
        return {"id": user_id, "scopes": sorted(scopes_of(self.roles[user_id])), "status": status}

    def _changed_orders(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        since, until = datetime.fromisoformat(variables["since"]), datetime.fromisoformat(variables["until"])
        after = json.loads(variables["after"]) if variables["after"] else ["", ""]
        found = sorted(
            (order["updatedAt"], order["id"])
            for order in self.orders.values()
            if since <= datetime.fromisoformat(order["updatedAt"]) < until
            and variables["buyerId"] in (None, order["buyer"]["id"])
        )
        rest = [key for key in found if list(key) > after]
        page = rest[: variables["first"]]
        return {
            # Copies, as if they had come over a wire
            "orders": [json.loads(json.dumps(self.orders[order_id])) for _, order_id in page],
            "endCursor": json.dumps(page[-1]) if page else None,
            "hasNextPage": len(rest) > len(page),
        }
