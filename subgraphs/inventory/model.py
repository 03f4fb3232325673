"""Stock and reservations: sums and states. Synchronous, no I/O, no clock.

A product has *on_hand* pieces, of which *reserved* are promised to orders; the rest is *available*. Each of the three
is kept per warehouse and in total. Where backorders are allowed, more is sold than is there, up to a limit: *available*
is then negative by what is owed, and so is *on_hand* once that is paid. A reservation is
    HELD       its pieces are reserved
    COMMITTED  the order is paid: its pieces have left `on_hand`
    RELEASED   the order ended without them; final, whatever arrives late
    LAPSED     its time ran out without a word from the order; a payment that arrives after all takes the pieces again
    SHORT      such a payment arrived, and the pieces were gone: somebody must act

A HELD reservation whose time ran out LAPSE_GRACE ago is overdue: it counts as LAPSED from that moment on, even while
the job that lets it lapse is late. Until it has lapsed, a payment still finds its pieces reserved.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import BadUserInput

# Beyond it, a number was mistyped; GraphQL's Int ends a little above
MAX_ON_HAND = 2_000_000_000
MAX_LINES = 500
MAX_QUANTITY = 1_000_000
MAX_REASON_LENGTH = 200
MAX_KEY_LENGTH = 100

# What stock is in where nobody has said anything else; it is always there
MAIN_WAREHOUSE = "whs_main"
MAX_PRIORITY = 1000
MAX_NAME_LENGTH = 100
# A product's counters in all warehouses are one row
MAX_WAREHOUSES = 100
# Products that one user may wait for
MAX_WAITS = 100
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,31}")

# The order subgraph expires its orders itself and says so. What lapses later than that was forgotten, and a payment of
# the last minute has had the time to be heard of.
LAPSE_GRACE = timedelta(minutes=5)


class ReservationStatus(StrEnum):
    """See the module's docstring."""

    HELD = "HELD"
    COMMITTED = "COMMITTED"
    RELEASED = "RELEASED"
    LAPSED = "LAPSED"
    SHORT = "SHORT"


class MovementKind(StrEnum):
    """Why a counter changed."""

    ADJUSTED = "ADJUSTED"
    RESERVED = "RESERVED"
    RELEASED = "RELEASED"
    LAPSED = "LAPSED"
    COMMITTED = "COMMITTED"
    # Pieces of a paid order are back on the shelf: it was cancelled, or its buyer gave them back
    RETURNED = "RETURNED"
    # The ledger said something else of what is reserved than the reservations did
    CORRECTED = "CORRECTED"
    # Two rows: the one warehouse's loss is the other one's gain
    TRANSFERRED = "TRANSFERRED"


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A place that stock is in. Orders take from the one with the lowest *priority* number first."""

    id: str
    code: str
    name: str
    priority: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Shelf:
    """The counters of one product in one warehouse."""

    warehouse_id: str
    on_hand: int
    reserved: int
    available: int


@dataclass(frozen=True, slots=True)
class StockLevel:
    """The counters of one product, in total and by warehouse. *backorder_limit* pieces may be owed.

    *announced* is whether it can be bought by the last announcement, whose *revision* it is; None before the first.
    """

    product_id: str
    on_hand: int
    reserved: int
    available: int
    updated_at: datetime
    shelves: tuple[Shelf, ...] = ()
    backorder_limit: int = 0
    low_stock_threshold: int | None = None
    is_low: bool = False
    announced: bool | None = None
    revision: int = 0

    @property
    def should_be_low(self) -> bool:
        """Tell whether no more is available than the threshold, if there is one."""
        return self.low_stock_threshold is not None and self.available <= self.low_stock_threshold

    @property
    def sellable(self) -> int:
        """Return how many pieces can still be ordered, owed ones included."""
        return max(0, self.available + self.backorder_limit)


@dataclass(frozen=True, slots=True)
class StockPolicy:
    """How many pieces of a product may be owed, and from how few on staff is alerted (None: never)."""

    backorder_limit: int = 0
    low_stock_threshold: int | None = None


@dataclass(frozen=True, slots=True)
class StockAlert:
    """A product that has run low, *at* when, with so many *available* then."""

    id: str
    product_id: str
    threshold: int
    available: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """A user who wants to be told when a product is available again."""

    product_id: str
    user_id: str
    created_at: datetime

    @property
    def id(self) -> str:
        """Return what it is kept by: one per user and product."""
        return f"{self.product_id}:{self.user_id}"


@dataclass(frozen=True, slots=True)
class StockLine:
    """*quantity* pieces of a product."""

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Pick:
    """*quantity* pieces of a product in a warehouse; *owed* of them are not there yet."""

    product_id: str
    warehouse_id: str
    quantity: int
    owed: int = 0


@dataclass(frozen=True, slots=True)
class Reservation:
    """What an order was promised. *picks* are sorted by product."""

    order_id: str
    picks: tuple[Pick, ...]
    status: ReservationStatus
    expires_at: datetime

    @property
    def lines(self) -> tuple[StockLine, ...]:
        """Return what was asked for: each product once, sorted."""
        return sum_up(StockLine(pick.product_id, pick.quantity) for pick in self.picks)


@dataclass(frozen=True, slots=True)
class Shortage:
    """A product of which less is there than was asked for."""

    product_id: str
    requested: int
    available: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A row of the ledger: one change of one product's counters, by whom and why."""

    id: str
    product_id: str
    kind: MovementKind
    on_hand: int
    reserved: int
    order_id: str | None
    reason: str | None
    by: str | None
    at: datetime
    warehouse_id: str


