"""The queries of price lists, and of products that change by themselves."""

from datetime import UTC, datetime

from core.mongo import Database, Row, Session
from subgraphs.product.documents import PriceListDocument
from subgraphs.product.model import Product
from subgraphs.product.price_model import PriceList
from subgraphs.product.repository import PRODUCTS, price_list_from_row, product_from_row

PRICE_LISTS = "price_lists"
# Before it nothing of ours was written, and what is due is due after it was written
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
# More lists than a person can look through
MAX_LISTS = 500


class PriceRepository:
    """Price lists of one database."""

    def __init__(self, database: Database) -> None:
        self._lists = database[PRICE_LISTS]
        self._products = database[PRODUCTS]

    async def insert_list(self, price_list: PriceList, *, session: Session) -> None:
        """Add a price list; raise DuplicateKeyError when its code is taken."""
        await PriceListDocument.from_price_list(price_list).insert(session=session)

    async def find_list(self, code: str, *, session: Session | None = None) -> PriceList | None:
        """Return one price list."""
        row = await self._lists.find_one({"_id": code}, session=session)
        return None if row is None else price_list_from_row(row)

    async def take_list(self, code: str, *, session: Session) -> PriceList | None:
        """Return one price list, and let no other transaction that takes it commit beside this one."""
        row = await self._lists.find_one_and_update({"_id": code}, {"$inc": {"version": 1}}, session=session)
        return None if row is None else price_list_from_row(row)

    async def find_lists(self) -> list[PriceList]:
        """Return the first MAX_LISTS price lists, by code."""
        return [price_list_from_row(row) async for row in self._lists.find().sort("_id", 1).limit(MAX_LISTS)]

    async def end_list(self, code: str, valid_until: datetime, *, session: Session) -> None:
        """Change when a list ends, and note that its products do not know it yet."""
        change = {"valid_until": valid_until, "is_spreading": True}
        await self._lists.update_one({"_id": code}, {"$set": change}, session=session)

    async def find_spreading(self) -> list[PriceList]:
        """Return the lists whose products may still have the former end."""
        return [price_list_from_row(row) async for row in self._lists.find({"is_spreading": True}).sort("_id", 1)]

    async def end_spreading(self, price_list: PriceList) -> None:
        """Note that all products know a list's end, unless it has changed again."""
        await self._lists.update_one(
            {"_id": price_list.code, "valid_until": price_list.valid_until}, {"$set": {"is_spreading": False}}
        )

    async def find_outdated(self, price_list: PriceList, limit: int) -> list[Product]:
        """Return products whose price in a list still has another end."""
        outdated = {"code": price_list.code, "valid_until": {"$ne": price_list.valid_until}}
        query = {"list_prices": {"$elemMatch": outdated}}
        rows: list[Row] = await self._products.find(query).hint("price_list").limit(limit).to_list()
        return [product_from_row(row) for row in rows]

    async def find_due(self, now: datetime, limit: int) -> list[Product]:
        """Return products of which something has changed by itself since they were written, the longest ago first."""
        cursor = self._products.find({"next_change_at": {"$lte": now}}).sort("next_change_at", 1).limit(limit)
        return [product_from_row(row) async for row in cursor]

    async def find_next_change(self) -> datetime | None:
        """Return when the next product changes by itself, which may be past; None when none does."""
        row = await self._products.find_one(
            {"next_change_at": {"$gt": BEFORE_ALL}},
            {"_id": 0, "next_change_at": 1},
            sort=[("next_change_at", 1)],
            hint="next_change",
        )
        return None if row is None else row["next_change_at"]
