"""Two years of orders: growing, higher before Lebaran and on the shopping days, lower right after.

An order follows from the seed and from its number: they can be made in batches, by several programs, in any order.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from core.ids import encode_base32
from pasar.seed.catalogue import Catalogue
from pasar.seed.ids import timed_id
from pasar.seed.people import People, Person
from subgraphs.order.model import OrderStatus
from subgraphs.product.model import Product

TIMEZONE = ZoneInfo("Asia/Jakarta")
MONTHS = 24
GROWTH_PER_MONTH = 1.03
# Idul Fitri: https://en.wikipedia.org/wiki/Eid_al-Fitr
LEBARAN = (date(2024, 4, 10), date(2025, 3, 31), date(2026, 3, 20), date(2027, 3, 10), date(2028, 2, 27))
# Sales on days with double numbers; the last two are the big ones
SHOPPING_DAYS = {(9, 9): 1.8, (10, 10): 2.0, (11, 11): 3.0, (12, 12): 3.5}
# Orders by hour of the day: noon and evening
HOURS = (2, 1, 1, 1, 1, 2, 4, 6, 8, 10, 11, 13, 15, 13, 11, 10, 10, 10, 12, 15, 17, 15, 10, 5)
EXPIRED_SHARE = 0.04
CANCELLED_SHARE = 0.03
# Of PAID, PACKED, SHIPPED and DELIVERED, the least and the most minutes after the move before
WAITS_MIN = ((1, 25), (2 * 60, 30 * 60), (2 * 60, 24 * 60), (24 * 60, 120 * 60))
# Up to so many different products in an order, each as likely as its weight says
LINE_COUNTS = tuple(accumulate((45, 28, 15, 8, 4)))
QUANTITIES = (1, 2, 3, 5)
QUANTITY_WEIGHTS = tuple(accumulate((62, 24, 10, 4)))
# Nobody buys several of what costs more
ONE_IS_ENOUGH_RUPIAH = 300_000
# Order numbers have ten characters: a permutation of their values, so that no two orders share one
_NUMBER_MASK = (1 << 50) - 1
_NUMBER_FACTOR = 0x2_545F_4914_F6CD


#: An order reached a status at a moment, in seconds since 1970.
Move: TypeAlias = tuple[OrderStatus, int]


# Named tuples, as millions of them are made
class SeededLine(NamedTuple):
    """Some pieces of a product, and the ids of its categories from the top down."""

    product: Product
    quantity: int
    category_path: tuple[str, ...]


class SeededOrder(NamedTuple):
    """An order with everything that happened to it, oldest move first. Its lines are of different products."""

    id: str
    number: str
    buyer: Person
    lines: tuple[SeededLine, ...]
    moves: tuple[Move, ...]

    @property
    def placed_s(self) -> int:
        """Return when it was placed, in seconds since 1970."""
        return self.moves[0][1]

    @property
    def status(self) -> OrderStatus:
        """Return where it stands."""
        return self.moves[-1][0]


def opening_day(until: datetime) -> datetime:
    """Return the start of the month, in the store's timezone, that is MONTHS before the one of *until*."""
    local = until.astimezone(TIMEZONE)
    months = local.year * 12 + local.month - 1 - MONTHS
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=TIMEZONE).astimezone(UTC)


