from typing import Any

import pytest
from graphql import build_schema

from router.executor import ExecutionResult
from router.executor.compiled_projection import OUT_OF_PLACE
from router.executor.projection import project
from router.executor.reports import Reports
from router.transports.fake import FakeTransport
from tests.unit.router.executor.plans import API, execute, prepare, root_fetch

EXTENSIONS = {"code": "SUBREQUEST_MALFORMED_RESPONSE", "serviceName": "a"}


async def answer(query: str, data: Any, fetched: str | None = None, **variables: Any) -> ExecutionResult:
    """Execute *query* with one subgraph `a`, which answers *data* and was asked for *fetched* (by default *query*)."""
    a = FakeTransport([{"data": data}])
    return await execute(query, root_fetch("a", fetched or query), {"a": a}, variables=variables)


def project_twice(query: str, merged: dict[str, Any]) -> tuple[Any, Any]:
    """Project with the generated functions and with the careful projection; OutOfPlace stands for a refusal."""
    response = prepare(query, None).response_for({})
    reports = Reports(lambda _: ())
    carefully = project(response.reader, merged, reports), reports.formatted()
    try:
        return (response.projection.project_root(merged), []), carefully
    except OUT_OF_PLACE:
        return "refused", carefully


async def test_keys_come_in_the_order_of_the_operation_with_aliases_and_only_what_was_selected() -> None:
    result = await answer(
        "{ b: status me { name } a: status }",
        {"extra": 1, "a": "OPEN", "me": {"id": "1", "name": "Ada"}, "b": "CLOSED"},
    )
    assert list(result.data or ()) == ["b", "me", "a"]
    assert result == ExecutionResult({"b": "CLOSED", "me": {"name": "Ada"}, "a": "OPEN"})


async def test_fields_of_one_response_key_are_merged_across_fragments() -> None:
    result = await answer(
        """
        query { me { id } ...Names ... on Query { me { active } } }
        fragment Names on Query { me { name ...More } }
        fragment More on User { id reviews { id } }
        """,
        {"me": {"id": "1", "name": "Ada", "active": True, "reviews": [{"id": "r", "body": "x"}]}},
        "{me{id}}",
    )
    assert result == ExecutionResult({"me": {"id": "1", "name": "Ada", "reviews": [{"id": "r"}], "active": True}})
    assert list((result.data or {})["me"]) == ["id", "name", "reviews", "active"]


async def test_fragments_apply_to_the_concrete_type_of_each_object() -> None:
    result = await answer(
        """{ search(text: "a") { __typename ... on Node { id } ... on Product { name } ... on User { x: name } } }""",
        {
            "search": [
                {"__typename": "User", "id": "1", "x": "Ada", "name": "no"},
                {"__typename": "Product", "id": "2", "name": "Table"},
            ]
        },
    )
    assert result == ExecutionResult(
        {
            "search": [
                {"__typename": "User", "id": "1", "x": "Ada"},
                {"__typename": "Product", "id": "2", "name": "Table"},
            ]
        }
    )


async def test_typename_is_answered_at_the_root_and_under_an_alias() -> None:
    result = await execute(
        "{ __typename kind: __typename me { t: __typename } }",
        root_fetch("a", "{me{id}}"),
        {"a": FakeTransport([{"data": {"me": {"id": "1"}}}])},
    )
    assert result == ExecutionResult({"__typename": "Query", "kind": "Query", "me": {"t": "User"}})
    assert (await execute("{ __typename }", None, {})).data == {"__typename": "Query"}


async def test_an_interface_object_without_a_concrete_type_has_the_interfaces_fields_but_no_typename() -> None:
    known = await answer('{ node(id: "1") { id } }', {"node": {"__typename": "Node", "id": "1"}})
    assert known == ExecutionResult({"node": {"id": "1"}})
    nameless = await answer('{ node(id: "1") { id } }', {"node": {"id": "1"}})
    assert nameless == ExecutionResult({"node": {"id": "1"}})
    unknown = await answer('{ node(id: "1") { __typename id } }', {"node": {"__typename": "Node", "id": "1"}})
    assert unknown == ExecutionResult(
        {"node": None},
        [
            {
                "message": "The concrete type of Node is not known.",
                "path": ["node", "__typename"],
                "extensions": EXTENSIONS,
            }
        ],
    )


@pytest.mark.parametrize(
    "query",
    [
        '{ node(id: "1") { ... on Node { id } ... on User { id } } }',
        '{ node(id: "1") { ... on User { id } ... on Product { id } } }',
    ],
)
async def test_an_object_of_unknown_type_is_answered_where_all_types_are_answered_alike(query: str) -> None:
    result = await answer(query, {"node": {"__typename": "Node", "id": "1"}})
    assert result == ExecutionResult({"node": {"id": "1"}})


