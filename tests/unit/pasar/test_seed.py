"""The seeded store: believable, and the same for the same number."""

from collections import Counter
from datetime import UTC, date, datetime
from itertools import chain, pairwise

import pytest
from bson import encode

from core.identity import Role
from core.money import Money
from pasar.seed.catalogue import CURRENCY, Catalogue
from pasar.seed.encoding import RowEncoder
from pasar.seed.history import TIMEZONE, SeededOrder, demand, opening_day
from pasar.seed.people import Person
from pasar.seed.plan import Plan, SeededStore
from pasar.seed.rows import sold_rows
from subgraphs.order.documents import OrderRow
from subgraphs.order.model import NEXT_STATUSES, SALES_STATUSES, OrderLine, OrderStatus
from subgraphs.order.pricing import Destination, price
from subgraphs.order.repository import order_to_row
from subgraphs.order.shipping_methods import STANDARD
from subgraphs.payment.documents import PaymentRow
from subgraphs.payment.repository import payment_to_row
from subgraphs.product.model import ProductStatus, check_product
from subgraphs.user.model import check_email, check_name, check_phone

UNTIL = datetime(2026, 11, 24, tzinfo=UTC)


def make(seed: int, orders: int = 2000) -> tuple[Catalogue, tuple[Person, ...], list[SeededOrder]]:
    store = SeededStore(Plan(seed, orders, UNTIL))
    people = tuple(chain.from_iterable(map(store.make_people, store.user_batches())))
    return store.catalogue, people, list(store.history.make_orders(0, orders))


def placed_at(order: SeededOrder) -> datetime:
    return datetime.fromtimestamp(order.placed_s, UTC)


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
    assert all(before.placed_s <= after.placed_s for before, after in pairwise(history))
    for order in history:
        assert order.moves[0][0] is OrderStatus.PENDING_PAYMENT
        for (status, at_s), (next_status, next_at_s) in pairwise(order.moves):
            assert next_status in NEXT_STATUSES[status]
            assert at_s <= next_at_s <= UNTIL.timestamp()
        assert opening_day(UNTIL) <= placed_at(order) < UNTIL
        assert order.buyer.joined_at <= placed_at(order)
    # Nobody has to be asked for money, and what is long past has arrived
    assert {order.status for order in history} >= {OrderStatus.DELIVERED, OrderStatus.CANCELLED, OrderStatus.EXPIRED}
    assert not [order for order in history if order.status is OrderStatus.PENDING_PAYMENT]
    sales = sum(order.status in SALES_STATUSES for order in history)
    assert 0.9 < sales / len(history) < 0.96


def test_there_are_orders_in_each_of_24_months_and_the_second_year_is_the_better_one(
    seeded: tuple[Catalogue, tuple[Person, ...], list[SeededOrder]],
) -> None:
    months = Counter(f"{placed_at(order).astimezone(TIMEZONE):%Y-%m}" for order in seeded[2])
    names = sorted(months)
    assert (names[0], names[-1], len(names)) == ("2024-11", "2026-11", 25)
    assert sum(months[name] for name in names[12:24]) > 1.2 * sum(months[name] for name in names[:12])


def test_demand_rises_before_lebaran_and_on_shopping_days_and_falls_after() -> None:
    opened = date(2024, 11, 1)
    ordinary = demand(date(2025, 2, 19), opened)
    assert demand(date(2025, 3, 19), opened) > 1.6 * ordinary
    assert demand(date(2025, 4, 2), opened) < 0.6 * ordinary
    assert demand(date(2025, 12, 12), opened) > 3 * demand(date(2025, 12, 10), opened)


def test_rows_are_those_of_the_subgraphs_models(
    seeded: tuple[Catalogue, tuple[Person, ...], list[SeededOrder]],
) -> None:
    _, people, history = seeded
    for order in history:
        row, payment = sold_rows(order, packer_id=people[1].id)
        assert order_to_row(OrderRow.model_validate({**row, "id": row["_id"]})) == row
        assert payment_to_row(PaymentRow.model_validate({**payment, "id": payment["_id"]})) == payment


def test_an_order_costs_what_the_store_asks_for_it(
    seeded: tuple[Catalogue, tuple[Person, ...], list[SeededOrder]],
) -> None:
    for order in seeded[2][:200]:
        row, payment = sold_rows(order, packer_id="usr_packer")
        lines = [
            OrderLine("", product.id, product.name, product.sku, pieces, product.price, product.weight_grams)
            for product, pieces, _ in order.lines
        ]
        quoted = price(lines, Destination("ID"), methods=[STANDARD])
        amounts = (row["subtotal_amount"], row["shipping_amount"], row["total_amount"], payment["amount"])
        assert tuple(Money(amount, CURRENCY) for amount in amounts) == (
            *(quoted.subtotal, quoted.shipping, quoted.total, quoted.total),
        )
        assert row["quantity"] == quoted.quantity


def test_encoded_orders_are_their_rows_to_the_last_byte(
    seeded: tuple[Catalogue, tuple[Person, ...], list[SeededOrder]],
) -> None:
    _, people, history = seeded
    encoder = RowEncoder(people[1].id)
    for order in history:
        rows, encoded = sold_rows(order, packer_id=people[1].id), encoder.encode(order)
        assert encoded.order == encode(rows.order)
        assert encoded.payment == encode(rows.payment)
        assert (encoded.quantity, encoded.amount) == (rows.order["quantity"], rows.order["total_amount"])


def test_no_two_orders_have_one_id_or_number(
    seeded: tuple[Catalogue, tuple[Person, ...], list[SeededOrder]],
) -> None:
    history = seeded[2]
    assert len({order.id for order in history}) == len({order.number for order in history}) == 2000
    assert len({order.number[-10:] for order in history}) == 2000


def test_a_batch_of_orders_is_the_same_whoever_makes_it_and_when() -> None:
    batches = SeededStore(Plan(5, 6000, UNTIL)).order_batches()
    assert [(numbers.start, numbers.stop) for numbers in batches] == [(0, 2500), (2500, 5000), (5000, 6000)]
    first, second = SeededStore(Plan(5, 6000, UNTIL)), SeededStore(Plan(5, 6000, UNTIL))
    in_order = [[sold for _, sold in first.make_sold(numbers)] for numbers in batches]
    backwards = [[sold for _, sold in second.make_sold(numbers)] for numbers in reversed(batches)]
    assert in_order == backwards[::-1]
