"""Use cases around orders. Each is one transaction: counters, reservation, ledger and event change together."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby

import structlog

from core.clock import Clock
from core.errors import Conflict, DomainError, Unavailable
from core.identity import Identity, service_identity
from core.mongo import Client, Database, DuplicateKeyError, Session, in_transaction
from core.paging import Page, PageRequest
from core.scopes import INVENTORY_READ
from core.service_calls import require_caller
from core.subgraph import require_scopes
from core.turns import Turns
from subgraphs.inventory import model
from subgraphs.inventory.events import announce_stock_short
from subgraphs.inventory.ledger_repository import LedgerRepository
from subgraphs.inventory.model import (
    MAIN_WAREHOUSE,
    CounterChange,
    Movement,
    Pick,
    Reservation,
    ReservationStatus,
    Shortage,
    StockLevel,
    StockLine,
)
from subgraphs.inventory.repository import StockRepository
from subgraphs.inventory.warehouses import Warehouses
from subgraphs.inventory.watching import Watch

log = structlog.get_logger(__name__)

# Reservations that one run of the job lets lapse at most; the rest is for the next run
LAPSE_BATCH = 500
# In one transaction while a buyer waits: few enough not to be in each other's way
LAPSE_TOGETHER = 20
# How often a reservation looks at the stock again: whenever what it saw was sold before it could take it
RESERVE_ATTEMPTS = 10

# Who moves stock when an order's event, or a reservation's end, does
_ORDERS = service_identity("order").subject
_SELF = service_identity("inventory").subject


class OutOfStock(DomainError):
    """Less is available than was asked for; nothing was reserved."""

    code = "OUT_OF_STOCK"

    def __init__(self, shortages: tuple[Shortage, ...]) -> None:
        super().__init__(
            "not enough in stock: " + ", ".join(f"{s.available} of {s.requested} {s.product_id}" for s in shortages)
        )
        self.shortages = shortages


class StockService:
    """The use cases on one database. Mutable: remembers until when no reservation is overdue."""

    def __init__(self, client: Client, database: Database, clock: Clock) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self.turns = Turns()
        self.watch = Watch(database)
        self._warehouses = Warehouses(client, database, clock)
        self.repository = StockRepository(database)
        self._ledger = LedgerRepository(database)
        self._none_overdue_before = datetime.min.replace(tzinfo=UTC)

    async def list_levels(self, lower_than: int | None, page: PageRequest, *, by: Identity) -> Page[StockLevel]:
        """Return a page of stock levels, the least available first.

        Order and limit go by the counters: what overdue reservations hold is free, but counts there until they lapse.
        """
        require_scopes(by, INVENTORY_READ)
        found = await self.repository.find_level_page(lower_than, page)
        return replace(found, rows=tuple(await self._without_overdue(found.rows)))

    async def find_levels(self, product_ids: Sequence[str]) -> list[StockLevel]:
        """Return what is known of the given products, in any order; what overdue reservations hold is available."""
        return await self._without_overdue(await self.repository.find_levels(product_ids))

    async def list_movements(self, product_id: str, page: PageRequest, *, by: Identity) -> Page[Movement]:
        """Return a page of a product's ledger, the newest movement first."""
        require_scopes(by, INVENTORY_READ)
        return await self._ledger.find_movement_page(product_id, page)

    async def reserve_stock(
        self, order_id: str, lines: Iterable[StockLine], expires_at: datetime, *, by: Identity
    ) -> Reservation:
        """Reserve all of *lines* for an order, or nothing. The same call again returns what the first one reserved.

        A time *expires_at* that is over already, because the order was held up, ends now.

        Raises:
            BadUserInput: the lines are not valid.
            OutOfStock: at least one line is not covered.
            Conflict: the order has another reservation, or had one that has ended.
        """
        require_caller(by, "reserveStock")
        wanted = model.add_up_lines(lines)
        product_ids = [line.product_id for line in wanted]
        expires_at = max(expires_at, self._clock.now())
        has_nothing_overdue = False
        for _ in range(RESERVE_ATTEMPTS):
            try:
                async with self.turns.take(product_ids):
                    # Outside of the transaction: most who come too late are told so by one read
                    picks, shortages = await self._allocate(wanted)
                    if not shortages:
                        reservation = Reservation(order_id, picks, ReservationStatus.HELD, expires_at)
                        await in_transaction(self._client, partial(self._reserve, reservation, by=by.subject))
                        return reservation
            except DuplicateKeyError:
                return await self._find_same_reservation(order_id, wanted)
            except _NotCovered:
                # Sold between our look and our try
                continue
            if await self.repository.find_reservation(order_id) is not None:
                return await self._find_same_reservation(order_id, wanted)
            if has_nothing_overdue:
                raise OutOfStock(shortages)
            # Another buyer may have let them lapse after our look: so look once more, also when there were none
            lapsed = await self.lapse_overdue_of([shortage.product_id for shortage in shortages])
            has_nothing_overdue = lapsed == 0
        raise Unavailable(f"the stock for order {order_id} changes too fast to tell whether it is enough")

    async def release_stock(self, order_id: str, *, by: Identity) -> Reservation:
        """Give an order's pieces back, for good: a reservation that arrives later is refused.

        Raises:
            Conflict: the order is paid, so its pieces are its own.
        """
        require_caller(by, "releaseStock")
        return await self._until_unique(
            lambda session: self.release_in(session, order_id, give_back_paid=False, by=by.subject)
        )

    async def commit_stock(self, order_id: str, *, by: Identity) -> Reservation | None:
        """Take a paid order's pieces off the stock; return None for an order that never reserved any."""
        require_caller(by, "commitStock")
        return await in_transaction(self._client, lambda session: self.commit_in(session, order_id, by=by.subject))

    async def release_in(
        self, session: Session, order_id: str, *, give_back_paid: bool, by: str | None = _ORDERS
    ) -> Reservation:
        """Release in the transaction of *session*; *give_back_paid* also puts a paid order's pieces back on the shelf.

        An order that has no reservation gets one that is RELEASED: the request to reserve may still be on its way.
        """
        now = self._clock.now()
        reservation = await self.repository.find_reservation(order_id, session=session)
        if reservation is None:
            reservation = Reservation(order_id, (), ReservationStatus.RELEASED, now)
            await self.repository.insert_reservation(reservation, now=now, session=session)
            return reservation
        change: CounterChange | None = None
        match reservation.status:
            case ReservationStatus.RELEASED:
                return reservation
            case ReservationStatus.HELD:
                change = model.RELEASE
            case ReservationStatus.COMMITTED if give_back_paid:
                change = model.RETURN
            case ReservationStatus.COMMITTED:
                raise Conflict(f"the stock of order {order_id} is COMMITTED")
            case ReservationStatus.LAPSED | ReservationStatus.SHORT:
                # It holds no pieces
                pass
        after = await self._move(reservation, ReservationStatus.RELEASED, now, session)
        if change is not None:
            await self._apply(reservation, change, now, session, by=by)
        return after

    async def commit_in(self, session: Session, order_id: str, *, by: str | None = _ORDERS) -> Reservation | None:
        """Commit in the transaction of *session*.

        Pieces that lapsed are taken again if they are still there; else the reservation is SHORT and that is announced.
        """
        now = self._clock.now()
        reservation = await self.repository.find_reservation(order_id, session=session)
        if reservation is None:
            return None
        match reservation.status:
            case ReservationStatus.HELD:
                after = await self._move(reservation, ReservationStatus.COMMITTED, now, session)
                await self._apply(reservation, model.COMMIT, now, session, by=by)
                return after
            case ReservationStatus.LAPSED:
                # Others' reservations that are as overdue as this one was do not stand in its way
                await self._lapse_overdue_in(session, [line.product_id for line in reservation.lines], now)
                picks, shortages = await self._allocate(reservation.lines, session=session)
                if shortages:
                    log.error("a paid order has no stock", order_id=order_id, lines=len(shortages))
                    await announce_stock_short(self._database, order_id, shortages, now=now, session=session)
                    return await self._move(reservation, ReservationStatus.SHORT, now, session)
                again = await self._move(reservation, ReservationStatus.COMMITTED, now, session, picks=picks)
                await self._apply(again, model.TAKE, now, session, by=by)
                return again
            case ReservationStatus.COMMITTED | ReservationStatus.RELEASED | ReservationStatus.SHORT:
                return reservation

    async def take_back_in(self, session: Session, order_id: str, lines: Iterable[StockLine]) -> None:
        """Put pieces that a buyer gave back on the shelf that most of them came from, in the transaction of *session*.

        Their warehouse is the main one for an order that never reserved any, such as an imported one.
        """
        now = self._clock.now()
        reservation = await self.repository.find_reservation(order_id, session=session)
        for line in model.sum_up(lines):
            picks = [] if reservation is None else [p for p in reservation.picks if p.product_id == line.product_id]
            largest = max(picks, key=lambda pick: pick.quantity, default=None)
            pick = Pick(line.product_id, MAIN_WAREHOUSE if largest is None else largest.warehouse_id, line.quantity)
            await self.repository.ensure_level(line.product_id, now=now, session=session)
            await self.repository.record_movements([pick], model.RETURN, order_id, by=_ORDERS, now=now, session=session)
            level = await self.repository.apply_change(line.product_id, [pick], model.RETURN, now=now, session=session)
            if level is None:
                raise RuntimeError(f"pieces of {line.product_id} cannot be taken back")
            await self.watch.look_at(level, change=line.quantity, now=now, session=session)

    async def open_stock_in(self, session: Session, product_id: str) -> None:
        """Give a new product its counters, in the transaction of *session*."""
        await self.repository.ensure_level(product_id, now=self._clock.now(), session=session)

    async def lapse_overdue(self, now: datetime) -> None:
        """Free the pieces of reservations whose time ran out LAPSE_GRACE ago."""
        for order_id in await self.repository.find_overdue(now - model.LAPSE_GRACE, limit=LAPSE_BATCH):

            async def work(session: Session, order_id: str = order_id) -> bool:
                reservation = await self.repository.find_reservation(order_id, session=session)
                if reservation is None or reservation.status is not ReservationStatus.HELD:
                    return False
                await self._lapse(reservation, now, session)
                return True

            if await in_transaction(self._client, work):
                log.warning("a reservation lapsed without a word from its order", order_id=order_id)

    async def _without_overdue(self, levels: Sequence[StockLevel]) -> list[StockLevel]:
        reserved = [level.product_id for level in levels if level.reserved]
        if not reserved or not await self._may_be_overdue():
            return list(levels)
        overdue = await self.repository.count_overdue(reserved, self._clock.now() - model.LAPSE_GRACE)
        return [model.without_overdue(level, overdue.get(level.product_id, {})) for level in levels]

    async def _may_be_overdue(self) -> bool:
        """Tell whether a reservation is overdue. Most of the time this is known without a look.

        The one that ends first says until when none is; those that are made meanwhile have their time before them.
        """
        now = self._clock.now()
        if now >= self._none_overdue_before:
            first = await self.repository.find_first_expiry()
            self._none_overdue_before = (now if first is None else min(first, now)) + model.LAPSE_GRACE
        return now >= self._none_overdue_before

    async def lapse_overdue_of(self, product_ids: Sequence[str]) -> int:
        """Let all overdue reservations of the products lapse, which the job has not come to yet; return how many."""
        count, now = 0, self._clock.now()

        async def work(session: Session) -> int:
            return await self._lapse_overdue_in(session, product_ids, now, limit=LAPSE_TOGETHER)

        while await self.repository.find_overdue_of(product_ids, now - model.LAPSE_GRACE, limit=1):
            count += await in_transaction(self._client, work)
        return count

    async def _lapse_overdue_in(
        self, session: Session, product_ids: Sequence[str], now: datetime, *, limit: int = LAPSE_BATCH
    ) -> int:
        overdue = await self.repository.find_overdue_of(
            product_ids, now - model.LAPSE_GRACE, limit=limit, session=session
        )
        for reservation in overdue:
            await self._lapse(reservation, now, session)
        return len(overdue)

    async def _lapse(self, reservation: Reservation, now: datetime, session: Session) -> None:
        await self._move(reservation, ReservationStatus.LAPSED, now, session)
        await self._apply(reservation, model.LAPSE, now, session, by=_SELF)

    async def _allocate(
        self, lines: Sequence[StockLine], *, session: Session | None = None
    ) -> tuple[tuple[Pick, ...], tuple[Shortage, ...]]:
        """Return where the lines are taken from, or what there is too little of."""
        found = await self.repository.find_levels([line.product_id for line in lines], session=session)
        levels = {level.product_id: level for level in found}
        priority_of: Mapping[str, int] = {}
        if any(len(level.shelves) > 1 for level in found):
            priority_of = await self._warehouses.find_priorities(session=session)
        picks: list[Pick] = []
        shortages: list[Shortage] = []
        for line in lines:
            level = levels.get(line.product_id)
            taken = None if level is None else model.allocate(level, line.quantity, priority_of)
            if taken is None:
                sellable = 0 if level is None else level.sellable
                shortages.append(Shortage(line.product_id, line.quantity, sellable))
            else:
                picks += taken
        return tuple(picks), tuple(shortages)

    async def _reserve(self, reservation: Reservation, session: Session, *, by: str | None) -> None:
        now = self._clock.now()
        # The counters come last: from their update to the commit, other buyers of the product have to try again
        await self.repository.insert_reservation(reservation, now=now, session=session)
        if not await self._change(reservation, model.RESERVE, now, session, by=by):
            raise _NotCovered

    async def _apply(
        self, reservation: Reservation, change: CounterChange, now: datetime, session: Session, *, by: str | None
    ) -> None:
        # After the reservation itself: what follows from the counters depends on which reservations are overdue
        if not await self._change(reservation, change, now, session, by=by):
            raise RuntimeError(f"the counters do not cover reservation {reservation.order_id}")

    async def _change(
        self, reservation: Reservation, change: CounterChange, now: datetime, session: Session, *, by: str | None
    ) -> bool:
        picks = reservation.picks
        await self.repository.record_movements(picks, change, reservation.order_id, by=by, now=now, session=session)
        for product_id, group in groupby(picks, key=lambda pick: pick.product_id):
            of_product = tuple(group)
            level = await self.repository.apply_change(product_id, of_product, change, now=now, session=session)
            if level is None:
                return False
            # Also when nothing more or less is available: a payment may have come for pieces that were overdue
            moved = change.available * sum(pick.quantity for pick in of_product)
            await self.watch.look_at(level, change=moved, now=now, session=session)
        return True

    async def _move(
        self,
        reservation: Reservation,
        status: ReservationStatus,
        now: datetime,
        session: Session,
        *,
        picks: tuple[Pick, ...] | None = None,
    ) -> Reservation:
        after = replace(reservation, status=status, picks=reservation.picks if picks is None else picks)
        moved = await self.repository.move_reservation(reservation, after, now=now, session=session)
        # Whoever changed it after our read in this transaction makes the write conflict, and the whole is run again
        assert moved, f"reservation {reservation.order_id} changed within a transaction"
        return after

    async def _find_same_reservation(self, order_id: str, wanted: tuple[StockLine, ...]) -> Reservation:
        found = await self.repository.find_reservation(order_id)
        if found is None:
            raise Unavailable(f"the reservation of order {order_id} was there and is not")
        if found.status not in (ReservationStatus.HELD, ReservationStatus.COMMITTED):
            raise Conflict(f"the reservation of order {order_id} is {found.status}")
        if found.lines != wanted:
            raise Conflict(f"order {order_id} has a reservation of other lines")
        return found

    async def _until_unique(self, work: Callable[[Session], Awaitable[Reservation]]) -> Reservation:
        try:
            return await in_transaction(self._client, work)
        except DuplicateKeyError:
            # The reservation came between our look and our own: now there is one to release
            return await in_transaction(self._client, work)


class _NotCovered(Exception):
    """A line asks for more than is available; ends the transaction."""
