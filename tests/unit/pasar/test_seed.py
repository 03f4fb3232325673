"""The seeded store: believable, and the same for the same number."""

from collections import Counter
from datetime import UTC, date, datetime
from itertools import pairwise
from random import Random

import pytest

from core.identity import Role
from pasar.seed.catalogue import Catalogue, make_catalogue
from pasar.seed.history import TIMEZONE, SeededOrder, demand, make_history, opening_day
from pasar.seed.people import STAFF_COUNT, Person, make_people
from subgraphs.order.model import NEXT_STATUSES, SALES_STATUSES, OrderStatus
from subgraphs.product.model import ProductStatus, check_product
from subgraphs.user.model import check_email, check_name, check_phone

UNTIL = datetime(2026, 11, 24, tzinfo=UTC)


def make(seed: int, orders: int = 2000) -> tuple[Catalogue, tuple[Person, ...], list[SeededOrder]]:
    random = Random(seed)
    opened_at = opening_day(UNTIL)
    catalogue = make_catalogue(random, opened_at=opened_at)
    people = make_people(random, 150, opened_at=opened_at, until=UNTIL)
    history = list(make_history(random, orders, catalogue, people[STAFF_COUNT:], until=UNTIL))
    return catalogue, people, history


@pytest.fixture(scope="module")
def seeded() -> tuple[Catalogue, tuple[Person, ...], list[SeededOrder]]:
    return make(1)


def test_the_same_number_makes_the_same_store_and_another_one_another() -> None:
    assert make(7, 100) == make(7, 100)
    assert make(7, 100) != make(8, 100)


def test_the_catalogue_is_valid_and_its_names_are_unique(
    seeded: tuple[Catalogue, tuple[Person, ...], list[SeededOrder]],
) -> None:
    catalogue = seeded[0]
    products = [check_product(product) for product, _ in catalogue.products]
    assert len(products) == 211
    assert len(catalogue.categories) == 16
    for field in ("id", "sku", "slug", "name"):
        assert len({getattr(product, field) for product in products}) == len(products)
    assert all(product.category_id == category.id for product, category in catalogue.products)
    assert Counter(product.status for product in products) == {ProductStatus.ACTIVE: 206, ProductStatus.ARCHIVED: 5}
    assert sum(count == 0 for count in catalogue.on_hand.values()) == 8


def test_people_are_valid_accounts_with_an_admin_and_staff(
    seeded: tuple[Catalogue, tuple[Person, ...], list[SeededOrder]],
) -> None:
    people = seeded[1]
    assert [person.roles for person in people[:3]] == [(Role.ADMIN,), (Role.STAFF,), (Role.CUSTOMER,)]
    assert len({person.email for person in people}) == len(people)
    for person in people:
        assert check_email(person.email) == person.email
        assert check_name(person.name) == person.name
        assert check_phone(person.phone)


def test_every_order_went_a_way_that_orders_can_go(
    seeded: tuple[Catalogue, tuple[Person, ...], list[SeededOrder]],
) -> None:
    history = seeded[2]
    assert len(history) == 2000
    assert all(before.placed_at <= after.placed_at for before, after in pairwise(history))
    for order in history:
        assert order.moves[0].status is OrderStatus.PENDING_PAYMENT
        for before, after in pairwise(order.moves):
            assert after.status in NEXT_STATUSES[before.status]
            assert before.at <= after.at <= UNTIL
        assert opening_day(UNTIL) <= order.placed_at < UNTIL
        assert order.buyer.joined_at <= order.placed_at
    # Nobody has to be asked for money, and what is long past has arrived
    assert {order.status for order in history} >= {OrderStatus.DELIVERED, OrderStatus.CANCELLED, OrderStatus.EXPIRED}
    assert not [order for order in history if order.status is OrderStatus.PENDING_PAYMENT]
    sales = sum(order.status in SALES_STATUSES for order in history)
    assert 0.9 < sales / len(history) < 0.96


def test_there_are_orders_in_each_of_24_months_and_the_second_year_is_the_better_one(
    seeded: tuple[Catalogue, tuple[Person, ...], list[SeededOrder]],
) -> None:
    months = Counter(f"{order.placed_at.astimezone(TIMEZONE):%Y-%m}" for order in seeded[2])
    names = sorted(months)
    assert (names[0], names[-1], len(names)) == ("2024-11", "2026-11", 25)
    assert sum(months[name] for name in names[12:24]) > 1.2 * sum(months[name] for name in names[:12])


def test_demand_rises_before_lebaran_and_on_shopping_days_and_falls_after() -> None:
    opened = date(2024, 11, 1)
    ordinary = demand(date(2025, 2, 19), opened)
    assert demand(date(2025, 3, 19), opened) > 1.6 * ordinary
    assert demand(date(2025, 4, 2), opened) < 0.6 * ordinary
    assert demand(date(2025, 12, 12), opened) > 3 * demand(date(2025, 12, 10), opened)