class History:
    """The *count* orders between `opening_day(until)` and *until*."""

    def __init__(self, seed: int, count: int, catalogue: Catalogue, people: People, *, until: datetime) -> None:
        self.count = count
        self._seed = seed
        self._people = people
        self._until_s = int(until.timestamp())
        first_day = opening_day(until).astimezone(TIMEZONE).date()
        days = [first_day + timedelta(days=n) for n in range((until.astimezone(TIMEZONE).date() - first_day).days)]
        starts = [int(datetime.combine(day, time(), TIMEZONE).timestamp()) for day in days]
        self._hours = array("q", (start + 3600 * hour for start in starts for hour in range(24)))
        self._demand = array("d", accumulate(demand(day, first_day) * weight for day in days for weight in HOURS))
        products = [(product, category.path) for product, category in catalogue.products]
        Random(f"{seed}/shop").shuffle(products)
        self._products = products
        # Zipf's law; cheap things sell more often than dear ones
        self._wanted = list(
            accumulate(
                (100_000 / max(product.price.amount, 20_000)) ** 0.5 / rank
                for rank, (product, _) in enumerate(products, start=1)
            )
        )

    def make_orders(self, first: int, end: int) -> Iterator[SeededOrder]:
        """Yield the orders with the numbers from *first* to before *end*, oldest first.

        The same *first* always gives the same orders; another one that lies in between may not.
        """
        random = Random(f"{self._seed}/orders/{first}")
        draw = random.random
        hours, demands = self._hours, self._demand
        share = demands[-1] / self.count if self.count else 0.0
        date_start, date_text = 0, ""
        hour = 0
        for number in range(first, end):
            # Each order has an equal share of all demand, and a place within it
            place = (number + draw()) * share
            hour = bisect_right(demands, place, hour, len(hours) - 1)
            before = demands[hour - 1] if hour else 0.0
            placed_s = hours[hour] + min(3599, int(3600 * (place - before) / (demands[hour] - before)))
            if placed_s >= date_start + 86_400:
                date_start = placed_s - placed_s % 86_400
                date_text = f"{datetime.fromtimestamp(placed_s, UTC):%y%m%d}"
            mark = encode_base32(number * _NUMBER_FACTOR + self._seed & _NUMBER_MASK, 10)
            yield SeededOrder(
                timed_id("ord", placed_s * 1000, random.getrandbits(80)),
                f"ORD-{date_text}-{mark.upper()}",
                self._people.pick_customer(draw(), placed_s),
                self._pick_lines(random),
                self._make_moves(placed_s, random),
            )

    def _pick_lines(self, random: Random) -> tuple[SeededLine, ...]:
        draw = random.random
        wanted, products = self._wanted, self._products
        total, last = wanted[-1], len(products) - 1
        chosen: dict[str, SeededLine] = {}
        for _ in range(1 + bisect_right(LINE_COUNTS, draw() * LINE_COUNTS[-1])):
            product, category_path = products[bisect_right(wanted, draw() * total, 0, last)]
            quantity = 1
            if product.price.amount <= ONE_IS_ENOUGH_RUPIAH:
                quantity = QUANTITIES[bisect_right(QUANTITY_WEIGHTS, draw() * 100)]
            chosen[product.id] = SeededLine(product, quantity, category_path)
        return tuple(chosen.values())

    def _make_moves(self, placed_s: int, random: Random) -> tuple[Move, ...]:
        draw = random.random
        until_s = self._until_s
        moves: list[Move] = [(OrderStatus.PENDING_PAYMENT, placed_s)]
        fate = draw()
        if fate < EXPIRED_SHARE:
            moves.append((OrderStatus.EXPIRED, placed_s + 30 * 60))
        elif fate < EXPIRED_SHARE + CANCELLED_SHARE:
            moves.append((OrderStatus.CANCELLED, placed_s + 60 * (1 + int(draw() * 25))))
        else:
            at_s = placed_s
            for status, (least, most) in zip(_WAY, WAITS_MIN, strict=True):
                at_s += 60 * (least + int(draw() * (most - least + 1)))
                moves.append((status, at_s))
        while len(moves) > 1 and moves[-1][1] > until_s:
            moves.pop()
        # Nobody waits for a payment in data that is made at once: what was placed just now has been paid
        if len(moves) == 1:
            moves.append((OrderStatus.PAID, placed_s))
        return tuple(moves)


_WAY = (OrderStatus.PAID, OrderStatus.PACKED, OrderStatus.SHIPPED, OrderStatus.DELIVERED)


def demand(day: date, first_day: date) -> float:
    """Return how many orders *day* brings, relative to an ordinary first day."""
    weight: float = GROWTH_PER_MONTH ** ((day - first_day).days / 30.44)
    weight *= 1.15 if day.weekday() >= 5 else 1.0
    # Wages come on the 25th
    weight *= 1.2 if 25 <= day.day <= 28 else 1.0
    weight *= SHOPPING_DAYS.get((day.month, day.day), 1.0)
    return weight * _lebaran_factor(day)


def _lebaran_factor(day: date) -> float:
    for eid in LEBARAN:
        ahead = (eid - day).days
        if 4 <= ahead <= 25:
            return 1.7
        # Couriers rest, and so does the trade
        if -7 <= ahead <= 1:
            return 0.45
    return 1.0
