"""What a product costs at a moment, and whether it is on sale then; synchronous, no clock.

The regular price holds unless a price list says otherwise. A list holds from a moment up to and without another; of two
that hold at once, the one of the higher priority wins, then the one that began later, then the one first by code.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from core.errors import BadUserInput
from core.money import CURRENCY_EXPONENTS, Money
from subgraphs.product.model import Product, ProductStatus, check_name
from subgraphs.product.price_model import ListPrice, PriceList

MAX_PRIORITY = 1000
MAX_LISTS_OF_PRODUCT = 50


def check_price_list(price_list: PriceList) -> None:
    """Raise BadUserInput naming the first field that cannot be accepted."""
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9_-]{0,39}", price_list.code):
        raise BadUserInput(
            "a code is 1 to 40 upper-case letters, digits, dashes and underscores, such as SALE_2026", field="code"
        )
    check_name(price_list.name)
    if price_list.currency not in CURRENCY_EXPONENTS:
        raise BadUserInput(f"currency {price_list.currency!r} is not supported", field="currency")
    if not 0 <= price_list.priority <= MAX_PRIORITY:
        raise BadUserInput(f"a priority is between 0 and {MAX_PRIORITY}", field="priority")
    if price_list.valid_until is not None and price_list.valid_until <= price_list.valid_from:
        raise BadUserInput("a price list ends after it begins", field="validUntil")


def set_list_price(product: Product, price_list: PriceList, amount: int | None) -> Product:
    """Return *product* with a price of *amount* minor units in *price_list*; None takes its price there away.

    Raises:
        BadUserInput: the price is not more than zero, or the product is in too many lists.
    """
    others = tuple(each for each in product.list_prices if each.price_list.code != price_list.code)
    if amount is None:
        return replace(product, list_prices=others)
    if amount <= 0:
        raise BadUserInput("a price must be more than zero", field="price")
    if len(others) >= MAX_LISTS_OF_PRODUCT:
        raise BadUserInput(f"a product is in at most {MAX_LISTS_OF_PRODUCT} price lists", field="productId")
    mine = (*others, ListPrice(price_list, amount))
    return replace(product, list_prices=tuple(sorted(mine, key=lambda each: each.price_list.code)))


def price_at(product: Product, moment: datetime, currency: str | None = None) -> Money | None:
    """Return what *product* costs at *moment*, in the currency of its regular price unless another is asked for.

    None means that it has no price in that currency.
    """
    wanted = currency or product.price.currency
    valid = [
        each for each in product.list_prices if each.price_list.currency == wanted and _holds(each.price_list, moment)
    ]
    if valid:
        # The lists are sorted by code, and max takes the first of equals
        best = max(valid, key=lambda each: (each.price_list.priority, each.price_list.valid_from))
        return Money(best.amount, wanted)
    return product.price if wanted == product.price.currency else None


def _holds(price_list: PriceList, moment: datetime) -> bool:
    return price_list.valid_from <= moment and (price_list.valid_until is None or moment < price_list.valid_until)


def status_at(product: Product, moment: datetime) -> ProductStatus:
    """Return the status that *product* has at *moment*, whether or not somebody has written it down."""
    status = product.status
    if status is ProductStatus.DRAFT and _is_past(product.publish_at, moment):
        status = ProductStatus.ACTIVE
    if status is ProductStatus.ACTIVE and _is_past(product.unpublish_at, moment):
        status = ProductStatus.ARCHIVED
    return status


def _is_past(due: datetime | None, moment: datetime) -> bool:
    return due is not None and due <= moment


def check_schedule(publish_at: datetime | None, unpublish_at: datetime | None) -> None:
    """Raise BadUserInput for a product that would be off sale before it is on."""
    if publish_at is not None and unpublish_at is not None and unpublish_at <= publish_at:
        raise BadUserInput("a product goes off sale after it goes on sale", field="unpublishAt")


def next_change(product: Product, now: datetime) -> datetime | None:
    """Return when what a list shows of *product* changes next by itself; None if it never does.

    That is *now* for a change of status that is due and was not made.
    """
    if status_at(product, now) is not product.status:
        return now
    moments: Iterable[datetime | None] = (
        product.publish_at if product.status is ProductStatus.DRAFT else None,
        product.unpublish_at if product.status is not ProductStatus.ARCHIVED else None,
        *(each.price_list.valid_from for each in product.list_prices),
        *(each.price_list.valid_until for each in product.list_prices),
    )
    return min((moment for moment in moments if moment is not None and moment > now), default=None)