@dataclass(frozen=True, slots=True)
class CounterChange:
    """How one piece of a line moves the counters of its product."""

    kind: MovementKind
    on_hand: int = 0
    reserved: int = 0

    @property
    def available(self) -> int:
        """Return the change of what is left to sell."""
        return self.on_hand - self.reserved


RESERVE = CounterChange(MovementKind.RESERVED, reserved=1)
RELEASE = CounterChange(MovementKind.RELEASED, reserved=-1)
LAPSE = CounterChange(MovementKind.LAPSED, reserved=-1)
COMMIT = CounterChange(MovementKind.COMMITTED, on_hand=-1, reserved=-1)
# A commit of pieces that are no longer reserved
TAKE = CounterChange(MovementKind.COMMITTED, on_hand=-1)
RETURN = CounterChange(MovementKind.RETURNED, on_hand=1)


def add_up_lines(lines: Iterable[StockLine]) -> tuple[StockLine, ...]:
    """Return one line per product, sorted by product, so that two lines of one product are checked against its stock
    together, and two orders lock products in the same order.

    Raises:
        BadUserInput: no line, too many, or a quantity out of 1..MAX_QUANTITY.
    """
    asked: list[StockLine] = []
    for position, line in enumerate(lines):
        asked.append(line)
        if not 1 <= line.quantity <= MAX_QUANTITY:
            raise BadUserInput(
                f"a quantity is between 1 and {MAX_QUANTITY}, not {line.quantity}", field=f"lines.{position}.quantity"
            )
    if not 1 <= len(asked) <= MAX_LINES:
        raise BadUserInput(f"a reservation has 1 to {MAX_LINES} lines, not {len(asked)}", field="lines")
    return sum_up(asked)


def sum_up(lines: Iterable[StockLine]) -> tuple[StockLine, ...]:
    """Return one line per product, sorted by product."""
    quantities: dict[str, int] = {}
    for line in lines:
        quantities[line.product_id] = quantities.get(line.product_id, 0) + line.quantity
    return tuple(StockLine(product_id, quantity) for product_id, quantity in sorted(quantities.items()))


