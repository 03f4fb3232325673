# ruff: noqa: E501 - documents are compared as the subgraph gets them
"""Arguments from contexts: every object gets the value of what is above it, in one request however many values occur."""

from collections.abc import Mapping
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from router.executor.contexts import ContextDocuments, compile_groups
from router.planner.plan import ContextVariable, RepresentationField, RepresentationFragment
from router.transports.base import SubgraphUnreachable
from tests.testkit.federation.fixtures import FIXTURES
from tests.testkit.federation.graph import FederatedGraph, compose_graph
from tests.testkit.federation.world import FieldFailure
from tests.unit.router.executor.plans import path

USERS: Mapping[str, Mapping[str, Any]] = {
    "Query": {
        "locale": "en",
        "currency": "USD",
        "users": ["@User:1", "@User:2", "@User:3"],
        "first": "@Order:1",
        "bought": "@Order:2",
    },
    "User": {
        "1": {
            "id": "1",
            "locale": "de",
            "currency": "EUR",
            "orders": ["@Order:1", "@Order:2"],
            "friend": "@User:2",
            "wishes": ["@Order:1"],
        },
        "2": {"id": "2", "locale": "fr", "currency": None, "orders": ["@Order:1", None], "friend": None, "wishes": []},
        "3": {
            "id": "3",
            "locale": None,
            "currency": "EUR",
            "orders": ["@Order:2"],
            "friend": "@User:1",
            "wishes": None,
        },
    },
    "Order": {
        "1": {"id": "1", "total": "T1", "paid": "P1", "weight": 1, "lines": ["@Line:1"], "parcels": ["@Line:1"]},
        "2": {"id": "2", "total": "T2", "paid": "P2", "weight": 2, "lines": ["@Line:1", "@Line:2"], "parcels": []},
    },
    "Line": {
        "1": {"id": "1", "note": "n1", "text": "L1"},
        "2": {"id": "2", "note": "n2", "text": "L2"},
    },
}


@pytest.fixture
def graph() -> FederatedGraph:
    return compose_graph(FIXTURES["contexts"], USERS)


async def test_objects_are_asked_about_once_for_each_value_in_one_request(graph: FederatedGraph) -> None:
    asked = await graph.ask("{ users { orders { total } } }")
    assert asked.router == asked.monolith
    assert asked.router.data == {
        "users": [
            {"orders": [{"total": 'T1{"locale": "de"}'}, {"total": 'T2{"locale": "de"}'}]},
            {"orders": [{"total": 'T1{"locale": "fr"}'}, None]},
            {"orders": [{"total": "T2"}]},
        ]
    }
    assert asked.requests == {"users": 2}
    assert asked.violations == ()
    sent = graph.subgraphs["users"].requests[1]
    assert sent.document == (
        "query($representations_0: [_Any!]!, $representations_1: [_Any!]!, $representations_2: [_Any!]!, "
        "$Order_total_locale_0: String, $Order_total_locale_1: String, $Order_total_locale_2: String) { "
        "_e0: _entities(representations: $representations_0) { ... on Order { total(locale: $Order_total_locale_0) } } "
        "_e1: _entities(representations: $representations_1) { ... on Order { total(locale: $Order_total_locale_1) } } "
        "_e2: _entities(representations: $representations_2) { ... on Order { total(locale: $Order_total_locale_2) } } }"
    )
    first, second = {"__typename": "Order", "id": "1"}, {"__typename": "Order", "id": "2"}
    assert sent.variables == {
        "representations_0": [first, second],
        "representations_1": [first],
        "representations_2": [second],
        "Order_total_locale_0": "de",
        "Order_total_locale_1": "fr",
        "Order_total_locale_2": None,
    }


async def test_one_value_leaves_the_document_as_it_is_planned(graph: FederatedGraph) -> None:
    asked = await graph.ask("{ first { total } again: first { total weight } }")
    assert asked.router.data == {
        "first": {"total": 'T1{"locale": "en"}'},
        "again": {"total": 'T1{"locale": "en"}', "weight": 1},
    }
    assert asked.requests == {"bank": 1, "users": 2}
    sent = graph.subgraphs["users"].requests[1]
    assert sent.document == (
        "query($representations: [_Any!]!, $Order_total_locale: String) "
        "{ _entities(representations: $representations) { ... on Order { total(locale: $Order_total_locale) } } }"
    )
    assert sent.variables == {
        "representations": [{"__typename": "Order", "id": "1"}],
        "Order_total_locale": "en",
    }


LINES = {"lines": [{"id": "1"}, {"id": "2"}]}
REST = {"rest": [{"text": 'L1{"locale": "en"}'}, {"text": 'L2{"locale": "en"}'}]}


