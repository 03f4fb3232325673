"""Use cases around parcels: an order leaves the house in one or several, and arrives with the last of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.errors import Conflict, NotFound
from core.identity import Identity
from core.ids import new_id
from core.mongo import Row
from core.scopes import ORDERS_WRITE
from core.subgraph import require_scopes
from subgraphs.order.desk import OrderDesk, Turn, clean_optional, clean_required
from subgraphs.order.fulfilment import Pieces, choose_parcel, is_complete, pieces_to_rows
from subgraphs.order.model import HistoryEvent, OrderStatus, check_transition

# A parcel's events are part of the order's row
MAX_TRACKING_EVENTS = 200


@dataclass(frozen=True, slots=True)
class NewParcel:
    """A parcel that was handed to a carrier, with *pieces*, or all that is left if None."""

    order_id: str
    carrier: str
    tracking_number: str
    pieces: Sequence[Pieces] | None = None


@dataclass(frozen=True, slots=True)
class TrackingReport:
    """What a carrier reports about a parcel; the newest one and now, if not said."""

    order_id: str
    status: str
    location: str | None = None
    at: datetime | None = None
    shipment_id: str | None = None


class Shipments:
    """The use cases; all are the store's."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk

    async def pack_order(self, order_id: str, caller: Identity) -> Row:
        """Note that a paid order is packed."""
        require_scopes(caller, ORDERS_WRITE)
        return await self._desk.change(order_id, caller, lambda turn: self._move(turn, OrderStatus.PACKED, {}))

    async def ship_order(self, parcel: NewParcel, caller: Identity) -> Row:
        """Hand a packed order to a carrier, or some pieces of it; with the last piece it is SHIPPED.

        Raises:
            BadUserInput: a text is missing or too long, or the pieces are none of the order's.
            Conflict: the order is not PACKED, fewer pieces are left, or all of its money was sent back.
        """
        require_scopes(caller, ORDERS_WRITE)
        carrier = clean_required(parcel.carrier, "carrier")
        tracking_number = clean_required(parcel.tracking_number, "trackingNumber")

        async def ship(turn: Turn) -> Row:
            order = turn.order
            check_transition(order["number"], OrderStatus(order["status"]), OrderStatus.SHIPPED)
            refunded = order.get("refunded_amount") or 0
            if 0 < order["total_amount"] <= refunded:
                raise Conflict(f"all money of order {order['number']} was sent back; nothing more of it is shipped")
            pieces = choose_parcel(order, parcel.pieces)
            shipment: Row = {
                "id": new_id("shp"),
                "carrier": carrier,
                "tracking_number": tracking_number,
                "shipped_at": turn.now,
                "events": [],
                "lines": pieces_to_rows(pieces),
            }
            set_ = {"shipments": [*order["shipments"], shipment]}
            if is_complete(order, pieces):
                return await self._move(turn, OrderStatus.SHIPPED, set_)
            return await self._record(turn, HistoryEvent.PARCEL_SHIPPED, shipment["id"], set_)

        return await self._desk.change(parcel.order_id, caller, ship)

    async def deliver_order(self, order_id: str, caller: Identity) -> Row:
        """Note that all parcels of a shipped order have arrived."""
        require_scopes(caller, ORDERS_WRITE)

        async def deliver(turn: Turn) -> Row:
            shipments = [{"delivered_at": turn.now, **shipment} for shipment in turn.order["shipments"]]
            return await self._move(turn, OrderStatus.DELIVERED, {"shipments": shipments})

        return await self._desk.change(order_id, caller, deliver)

    async def deliver_shipment(self, order_id: str, shipment_id: str, caller: Identity) -> Row:
        """Note that one parcel has arrived; with the last one of a shipped order, the order is DELIVERED.

        Raises:
            NotFound: the order has no such parcel.
            Conflict: it has arrived already.
        """
        require_scopes(caller, ORDERS_WRITE)

        async def deliver(turn: Turn) -> Row:
            order = turn.order
            shipment = _find_shipment(order, shipment_id)
            if "delivered_at" in shipment:
                raise Conflict(f"parcel {shipment_id} was delivered already")
            delivered = {**shipment, "delivered_at": turn.now}
            shipments = _replace(order, delivered)
            set_ = {"shipments": shipments}
            if order["status"] == OrderStatus.SHIPPED and all("delivered_at" in each for each in shipments):
                return await self._move(turn, OrderStatus.DELIVERED, set_)
            return await self._record(turn, HistoryEvent.PARCEL_DELIVERED, shipment_id, set_)

        return await self._desk.change(order_id, caller, deliver)

    async def add_tracking_event(self, report: TrackingReport, caller: Identity) -> Row:
        """Note what a carrier reports about a parcel."""
        require_scopes(caller, ORDERS_WRITE)
        event: Row = {"status": clean_required(report.status, "status")}
        location = clean_optional(report.location, "location")
        if location is not None:
            event["location"] = location

        async def track(turn: Turn) -> Row:
            order = turn.order
            if not order["shipments"]:
                raise Conflict(f"order {order['number']} is {order['status']}; nothing was shipped yet")
            shipment = (
                order["shipments"][-1] if report.shipment_id is None else _find_shipment(order, report.shipment_id)
            )
            if len(shipment["events"]) >= MAX_TRACKING_EVENTS:
                raise Conflict(f"parcel {shipment['id']} has {MAX_TRACKING_EVENTS} events already")
            happened = {"at": report.at or turn.now, **event}
            events = sorted([*shipment["events"], happened], key=lambda each: each["at"])
            tracked = await self._desk.mover.change(
                order,
                {"shipments": _replace(order, {**shipment, "events": events})},
                now=turn.now,
                session=turn.session,
            )
            await self._desk.mover.note(
                "TRACKING_EVENT_ADDED", tracked, actor_id=turn.by.id, now=turn.now, session=turn.session
            )
            return tracked

        return await self._desk.change(report.order_id, caller, track)

    async def _move(self, turn: Turn, target: OrderStatus, set_: Row) -> Row:
        return await self._desk.mover.move(
            turn.order,
            target,
            by=turn.by,
            now=turn.now,
            session=turn.session,
            set_=set_,
            # Also of the own order: it takes the store's rights
            is_privileged=True,
        )

    async def _record(self, turn: Turn, event: HistoryEvent, subject: str, set_: Row) -> Row:
        return await self._desk.mover.record(
            turn.order, event, subject, by=turn.by, now=turn.now, session=turn.session, set_=set_, is_privileged=True
        )


def _find_shipment(order: Row, shipment_id: str) -> Row:
    for shipment in order["shipments"]:
        if shipment["id"] == shipment_id:
            found: Row = shipment
            return found
    raise NotFound(f"order {order['number']} has no parcel {shipment_id}")


def _replace(order: Row, shipment: Row) -> list[Row]:
    return [shipment if each["id"] == shipment["id"] else each for each in order["shipments"]]
