"""How much of each line is in which parcel, has arrived, and comes back. No I/O, and no clock.

A line's pieces are alike, so what counts is how many there are of each kind:

    returned <= delivered <= shipped <= ordered

These are figures of the order, not statuses: a half-shipped order is PACKED and becomes SHIPPED with its last piece. Of
statuses for halves there would have to be one for each combination (half shipped and partly returned and partly paid
back), and every report, list and rule goes by the status.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import BadUserInput, Conflict
from core.mongo import Row
from subgraphs.order.model import OrderStatus

# A parcel's row and a return's are part of the order's, which is read as a whole
MAX_PARCELS = 100
MAX_RETURNS = 50


class ReturnStatus(StrEnum):
    """Where a return stands."""

    REQUESTED = "REQUESTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    RECEIVED = "RECEIVED"


NEXT_RETURN_STATUSES: Mapping[ReturnStatus, tuple[ReturnStatus, ...]] = {
    ReturnStatus.REQUESTED: (ReturnStatus.APPROVED, ReturnStatus.REJECTED),
    # What was approved and never came, or came in another state than was said
    ReturnStatus.APPROVED: (ReturnStatus.RECEIVED, ReturnStatus.REJECTED),
    ReturnStatus.REJECTED: (),
    ReturnStatus.RECEIVED: (),
}

# With a buyer, or on the way there
_OUT_STATUSES = (OrderStatus.SHIPPED, OrderStatus.DELIVERED)


@dataclass(frozen=True, slots=True)
class Pieces:
    """*quantity* pieces of a line."""

    line_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """What left the house together."""

    pieces: tuple[Pieces, ...]
    delivered_at: datetime | None


def parcels_of(order: Row) -> tuple[Parcel, ...]:
    """Return the parcels of an order; an imported one that is out and knows of none had a single one."""
    whole = tuple(Pieces(line["id"], line["quantity"]) for line in order["lines"])
    if not order["shipments"] and order["status"] in _OUT_STATUSES:
        is_there = order["status"] == OrderStatus.DELIVERED
        return (Parcel(whole, order["history"][-1]["at"] if is_there else None),)
    return tuple(
        Parcel(
            whole if (lines := shipment.get("lines")) is None else pieces_from(lines),
            shipment.get("delivered_at"),
        )
        for shipment in order["shipments"]
    )


def shipped_of(order: Row) -> Counter[str]:
    """Return how many pieces of each line have left the house."""
    return count_pieces(pieces for parcel in parcels_of(order) for pieces in parcel.pieces)


def delivered_of(order: Row) -> Counter[str]:
    """Return how many pieces of each line have arrived."""
    parcels = (parcel for parcel in parcels_of(order) if parcel.delivered_at is not None)
    return count_pieces(pieces for parcel in parcels for pieces in parcel.pieces)


def returning_of(order: Row, *statuses: ReturnStatus) -> Counter[str]:
    """Return how many pieces of each line are in returns in one of *statuses*."""
    returns = (row for row in order.get("returns") or () if row["status"] in statuses)
    return count_pieces(pieces for row in returns for pieces in pieces_from(row["lines"]))


def choose_parcel(order: Row, wanted: Sequence[Pieces] | None) -> tuple[Pieces, ...]:
    """Return what goes into the next parcel of an order: *wanted*, or all that is left if None.

    Raises:
        BadUserInput: *wanted* names a line twice, one of another order, or no piece.
        Conflict: nothing is left, fewer pieces of a line are, or there are too many parcels.
    """
    if len(order["shipments"]) >= MAX_PARCELS:
        raise Conflict(f"order {order['number']} has {MAX_PARCELS} parcels already")
    shipped = shipped_of(order)
    left = {line["id"]: line["quantity"] - shipped[line["id"]] for line in order["lines"]}
    if wanted is None:
        wanted = tuple(Pieces(line_id, quantity) for line_id, quantity in left.items() if quantity)
        if not wanted:
            raise Conflict(f"nothing of order {order['number']} is left to be shipped")
        return tuple(wanted)
    return _check_pieces(order, wanted, left, what="left to be shipped")


def is_complete(order: Row, next_parcel: Iterable[Pieces]) -> bool:
    """Tell whether with *next_parcel* everything has left the house."""
    shipped = shipped_of(order) + count_pieces(next_parcel)
    return all(shipped[line["id"]] == line["quantity"] for line in order["lines"])


def choose_return(order: Row, wanted: Sequence[Pieces], *, now: datetime, window: timedelta) -> tuple[Pieces, ...]:
    """Return *wanted*, which the buyer may give back: shipped pieces, until *window* after their parcel has arrived.

    Raises:
        BadUserInput: *wanted* names a line twice, one of another order, or no piece.
        Conflict: fewer pieces of a line can be given back, or there are too many returns.
    """
    if len(order.get("returns") or ()) >= MAX_RETURNS:
        raise Conflict(f"order {order['number']} has {MAX_RETURNS} returns already")
    taken = returning_of(order, ReturnStatus.REQUESTED, ReturnStatus.APPROVED, ReturnStatus.RECEIVED)
    shipped = shipped_of(order)
    in_time = count_pieces(
        pieces
        for parcel in parcels_of(order)
        if parcel.delivered_at is None or now < parcel.delivered_at + window
        for pieces in parcel.pieces
    )
    # Pieces are alike: those that came back already may have been of the parcels whose time is over
    left = {line["id"]: min(in_time[line["id"]], shipped[line["id"]] - taken[line["id"]]) for line in order["lines"]}
    return _check_pieces(order, wanted, left, what="there to be given back in time")


def check_return_transition(return_id: str, status: ReturnStatus, target: ReturnStatus) -> None:
    """Raise Conflict unless a return in *status* may become *target*."""
    if target not in NEXT_RETURN_STATUSES[status]:
        raise Conflict(f"return {return_id} is {status} and cannot become {target}")


def count_pieces(pieces: Iterable[Pieces]) -> Counter[str]:
    """Return how many pieces there are of each line."""
    counts: Counter[str] = Counter()
    for each in pieces:
        counts[each.line_id] += each.quantity
    return counts


def pieces_from(rows: Iterable[Row]) -> tuple[Pieces, ...]:
    """Read pieces as a row has them."""
    return tuple(Pieces(row["line_id"], row["quantity"]) for row in rows)


def pieces_to_rows(pieces: Iterable[Pieces]) -> list[Row]:
    """Return pieces as a row has them."""
    return [{"line_id": each.line_id, "quantity": each.quantity} for each in pieces]


def _check_pieces(order: Row, wanted: Sequence[Pieces], left: Mapping[str, int], *, what: str) -> tuple[Pieces, ...]:
    if not wanted:
        raise BadUserInput("at least one line is needed", field="lines")
    names: set[str] = set()
    for number, pieces in enumerate(wanted):
        if pieces.line_id not in left:
            raise BadUserInput(f"order {order['number']} has no line {pieces.line_id}", field=f"lines.{number}.lineId")
        if pieces.line_id in names:
            raise BadUserInput("a line is named once", field=f"lines.{number}.lineId")
        names.add(pieces.line_id)
        if pieces.quantity < 1:
            raise BadUserInput("at least one piece is needed", field=f"lines.{number}.quantity")
    for pieces in wanted:
        there = max(0, left[pieces.line_id])
        if pieces.quantity > there:
            raise Conflict(f"{there} pieces of line {pieces.line_id} are {what}, not {pieces.quantity}")
    return tuple(wanted)
