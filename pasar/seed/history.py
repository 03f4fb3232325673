"""Two years of orders: growing, higher before Lebaran and on the shopping days, lower right after."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from pasar.seed.catalogue import Catalogue
from pasar.seed.ids import seeded_id
from pasar.seed.people import Person
from subgraphs.order.model import OrderLine, OrderStatus, Quote, quote
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


@dataclass(frozen=True, slots=True)
class Move:
    """An order reached *status* at *at*."""

    status: OrderStatus
    at: datetime


@dataclass(frozen=True, slots=True)
class SeededOrder:
    """An order with everything that happened to it, oldest move first."""

    id: str
    buyer: Person
    quote: Quote
    moves: tuple[Move, ...]

    @property
    def placed_at(self) -> datetime:
        """Return when it was placed."""
        return self.moves[0].at

    @property
    def status(self) -> OrderStatus:
        """Return where it stands."""
        return self.moves[-1].status


def opening_day(until: datetime) -> datetime:
    """Return the start of the month, in the store's timezone, that is MONTHS before the one of *until*."""
    local = until.astimezone(TIMEZONE)
    months = local.year * 12 + local.month - 1 - MONTHS
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=TIMEZONE).astimezone(UTC)


def make_history(
    random: Random, count: int, catalogue: Catalogue, customers: Sequence[Person], *, until: datetime
) -> Iterator[SeededOrder]:
    """Yield *count* orders between `opening_day(until)` and *until*, oldest first."""
    opened_at = opening_day(until)
    first_day = opened_at.astimezone(TIMEZONE).date()
    days = [first_day + timedelta(days=n) for n in range((until.astimezone(TIMEZONE).date() - first_day).days)]
    moments = sorted(
        _moment(day, random) for day in random.choices(days, [demand(day, first_day) for day in days], k=count)
    )
    shop = _Shop(catalogue, random)
    joined = [person.joined_at for person in customers]
    eagerness = list(accumulate(person.eagerness for person in customers))
    for placed_at in moments:
        # Only who had joined by then, of whom there is one from the first day
        known = max(1, bisect_right(joined, placed_at))
        buyer = random.choices(customers[:known], cum_weights=eagerness[:known])[0]
        quoted = quote(shop.pick_lines(random, placed_at))
        yield SeededOrder(seeded_id("ord", random, placed_at), buyer, quoted, _moves(placed_at, random, until))


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


def _moment(day: date, random: Random) -> datetime:
    hour = random.choices(range(24), HOURS)[0]
    local = datetime.combine(day, time(hour, random.randrange(60), random.randrange(60)), TIMEZONE)
    return local.astimezone(UTC)


class _Shop:
    """Picks products: a few are wanted far more than the rest. Keeps the weights, and changes nothing later."""

    def __init__(self, catalogue: Catalogue, random: Random) -> None:
        self._products = [product for product, _ in catalogue.products]
        self._category_paths = {product.id: category.path for product, category in catalogue.products}
        random.shuffle(self._products)
        # Zipf's law; cheap things sell more often than dear ones
        weights = [
            (100_000 / max(product.price.amount, 20_000)) ** 0.5 / rank
            for rank, product in enumerate(self._products, start=1)
        ]
        self._cumulated = list(accumulate(weights))

    def pick_lines(self, random: Random, at: datetime) -> list[OrderLine]:
        wanted = random.choices((1, 2, 3, 4, 5), (45, 28, 15, 8, 4))[0]
        chosen: dict[str, Product] = {}
        for product in random.choices(self._products, cum_weights=self._cumulated, k=wanted):
            chosen[product.id] = product
        return [
            OrderLine(
                id=seeded_id("oln", random, at),
                product_id=product.id,
                name=product.name,
                sku=product.sku,
                quantity=1 if product.price.amount > 300_000 else random.choices((1, 2, 3, 5), (62, 24, 10, 4))[0],
                unit_price=product.price,
                weight_grams=product.weight_grams,
                category_path=self._category_paths[product.id],
            )
            for product in chosen.values()
        ]


def _moves(placed_at: datetime, random: Random, until: datetime) -> tuple[Move, ...]:
    moves = [Move(OrderStatus.PENDING_PAYMENT, placed_at)]

    def move(status: OrderStatus, after: timedelta) -> bool:
        at = moves[-1].at + after
        if at > until:
            return False
        moves.append(Move(status, at))
        return True

    fate = random.random()
    if fate < EXPIRED_SHARE:
        move(OrderStatus.EXPIRED, timedelta(minutes=30))
    elif fate < EXPIRED_SHARE + CANCELLED_SHARE:
        move(OrderStatus.CANCELLED, timedelta(minutes=random.randint(1, 25)))
    else:
        move(OrderStatus.PAID, timedelta(minutes=random.randint(1, 25)))
        for status, least_h, most_h in (
            (OrderStatus.PACKED, 2, 30),
            (OrderStatus.SHIPPED, 2, 24),
            (OrderStatus.DELIVERED, 24, 120),
        ):
            if not move(status, timedelta(minutes=random.randint(least_h * 60, most_h * 60))):
                break
    # Nobody waits for a payment in data that is made at once: what was placed just now has been paid
    if len(moves) == 1:
        moves.append(Move(OrderStatus.PAID, placed_at))
    return tuple(moves)