async def test_an_object_of_unknown_type_is_answered_where_types_differ_only_in_the_order_of_fields() -> None:
    result = await answer(
        '{ node(id: "1") { ... on User { id } key: id id } }', {"node": {"__typename": "Node", "id": "1", "key": "1"}}
    )
    assert result == ExecutionResult({"node": {"id": "1", "key": "1"}})


async def test_a_concrete_type_that_came_under_the_clients_alias_is_believed() -> None:
    result = await answer(
        '{ node(id: "1") { t: __typename id } }', {"node": {"__typename": "Node", "t": "User", "id": "1"}}
    )
    assert result == ExecutionResult({"node": {"t": "User", "id": "1"}})


@pytest.mark.parametrize("source", [{"id": "1", "name": "x"}, {"__typename": "Node", "id": "1", "name": "x"}])
async def test_an_object_of_unknown_type_is_null_where_the_answer_depends_on_its_type(source: Any) -> None:
    result = await answer('{ node(id: "1") { id ... on User { name } } }', {"node": source})
    assert result == ExecutionResult(
        {"node": None},
        [
            {
                "message": "Field Query.node returned an object that is no Node.",
                "path": ["node"],
                "extensions": EXTENSIONS,
            }
        ],
    )


@pytest.mark.parametrize("name", ["Secret", "Review", "Query", "Status", 5, ["User"]])
async def test_an_object_of_a_type_that_cannot_be_there_is_null_and_its_type_is_not_told(name: Any) -> None:
    result = await answer(
        '{ node(id: "1") { id } status }', {"node": {"__typename": name, "id": "1"}, "status": "OPEN"}
    )
    if isinstance(name, str):
        assert result == ExecutionResult(
            {"node": None, "status": "OPEN"},
            [
                {
                    "message": "Field Query.node returned an object that is no Node.",
                    "path": ["node"],
                    "extensions": EXTENSIONS,
                }
            ],
        )
    else:
        # no name at all: the interface's own fields are still known
        assert result.data == {"node": {"id": "1"}, "status": "OPEN"}


async def test_conditions_are_decided_per_request_at_every_level() -> None:
    query = """
        query($x: Boolean!, $y: Boolean = true) {
          me @include(if: $x) { id name @skip(if: $y) ... @include(if: $y) { active } }
          ...S @skip(if: $x)
          always: status @include(if: true) never: status @skip(if: true)
        }
        fragment S on Query { status }
    """
    data = {"me": {"id": "1", "name": "Ada", "active": None}, "status": "OPEN", "always": "CLOSED"}
    assert (await answer(query, data, "{me{id}}", x=True)).data == {
        "me": {"id": "1", "active": None},
        "always": "CLOSED",
    }
    assert (await answer(query, data, "{me{id}}", x=True, y=False)).data == {
        "me": {"id": "1", "name": "Ada"},
        "always": "CLOSED",
    }
    assert (await answer(query, data, "{me{id}}", x=False)).data == {"status": "OPEN", "always": "CLOSED"}


def test_only_the_latest_choices_of_conditions_are_remembered() -> None:
    names = [f"v{index}" for index in range(6)]
    fields = " ".join(f"{name}: status @include(if: ${name})" for name in names)
    prepared = prepare(f"query({' '.join(f'${name}: Boolean!' for name in names)}) {{ {fields} }}", None)
    for choice in range(64):
        variables = {name: bool(choice >> index & 1) for index, name in enumerate(names)}
        response = prepared.response_for(variables)
        assert [field.response_key for field in response.reader.root().fields] == [n for n in names if variables[n]]
        assert prepared.response_for(variables) is response
    assert len(prepared._responses) == prepared.MAX_CHOICES


# --- null propagation: https://spec.graphql.org/draft/#sec-Handling-Execution-Errors


