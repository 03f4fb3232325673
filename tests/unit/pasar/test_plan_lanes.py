"""Where requests stand in the picture of a plan."""

import pytest

from pasar.planning.lanes import Lanes, Wait, place_requests
from pasar.planning.requests import Request
from router.planner.plan import (
    AT_ANY_TIME,
    BatchFetch,
    BatchPart,
    Condition,
    Defer,
    Deferral,
    DeferredBlock,
    EntityTarget,
    Fetch,
    Flatten,
    KeyElement,
    ListElement,
    OperationKind,
    Parallel,
    PlanNode,
    RepresentationField,
    Sequence,
)

PRODUCT = EntityTarget(("Product",), "Product", (RepresentationField("id", "id"),))
ENTITIES = "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on Product { n } } }"


def fetch(name: str) -> Fetch:
    return Fetch(name, OperationKind.QUERY, "{ x }")


def height_1(_: Request) -> int:
    return 1


def place(root: PlanNode | None) -> Lanes:
    return place_requests(root, height_1, 0)


def cells(lanes: Lanes) -> dict[str, tuple[int, int]]:
    return {box.request.subgraph: (box.column, box.top) for box in lanes.boxes}


def waits(lanes: Lanes) -> list[str]:
    def names(numbers: tuple[int, ...]) -> str:
        return "+".join(lanes.boxes[number].request.subgraph for number in numbers)

    return [f"{names(wait.after)} after {names(wait.before)}" for wait in lanes.waits]


def test_a_plan_without_requests_has_no_boxes() -> None:
    assert place(None) == Lanes(0, 0, (), ())


def test_a_sequence_is_a_row_of_steps() -> None:
    lanes = place(Sequence((fetch("a"), fetch("b"), fetch("c"))))
    assert cells(lanes) == {"a": (0, 0), "b": (1, 0), "c": (2, 0)}
    assert lanes.waits == (Wait((0,), (1,)), Wait((1,), (2,)))
    assert (lanes.columns, lanes.height) == (3, 1)


def test_what_runs_in_parallel_stands_below_each_other_and_waits_for_nothing() -> None:
    lanes = place(Parallel((fetch("a"), fetch("b"))))
    assert cells(lanes) == {"a": (0, 0), "b": (0, 1)}
    assert lanes.waits == ()
    assert (lanes.columns, lanes.height) == (1, 2)


def test_what_follows_parallel_requests_waits_for_all_and_begins_after_the_longest() -> None:
    lanes = place(
        Sequence(
            (
                fetch("a"),
                Parallel((Sequence((fetch("b"), fetch("c"))), fetch("d"))),
                Parallel((fetch("e"), fetch("f"))),
            )
        )
    )
    assert cells(lanes) == {"a": (0, 0), "b": (1, 0), "c": (2, 0), "d": (1, 1), "e": (3, 0), "f": (3, 1)}
    assert waits(lanes) == ["c after b", "b+d after a", "e+f after c+d"]


def test_a_lane_begins_below_the_highest_request_of_the_lane_above() -> None:
    heights = {"a": 10, "b": 30, "c": 5, "d": 7}
    lanes = place_requests(
        Parallel((Sequence((fetch("a"), Parallel((fetch("b"), fetch("c"))))), fetch("d"))),
        lambda request: heights[request.subgraph],
        2,
    )
    assert cells(lanes) == {"a": (0, 0), "b": (1, 0), "c": (1, 32), "d": (0, 39)}
    assert [box.height for box in lanes.boxes] == [10, 30, 5, 7]
    assert lanes.height == 46


def test_conditions_are_told_from_outside_in_and_their_branches_are_lanes() -> None:
    inner = Condition("q", Sequence((fetch("b"), fetch("c"))), fetch("d"))
    lanes = place(Sequence((fetch("a"), Condition("p", None, inner), fetch("e"))))
    assert {box.request.subgraph: box.request.conditions for box in lanes.boxes} == {
        "a": (),
        "b": ("unless $p", "if $q"),
        "c": ("unless $p", "if $q"),
        "d": ("unless $p", "unless $q"),
        "e": (),
    }
    assert cells(lanes) == {"a": (0, 0), "b": (1, 0), "c": (2, 0), "d": (1, 1), "e": (3, 0)}
    assert waits(lanes) == ["c after b", "b+d after a", "e after c+d"]


def test_an_empty_condition_leaves_the_wait_to_what_follows() -> None:
    lanes = place(Sequence((fetch("a"), Condition("p", None, None), fetch("b"))))
    assert cells(lanes) == {"a": (0, 0), "b": (1, 0)}
    assert waits(lanes) == ["b after a"]


def test_deferred_requests_stand_below_the_rest_one_column_after_what_they_wait_for() -> None:
    first, second = Deferral(1, ("me",), "orders"), Deferral(2, ("me", "orders"), parent=1)
    lanes = place(
        Defer(
            Sequence((fetch("a"), fetch("b"))),
            (
                DeferredBlock((first,), (), (1,), Sequence((fetch("c"), fetch("d")))),
                DeferredBlock((first, second), (), (3,), fetch("e")),
                DeferredBlock((second,), (), (), fetch("f")),
            ),
        )
    )
    assert cells(lanes) == {"a": (0, 0), "b": (1, 0), "c": (1, 1), "d": (2, 1), "e": (2, 2), "f": (0, 3)}
    assert waits(lanes) == ["b after a", "d after c", "c after a", "e after c"]
    assert {box.request.subgraph: box.request.conditions for box in lanes.boxes} == {
        "a": (),
        "b": (),
        "c": ("deferred: orders",),
        "d": ("deferred: orders",),
        "e": ("deferred: orders, me.orders",),
        "f": ("deferred: me.orders",),
    }
    assert (lanes.columns, lanes.height) == (3, 4)


def test_a_batch_is_one_request_with_its_parts() -> None:
    orders, books = (KeyElement("orders"), ListElement()), (KeyElement("books"),)
    batch = BatchFetch(
        "product",
        "query($r0: [_Any!]!, $r1: [_Any!]!) { _e0: _entities(representations: $r0) { ... on Product { n } }"
        " _e1: _entities(representations: $r1) { ... on Product { m } } }",
        (
            BatchPart((orders, books), "_e0", "r0", (PRODUCT,), (), AT_ANY_TIME),
            BatchPart((books,), "_e1", "r1", (PRODUCT,), (), ((("p", True), ("q", False)), (("s", True),))),
        ),
    )
    [box] = place(batch).boxes
    first, second = box.request.parts
    assert box.request.kind is OperationKind.QUERY
    assert (first.paths, first.condition, first.targets) == ((orders, books), "", (PRODUCT,))
    assert (second.paths, second.condition) == ((books,), "if $p & !$q | $s")


@pytest.mark.parametrize("kind", OperationKind)
def test_a_root_request_has_no_path_and_keeps_its_kind(kind: OperationKind) -> None:
    [box] = place(Fetch("a", kind, f"{kind.value} {{ x }}")).boxes
    [part] = box.request.parts
    assert (box.request.kind, part.paths, part.targets) == (kind, (), ())


def test_an_entity_request_keeps_its_path() -> None:
    path = (KeyElement("orders"), ListElement())
    [box] = place(Flatten(path, Fetch("product", OperationKind.QUERY, ENTITIES, targets=(PRODUCT,)))).boxes
    [part] = box.request.parts
    assert (part.paths, part.targets) == ((path,), (PRODUCT,))
