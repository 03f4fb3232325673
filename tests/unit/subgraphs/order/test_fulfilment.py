"""How much of an order is where: never more shipped than ordered, never more given back than shipped."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput, Conflict
from core.mongo import Row
from subgraphs.order.fulfilment import (
    MAX_PARCELS,
    MAX_RETURNS,
    NEXT_RETURN_STATUSES,
    Pieces,
    ReturnStatus,
    check_return_transition,
    choose_parcel,
    choose_return,
    delivered_of,
    is_complete,
    pieces_to_rows,
    returning_of,
    shipped_of,
)

NOW = datetime(2027, 3, 1, tzinfo=UTC)
WINDOW = timedelta(days=30)


def order_of(*quantities: int, status: str = "PACKED", **more: Any) -> Row:
    lines = [{"id": f"l{number}", "quantity": quantity} for number, quantity in enumerate(quantities)]
    return {"number": "N", "status": status, "lines": lines, "shipments": [], "history": [{"at": NOW}], **more}


def parcel(*pieces: Pieces, delivered_at: datetime | None = None) -> Row:
    row: Row = {"lines": pieces_to_rows(pieces)}
    return row if delivered_at is None else {**row, "delivered_at": delivered_at}


def returned(status: str, *pieces: Pieces) -> Row:
    return {"status": status, "lines": pieces_to_rows(pieces)}


def test_the_first_parcel_has_everything_unless_it_is_said_what_is_in_it() -> None:
    order = order_of(2, 3)
    assert choose_parcel(order, None) == (Pieces("l0", 2), Pieces("l1", 3))
    assert is_complete(order, choose_parcel(order, None))
    some = (Pieces("l1", 1),)
    assert choose_parcel(order, some) == some
    assert not is_complete(order, some)


def test_the_next_parcel_has_what_is_left() -> None:
    order = order_of(2, 3, shipments=[parcel(Pieces("l0", 2), Pieces("l1", 1))])
    assert choose_parcel(order, None) == (Pieces("l1", 2),)
    with pytest.raises(Conflict, match="0 pieces of line l0 are left to be shipped, not 1"):
        choose_parcel(order, [Pieces("l0", 1)])
    with pytest.raises(Conflict, match="2 pieces of line l1"):
        choose_parcel(order, [Pieces("l1", 3)])


def test_when_nothing_is_left_there_is_no_parcel() -> None:
    with pytest.raises(Conflict, match="nothing of order N is left"):
        choose_parcel(order_of(1, shipments=[parcel(Pieces("l0", 1))]), None)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ([], "lines"),
        ([Pieces("other", 1)], "lines.0.lineId"),
        ([Pieces("l0", 1), Pieces("l0", 1)], "lines.1.lineId"),
        ([Pieces("l0", 0)], "lines.0.quantity"),
        ([Pieces("l0", -1)], "lines.0.quantity"),
    ],
)
def test_pieces_that_cannot_be_are_refused(wanted: list[Pieces], field: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        choose_parcel(order_of(2), wanted)
    assert refused.value.field == field
    with pytest.raises(BadUserInput) as refused:
        choose_return(order_of(2, status="DELIVERED"), wanted, now=NOW, window=WINDOW)
    assert refused.value.field == field


def test_a_parcel_from_before_there_were_several_has_the_whole_order() -> None:
    order = order_of(2, 3, status="SHIPPED", shipments=[{"delivered_at": NOW}])
    assert shipped_of(order) == delivered_of(order) == Counter(l0=2, l1=3)


def test_an_imported_order_that_is_out_has_left_the_house_as_a_whole() -> None:
    assert shipped_of(order_of(2, status="SHIPPED")) == Counter(l0=2)
    assert delivered_of(order_of(2, status="SHIPPED")) == Counter()
    assert delivered_of(order_of(2, status="DELIVERED")) == Counter(l0=2)
    assert shipped_of(order_of(2, status="PAID")) == Counter()


def test_pieces_are_given_back_until_the_time_after_their_parcels_arrival_is_over() -> None:
    early, late = NOW - WINDOW, NOW - WINDOW + timedelta(milliseconds=1)
    order = order_of(
        5, shipments=[parcel(Pieces("l0", 2), delivered_at=early), parcel(Pieces("l0", 1), delivered_at=late)]
    )
    assert choose_return(order, [Pieces("l0", 1)], now=NOW, window=WINDOW) == (Pieces("l0", 1),)
    with pytest.raises(Conflict, match="1 pieces of line l0 are there to be given back in time, not 2"):
        choose_return(order, [Pieces("l0", 2)], now=NOW, window=WINDOW)
    # What is still on its way has its time before it
    order["shipments"].append(parcel(Pieces("l0", 2)))
    assert choose_return(order, [Pieces("l0", 3)], now=NOW, window=WINDOW) == (Pieces("l0", 3),)


def test_no_piece_is_given_back_twice_and_a_rejected_one_can_be_asked_for_again() -> None:
    shipments = [parcel(Pieces("l0", 3), delivered_at=NOW)]
    order = order_of(5, shipments=shipments, returns=[returned("REQUESTED", Pieces("l0", 2))])
    with pytest.raises(Conflict, match="1 pieces"):
        choose_return(order, [Pieces("l0", 2)], now=NOW, window=WINDOW)
    order["returns"] = [returned("REJECTED", Pieces("l0", 2))]
    assert choose_return(order, [Pieces("l0", 3)], now=NOW, window=WINDOW) == (Pieces("l0", 3),)


def test_parcels_and_returns_of_an_order_are_limited() -> None:
    order = order_of(999, shipments=[parcel(Pieces("l0", 1))] * MAX_PARCELS)
    with pytest.raises(Conflict, match="has 100 parcels already"):
        choose_parcel(order, None)
    order["returns"] = [returned("REJECTED", Pieces("l0", 1))] * MAX_RETURNS
    with pytest.raises(Conflict, match="has 50 returns already"):
        choose_return(order, [Pieces("l0", 1)], now=NOW, window=WINDOW)


def test_returns_move_forward_only() -> None:
    for status in ReturnStatus:
        for target in ReturnStatus:
            if target in NEXT_RETURN_STATUSES[status]:
                check_return_transition("ret_1", status, target)
            else:
                with pytest.raises(Conflict, match=f"return ret_1 is {status} and cannot become {target}"):
                    check_return_transition("ret_1", status, target)
    assert NEXT_RETURN_STATUSES[ReturnStatus.RECEIVED] == NEXT_RETURN_STATUSES[ReturnStatus.REJECTED] == ()


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from(["ship", "return"]), st.integers(0, 2), st.integers(1, 6)), max_size=20),
)
def test_whatever_is_tried_no_line_has_more_shipped_than_ordered_or_returned_than_shipped(
    quantities: list[int], tries: list[tuple[str, int, int]]
) -> None:
    order = order_of(*quantities, returns=[])
    for what, line, quantity in tries:
        wanted = [Pieces(f"l{line}", quantity)]
        try:
            if what == "ship":
                order["shipments"].append(parcel(*choose_parcel(order, wanted), delivered_at=NOW))
            else:
                order["returns"].append(returned("RECEIVED", *choose_return(order, wanted, now=NOW, window=WINDOW)))
        except (BadUserInput, Conflict):
            continue
    shipped, back = shipped_of(order), returning_of(order, ReturnStatus.RECEIVED)
    for each in order["lines"]:
        assert back[each["id"]] <= shipped[each["id"]] <= each["quantity"]