@pytest.mark.parametrize(
    ("query", "data", "expected", "path", "field"),
    [
        ("{ me { name } }", {"me": {"name": None}}, {"me": None}, ["me", "name"], "User.name"),
        ("{ me { name } }", {"me": {}}, {"me": None}, ["me", "name"], "User.name"),
        ("{ must { id } }", {"must": None}, None, ["must"], "Query.must"),
        ("{ must { id } }", {"must": {"id": None}}, None, ["must", "id"], "Product.id"),
        ("{ ids }", {"ids": ["1", None]}, {"ids": None}, ["ids", 1], "Query.ids"),
        (
            "{ me { reviews { body } } }",
            {"me": {"reviews": [{"body": "x"}, {"body": None}]}},
            {"me": {"reviews": None}},
            ["me", "reviews", 1, "body"],
            "Review.body",
        ),
        (
            "{ shelves { stock } }",
            {"shelves": [[{"stock": 1}, {"stock": None}], [None], None]},
            {"shelves": [[{"stock": 1}, None], [None], None]},
            ["shelves", 0, 1, "stock"],
            "Product.stock",
        ),
        ("{ products { id } }", {"products": [{"id": "1"}, None]}, None, ["products", 1], "Query.products"),
    ],
)
async def test_a_null_for_a_non_null_makes_the_nearest_nullable_parent_null(
    query: str, data: Any, expected: Any, path: list[str | int], field: str
) -> None:
    result = await answer(query, data)
    assert result.data == expected
    assert result.errors == [
        {
            "message": f"Cannot return null for non-nullable field {field}.",
            "path": path,
            "extensions": EXTENSIONS,
        }
    ]


async def test_a_null_that_an_error_explains_is_not_reported_again() -> None:
    failed = {"data": {"me": {"reviews": None, "name": None}}, "errors": [{"message": "no", "path": ["me", "name"]}]}
    result = await execute("{ me { name } }", root_fetch("a", "{me{name}}"), {"a": FakeTransport([failed])})
    assert (result.data, [error["message"] for error in result.errors]) == ({"me": None}, ["no"])


async def test_a_null_that_came_up_from_an_error_below_is_not_reported_again() -> None:
    failed = {"data": {"must": None}, "errors": [{"message": "no", "path": ["must", "maker", "name"]}]}
    result = await execute(
        "{ must { maker { name } } }", root_fetch("a", "{must{maker{name}}}"), {"a": FakeTransport([failed])}
    )
    assert (result.data, [error["path"] for error in result.errors]) == (None, [["must", "maker", "name"]])


async def test_an_error_elsewhere_does_not_hide_a_null() -> None:
    failed = {"data": {"me": {"name": None}, "status": None}, "errors": [{"message": "no", "path": ["status"]}]}
    result = await execute(
        "{ me { name } status }", root_fetch("a", "{me{name} status}"), {"a": FakeTransport([failed])}
    )
    assert [error["path"] for error in result.errors] == [["status"], ["me", "name"]]


# --- leaves


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("{ me { id } }", {"me": {"id": 5}}),
        ("{ me { name } }", {"me": {"name": 5}}),
    ],
)
async def test_numbers_become_text_where_text_is_due(query: str, data: Any) -> None:
    assert await answer(query, data) == ExecutionResult({"me": dict.fromkeys(data["me"], "5")})


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("price", 2**40, 2**40),
        ("price", 3.0, 3),
        ("price", "3", 3),
        ("price", True, 1),
        ("rating", 4, 4),
        ("rating", "4.5", 4.5),
        ("name", "", ""),
        ("name", True, "true"),
        ("name", 1.5, "1.5"),
        ("status", "CLOSED", "CLOSED"),
    ],
)
async def test_lenient_values_are_accepted(field: str, value: Any, expected: Any) -> None:
    result = await answer(f"{{ must {{ {field} }} }}", {"must": {field: value}})
    assert result == ExecutionResult({"must": {field: expected}})
    assert type((result.data or {})["must"][field]) is type(expected)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("price", 1.5, "Int cannot represent a non-integer value."),
        ("price", "secret", "Int cannot represent a non-integer value."),
        ("rating", "secret", "Float cannot represent a non-numeric value."),
        ("name", ["secret"], "String cannot represent a list or an object."),
        ("name", {"a": 1}, "String cannot represent a list or an object."),
        ("status", "SECRET", "Enum 'Status' cannot represent a value that the schema does not have."),
        ("status", ["OPEN"], "Enum 'Status' cannot represent a value that the schema does not have."),
        ("status", 3, "Enum 'Status' cannot represent a value that the schema does not have."),
        ("reviews", {}, "Expected a list for field Product.reviews."),
        ("reviews", "", "Expected a list for field Product.reviews."),
        ("maker", [], "Expected an object for field Product.maker."),
        ("maker", "x", "Expected an object for field Product.maker."),
    ],
)
async def test_a_value_that_does_not_fit_is_null_with_an_error_that_does_not_repeat_it(
    field: str, value: Any, message: str
) -> None:
    selection = {"reviews": "reviews { id }", "maker": "maker { name }"}.get(field, field)
    result = await answer(f"{{ must {{ {selection} }} }}", {"must": {field: value}})
    assert result == ExecutionResult(
        {"must": {field: None}}, [{"message": message, "path": ["must", field], "extensions": EXTENSIONS}]
    )


