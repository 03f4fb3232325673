"""One request for several entity fetches: what is sent, and where its answers and errors end up."""

from typing import Any

import pytest

from router.executor import ExecutionResult
from router.planner.plan import (
    AT_ANY_TIME,
    Alternatives,
    BatchFetch,
    BatchPart,
    EntityTarget,
    KeyRename,
    Parallel,
    Sequence,
)
from router.transports.base import SubgraphUnreachable
from router.transports.fake import FakeTransport
from tests.unit.router.executor.plans import entity_fetch, execute, failure, path, root_fetch, target

ROOT = root_fetch("catalog", "{products{__typename id name} me{__typename id} node{__typename id}}")
ROOT_ANSWER: dict[str, Any] = {
    "data": {
        "products": [
            {"__typename": "Product", "id": "1", "name": "Table"},
            {"__typename": "Product", "id": "2", "name": "Chair"},
        ],
        "me": {"__typename": "User", "id": "7"},
        "product": {"__typename": "Product", "id": "1"},
    }
}


def part(
    number: int,
    paths: str,
    target: EntityTarget,
    *renames: KeyRename,
    runs_if: Alternatives = AT_ANY_TIME,
) -> BatchPart:
    at = tuple(map(path, paths.split(", ")))
    return BatchPart(at, f"_e{number}", f"r{number}", (target,), tuple(renames), runs_if)


def batch(subgraph: str, *parts: tuple[BatchPart, str]) -> BatchFetch:
    definitions = ",".join(f"${each.representations_variable}:[_Any!]!" for each, _ in parts)
    selections = " ".join(
        f"{each.answer_key}:_entities(representations:${each.representations_variable}){{{selection}}}"
        for each, selection in parts
    )
    return BatchFetch(subgraph, f"query({definitions}){{{selections}}}", tuple(each for each, _ in parts))


PRICES = (part(0, "products.@, product", target("Product", "id")), "...on Product{price}")
NAMES = (part(1, "me", target("User", "id")), "...on User{name}")
PLAN = Sequence((ROOT, batch("other", PRICES, NAMES)))
QUERY = '{ products { name price } product(id: "1") { price } me { name } }'


async def test_entity_at_several_paths_is_sent_once_and_answers_belong_to_all_of_them() -> None:
    other = FakeTransport([{"data": {"_e0": [{"price": 5}, {"price": 6}], "_e1": [{"name": "Ada"}]}}])
    result = await execute(QUERY, PLAN, {"catalog": FakeTransport([ROOT_ANSWER]), "other": other})
    assert result == ExecutionResult(
        {
            "products": [{"name": "Table", "price": 5}, {"name": "Chair", "price": 6}],
            "product": {"price": 5},
            "me": {"name": "Ada"},
        }
    )
    [request] = other.requests
    assert request.variables == {
        "r0": [{"__typename": "Product", "id": "1"}, {"__typename": "Product", "id": "2"}],
        "r1": [{"__typename": "User", "id": "7"}],
    }


async def test_part_without_objects_sends_an_empty_list_and_a_batch_without_any_sends_nothing() -> None:
    answer: dict[str, Any] = {"data": {"products": [], "me": {"__typename": "User", "id": "7"}, "product": None}}
    other = FakeTransport([{"data": {"_e0": [], "_e1": [{"name": "Ada"}]}}])
    result = await execute(QUERY, PLAN, {"catalog": FakeTransport([answer]), "other": other})
    assert [request.variables for request in other.requests] == [{"r0": [], "r1": [{"__typename": "User", "id": "7"}]}]
    assert result == ExecutionResult({"products": [], "product": None, "me": {"name": "Ada"}})
    nothing = FakeTransport([])
    answer = {"data": {"products": [], "me": None, "product": None}}
    result = await execute(QUERY, PLAN, {"catalog": FakeTransport([answer]), "other": nothing})
    assert result == ExecutionResult({"products": [], "product": None, "me": None})
    assert nothing.requests == []


