"""Quoting a cart: what a buyer would pay now. The preview and the checkout ask the same, and so tell the same."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from core.clock import Clock
from subgraphs.order.carts import CartLine
from subgraphs.order.discount_problems import ShippingUnavailable
from subgraphs.order.discount_repository import DiscountRepository
from subgraphs.order.discounts import CodeProblem, Discount, judge_codes
from subgraphs.order.model import OrderLine
from subgraphs.order.neighbours import Neighbours, ProductForSale
from subgraphs.order.pricing import Destination, MethodUnavailable, Quote, currency_of, offers_for, price
from subgraphs.order.problems import ProductUnavailable
from subgraphs.order.recent_tariffs import RecentTariffs
from subgraphs.order.shipping_methods import ShippingOffer


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRequest:
    """What is to be priced. *order_id* is what the lines' ids begin with; *buyer_id* None is a guest."""

    order_id: str
    buyer_id: str | None
    lines: tuple[CartLine, ...]
    codes: tuple[str, ...]
    destination: Destination
    method_id: str | None = None


@dataclass(frozen=True, slots=True)
class Quoted:
    """The quote, in which codes with *problems* have no part, and all ways to send the parcel, cheapest first."""

    quote: Quote
    problems: tuple[CodeProblem, ...]
    offers: tuple[ShippingOffer, ...]


class Quoter:
    """Prices carts."""

    def __init__(
        self, neighbours: Neighbours, discounts: DiscountRepository, tariffs: RecentTariffs, clock: Clock
    ) -> None:
        self._neighbours = neighbours
        self._discounts = discounts
        self._tariffs = tariffs
        self._clock = clock

    async def quote(self, request: QuoteRequest) -> Quoted:
        """Price a cart that is not empty.

        Raises:
            ProductUnavailable, ShippingUnavailable: as they say.
            BadUserInput: the cart mixes currencies, or its sum is beyond what money can hold.
            PeerError: the product subgraph does not answer.
        """
        products, methods, zone = await asyncio.gather(
            self._neighbours.find_products([line.product_id for line in request.lines]),
            self._tariffs.find_methods(),
            self._tariffs.find_zone(request.destination.country, request.destination.region),
        )
        lines = order_lines(request.order_id, request.lines, products)
        currency_of(lines)
        chosen, problems = await self.judge(request.codes, lines, buyer_id=request.buyer_id)
        try:
            quote = price(
                lines,
                request.destination,
                methods=methods,
                method_id=request.method_id,
                discounts=chosen,
                tax_zone=zone,
            )
        except MethodUnavailable:
            raise ShippingUnavailable(
                f"nothing takes these products to {request.destination.country}"
                if request.method_id is None
                else f"shipping method {request.method_id} does not take these products to "
                f"{request.destination.country}"
            ) from None
        goods = sum(line.total.amount for line in quote.lines)
        return Quoted(quote, problems, offers_for(lines, goods, request.destination, methods))

    async def judge(
        self, codes: Sequence[str], lines: Sequence[OrderLine], *, buyer_id: str | None
    ) -> tuple[tuple[Discount, ...], tuple[CodeProblem, ...]]:
        """Return the discounts of *codes* that apply to *lines* for this buyer, and why others do not."""
        found = await self._discounts.find_by_codes(codes)
        ids = [discount.id for discount in found.values()]
        used = {} if buyer_id is None else await self._discounts.count_uses(buyer_id, ids)
        return judge_codes(codes, found, lines, now=self._clock.now(), used_by_buyer=used)


def order_lines(order_id: str, lines: Sequence[CartLine], products: dict[str, ProductForSale]) -> tuple[OrderLine, ...]:
    """Return the lines of an order for what is in a cart; raise ProductUnavailable for what is not on sale."""
    missing = tuple(
        line.product_id for line in lines if (product := products.get(line.product_id)) is None or not product.is_active
    )
    if missing:
        raise ProductUnavailable(missing)
    return tuple(
        OrderLine(
            id=f"{order_id}-{number}",
            product_id=line.product_id,
            name=product.name,
            sku=product.sku,
            quantity=line.quantity,
            unit_price=product.price,
            weight_grams=product.weight_grams,
            category_path=product.category_path,
        )
        for number, line in enumerate(lines, start=1)
        for product in (products[line.product_id],)
    )