async def test_a_bad_boolean_and_a_bad_id_are_refused() -> None:
    result = await answer("{ me { active } ids }", {"me": {"active": "yes"}, "ids": ["1", True]})
    assert result.data == {"me": {"active": None}, "ids": None}
    assert [(error["message"], error["path"]) for error in result.errors] == [
        ("Boolean cannot represent a non-boolean value.", ["me", "active"]),
        ("ID cannot represent a value that is neither text nor an integer.", ["ids", 1]),
    ]


@pytest.mark.parametrize("blob", [{"a": [1, {"b": None}]}, [], "x", 5, False])
async def test_a_custom_scalar_is_whatever_the_subgraph_says(blob: Any) -> None:
    assert await answer("{ blob }", {"blob": blob}) == ExecutionResult({"blob": blob})


# --- introspection


async def test_introspection_is_answered_from_the_api_schema_without_a_subgraph() -> None:
    query = '{ __schema { queryType { name } } t: __type(name: "Maker") { fields { name } } }'
    prepared_result = await execute(query, None, {})
    expected = {
        "__schema": {"queryType": {"name": "Query"}},
        "t": {"fields": [{"name": "name"}, {"name": "country"}]},
    }
    assert prepared_result == ExecutionResult(expected)


async def test_introspection_stands_beside_fetched_fields_in_the_order_of_the_operation() -> None:
    query = """query($n: String!) { me { name } ...T status }
               fragment T on Query { __type(name: $n) { ...K } } fragment K on __Type { kind }"""
    result = await answer(query, {"me": {"name": "Ada"}, "status": "OPEN"}, "{me{name} status}", n="Status")
    assert result == ExecutionResult({"me": {"name": "Ada"}, "__type": {"kind": "ENUM"}, "status": "OPEN"})
    assert list(result.data or ()) == ["me", "__type", "status"]


async def test_two_answers_to_one_introspection_query_share_nothing() -> None:
    from router.executor import Executor
    from router.transports.base import RequestContext

    prepared = prepare("{ __schema { queryType { name } } }", None)
    executor = Executor(API, {})
    answers = [await executor.execute(prepared, {}, RequestContext()) for _ in range(3)]
    assert answers == [ExecutionResult({"__schema": {"queryType": {"name": "Query"}}})] * 3
    assert len({id((each.data or {})["__schema"]) for each in answers}) == 3


# --- the two projections


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("{ me { id name active } }", {"me": {"id": "1", "name": "Ada", "active": None}}),
        ("{ shelves { id } }", {"shelves": [[{"id": "1"}, None], None, []]}),
        ("{ ids blob }", {"ids": ["1"], "blob": {"a": 1}}),
        (
            '{ search(text: "a") { __typename ... on User { id } } }',
            {"search": [{"__typename": "User", "id": "1"}, {"__typename": "Product"}]},
        ),
    ],
)
def test_the_generated_projection_agrees_with_the_careful_one(query: str, data: Any) -> None:
    generated, carefully = project_twice(query, data)
    assert generated == carefully


def test_projecting_leaves_the_merged_data_as_it_is() -> None:
    merged = {"me": {"id": 5, "name": "Ada", "extra": [1]}, "ids": [1, 2]}
    generated, carefully = project_twice("{ me { id name } ids }", merged)
    assert generated == carefully == ({"me": {"id": "5", "name": "Ada"}, "ids": ["1", "2"]}, [])
    assert merged == {"me": {"id": 5, "name": "Ada", "extra": [1]}, "ids": [1, 2]}


def test_fragments_that_unfold_exponentially_are_read_once() -> None:
    api = build_schema("type Query { n: N } type N { a: N b: N x: Int }")
    fragments = "\n".join(f"fragment F{i} on N {{ a {{ ...F{i + 1} }} b {{ ...F{i + 1} }} }}" for i in range(40))
    prepared = prepare(f"{{ n {{ ...F0 }} }} {fragments} fragment F40 on N {{ x }}", None, api=api)
    data: Any = {"x": 1}
    for _ in range(40):
        data = {"a": data, "b": None}
    assert prepared.response_for({}).projection.project_root({"n": data}) == {"n": data}


def test_text_of_a_document_is_never_code() -> None:
    # a name can only be a name, so the worst that a document can bring is a key that Python knows
    query = "{ class: status None: status __import__: status source: status }"
    data = {"class": "OPEN", "None": "OPEN", "__import__": "OPEN", "source": "OPEN"}
    generated, _ = project_twice(query, data)
    assert generated == (data, [])
