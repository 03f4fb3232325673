import pytest

from router.composition.landscape import assign_graph_ids, survey
from tests.unit.router.composition.builders import fed2, ingested


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["user"], {"user": "USER"}),
        (["order-items"], {"order-items": "ORDER_ITEMS"}),
        (["order-items", "order_items"], {"order-items": "ORDER_ITEMS_1", "order_items": "ORDER_ITEMS_2"}),
        (["2nd"], {"2nd": "_2ND"}),
        (["shop_1"], {"shop_1": "SHOP_1_"}),
        (["shop", "shop_1", "Shop"], {"shop": "SHOP_1", "shop_1": "SHOP_1_", "Shop": "SHOP_2"}),
    ],
)
def test_graph_ids_are_distinct_enum_values(names: list[str], expected: dict[str, str]) -> None:
    assert assign_graph_ids(names) == expected


def test_every_subgraph_has_a_query_type_as_soon_as_one_has() -> None:
    landscape = survey([ingested(fed2("b", "type Query { x: Int }")), ingested(fed2("a", "type A { y: Int }"))])
    assert [member.name for member, _ in landscape.types["Query"]] == ["a", "b"]
    assert [source.member.name for source in landscape.field_sources("Query")["x"]] == ["b"]


def test_override_is_active_only_on_a_field_that_its_source_plainly_resolves() -> None:
    a = fed2("a", 'type A { x: Int @override(from: "b") y: Int @override(from: "b") z: Int @override(from: "nobody") }')
    b = fed2("b", 'type A @key(fields: "id") { id: ID! w: Int @external x: Int y: Int @requires(fields: "w") }')
    landscape = survey([ingested(a), ingested(b)])
    active = {field: override.is_active for (_, field), (override,) in landscape.overrides.items()}
    assert active == {"x": True, "y": False, "z": False}
    lost = {
        name: [source.is_taken_over for source in sources] for name, sources in landscape.field_sources("A").items()
    }
    assert lost == {"x": [False, True], "y": [False, False], "z": [False], "id": [False], "w": [False]}


def test_use_of_types_as_input_and_output_is_known() -> None:
    sdl = "type Query { x(i: I): O }\ninput I { e: E }\nenum E { A }\nenum O { B }"
    landscape = survey([ingested(fed2("a", sdl))])
    assert {"I", "E"} <= landscape.used_as_input
    assert {"E", "I"}.isdisjoint(landscape.used_as_output)
    assert "O" in landscape.used_as_output
