from typing import Any

import pytest
from graphql import DocumentNode, FieldNode, Visitor, build_schema, parse, print_ast, visit

from router.executor.shape import ShapeReader
from router.limits import fragments_of, select_operation
from router.refusal import Refusals, restore_refused, without_fields

SCHEMA = build_schema("""
type Query { nodes: [Node]! matrix: [[Order!]]  order: Order must: Order! }
interface Node { id: ID! owner: String }
type Order implements Node { id: ID! owner: String total: Int! next: Order lines: [Line!]! }
type Page implements Node { id: ID! owner: String text: String }
type Line { sku: String! note: String }
""")


def refuse(text: str, *names: str, on: str | None = None) -> tuple[DocumentNode, Refusals]:
    """Return the document, with the fields called *names* (all, or those that say `@on`) refused."""
    document = parse(text)
    coordinates: dict[int, str] = {}

    class Find(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            marked = any(directive.name.value == on for directive in node.directives or ())
            if node.name.value in names and (on is None or marked):
                coordinates[id(node)] = f"T.{node.name.value}"

    visit(document, Find())
    return document, Refusals(document, coordinates)


def restore(document: DocumentNode, refusals: Refusals, data: Any, *, is_anonymous: bool = True) -> tuple[Any, Any]:
    reader = ShapeReader(SCHEMA, select_operation(document, None), fragments_of(document), {})
    restored, errors = restore_refused(reader, refusals, data, is_anonymous=is_anonymous)
    return restored, [error["path"] for error in errors]


def stripped(text: str, *names: str) -> str:
    return " ".join(print_ast(without_fields(*refuse(text, *names))).split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ order { id total } }", "{ order { id } }"),
        ("{ order { total } }", "{ order { _pasar_typename: __typename } }"),
        ("{ a: total }", "{ _pasar_typename: __typename }"),
        # fragments depend on the type, which is then asked for
        (
            "{ nodes { id ... on Order { total } } }",
            "{ nodes { id ... on Order { _pasar_typename: __typename } _pasar_typename: __typename } }",
        ),
        (
            "{ order { ...F } } fragment F on Order { total id }",
            "{ order { ...F _pasar_typename: __typename } } fragment F on Order { id }",
        ),
        (
            "query Q($x: Int) { order { id @skip(if: true) total } }",
            "query Q($x: Int) { order { id @skip(if: true) } }",
        ),
        ("{ __schema { types { total: name } } }", "{ __schema { types { total: name } } }"),
    ],
)
def test_refused_fields_are_taken_out_of_the_document(text: str, expected: str) -> None:
    assert stripped(text, "total") == expected


def test_the_clients_document_stays_as_it_is() -> None:
    document, refusals = refuse("{ order { id total } }", "total")
    without_fields(document, refusals)
    assert " ".join(print_ast(document).split()) == "{ order { id total } }"


def test_only_objects_of_the_fragments_type_have_its_refused_fields() -> None:
    document, refusals = refuse(
        "{ nodes { id ... on Page { text } ...O } } fragment O on Order { owner }", "text", "owner"
    )
    data = {
        "nodes": [
            {"id": "1", "_pasar_typename": "Order"},
            None,
            {"id": "2", "_pasar_typename": "Page"},
        ]
    }
    assert restore(document, refusals, data) == (
        {"nodes": [{"id": "1", "owner": None}, None, {"id": "2", "text": None}]},
        [["nodes", 0, "owner"], ["nodes", 2, "text"]],
    )


def test_a_field_of_an_interface_is_refused_for_every_object() -> None:
    document, refusals = refuse("{ nodes { owner id } }", "owner")
    assert restore(document, refusals, {"nodes": [{"id": "1"}, {"id": "2"}]}) == (
        {"nodes": [{"owner": None, "id": "1"}, {"owner": None, "id": "2"}]},
        [["nodes", 0, "owner"], ["nodes", 1, "owner"]],
    )


def test_a_non_null_field_closes_its_nearest_nullable_parent_and_no_more() -> None:
    document, refusals = refuse("{ order { id next { total } } matrix { total } nodes { id } }", "total")
    data: Any = {"order": {"id": "1", "next": {}}, "matrix": [[{}, {}], None, [{}]], "nodes": []}
    assert restore(document, refusals, data) == (
        {"order": {"id": "1", "next": None}, "matrix": [None, None, None], "nodes": []},
        [["order", "next", "total"], ["matrix", 0, 0, "total"], ["matrix", 0, 1, "total"], ["matrix", 2, 0, "total"]],
    )


def test_without_a_nullable_parent_there_is_no_data_at_all() -> None:
    document, refusals = refuse("{ order { id } must { total } }", "total")
    assert restore(document, refusals, {"order": {"id": "1"}, "must": {}}) == (None, [["must", "total"]])


def test_a_key_that_may_be_seen_in_one_place_is_seen() -> None:
    document, refusals = refuse("{ nodes { ... on Order { owner } owner @refused } }", "owner", on="refused")
    data = {"nodes": [{"owner": "u1", "_pasar_typename": "Order"}, {"_pasar_typename": "Page"}]}
    assert restore(document, refusals, data) == (
        {"nodes": [{"owner": "u1"}, {"owner": None}]},
        [["nodes", 1, "owner"]],
    )


def test_what_is_null_already_is_not_reported_again() -> None:
    document, refusals = refuse("{ order { total } nodes { id } }", "total")
    assert restore(document, refusals, {"order": None, "nodes": []}) == ({"order": None, "nodes": []}, [])
    assert restore(document, refusals, None) == (None, [])


def test_the_code_says_whether_a_login_could_help() -> None:
    document, refusals = refuse("{ order { owner } }", "owner")
    reader = ShapeReader(SCHEMA, select_operation(document, None), {}, {})
    messages = [
        restore_refused(reader, refusals, {"order": {}}, is_anonymous=is_anonymous)[1][0]
        for is_anonymous in (True, False)
    ]
    assert [(error["message"], error["extensions"]["code"]) for error in messages] == [
        ("T.owner needs a login", "UNAUTHENTICATED"),
        ("you may not see T.owner", "FORBIDDEN"),
    ]
