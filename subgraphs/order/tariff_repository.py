"""Tariffs in MongoDB: shipping methods and tax zones. Both are few, and read as a whole or by id."""

from dataclasses import asdict
from datetime import datetime

from core.mongo import Database, Row, Session
from subgraphs.order.shipping_methods import MAX_METHODS, STANDARD, ShippingMethod, ShippingZone, WeightBand
from subgraphs.order.taxes import TaxZone, find_zone, zone_id


class TariffRepository:
    """The queries on shipping methods and tax zones."""

    def __init__(self, database: Database) -> None:
        self._methods = database["shipping_methods"]
        self._zones = database["tax_zones"]

    async def find_methods(self) -> tuple[ShippingMethod, ...]:
        """Return all shipping methods by id, the standard one among them unless the store has saved its own."""
        rows = await self._methods.find().sort("_id", 1).to_list()
        methods = {row["_id"]: _read_method(row) for row in rows}
        return tuple(method for _, method in sorted({STANDARD.id: STANDARD, **methods}.items()))

    async def find_method(self, method_id: str, *, session: Session) -> ShippingMethod | None:
        """Return the method with this id."""
        row = await self._methods.find_one({"_id": method_id}, session=session)
        if row is None:
            return STANDARD if method_id == STANDARD.id else None
        return _read_method(row)

    async def count_methods(self, *, session: Session) -> int:
        """Return how many methods are stored, as far as that matters."""
        some = self._methods.find({}, {"_id": 1}, session=session).sort("_id", 1).limit(MAX_METHODS)
        return len(await some.to_list())

    async def save_method(self, method: ShippingMethod, *, now: datetime, session: Session) -> None:
        """Store a method in place of the one with its id."""
        row = asdict(method)
        await self._methods.replace_one(
            {"_id": row.pop("id")}, {**_listed(row), "updated_at": now}, upsert=True, session=session
        )

    async def find_zones(self) -> tuple[TaxZone, ...]:
        """Return all tax zones, by country and region."""
        return tuple([_read_zone(row) async for row in self._zones.find().sort("_id", 1)])

    async def find_zone(self, country: str, region: str | None) -> TaxZone | None:
        """Return the zone of an address, None if nothing is taxed there."""
        ids = [country] if region is None else [country, zone_id(country, region)]
        rows = await self._zones.find({"_id": {"$in": ids}}).to_list()
        return find_zone({row["_id"]: _read_zone(row) for row in rows}, country, region)

    async def save_zone(self, zone: TaxZone, *, now: datetime, session: Session) -> None:
        """Store a zone in place of the one for the same place."""
        row = asdict(zone)
        row["category_rates"] = [{"category_id": category, "rate": rate} for category, rate in zone.category_rates]
        await self._zones.replace_one({"_id": zone.id}, {**row, "updated_at": now}, upsert=True, session=session)

    async def delete_zone(self, country: str, region: str | None, *, session: Session) -> TaxZone | None:
        """Delete the zone for exactly this place and return it; None if there was none."""
        row = await self._zones.find_one_and_delete({"_id": zone_id(country, region)}, session=session)
        return None if row is None else _read_zone(row)


def _listed(row: Row) -> Row:
    row["zones"] = [
        {**zone, "countries": list(zone["countries"]), "bands": list(zone["bands"])} for zone in row["zones"]
    ]
    return row


def _read_method(row: Row) -> ShippingMethod:
    return ShippingMethod(
        id=row["_id"],
        name=row["name"],
        zones=tuple(
            ShippingZone(
                countries=tuple(zone["countries"]),
                currency=zone["currency"],
                bands=tuple(WeightBand(band["up_to_grams"], band["amount"]) for band in zone["bands"]),
                per_kg_beyond=zone.get("per_kg_beyond"),
                free_from=zone.get("free_from"),
            )
            for zone in row["zones"]
        ),
        is_active=row["is_active"],
    )


def _read_zone(row: Row) -> TaxZone:
    return TaxZone(
        country=row["country"],
        region=row.get("region"),
        name=row["name"],
        rate=row["rate"],
        is_inclusive=row["is_inclusive"],
        taxes_shipping=row["taxes_shipping"],
        category_rates=tuple((each["category_id"], each["rate"]) for each in row["category_rates"]),
    )