@pytest.mark.parametrize(
    ("p", "q", "asked"),
    [(True, True, (2, 1)), (False, True, (0, 1)), (True, False, (2, 0)), (False, False, None)],
)
async def test_part_asks_about_nothing_while_its_condition_does_not_hold(
    p: bool, q: bool, asked: tuple[int, int] | None
) -> None:
    one = part(0, "products.@", target("Product", "id"), runs_if=((("p", True),),))
    other = part(1, "me", target("User", "id"), runs_if=((("p", False), ("q", True)), (("q", True),)))
    plan = Sequence((ROOT, batch("other", (one, "...on Product{price}"), (other, "...on User{name}"))))
    answers = {"_e0": [{"price": 5}, {"price": 6}] if p else [], "_e1": [{"name": "Ada"}] if q else []}
    transport = FakeTransport([{"data": answers}])
    result = await execute(
        "query($p: Boolean!, $q: Boolean!) { products { name price @include(if: $p) } me { name @include(if: $q) } }",
        plan,
        {"catalog": FakeTransport([ROOT_ANSWER]), "other": transport},
        variables={"p": p, "q": q},
    )
    sent = [(len(each.variables["r0"]), len(each.variables["r1"])) for each in transport.requests]
    assert sent == ([] if asked is None else [asked])
    assert result == ExecutionResult(
        {
            "products": [
                {"name": "Table", "price": 5} if p else {"name": "Table"},
                {"name": "Chair", "price": 6} if p else {"name": "Chair"},
            ],
            "me": {"name": "Ada"} if q else {},
        }
    )


async def test_error_of_an_entity_stands_at_all_its_places_and_at_those_of_its_own_part_only() -> None:
    answer = {
        "data": {"_e0": [{"price": None}, {"price": 6}], "_e1": [None]},
        "errors": [
            {"message": "no price", "path": ["_e0", 0, "price"], "extensions": {"code": "NO_PRICE"}},
            {"message": "gone", "path": ["_e1", 0]},
        ],
    }
    transports = {"catalog": FakeTransport([ROOT_ANSWER]), "other": FakeTransport([answer])}
    result = await execute(QUERY, PLAN, transports)
    assert result.data == {
        "products": [{"name": "Table", "price": None}, {"name": "Chair", "price": 6}],
        "product": {"price": None},
        "me": None,
    }
    assert [(error["message"], error["path"]) for error in result.errors] == [
        ("no price", ["products", 0, "price"]),
        ("no price", ["product", "price"]),
        ("gone", ["me"]),
    ]
    assert result.errors[0]["extensions"] == {"code": "NO_PRICE", "serviceName": "other"}


@pytest.mark.parametrize("places", [["_e1"], ["_e1", 9], ["_e1", "x"]])
async def test_error_of_a_whole_part_stands_where_its_objects_stand(places: list[Any]) -> None:
    answer = {
        "data": {"_e0": [{"price": 5}, {"price": 6}], "_e1": None},
        "errors": [{"message": "no users", "path": places}],
    }
    transports = {"catalog": FakeTransport([ROOT_ANSWER]), "other": FakeTransport([answer])}
    result = await execute(QUERY, PLAN, transports)
    assert result.data is not None
    assert result.data["me"] is None
    assert result.data["product"] == {"price": 5}
    assert [(error["message"], error["path"]) for error in result.errors] == [("no users", ["me"])]


async def test_error_that_took_the_whole_answer_along_explains_the_nulls_of_every_part() -> None:
    answer = {"data": None, "errors": [{"message": "no users", "path": ["_e1"]}]}
    transports = {"catalog": FakeTransport([ROOT_ANSWER]), "other": FakeTransport([answer])}
    result = await execute(QUERY, PLAN, transports)
    assert result.data == {
        "products": [{"name": "Table", "price": None}, {"name": "Chair", "price": None}],
        "product": {"price": None},
        "me": None,
    }
    assert sorted((error["message"], error["path"]) for error in result.errors) == [
        ("no users", ["me"]),
        ("no users", ["product"]),
        ("no users", ["products"]),
    ]


async def test_error_without_a_place_stands_where_the_objects_of_all_parts_stand() -> None:
    answer = {"data": None, "errors": [{"message": "not today"}]}
    transports = {"catalog": FakeTransport([ROOT_ANSWER]), "other": FakeTransport([answer])}
    result = await execute(QUERY, PLAN, transports)
    assert [(error["message"], error["path"]) for error in result.errors] == [
        ("not today", ["products"]),
        ("not today", ["product"]),
        ("not today", ["me"]),
    ]


async def test_failed_batch_is_one_error_for_each_path_that_had_objects() -> None:
    root = {"data": {**ROOT_ANSWER["data"], "product": None}}
    transports = {"catalog": FakeTransport([root]), "other": FakeTransport([SubgraphUnreachable("down")])}
    result = await execute(QUERY, PLAN, transports)
    assert result == ExecutionResult(
        {
            "products": [{"name": "Table", "price": None}, {"name": "Chair", "price": None}],
            "product": None,
            "me": None,
        },
        [failure("other", "products"), failure("other", "me")],
    )