@pytest.mark.parametrize(("skips", "bought", "requests"), [(True, LINES, 1), (False, {**LINES, **REST}, 3)])
async def test_a_value_that_only_a_skipped_field_needs_holds_no_other_field_up(
    graph: FederatedGraph, skips: bool, bought: dict[str, Any], requests: int
) -> None:
    operation = "query($v: Boolean!) { bought { lines { id } rest: lines @skip(if: $v) { text } } }"
    asked = await graph.ask(operation, {"v": skips})
    assert asked.router == asked.monolith
    assert asked.router.data == {"bought": bought}
    assert asked.requests == {"bank": 1, "users": requests}


async def test_equal_values_of_different_objects_share_a_selection(graph: FederatedGraph) -> None:
    asked = await graph.ask("{ users { orders { paid(digits: 2) } } }")
    assert asked.router == asked.monolith
    assert asked.requests == {"bank": 1, "users": 2}
    sent = graph.subgraphs["users"].requests[1]
    first, second = {"__typename": "Order", "id": "1"}, {"__typename": "Order", "id": "2"}
    assert sent.variables == {
        "representations_0": [first, second],
        "representations_1": [first],
        "Order_paid_currency_0": "EUR",
        "Order_paid_currency_1": None,
    }


async def test_one_entity_below_different_objects_has_an_answer_for_each(graph: FederatedGraph) -> None:
    asked = await graph.ask("{ users { orders { lines { note text } } } }")
    assert asked.router == asked.monolith
    users = asked.router.data["users"]
    assert users[0]["orders"][0]["lines"] == [{"note": "n1", "text": 'L1{"locale": "de"}'}]
    assert users[1]["orders"][0]["lines"] == [{"note": "n1", "text": 'L1{"locale": "fr"}'}]
    assert asked.requests == {"users": 2}
    assert asked.violations == ()


async def test_what_is_in_one_answer_for_several_objects_is_told_apart_below_them(graph: FederatedGraph) -> None:
    """The bank is asked once about order 1, which two users have: its parcels may not be the same objects then."""
    asked = await graph.ask("{ users { orders { parcels { text } } } }")
    assert len(graph.subgraphs["bank"].requests[0].variables["representations"]) == 2
    assert asked.router == asked.monolith
    users = asked.router.data["users"]
    assert users[0]["orders"][0]["parcels"] == [{"text": 'L1{"locale": "de"}'}]
    assert users[1]["orders"][0]["parcels"] == [{"text": 'L1{"locale": "fr"}'}]
    assert asked.requests == {"bank": 1, "users": 2}
    assert asked.violations == ()


async def test_nothing_is_asked_where_no_object_is_left(graph: FederatedGraph) -> None:
    asked = await graph.ask("query($no: Boolean!) { users { id orders @include(if: $no) { total } } }", {"no": False})
    assert asked.requests == {"users": 1}
    asked = await graph.ask("{ users { friend { friend { friend { orders { total } } } } } }")
    assert asked.router == asked.monolith


async def test_objects_whose_value_could_not_be_fetched_are_not_asked_about(graph: FederatedGraph) -> None:
    """To send null instead would give an answer, but a made-up one."""
    graph.subgraphs["bank"].failure = SubgraphUnreachable("down")
    asked = await graph.ask("{ users { orders { total paid } } }")
    # Both arguments go along with one request, as required fields do
    assert asked.router.data["users"][0] == {"orders": [{"total": None, "paid": None}, {"total": None, "paid": None}]}
    assert asked.requests == {"bank": 1, "users": 1}
    assert {error["extensions"]["serviceName"] for error in asked.result.errors} == {"bank"}
    assert "down" not in repr(asked.result.to_response())


async def test_errors_stand_at_the_place_below_the_object_that_they_are_about() -> None:
    broken = {**USERS["Order"], "2": {**USERS["Order"]["2"], "total": FieldFailure("no total")}}
    graph = compose_graph(FIXTURES["contexts"], {**USERS, "Order": broken})
    asked = await graph.ask("{ users { orders { total } } }")
    assert asked.router == asked.monolith
    assert asked.router.errors == (("users", 0, "orders", 1, "total"), ("users", 2, "orders", 0, "total"))


LOCALE = ContextVariable("locale", "String", 1, (RepresentationField("locale", "l"),))


def test_objects_are_grouped_over_all_paths_in_the_order_of_the_response() -> None:
    collect = compile_groups((path("a.@.x.@"), path("b.x.@")), (LOCALE,))
    one, two, three, four = ({"id": number} for number in range(4))
    root = {"a": [{"l": "de", "x": [one]}, {"l": "fr", "x": [two, None]}], "b": {"l": "de", "x": [[three], [four]]}}
    assert collect(root) == [(("de",), [one, three, four]), (("fr",), [two])]


