"""What has changed about a cart's line since its buyer put it there. No I/O."""

from dataclasses import dataclass
from enum import StrEnum

from core.money import Money
from subgraphs.order.carts import CartLine
from subgraphs.order.neighbours import ProductForSale, Stock


class ChangeKind(StrEnum):
    """What has changed."""

    NOT_ON_SALE = "NOT_ON_SALE"
    PRICE_CHANGED = "PRICE_CHANGED"
    LESS_AVAILABLE = "LESS_AVAILABLE"


@dataclass(frozen=True, slots=True)
class LineChange:
    """One change: the prices of a PRICE_CHANGED, how many are left of a LESS_AVAILABLE."""

    kind: ChangeKind
    price_before: Money | None = None
    price_now: Money | None = None
    available: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A product as it is offered now; None where it, or its stock, does not exist."""

    product: ProductForSale | None
    stock: Stock | None


def changes_of(line: CartLine, offer: Offer) -> tuple[LineChange, ...]:
    """Return what its buyer should know of *line* before ordering; what is not on sale has no price and no stock."""
    product, stock = offer.product, offer.stock
    if product is None or not product.is_active:
        return (LineChange(ChangeKind.NOT_ON_SALE),)
    changes: list[LineChange] = []
    if line.seen_price is not None and line.seen_price != product.price:
        changes.append(LineChange(ChangeKind.PRICE_CHANGED, price_before=line.seen_price, price_now=product.price))
    available = 0 if stock is None else stock.available
    if line.quantity > available and not (stock is not None and stock.can_backorder):
        changes.append(LineChange(ChangeKind.LESS_AVAILABLE, available=available))
    return tuple(changes)
