"""Telling at once that orders have changed, to whoever looks at them.

Orders are written by several processes, so a change stream on them tells of all; one serves all listeners of a process.
It tells only which orders to read again: what is sent, and whether the listener may see it, is decided by the order as
it is read then. After a failure the stream goes on where it stopped. Where that is not possible any more, listeners are
told so rather than left in the belief that nothing has happened.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from pymongo.errors import OperationFailure, PyMongoError

from core.errors import NotFound, Unavailable
from core.identity import Identity
from core.mongo import Database, Row
from core.scopes import ORDERS_READ
from core.subgraph import require_login
from core.tasks import end_tasks
from subgraphs.order.repository import OrderRepository

log = structlog.get_logger(__name__)

# After a failure of the stream; its driver has tried the usual remedies by then
RETRY_S = 1.0
# Changed orders that wait for one listener. Whoever is further behind looks at a list again
MOST_WAITING = 1000
# Read at a time
BATCH = 100
# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
_HISTORY_LOST = 286

_PIPELINE: list[dict[str, Any]] = [
    {"$match": {"operationType": {"$in": ["insert", "update", "replace"]}}},
    {"$project": {"documentKey._id": 1, "fullDocument.buyer_id": 1}},
]


class Listener:
    """Waits for changes of orders: of one, of a buyer's, or of all. Mutable: knows what has changed since it looked."""

    def __init__(self, *, order_id: str | None, buyer_id: str | None) -> None:
        self._order_id = order_id
        self._buyer_id = buyer_id
        self._waiting: dict[str, None] = {}
        self._woken = asyncio.Event()
        self._is_lost = False

    def tell(self, order_id: str, buyer_id: str | None) -> None:
        """Note that an order has changed, if it concerns this listener."""
        if self._order_id not in (None, order_id) or self._buyer_id not in (None, buyer_id):
            return
        self._waiting[order_id] = None
        if len(self._waiting) > MOST_WAITING:
            self._is_lost = True
        self._woken.set()

    def lose(self) -> None:
        """Note that changes may have been missed."""
        self._is_lost = True
        self._woken.set()

    async def take(self) -> list[str]:
        """Return the orders that have changed since the last call, at most BATCH, waiting for one.

        Raises:
            Unavailable: changes were missed; subscribe again.
        """
        await self._woken.wait()
        if self._is_lost:
            raise Unavailable("changes of orders were missed")
        taken = list(self._waiting)[:BATCH]
        for order_id in taken:
            del self._waiting[order_id]
        if not self._waiting:
            self._woken.clear()
        return taken


class OrderFeed:
    """Watches the orders of one database while anybody listens. Mutable: knows who does."""

    def __init__(self, database: Database) -> None:
        self._orders = database["orders"]
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_open = asyncio.Event()

    @asynccontextmanager
    async def listen(self, *, order_id: str | None = None, buyer_id: str | None = None) -> AsyncIterator[Listener]:
        """Yield a listener that hears of every change from now on."""
        listener = Listener(order_id=order_id, buyer_id=buyer_id)
        self._listeners.add(listener)
        if self._task is None or self._task.done():
            self._is_open.clear()
            self._task = asyncio.create_task(self._watch(), name="watch orders")
        try:
            await self._is_open.wait()
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                await self.aclose()

    async def aclose(self) -> None:
        """Close the stream; whoever still listens hears nothing more."""
        task, self._task = self._task, None
        self._is_open.clear()
        if task is not None:
            await end_tasks([task])

    async def _watch(self) -> None:
        token: Any = None
        while True:
            try:
                stream = await self._orders.watch(_PIPELINE, full_document="updateLookup", resume_after=token)
                async with stream:
                    token = stream.resume_token or token
                    self._is_open.set()
                    async for change in stream:
                        token = stream.resume_token
                        # Null when the order is gone by now
                        document = change.get("fullDocument") or {}
                        for listener in self._listeners:
                            listener.tell(change["documentKey"]["_id"], document.get("buyer_id"))
            except PyMongoError as error:
                log.warning("orders are not watched", error=type(error).__name__)
                if isinstance(error, OperationFailure) and error.code == _HISTORY_LOST:
                    token = None
                    self._lose_all()
            await asyncio.sleep(RETRY_S)

    def _lose_all(self) -> None:
        for listener in self._listeners:
            listener.lose()


class LiveOrders:
    """Sends orders to subscribers."""

    def __init__(self, feed: OrderFeed, orders: OrderRepository) -> None:
        self._feed = feed
        self._orders = orders

    async def watch(self, order_id: str | None, caller: Identity) -> AsyncGenerator[Row, None]:
        """Yield an order as it is and then whenever it has changed; without an id, each order that changes.

        All orders for holders of orders:read, their own for others. It is checked for every order that is sent.

        Raises:
            NotFound: there is no such order, or none that the caller may see.
            Unavailable: changes were missed; subscribe again.
        """
        subject = require_login(caller)
        sees_all = caller.is_service or caller.has_scopes(ORDERS_READ)
        buyer_id = None if sees_all or order_id is not None else subject
        async with self._feed.listen(order_id=order_id, buyer_id=buyer_id) as listener:
            sent: tuple[str, int] | None = None
            if order_id is not None:
                row = await self._orders.find_order(order_id)
                if row is None or not (sees_all or row["buyer_id"] == subject):
                    raise NotFound(f"there is no order {order_id}")
                sent = row["_id"], row["version"]
                yield row
            while True:
                for row in await self._orders.find_orders("_id", await listener.take()):
                    # What was read above may have been told of as well
                    if (sees_all or row["buyer_id"] == subject) and (row["_id"], row["version"]) != sent:
                        sent = row["_id"], row["version"]
                        yield row
