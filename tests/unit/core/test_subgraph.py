"""One request to a subgraph: who may ask for entities, what an error tells, what stays hidden."""

from typing import Any

import pytest
import strawberry
from structlog.testing import capture_logs

from core.errors import BadUserInput, Conflict, Forbidden, NotFound, RateLimited, Unauthenticated, Unavailable
from core.identity import ANONYMOUS, Identity, service_identity
from core.subgraph import Call, Cookie, Subgraph, require_login, require_scopes, require_service
from schema.build import build_schema
from schema.scalars import DateTime

ERRORS: dict[str, Exception] = {
    "input": BadUserInput("too long", field="name"),
    "missing": NotFound("no order 42"),
    "state": Conflict("order 42 is SHIPPED"),
    "anonymous": Unauthenticated("log in first"),
    "forbidden": Forbidden("not yours"),
    "limited": RateLimited("too many", retry_after_s=7),
    "down": Unavailable("host db-3 does not answer"),
    "bug": KeyError("password=hunter2"),
}


@strawberry.federation.type(keys=["id"])
class Thing:
    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Thing":
        return cls(id=id)


@strawberry.type
class Query:
    @strawberry.field
    def fail(self, how: str) -> str | None:
        raise ERRORS[how]

    @strawberry.field
    def when(self, at: DateTime) -> DateTime:
        return at

    @strawberry.field
    def thing(self, info: strawberry.Info[Call, None]) -> Thing:
        info.context.cookies.append(Cookie("theme", "dark", 60))
        return Thing(id=strawberry.ID("1"))

    @strawberry.field
    def broken(self) -> str:
        return None  # type: ignore[return-value]


@pytest.fixture
def subgraph() -> Subgraph:
    nothing: Any = None
    schema = build_schema(Query)
    return Subgraph(name="things", schema=schema, runtime=nothing, documents=(), context=lambda call: call)


ENTITIES = '{ _entities(representations: [{__typename: "Thing", id: "1"}]) { ... on Thing { id } } }'


@pytest.mark.parametrize(
    "document",
    [
        ENTITIES,
        ENTITIES.replace("_entities", "alias: _entities"),
        "query { ...F } fragment F on Query " + ENTITIES,
        "query { ... on Query " + ENTITIES + " }",
        "query { ... @include(if: true) " + ENTITIES + " }",
    ],
)
async def test_entities_are_for_those_who_are_trusted(subgraph: Subgraph, document: str) -> None:
    refused = await subgraph.execute(document, None, None, Call())
    assert refused["data"] is None
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["FORBIDDEN"]
    allowed = await subgraph.execute(document, None, None, Call(trusted=True))
    assert list(allowed["data"].values()) == [[{"id": "1"}]]
    assert "errors" not in allowed


async def test_a_document_that_only_mentions_entities_is_executed(subgraph: Subgraph) -> None:
    answer = await subgraph.execute("{ thing { id } } # _entities", None, None, Call())
    assert answer["data"] == {"thing": {"id": "1"}}
    broken = await subgraph.execute("{ _entities(", None, None, Call())
    assert broken["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"


async def test_the_callers_variables_are_left_as_they_are(subgraph: Subgraph) -> None:
    variables = {"r": [{"__typename": "Thing", "id": "1"}]}
    document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Thing { id } } }"
    for _ in range(2):
        answer = await subgraph.execute(document, variables, None, Call(trusted=True))
        assert answer["data"] == {"_entities": [{"id": "1"}]}
    assert variables == {"r": [{"__typename": "Thing", "id": "1"}]}


@pytest.mark.parametrize(
    ("how", "message", "extensions"),
    [
        ("input", "too long", {"code": "BAD_USER_INPUT", "field": "name"}),
        ("missing", "no order 42", {"code": "NOT_FOUND"}),
        ("state", "order 42 is SHIPPED", {"code": "CONFLICT"}),
        ("anonymous", "log in first", {"code": "UNAUTHENTICATED"}),
        ("forbidden", "not yours", {"code": "FORBIDDEN"}),
        ("limited", "too many", {"code": "RATE_LIMITED", "retryAfter": 7}),
        ("down", "Internal server error", {"code": "UNAVAILABLE"}),
        ("bug", "Internal server error", {"code": "INTERNAL_SERVER_ERROR"}),
    ],
)
async def test_a_callers_error_is_told_and_ours_is_logged(
    subgraph: Subgraph, how: str, message: str, extensions: dict[str, Any]
) -> None:
    with capture_logs() as logs:
        answer = await subgraph.execute(f'{{ fail(how: "{how}") }}', None, None, Call(request_id="r-1"))
    assert answer["data"] == {"fail": None}
    [error] = answer["errors"]
    assert (error["message"], error["extensions"], error["path"]) == (message, extensions, ["fail"])
    hidden = message == "Internal server error"
    assert [(log["event"], log["request_id"]) for log in logs] == ([("resolver failed", "r-1")] if hidden else [])


async def test_a_null_where_none_may_be_is_our_error(subgraph: Subgraph) -> None:
    with capture_logs() as logs:
        answer = await subgraph.execute("{ broken }", None, None, Call())
    assert answer["data"] is None
    assert answer["errors"][0]["message"] == "Internal server error"
    assert len(logs) == 1


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ when(at: "yesterday") }', "BAD_USER_INPUT"),
    ],
)
async def test_a_request_that_is_not_valid_is_refused_by_kind(subgraph: Subgraph, document: str, code: str) -> None:
    answer = await subgraph.execute(document, None, None, Call())
    assert answer["data"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]


async def test_a_variable_that_a_scalar_refuses_is_bad_input(subgraph: Subgraph) -> None:
    answer = await subgraph.execute("query($at: DateTime!) { when(at: $at) }", {"at": "2026-01-01"}, None, Call())
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["message"] == "'2026-01-01' lacks its offset from UTC: add Z or +07:00"


async def test_cookies_travel_beside_the_data(subgraph: Subgraph) -> None:
    answer = await subgraph.execute("{ thing { id } }", None, None, Call())
    [cookie] = answer["extensions"]["pasar"]["setCookies"]
    assert (cookie["name"], cookie["value"], cookie["http_only"], cookie["same_site"]) == (
        "theme",
        "dark",
        True,
        "strict",
    )


def test_the_sdl_is_that_of_federation_2(subgraph: Subgraph) -> None:
    assert 'type Thing @key(fields: "id")' in subgraph.sdl
    assert "https://specs.apollo.dev/federation/v2." in subgraph.sdl


def test_who_may_pass() -> None:
    staff = Identity("usr_1", scopes=frozenset({"orders:read"}))
    assert require_login(staff) == "usr_1"
    require_scopes(staff, "orders:read")
    require_service(service_identity("order"))
    with pytest.raises(Unauthenticated):
        require_login(ANONYMOUS)
    with pytest.raises(Unauthenticated):
        require_scopes(ANONYMOUS, "orders:read")
    with pytest.raises(Forbidden, match="this needs orders:read and orders:write"):
        require_scopes(staff, "orders:read", "orders:write")
    for other in (ANONYMOUS, staff):
        with pytest.raises(Forbidden):
            require_service(other)
