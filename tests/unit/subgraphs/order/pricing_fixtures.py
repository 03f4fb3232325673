"""Lines, discounts, methods and zones to price with."""

from datetime import UTC, datetime
from typing import Any

from core.money import Money
from subgraphs.order.discounts import Discount, DiscountKind
from subgraphs.order.model import OrderLine
from subgraphs.order.pricing import Destination
from subgraphs.order.shipping_methods import ShippingMethod, ShippingZone, WeightBand

NOW = datetime(2026, 11, 24, tzinfo=UTC)
JAKARTA = Destination("ID")
FREE = ShippingMethod("shm_free", "Free", (ShippingZone((), "IDR", (WeightBand(10**9, 0),)),))
FLAT = ShippingMethod("shm_flat", "Flat", (ShippingZone((), "IDR", (WeightBand(10**9, 9000),)),))


def line(product: str, amount: int, quantity: int = 1, *, currency: str = "IDR", **more: Any) -> OrderLine:
    return OrderLine(
        f"ord_1-{product}", f"prd_{product}", product.title(), product, quantity, Money(amount, currency), **more
    )


def percentage(code: str, percent: int, **more: Any) -> Discount:
    return _discount(code, DiscountKind.PERCENTAGE, rate=percent * 10_000, **more)


def amount_off(code: str, amount: int, **more: Any) -> Discount:
    return _discount(code, DiscountKind.FIXED_AMOUNT, amount=amount, **({"currency": "IDR"} | more))


def free_shipping(code: str, **more: Any) -> Discount:
    return _discount(code, DiscountKind.FREE_SHIPPING, **more)


def _discount(code: str, kind: DiscountKind, **more: Any) -> Discount:
    given: dict[str, Any] = {"is_stackable": True, "valid_from": NOW, "created_at": NOW, "name": code} | more
    return Discount(id=f"dsc_{code}", code=code, kind=kind, **given)