@pytest.mark.parametrize("entities", [[{"price": 5}], [{"price": 5}] * 3, {"price": 5}, None])
async def test_part_that_cannot_be_told_apart_costs_only_itself(entities: Any) -> None:
    answer = {"data": {"_e0": entities, "_e1": [{"name": "Ada"}]}}
    transports = {"catalog": FakeTransport([ROOT_ANSWER]), "other": FakeTransport([answer])}
    result = await execute(QUERY, PLAN, transports)
    malformed = {
        "code": "SUBREQUEST_MALFORMED_RESPONSE",
        "message": "Subgraph 'other' sent a malformed response.",
    }
    assert result == ExecutionResult(
        {
            "products": [{"name": "Table", "price": None}, {"name": "Chair", "price": None}],
            "product": {"price": None},
            "me": {"name": "Ada"},
        },
        [failure("other", "products", **malformed), failure("other", "product", **malformed)],
    )


async def test_garbled_entity_costs_only_its_own_places() -> None:
    answer = {"data": {"_e0": ["x", {"price": 6}], "_e1": [{"name": "Ada"}]}}
    transports = {"catalog": FakeTransport([ROOT_ANSWER]), "other": FakeTransport([answer])}
    result = await execute(QUERY, PLAN, transports)
    assert result.data is not None
    assert result.data["products"] == [{"name": "Table", "price": None}, {"name": "Chair", "price": 6}]
    assert [error["path"] for error in result.errors] == [["products", 0], ["product"]]


async def test_keys_are_renamed_in_the_answer_and_errors_of_their_own_part() -> None:
    one = part(0, "products.@", target("Product", "id"), KeyRename((), "_t", "price"))
    other = part(1, "product", target("Product", "id"))
    plan = Sequence((ROOT, batch("other", (one, "...on Product{_t:price}"), (other, "...on Product{_t:rating}"))))
    answer = {
        "data": {"_e0": [{"_t": 5}, {"_t": None}], "_e1": [{"_t": 1.5}]},
        "errors": [{"message": "no", "path": ["_e0", 1, "_t"]}],
    }
    transports = {"catalog": FakeTransport([ROOT_ANSWER]), "other": FakeTransport([answer])}
    result = await execute('{ products { price } product(id: "1") { _t: rating } }', plan, transports)
    assert result.data == {"products": [{"price": 5}, {"price": None}], "product": {"_t": 1.5}}
    assert [error["path"] for error in result.errors] == [["products", 1, "price"]]


async def test_answer_is_not_shared_between_paths_when_a_later_request_is_about_one_of_them() -> None:
    makers = (part(0, "products.@, product", target("Product", "id")), "...on Product{maker{__typename name}}")
    later = entity_fetch("product.maker", "makers", "...on Maker{country}", target("Maker", "name"))
    other_later = entity_fetch("products.@.maker", "makers", "...on Maker{country:code}", target("Maker", "name"))
    maker = {"__typename": "Maker", "name": "Oak"}
    for nodes in ((later, other_later), (other_later, later)):
        transports = {
            "catalog": FakeTransport([ROOT_ANSWER]),
            "other": FakeTransport([{"data": {"_e0": [{"maker": dict(maker)}, {"maker": None}]}}]),
            "makers": FakeTransport(
                [{"data": {"_entities": [{"country": "Norway" if each is later else "NO"}]}} for each in nodes]
            ),
        }
        result = await execute(
            '{ products { maker { name country } } product(id: "1") { maker { name country } } }',
            Sequence((ROOT, batch("other", makers), *nodes)),
            transports,
        )
        assert result == ExecutionResult(
            {
                "products": [{"maker": {"name": "Oak", "country": "NO"}}, {"maker": None}],
                "product": {"maker": {"name": "Oak", "country": "Norway"}},
            }
        )


async def test_value_that_a_batch_did_not_bring_is_told_with_the_subgraph_that_was_asked() -> None:
    stocks = (part(0, "products.@, product", target("Product", "id")), "...on Product{stock}")
    transports = {
        "catalog": FakeTransport([ROOT_ANSWER]),
        "other": FakeTransport([{"data": {"_e0": [{"stock": 1}, {}], "_e1": [{"name": "Ada"}]}}]),
    }
    result = await execute(
        '{ me { name } product(id: "2") { stock } products { stock } }',
        Parallel((Sequence((ROOT, batch("other", stocks, NAMES))),)),
        transports,
    )
    assert result.data is None
    assert [(error["path"], error["extensions"]["serviceName"]) for error in result.errors] == [
        (["products", 1, "stock"], "other")
    ]
