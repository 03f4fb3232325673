"""The sums of past orders: worth as much as their change rows one by one."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from core.mongo import Row
from subgraphs.order.bulk import PastLine, PastOrder, past_order_to_row
from subgraphs.order.documents import AddressRow, HistoryRow, OrderRow, ShipmentRow, TrackingEventRow
from subgraphs.order.model import ActorKind, OrderStatus
from subgraphs.order.past_sums import PastSums, sum_up
from subgraphs.order.repository import order_to_row
from subgraphs.order.rollup import CHANGE, Layer, change_row, increments_of

FIRST = datetime(2024, 2, 28, 23, tzinfo=UTC)


def past_order(number: int, **fields: Any) -> PastOrder:
    line = PastLine("prd_tea", "Tea", "TEA-1", 2, 500, 999)
    defaults: dict[str, Any] = {"currency": "IDR", "lines": (line,), "placed_at": FIRST, "buyer_id": "usr_1"}
    return PastOrder(**{"id": f"ord_{number}", "number": f"N-{number}", **defaults, **fields})


def random_rows(count: int) -> list[Row]:
    random = Random(7)
    return [
        past_order_to_row(
            past_order(
                number,
                currency=random.choice(["IDR", "USD"]),
                status=random.choice(list(OrderStatus)),
                placed_at=FIRST + timedelta(seconds=random.randrange(5 * 86_400), milliseconds=random.randrange(1000)),
                lines=tuple(
                    PastLine(
                        random.choice("abc"),
                        "",
                        "",
                        random.randint(1, 4),
                        5,
                        random.randint(1, 99),
                        random.choice([(), ("food",), ("food", "tea")]),
                    )
                    for _ in range(random.randint(1, 4))
                ),
                shipping_amount=random.randrange(10),
            )
        )
        for number in range(count)
    ]


def test_orders_add_up_to_what_their_changes_add_up_to() -> None:
    rows = random_rows(300)
    changes = [change[CHANGE] for row in rows if (change := change_row(None, row)) is not None]
    sums = sum_up(rows)
    added = increments_of(sums.changes())
    assert added == increments_of(changes)
    assert all(added[layer] for layer in Layer)


def test_sums_add_up_in_parts_and_survive_being_stored() -> None:
    rows = random_rows(60)
    parts = PastSums()
    for start in range(0, 60, 17):
        parts.add(PastSums.from_bytes(sum_up(rows[start : start + 17]).to_bytes()))
    assert list(parts.changes()) == list(sum_up(rows).changes())


def test_only_sales_sell_pieces_and_bring_money() -> None:
    sums = sum_up(
        [
            past_order_to_row(past_order(1, status=OrderStatus.DELIVERED, shipping_amount=1)),
            past_order_to_row(past_order(2, status=OrderStatus.CANCELLED)),
            past_order_to_row(past_order(3, status=OrderStatus.PAID, currency="USD")),
        ]
    )
    assert sums.units_sold() == {"prd_tea": 4}
    assert sums.revenue() == {"IDR": 1000, "USD": 999}


def test_a_row_of_a_past_order_is_that_of_the_models() -> None:
    at = FIRST + timedelta(days=1)
    address = AddressRow(recipient="Ani", line1="Jl. Melati 5", city="Bandung", postal_code="40111", country="ID")
    shipment = ShipmentRow(
        id="shp_1",
        carrier="JNE",
        tracking_number="1",
        shipped_at=at,
        events=[TrackingEventRow(at=at, status="on its way")],
    )
    history = (
        HistoryRow(status=OrderStatus.PENDING_PAYMENT, at=FIRST, actor="usr_1", kind=ActorKind.BUYER),
        HistoryRow(status=OrderStatus.SHIPPED, at=at, actor="usr_2", kind=ActorKind.STORE, reason="why not"),
    )
    full = past_order(
        1,
        status=OrderStatus.SHIPPED,
        buyer_email="ani@pasar.example",
        buyer_name="Ani",
        shipping_address=address,
        shipments=(shipment,),
        history=history,
        paid_at=FIRST,
    )
    for order in (full, past_order(2), past_order(3, status=OrderStatus.EXPIRED)):
        row = past_order_to_row(order)
        assert order_to_row(OrderRow.model_validate({**row, "id": row["_id"]})) == row
    assert past_order_to_row(full)["updated_at"] == at
    assert (past_order_to_row(full)["version"], past_order_to_row(past_order(2))["version"]) == (2, 1)
    assert "paid_at" not in past_order_to_row(past_order(3, status=OrderStatus.EXPIRED))
