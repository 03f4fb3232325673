"""Use cases of price lists and schedules.

Whoever reads a product is told what holds at that moment, to the millisecond, from the product's own row (`prices.py`).
Lists are filtered and sorted by what is written down, so what has changed by itself is written down as it falls due: by
a job, and by whoever lists products when the job is late.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.clock import Clock
from core.errors import BadUserInput, Conflict, NotFound
from core.identity import Identity
from core.money import Money
from core.mongo import Client, Database, DuplicateKeyError, Session, in_transaction
from core.scopes import PRODUCTS_WRITE
from core.subgraph import require_scopes
from subgraphs.product import prices
from subgraphs.product.events import PRODUCT_ARCHIVED, PRODUCT_EDITED, PRODUCT_PUBLISHED
from subgraphs.product.families import Families
from subgraphs.product.model import Product, ProductStatus
from subgraphs.product.price_model import PriceList
from subgraphs.product.price_repository import PriceRepository
from subgraphs.product.recording import Recorder
from subgraphs.product.repository import CatalogueRepository

# Products that are written down in one go
BATCH = 200
MAX_ENTRIES = 100
# When the next change is due is looked up this often, rather than for each list: one that another process schedules for
# less than this ahead may be late by as much in the lists of this one
LOOK_EVERY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class PriceEntry:
    """A product's price in a list, in minor units; None takes it away."""

    product_id: str
    amount: int | None


