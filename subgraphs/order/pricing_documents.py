"""What is stored of discounts, shipping methods and taxes, and what an order keeps of those that were applied."""

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pydantic import BaseModel
from pymongo import ASCENDING, IndexModel

from subgraphs.order.discounts import DiscountKind


class AppliedDiscountRow(BaseModel):
    """A discount of an order, with what it took off."""

    discount_id: str
    code: str
    kind: DiscountKind
    amount: int


class ShippingMethodRow(BaseModel):
    """How an order is sent; the name is as it was when it was placed."""

    id: str
    name: str


class TaxPartRow(BaseModel):
    """The tax at one rate (millionths)."""

    rate: int
    taxable_amount: int
    amount: int


class TaxRow(BaseModel):
    """The tax of an order; *shipping_amount* is what of it the shipping has."""

    zone_id: str
    name: str
    is_inclusive: bool
    shipping_amount: int
    parts: list[TaxPartRow]


class DiscountDocument(Document):
    """A discount with its code; see discounts.Discount. *used* is written with the orders that use it."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    code: str
    name: str
    kind: DiscountKind
    rate: int | None
    amount: int | None
    currency: str | None
    minimum_subtotal: int | None
    product_ids: list[str]
    category_ids: list[str]
    is_stackable: bool
    valid_from: datetime
    valid_until: datetime | None
    usage_limit: int | None
    usage_limit_per_buyer: int | None
    used: int
    created_at: datetime
    updated_at: datetime

    class Settings:
        """Beanie's settings."""

        name = "discounts"
        indexes: ClassVar = [IndexModel([("code", ASCENDING)], name="code", unique=True)]


class DiscountUseDocument(Document):
    """How many orders of a buyer use a discount; the id is `<buyer>/<discount>`. Written with the orders."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    number: int

    class Settings:
        """Beanie's settings."""

        name = "discount_uses"


class CodeGuessDocument(Document):
    """How many codes that do not exist somebody has tried until *expires_at*; the id is the user's."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    number: int
    expires_at: datetime

    class Settings:
        """Beanie's settings."""

        name = "code_guesses"
        indexes: ClassVar = [IndexModel([("expires_at", ASCENDING)], name="expires_at", expireAfterSeconds=0)]


class WeightBandRow(BaseModel):
    """What parcels of up to a weight cost."""

    up_to_grams: int
    amount: int


class ShippingZoneRow(BaseModel):
    """Rates for some countries."""

    countries: list[str]
    currency: str
    bands: list[WeightBandRow]
    per_kg_beyond: int | None = None
    free_from: int | None = None


class ShippingMethodDocument(Document):
    """A shipping method; see shipping_methods.ShippingMethod."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    name: str
    zones: list[ShippingZoneRow]
    is_active: bool
    updated_at: datetime

    class Settings:
        """Beanie's settings."""

        name = "shipping_methods"


class CategoryRateRow(BaseModel):
    """The rate of a category, in millionths."""

    category_id: str
    rate: int


class TaxZoneDocument(Document):
    """A tax zone; its id is its country, or its country and region (taxes.zone_id)."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId
    country: str
    region: str | None = None
    name: str
    rate: int
    is_inclusive: bool
    taxes_shipping: bool
    category_rates: list[CategoryRateRow]
    updated_at: datetime

    class Settings:
        """Beanie's settings."""

        name = "tax_zones"


PRICING_DOCUMENTS: tuple[type[Document], ...] = (
    DiscountDocument,
    DiscountUseDocument,
    CodeGuessDocument,
    ShippingMethodDocument,
    TaxZoneDocument,
)
