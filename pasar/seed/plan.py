"""What a seeded store will hold: everything follows from three values, and can be made in batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from random import Random

from core.clock import SystemClock
from core.money import Money
from pasar.seed.catalogue import CURRENCY, Catalogue, make_catalogue
from pasar.seed.history import History, SeededOrder, opening_day
from pasar.seed.people import People, Person
from pasar.seed.rows import Sold, sold_rows

DEFAULT_ORDERS = 5000
DEFAULT_SEED = 1
# A customer in so many orders, at least so many
ORDERS_PER_CUSTOMER = 12
LEAST_CUSTOMERS = 50
# Of orders, and of customers. Orders of one number differ with it: it is part of what makes a store the same
BATCH = 2500


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall be written."""

    seed: int
    orders: int
    until: datetime

    @classmethod
    def of_today(cls) -> "Plan":
        """Return the usual plan: two years of orders that end with yesterday."""
        return cls(DEFAULT_SEED, DEFAULT_ORDERS, start_of_today())

    @property
    def customers(self) -> int:
        """Return how many people buy."""
        return max(LEAST_CUSTOMERS, self.orders // ORDERS_PER_CUSTOMER)


class SeededStore:
    """The contents of a plan, made when asked for."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.opened_at = opening_day(plan.until)
        self.catalogue: Catalogue = make_catalogue(Random(plan.seed), opened_at=self.opened_at)
        self.people = People(plan.seed, plan.customers, opened_at=self.opened_at, until=plan.until)

    @cached_property
    def history(self) -> History:
        """Return the orders."""
        return History(self.plan.seed, self.plan.orders, self.catalogue, self.people, until=self.plan.until)

    def order_batches(self) -> Sequence[range]:
        """Return the numbers of the orders, batch by batch."""
        return _divide(self.plan.orders)

    def make_sold(self, numbers: range) -> Iterator[tuple[SeededOrder, Sold]]:
        """Yield the orders of one batch with the rows that tell of them."""
        packer_id = self.people.staff.id
        for order in self.history.make_orders(numbers.start, numbers.stop):
            yield order, sold_rows(order, packer_id=packer_id)

    def user_batches(self) -> Sequence[range]:
        """Return the numbers of the customers, batch by batch."""
        return _divide(self.plan.customers)

    def make_people(self, numbers: range) -> Iterator[Person]:
        """Yield the customers of one batch; before the first, who runs the store."""
        if numbers.start == 0:
            yield self.people.admin
            yield self.people.staff
        yield from map(self.people.customer, numbers)

    def known_people(self) -> tuple[Person, ...]:
        """Return who is known by name, and can be logged in as."""
        return self.people.admin, self.people.staff, self.people.customer(0)


@dataclass(frozen=True, slots=True)
class Filled:
    """What a store holds after it was filled."""

    categories: int
    products: int
    users: int
    orders: int
    sales: Money
    people: tuple[Person, ...]
    """Admin, staff and the customer known by name: whom one can log in as."""

    @classmethod
    def of(cls, seeded: SeededStore, sales: int) -> "Filled":
        """Return what *seeded* comes to, of which *sales* minor units were sold."""
        catalogue = seeded.catalogue
        return cls(
            categories=len(catalogue.categories),
            products=len(catalogue.products),
            users=seeded.plan.customers + 2,
            orders=seeded.plan.orders,
            sales=Money(sales, CURRENCY),
            people=seeded.known_people(),
        )


def _divide(count: int) -> Sequence[range]:
    return [range(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]


def start_of_today() -> datetime:
    """Return the last midnight UTC: the same seed gives the same store all day."""
    return SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
