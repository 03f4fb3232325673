"""Invoice numbers: one after the other within a year and without gaps, as tax offices want them.

An order's number is random, so that it tells nothing about how much is sold; an invoice's cannot be. It is given out
when the invoice is first asked for: numbers at the moment of payment would have all payments wait for one counter.
"""

from datetime import tzinfo

from core.clock import Clock
from core.errors import Conflict, NotFound
from core.mongo import Client, Database, DuplicateKeyError, Row, Session, in_transaction
from subgraphs.order.model import SALES_STATUSES
from subgraphs.order.repository import OrderRepository

COUNTERS = "invoice_counters"


def has_invoice(order: Row) -> bool:
    """Tell whether an order is one that an invoice is made for: it was paid, whatever became of it."""
    return order["status"] in SALES_STATUSES or order.get("paid_at") is not None


class Invoices:
    """Gives out numbers in one database."""

    def __init__(
        self, client: Client, database: Database, clock: Clock, *, orders: OrderRepository, zone: tzinfo
    ) -> None:
        self._client = client
        self._counters = database[COUNTERS]
        self._clock = clock
        self._orders = orders
        self._zone = zone

    async def issue_invoice(self, order_id: str) -> Row:
        """Give an order's invoice its number, unless it has one, and return the order.

        Raises:
            NotFound: there is no such order.
            Conflict: it was never paid.
        """
        order = await self._orders.find_order(order_id)
        if order is None:
            raise NotFound(f"there is no order {order_id}")
        if not has_invoice(order):
            raise Conflict(f"order {order['number']} is {order['status']} and has no invoice")
        if order.get("invoice_number"):
            return order
        now = self._clock.now()
        year = f"{now.astimezone(self._zone):%Y}"
        await self._open_year(year)

        async def work(session: Session) -> Row:
            current = await self._orders.find_order(order_id, session=session)
            if current is None:
                raise NotFound(f"there is no order {order_id}")
            if current.get("invoice_number"):
                return current
            counter = await self._counters.find_one_and_update(
                {"_id": year}, {"$inc": {"last": 1}}, return_document=True, session=session
            )
            assert counter is not None
            number = f"INV-{year}-{counter['last']:06d}"
            # `updated_at` stays: to whoever follows changes, nothing has changed
            return await self._orders.update_order(
                current, set_={"invoice_number": number, "invoiced_at": now}, session=session
            )

        return await in_transaction(self._client, work)

    async def _open_year(self, year: str) -> None:
        try:
            await self._counters.update_one({"_id": year}, {"$setOnInsert": {"last": 0}}, upsert=True)
        except DuplicateKeyError:
            # Somebody else has just opened it
            return
