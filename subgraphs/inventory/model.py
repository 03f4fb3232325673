"""Stock and reservations: sums and states. Synchronous, no I/O, no clock.

A product has *on_hand* pieces, of which *reserved* are promised to orders; the rest is *available*. A reservation is
    HELD       its pieces are reserved
    COMMITTED  the order is paid: its pieces have left `on_hand`
    RELEASED   the order ended without them; final, whatever arrives late
    LAPSED     its time ran out without a word from the order; a payment that arrives after all takes the pieces again
    SHORT      such a payment arrived, and the pieces were gone: somebody must act

A HELD reservation whose time ran out LAPSE_GRACE ago is overdue: it counts as LAPSED from that moment on, even while
the job that lets it lapse is late. Until it has lapsed, a payment still finds its pieces reserved.
"""

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
    # A paid order was cancelled: its pieces are back on the shelf
    RETURNED = "RETURNED"
    # The ledger said something else of what is reserved than the reservations did
    CORRECTED = "CORRECTED"


@dataclass(frozen=True, slots=True)
class StockLevel:
    """The counters of one product."""

    product_id: str
    on_hand: int
    reserved: int
    available: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class StockLine:
    """*quantity* pieces of a product."""

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """What an order was promised. *lines* name each product once, sorted by product."""

    order_id: str
    lines: tuple[StockLine, ...]
    status: ReservationStatus
    expires_at: datetime


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
    quantities: dict[str, int] = {}
    count = 0
    for position, line in enumerate(lines):
        count += 1
        if not 1 <= line.quantity <= MAX_QUANTITY:
            raise BadUserInput(
                f"a quantity is between 1 and {MAX_QUANTITY}, not {line.quantity}", field=f"lines.{position}.quantity"
            )
        quantities[line.product_id] = quantities.get(line.product_id, 0) + line.quantity
    if not 1 <= count <= MAX_LINES:
        raise BadUserInput(f"a reservation has 1 to {MAX_LINES} lines, not {count}", field="lines")
    return tuple(StockLine(product_id, quantity) for product_id, quantity in sorted(quantities.items()))


def without_overdue(level: StockLevel, overdue: int) -> StockLevel:
    """Return *level* as it is once *overdue* of its reserved pieces have lapsed."""
    return replace(level, reserved=level.reserved - overdue, available=level.available + overdue)


def find_shortages(lines: Iterable[StockLine], available: Mapping[str, int]) -> tuple[Shortage, ...]:
    """Return the lines that *available* pieces per product do not cover; an unknown product has none."""
    return tuple(
        Shortage(line.product_id, line.quantity, available.get(line.product_id, 0))
        for line in lines
        if available.get(line.product_id, 0) < line.quantity
    )


def check_adjustment(delta: int, reason: str, idempotency_key: str) -> None:
    """Raise BadUserInput for an adjustment that says nothing or too much."""
    if delta == 0 or abs(delta) > MAX_ON_HAND:
        raise BadUserInput(f"delta is {delta}; it must be between 1 and {MAX_ON_HAND}, or negative", field="delta")
    if not reason.strip() or len(reason) > MAX_REASON_LENGTH:
        raise BadUserInput(f"a reason has 1 to {MAX_REASON_LENGTH} characters", field="reason")
    if not idempotency_key.strip() or len(idempotency_key) > MAX_KEY_LENGTH:
        raise BadUserInput(f"an idempotency key has 1 to {MAX_KEY_LENGTH} characters", field="idempotencyKey")