class Pricing:
    """The use cases on one database."""

    def __init__(
        self,
        client: Client,
        database: Database,
        clock: Clock,
        catalogue: CatalogueRepository,
        families: Families,
        recorder: Recorder,
    ) -> None:
        self._client = client
        self._clock = clock
        self._catalogue = catalogue
        self._families = families
        self._recorder = recorder
        self._repository = PriceRepository(database)
        # Nothing is due from the first to the second moment, as far as this process knows
        self._nothing_due: tuple[datetime, datetime] | None = None

    async def list_price_lists(self, *, by: Identity) -> list[PriceList]:
        """Return all price lists by code."""
        require_scopes(by, PRODUCTS_WRITE)
        return await self._repository.find_lists()

    async def create_price_list(self, price_list: PriceList, *, by: Identity) -> PriceList:
        """Add a price list; it has no prices yet.

        Raises:
            BadUserInput: a field is not valid.
            Conflict: the code is taken.
        """
        require_scopes(by, PRODUCTS_WRITE)
        prices.check_price_list(price_list)
        now = self._clock.now()

        async def work(session: Session) -> None:
            await self._repository.insert_list(price_list, session=session)
            await self._recorder.note("PRICE_LIST_CREATED", price_list.code, by=by, now=now, session=session)

        try:
            await in_transaction(self._client, work)
        except DuplicateKeyError:
            raise Conflict(f"there is a price list {price_list.code} already") from None
        return price_list

    async def set_prices(self, code: str, entries: Sequence[PriceEntry], *, by: Identity) -> PriceList:
        """Set, change or take away prices of a list: all of *entries*, or none.

        Raises:
            BadUserInput: a price is not valid, or there are too many.
            NotFound: there is no such list or product.
            Conflict: a product was changed by somebody else at the same time.
        """
        require_scopes(by, PRODUCTS_WRITE)
        if not 1 <= len(entries) <= MAX_ENTRIES or len({each.product_id for each in entries}) < len(entries):
            raise BadUserInput(f"give 1 to {MAX_ENTRIES} prices, each of another product", field="prices")
        now = self._clock.now()

        async def work(session: Session) -> PriceList:
            price_list = await self._repository.take_list(code, session=session)
            if price_list is None:
                raise NotFound(f"there is no price list {code}")
            for entry in entries:
                before = await self._catalogue.find_product(entry.product_id, session=session)
                if before is None:
                    raise NotFound(f"there is no product {entry.product_id}")
                after = prices.set_list_price(before, price_list, entry.amount)
                if after != before:
                    after = replace(after, updated_at=now, version=before.version + 1)
                    await self._write(before, after, session)
                    await self._recorder.announce(PRODUCT_EDITED, after.id, now=now, session=session)
            details = {"products": str(len(entries))}
            await self._recorder.note("PRICES_SET", code, by=by, now=now, session=session, details=details)
            return price_list

        return await in_transaction(self._client, work)

    async def end_price_list(self, code: str, at: datetime | None, *, by: Identity) -> PriceList:
        """Let a price list end at *at*, now if that is None; it may be earlier or later than it would have.

        Raises:
            BadUserInput: that is before it begins.
            NotFound: there is no such list.
        """
        require_scopes(by, PRODUCTS_WRITE)
        now = self._clock.now()
        until = at or now

        async def work(session: Session) -> PriceList:
            before = await self._repository.take_list(code, session=session)
            if before is None:
                raise NotFound(f"there is no price list {code}")
            after = replace(before, valid_until=until)
            prices.check_price_list(after)
            await self._repository.end_list(code, until, session=session)
            await self._recorder.note("PRICE_LIST_ENDED", code, by=by, now=now, session=session)
            return after

        ended = await in_transaction(self._client, work)
        await self._spread(ended)
        return ended

    def at_present(self, product: Product) -> Product:
        """Return *product* as it is now: with the status and the price that hold, whether or not they are written down.

        It is to be shown; what is written goes out from what was read.
        """
        now = self._clock.now()
        return replace(product, status=prices.status_at(product, now), current_price=prices.price_at(product, now))

    def price_in(self, product: Product, currency: str) -> Money | None:
        """Return what *product* costs now in a currency; None if it has no price in it."""
        return prices.price_at(product, self._clock.now(), currency)

    async def apply_due(self, now: datetime) -> None:
        """Write down what has changed by itself, and the ends of lists that a crash has kept from their products."""
        for price_list in await self._repository.find_spreading():
            await self._spread(price_list)
        while products := await self._repository.find_due(now, BATCH):
            for product in products:
                await self._apply(product, now)

    async def apply_if_late(self) -> None:
        """Write down what is due, for a list that shall be right; all but always there is nothing."""
        now = self._clock.now()
        if self._nothing_due is not None and self._nothing_due[0] <= now < self._nothing_due[1]:
            return
        next_at = await self._repository.find_next_change()
        if next_at is None or next_at > now:
            self._nothing_due = now, min(now + LOOK_EVERY, next_at or now + LOOK_EVERY)
            return
        for product in await self._repository.find_due(now, BATCH):
            await self._apply(product, now)

    async def _apply(self, before: Product, now: datetime) -> None:
        status = prices.status_at(before, now)
        after = replace(before, status=status, updated_at=now, version=before.version + 1)
        event = (
            PRODUCT_EDITED
            if status is before.status
            else PRODUCT_PUBLISHED
            if status is ProductStatus.ACTIVE
            else PRODUCT_ARCHIVED
        )

        async def work(session: Session) -> None:
            await self._write(before, after, session)
            await self._recorder.announce(event, after.id, now=now, session=session)

        try:
            await in_transaction(self._client, work)
        except Conflict:
            # Somebody else has written it, and with it what was due
            return

    async def _write(self, before: Product, after: Product, session: Session) -> None:
        self._nothing_due = None
        category = None if after.category_id is None else await self._catalogue.find_category(after.category_id)
        if not await self._catalogue.replace_product(before, after, category, session=session):
            raise Conflict(f"product {before.id} was changed by somebody else at the same time; try again")
        if after.parent_id is not None:
            await self._families.refresh_parent(after.parent_id, category, session)

    async def _spread(self, price_list: PriceList) -> None:
        """Tell the products of a list when it ends."""
        while products := await self._repository.find_outdated(price_list, BATCH):
            for product in products:
                amount = next(each.amount for each in product.list_prices if each.price_list.code == price_list.code)
                now = self._clock.now()
                after = prices.set_list_price(product, price_list, amount)
                after = replace(after, updated_at=now, version=product.version + 1)

                async def work(session: Session, before: Product = product, after: Product = after) -> None:
                    await self._write(before, after, session)
                    await self._recorder.announce(PRODUCT_EDITED, after.id, now=after.updated_at, session=session)

                try:
                    await in_transaction(self._client, work)
                except Conflict:
                    # Changed at the same time: it is found again
                    continue
        await self._repository.end_spreading(price_list)
