"""Notices that a product is available again. Each is asked for once, and told once.

This subgraph knows who waits; what to write and to which address is the user subgraph's, which hears `BackInStock`.
"""

from datetime import datetime

from core.clock import Clock
from core.errors import Conflict, NotFound
from core.identity import Identity
from core.mongo import Client, Database, Row, Session, in_transaction
from core.peers import Peers
from core.subgraph import require_person
from loaders.remote import remote_entity_loader
from subgraphs.inventory.events import announce_back_in_stock
from subgraphs.inventory.model import MAX_WAITS, Wait
from subgraphs.inventory.service import StockService
from subgraphs.inventory.waiting_repository import WaitingRepository

# Products that one run of the job looks at
BATCH = 100
# Buyers that are told in one transaction
TOLD_TOGETHER = 100


class Waiting:
    """The use cases on one database."""

    def __init__(self, client: Client, database: Database, clock: Clock, peers: Peers, *, stock: StockService) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self._peers = peers
        self._stock = stock
        self._repository = WaitingRepository(database)

    async def subscribe(self, product_id: str, *, by: Identity) -> Wait:
        """Have the caller told once when the product is available again; asking twice is asking once.

        Raises:
            NotFound: no such product is for sale.
            Conflict: it is available, or the caller waits for too many.
        """
        user_id = require_person(by)
        product = await self._find_product(product_id)
        if product is None or not product["sellable"]:
            raise NotFound(f"there is no product {product_id}")
        if await self._is_available(product_id):
            raise Conflict(f"{product_id} is available")
        waits = await self._repository.find_waits_of(user_id, limit=MAX_WAITS)
        wait = Wait(product_id, user_id, self._clock.now())
        for present in waits:
            if present.product_id == product_id:
                return present
        if len(waits) == MAX_WAITS:
            raise Conflict(f"you wait for {MAX_WAITS} products already")
        await self._repository.insert_wait(wait)
        if await self._is_available(product_id):
            # It came back meanwhile, and those who waited were told before this one was among them
            await self._repository.mark_returned(product_id, now=self._clock.now())
        return wait

    async def unsubscribe(self, product_id: str, *, by: Identity) -> Wait:
        """Wait no longer, and return what was waited for; raise NotFound if it was not."""
        user_id = require_person(by)
        wait = await self._repository.find_wait(Wait(product_id, user_id, self._clock.now()).id)
        if wait is None or not await self._repository.delete_waits([wait.id]):
            raise NotFound(f"you do not wait for {product_id}")
        return wait

    async def list_waits(self, *, by: Identity) -> list[Wait]:
        """Return what the caller waits for, the newest first."""
        return await self._repository.find_waits_of(require_person(by), limit=MAX_WAITS)

    async def forget(self, user_id: str, *, session: Session) -> None:
        """Delete what an erased user waited for."""
        await self._repository.delete_waits_of(user_id, session=session)

    async def tell_waiting(self, now: datetime) -> None:
        """Tell those who wait for products that have come back, unless these are gone again or no longer for sale."""
        for product_id, at in await self._repository.find_returned(limit=BATCH):
            product = await self._find_product(product_id)
            if product is not None and product["sellable"] and await self._is_available(product_id):
                while await self._tell_some(product_id, product["name"], now):
                    pass
            await self._repository.unmark_returned(product_id, at)

    async def _tell_some(self, product_id: str, name: str, now: datetime) -> bool:
        async def work(session: Session) -> bool:
            waits = await self._repository.find_waiting(product_id, limit=TOLD_TOGETHER, session=session)
            if waits:
                await self._repository.delete_waits([wait.id for wait in waits], session=session)
            for wait in waits:
                await announce_back_in_stock(self._database, wait, name, now=now, session=session)
            return len(waits) == TOLD_TOGETHER

        return await in_transaction(self._client, work)

    async def _is_available(self, product_id: str) -> bool:
        return any(level.available > 0 for level in await self._stock.find_levels([product_id]))

    async def _find_product(self, product_id: str) -> Row | None:
        return await remote_entity_loader(self._peers, "product", "Product", "id name sellable").load(product_id)