def allocate(level: StockLevel, quantity: int, priority_of: Mapping[str, int]) -> tuple[Pick, ...] | None:
    """Return where *quantity* pieces are taken from, None if so many cannot be sold.

    Warehouses come in the order of their priority; of those with the same one, the fullest first.
        1. The first one that has all of it gives all of it: one parcel is better than two.
        2. If none has, the line is split: each gives what it has, in that order.
        3. What nobody has is owed by the first one, as far as the backorder limit goes.
    """
    if quantity > level.sellable:
        return None
    order = sorted(
        level.shelves,
        key=lambda shelf: (priority_of.get(shelf.warehouse_id, MAX_PRIORITY), -shelf.available, shelf.warehouse_id),
    )
    for shelf in order:
        if shelf.available >= quantity:
            return (Pick(level.product_id, shelf.warehouse_id, quantity),)
    taken: dict[str, int] = {}
    missing = quantity
    for shelf in order:
        from_here = min(missing, max(shelf.available, 0))
        if from_here:
            taken[shelf.warehouse_id] = from_here
            missing -= from_here
    if missing:
        first = order[0].warehouse_id if order else MAIN_WAREHOUSE
        taken[first] = taken.get(first, 0) + missing
        return tuple(
            Pick(level.product_id, warehouse_id, pieces, owed=missing if warehouse_id == first else 0)
            for warehouse_id, pieces in taken.items()
        )
    return tuple(Pick(level.product_id, warehouse_id, pieces) for warehouse_id, pieces in taken.items())


def without_overdue(level: StockLevel, overdue: Mapping[str, int]) -> StockLevel:
    """Return *level* as it is once the *overdue* reserved pieces, by warehouse, have lapsed."""
    total = sum(overdue.values())
    shelves = tuple(
        replace(
            shelf,
            reserved=shelf.reserved - overdue.get(shelf.warehouse_id, 0),
            available=shelf.available + overdue.get(shelf.warehouse_id, 0),
        )
        for shelf in level.shelves
    )
    return replace(level, reserved=level.reserved - total, available=level.available + total, shelves=shelves)


def check_warehouse(code: str, name: str, priority: int) -> None:
    """Raise BadUserInput for what no warehouse can be called, or where none can stand."""
    if _CODE.fullmatch(code) is None:
        raise BadUserInput("a code has 1 to 32 of A-Z, 0-9, - and _, a letter or digit first", field="code")
    check_warehouse_changes(name, priority)


def check_warehouse_changes(name: str | None, priority: int | None) -> None:
    """Raise BadUserInput for an empty or long name, or a priority out of range; None stays as it is."""
    if name is not None and not 1 <= len(name.strip()) <= MAX_NAME_LENGTH:
        raise BadUserInput(f"a name has 1 to {MAX_NAME_LENGTH} characters", field="name")
    if priority is not None and not 0 <= priority <= MAX_PRIORITY:
        raise BadUserInput(f"priority is {priority}; it must be between 0 and {MAX_PRIORITY}", field="priority")


def check_policy(policy: StockPolicy) -> None:
    """Raise BadUserInput for a limit or a threshold out of range."""
    if not 0 <= policy.backorder_limit <= MAX_QUANTITY:
        raise BadUserInput(f"a backorder limit is between 0 and {MAX_QUANTITY}", field="backorderLimit")
    if policy.low_stock_threshold is not None and not 0 <= policy.low_stock_threshold <= MAX_ON_HAND:
        raise BadUserInput(f"a threshold is between 0 and {MAX_ON_HAND}", field="lowStockThreshold")


def check_transfer(from_id: str, to_id: str, quantity: int, reason: str, idempotency_key: str) -> None:
    """Raise BadUserInput for a transfer that moves nothing, or says nothing or too much."""
    if from_id == to_id:
        raise BadUserInput("a transfer is between two warehouses", field="toWarehouseId")
    if not 1 <= quantity <= MAX_QUANTITY:
        raise BadUserInput(f"a quantity is between 1 and {MAX_QUANTITY}, not {quantity}", field="quantity")
    _check_reason(reason, idempotency_key)


def check_adjustment(delta: int, reason: str, idempotency_key: str) -> None:
    """Raise BadUserInput for an adjustment that says nothing or too much."""
    if delta == 0 or abs(delta) > MAX_ON_HAND:
        raise BadUserInput(f"delta is {delta}; it must be between 1 and {MAX_ON_HAND}, or negative", field="delta")
    _check_reason(reason, idempotency_key)


def _check_reason(reason: str, idempotency_key: str) -> None:
    if not reason.strip() or len(reason) > MAX_REASON_LENGTH:
        raise BadUserInput(f"a reason has 1 to {MAX_REASON_LENGTH} characters", field="reason")
    if not idempotency_key.strip() or len(idempotency_key) > MAX_KEY_LENGTH:
        raise BadUserInput(f"an idempotency key has 1 to {MAX_KEY_LENGTH} characters", field="idempotencyKey")