def test_values_that_python_takes_for_equal_are_different() -> None:
    collect = compile_groups((path("a.@.x"),), (LOCALE,))
    values = [1, 1.0, True, "1", None, [1], {"k": 1}, {"k": 1}]
    root = {"a": [{"l": value, "x": {"id": number}} for number, value in enumerate(values)]}
    assert [values for values, _ in collect(root)] == [(value,) for value in values[:-1]]
    assert collect(root)[-1] == (({"k": 1},), [{"id": 6}, {"id": 7}])


def test_values_of_several_levels_stay_with_their_own_objects() -> None:
    outer = ContextVariable("outer", "String", 2, (RepresentationField("name", "name"),))
    collect = compile_groups((path("a.@.b.@.c"),), (LOCALE, outer))
    root = {
        "a": [
            {"name": "A", "b": [{"l": "1", "c": {"n": 1}}, {"l": "2", "c": {"n": 2}}]},
            {"name": "B", "b": [{"l": "1", "c": {"n": 3}}]},
        ]
    }
    assert collect(root) == [(("1", "A"), [{"n": 1}]), (("2", "A"), [{"n": 2}]), (("1", "B"), [{"n": 3}])]


def test_value_is_found_by_type_through_objects_and_lists() -> None:
    selections = (
        RepresentationFragment(("City",), (RepresentationField("mayor", "mayor"),)),
        RepresentationFragment(("Town",), (RepresentationField("elders", "e", (RepresentationField("name", "n"),)),)),
    )
    collect = compile_groups((path("a.@.x"),), (ContextVariable("who", "Any", 1, selections),))
    root = {
        "a": [
            {"__typename": "City", "mayor": "Ada", "x": {"n": 1}},
            {"__typename": "Town", "e": [{"n": "Bob"}, None], "x": {"n": 2}},
            {"__typename": "Town", "e": None, "x": {"n": 3}},
            {"__typename": "Camp", "x": {"n": 4}},
        ]
    }
    assert collect(root) == [(("Ada",), [{"n": 1}]), ((["Bob", None],), [{"n": 2}]), ((None,), [{"n": 3}, {"n": 4}])]


def test_objects_below_one_that_lacks_its_value_are_passed_over() -> None:
    required = ContextVariable("l", "String", 1, (RepresentationField("l", "l"),), may_be_null=False)
    root = {"a": [{"x": {"n": 1}}, {"l": None, "x": {"n": 2}}, {"l": "de", "x": {"n": 3}}]}
    assert compile_groups((path("a.@.x"),), (required,))(root) == [(("de",), [{"n": 3}])]
    optional = ContextVariable("l", "String", 1, (RepresentationField("l", "l"),))
    assert compile_groups((path("a.@.x"),), (optional,))(root) == [((None,), [{"n": 2}]), (("de",), [{"n": 3}])]


SUBGRAPH = build_schema(
    """
    scalar _Any
    union _Entity = Order | Line
    type Query { _entities(representations: [_Any!]!): [_Entity]! }
    type Order { id: ID!  total(locale: String, style: String): String }
    type Line { id: ID!  text(style: String): String }
    """
)
DOCUMENT = (
    "query($r0: [_Any!]!, $r1: [_Any!]!, $style: String, $r0_1: String, $locale: String) {"
    ' _e0: _entities(representations: $r0) { ... on Order { total(locale: $locale, style: $r0_1) text: total(style: "$locale") } }'
    " _e1: _entities(representations: $r1) { ... on Line { text(style: $style) } } }"
)
PARTS = (("_e0", "r0", (LOCALE,)), ("_e1", "r1", ()))


@pytest.mark.parametrize("counts", [(1, 1), (2, 1), (3, 1), (0, 1)])
def test_every_document_is_valid_and_has_what_it_is_asked_for(counts: tuple[int, int]) -> None:
    document = ContextDocuments(DOCUMENT, PARTS).of(counts)
    assert validate(SUBGRAPH, parse(document.text)) == []
    assert tuple(map(len, document.names)) == counts


def test_names_made_for_a_document_are_nobody_elses() -> None:
    document = ContextDocuments(DOCUMENT, PARTS).of((2, 1))
    assert [one.representations_variable for one in document.names[0]] == ["r0__0", "r0__1"]
    assert [one.contexts for one in document.names[0]] == [("locale__0",), ("locale__1",)]
    assert '"$locale"' in document.text


def test_documents_are_kept_up_to_a_limit() -> None:
    documents = ContextDocuments(DOCUMENT, PARTS)
    first = documents.of((2, 1))
    assert documents.of((2, 1)) is first
    for count in range(3, 3 + ContextDocuments.MAX_DOCUMENTS):
        documents.of((count, 1))
    assert documents.of((2, 1)) is not first
