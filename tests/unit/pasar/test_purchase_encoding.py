"""Purchases as BSON: their rows to the last byte."""

from datetime import UTC, datetime, timedelta

from bson import encode
from hypothesis import example, given
from hypothesis import strategies as st

from core.money import Money
from pasar.derived_ids import derived_id
from pasar.importing.encoding import PurchaseEncoder, to_task
from pasar.importing.order_file import MAX_QUANTITY, Purchase
from pasar.importing.rows import Numbering, imported_order
from subgraphs.order.bulk import past_order_to_row
from subgraphs.order.past_sums import PastSums

MOMENT = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
TEXTS = st.text(max_size=30).filter(str.isprintable)
PURCHASES = st.builds(
    Purchase,
    line=st.just(1),
    customer=TEXTS,
    placed_at=st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    quantity=st.integers(1, MAX_QUANTITY),
    total=st.builds(Money, st.integers(0, 2**40), st.just("IDR")),
    product=TEXTS,
)


def purchase(amount: int, quantity: int = 1, *, product: str = "thing", order_id: str = "") -> Purchase:
    return Purchase(1, "c1", MOMENT, quantity, Money(amount, "IDR"), product, order_id)


@given(bought=st.lists(PURCHASES, min_size=1, max_size=5))
# A percent sign, which templates have a meaning for, and the largest numbers that fit into four bytes
@example(bought=[Purchase(1, "100 %(at)b", MOMENT, 7, Money(2**31 - 1, "IDR"), "%d %%"), purchase(2**31)])
@example(bought=[purchase(2**31 + 1, 2), purchase(2**32 + 1, 2), purchase(0)])
def test_encoded_purchases_are_their_rows_and_add_up_to_the_same_sums(bought: list[Purchase]) -> None:
    encoder, sums, expected_sums = PurchaseEncoder("history", "IDR"), PastSums(), PastSums()
    numbering = Numbering()
    for one in bought:
        order_id = numbering.identify("history", one)
        assert order_id is not None
        row = past_order_to_row(imported_order(order_id, "history", one))
        assert encoder.encode(to_task(order_id, one), sums) == encode(row)
        expected_sums.add_row(row)
    assert sums.to_bytes() == expected_sums.to_bytes()


def test_equal_purchases_are_told_apart_by_their_order_and_are_the_same_in_the_next_run() -> None:
    bought = [purchase(500), purchase(500), purchase(600), purchase(500)]
    ids = [Numbering().identify("history", one) for one in bought]
    assert ids[0] == ids[1] == ids[3] != ids[2]
    numbering = Numbering()
    told_apart = [numbering.identify("history", one) for one in bought]
    assert told_apart[0] == ids[0]
    assert told_apart[2] == ids[2]
    parts = ("import", "history", "c1", MOMENT.isoformat(), "1", "500", "IDR", "thing")
    assert told_apart == [
        derived_id("ord", *parts, "1"),
        derived_id("ord", *parts, "2"),
        ids[2],
        derived_id("ord", *parts, "3"),
    ]


def test_a_number_of_the_history_s_own_is_one_order() -> None:
    numbering = Numbering()
    ids = [
        numbering.identify("history", purchase(amount, order_id=own)) for amount, own in [(1, "a"), (2, "a"), (1, "b")]
    ]
    assert ids == [derived_id("ord", "import", "history", "a"), None, derived_id("ord", "import", "history", "b")]


def test_milliseconds_are_kept_and_what_is_finer_is_cut_off() -> None:
    one = Purchase(1, "c1", MOMENT + timedelta(microseconds=123_999), 1, Money(1, "IDR"))
    assert to_task("ord_x", one).placed_ms == int(MOMENT.timestamp()) * 1000 + 123
