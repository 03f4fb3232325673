from collections.abc import Mapping
from typing import Any

import pytest
from graphql import get_introspection_query

from core.identity import Identity
from router.app import RouterApp, build_app
from router.config import RouterConfig, load_config
from router.exchange import Answer, Caller, EventStream, GraphQLRequest
from tests.testkit.market import MARKET_SDL, Market, open_market

ANI = Identity(subject="u1", scopes=frozenset({"profile"}))
STAFF = Identity(subject="u2", roles=frozenset({"STAFF"}), scopes=frozenset({"profile", "catalog:write"}))


class Client:
    """Asks one router as one caller."""

    def __init__(self, app: RouterApp, market: Market, identity: Identity | None = None) -> None:
        self.app = app
        self.market = market
        self.identity = identity

    async def ask(self, query: str | None, variables: Mapping[str, Any] | None = None, **caller: Any) -> Answer:
        outcome = await self.app.pipeline.handle(
            GraphQLRequest(query=query, variables=variables or {}), Caller(identity=self.identity, **caller)
        )
        assert isinstance(outcome, Answer)
        return outcome

    def as_(self, identity: Identity) -> "Client":
        return Client(self.app, self.market, identity)


def make_client(config: RouterConfig | None = None) -> Client:
    market = open_market()
    return Client(build_app(config or RouterConfig(), supergraph_sdl=MARKET_SDL, transports=market.transports), market)


def configure(**fields: Any) -> RouterConfig:
    return load_config(environ={}, overrides=fields)


@pytest.fixture
def client() -> Client:
    return make_client()


def codes(answer: Answer) -> list[tuple[str, Any]]:
    return [(error["extensions"]["code"], error.get("path")) for error in answer.body.get("errors", [])]


async def test_a_query_across_subgraphs_asks_each_of_them_once(client: Client) -> None:
    answer = await client.ask("{ products { name seller { name } } }")
    assert answer.body == {
        "data": {
            "products": [
                {"name": "Teapot", "seller": {"name": "Ani"}},
                {"name": "Cup", "seller": {"name": "Budi"}},
                {"name": "Spoon", "seller": {"name": "Ani"}},
            ]
        }
    }
    assert client.market.request_counts == {"accounts": 1, "catalog": 1}


async def test_introspection_asks_no_subgraph(client: Client) -> None:
    answer = await client.ask(get_introspection_query())
    names = {type_["name"] for type_ in answer.body["data"]["__schema"]["types"]}
    assert {"Query", "User", "Product"} <= names
    assert not any(name.startswith(("join__", "link__", "_")) for name in names if not name.startswith("__"))
    assert client.market.request_counts == {"accounts": 0, "catalog": 0}


async def test_introspection_can_be_switched_off() -> None:
    client = make_client(configure(introspection=False))
    answer = await client.ask("{ __schema { queryType { name } } }")
    assert set(codes(answer)) == {("GRAPHQL_VALIDATION_FAILED", None)}
    misspelt = await client.ask("{ user }")
    assert "Did you mean" not in (await client.ask("{ usrs { id } }")).body["errors"][0]["message"]
    assert codes(misspelt) == [("GRAPHQL_VALIDATION_FAILED", None)] * 2
    assert (await client.ask("{ __typename }")).body == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query B { __typename }", "OPERATION_RESOLUTION_FAILURE"),
        ("query ($n: Int!) { products(first: $n) { id } }", "BAD_USER_INPUT"),
        ("{ " + "products { seller { " * 8 + "id" + " } }" * 8 + " }", "MAX_DEPTH_LIMIT"),
        (None, "BAD_REQUEST"),
    ],
)
async def test_a_request_that_is_refused_as_a_whole_has_no_data_and_asks_nobody(
    client: Client, query: str | None, code: str
) -> None:
    answer = await client.ask(query)
    assert [error["extensions"]["code"] for error in answer.body["errors"]] == [code]
    assert "data" not in answer.body
    assert client.market.request_counts == {"accounts": 0, "catalog": 0}


async def test_a_stored_document_is_not_known_and_clients_learn_to_send_the_text(client: Client) -> None:
    outcome = await client.app.pipeline.handle(
        GraphQLRequest(None, extensions={"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}), Caller()
    )
    assert isinstance(outcome, Answer)
    assert codes(outcome) == [("PERSISTED_QUERY_NOT_SUPPORTED", None)]


async def test_without_a_supergraph_the_router_is_not_ready() -> None:
    app = build_app(RouterConfig())
    outcome = await app.pipeline.handle(GraphQLRequest("{ __typename }"), Caller())
    assert isinstance(outcome, Answer)
    assert codes(outcome) == [("SERVICE_UNAVAILABLE", None)]
    assert outcome.error is not None
    assert outcome.error.status == 503


async def test_a_mutation_where_only_queries_may_go_runs_nowhere(client: Client) -> None:
    answer = await client.ask('mutation { login(name: "x") }', may_mutate=False)
    assert answer.error is not None
    assert (answer.error.status, answer.error.headers) == (405, {"allow": "POST"})
    assert client.market.request_counts == {"accounts": 0, "catalog": 0}


async def test_a_field_that_needs_a_login_is_null_with_an_error_and_never_fetched(client: Client) -> None:
    answer = await client.ask('{ me { name } user(id: "u1") { name email } }')
    assert answer.body == {
        "errors": [
            {"message": "Query.me needs a login", "path": ["me"], "extensions": {"code": "UNAUTHENTICATED"}},
            {
                "message": "User.email needs a login",
                "path": ["user", "email"],
                "extensions": {"code": "UNAUTHENTICATED"},
            },
        ],
        "data": {"me": None, "user": {"name": "Ani", "email": None}},
    }
    assert [request.document for request in client.market.accounts.requests] == ['{ user(id: "u1") { name } }']


async def test_whoever_is_logged_in_and_may_still_not_see_it_is_told_so(client: Client) -> None:
    answer = await client.as_(ANI).ask("{ me { name email taxNumber } }")
    assert answer.body == {
        "errors": [
            {
                "message": "you may not see User.taxNumber",
                "path": ["me", "taxNumber"],
                "extensions": {"code": "FORBIDDEN"},
            }
        ],
        # taxNumber is non-null, so its parent is null
        "data": {"me": None},
    }


async def test_callers_with_different_rights_share_nothing_but_the_document(client: Client) -> None:
    query = '{ user(id: "u1") { name email } }'
    for _ in range(2):
        assert (await client.ask(query)).body["data"] == {"user": {"name": "Ani", "email": None}}
        assert (await client.as_(ANI).ask(query)).body == {
            "data": {"user": {"name": "Ani", "email": "ani@example.org"}}
        }
    assert client.app.pipeline.serving.planned_operations.counts().entries == 2
    assert client.app.pipeline.serving.read_operations.counts().entries == 1


async def test_errors_stand_at_each_place_of_a_list_and_close_what_must_not_be_null(client: Client) -> None:
    answer = await client.ask("{ users { name email friends { taxNumber } } }")
    assert codes(answer) == [
        ("UNAUTHENTICATED", ["users", 0, "email"]),
        ("UNAUTHENTICATED", ["users", 0, "friends", 0, "taxNumber"]),
        ("UNAUTHENTICATED", ["users", 1, "email"]),
    ]
    assert answer.body["data"] is None


async def test_refused_fields_of_a_union_stand_at_the_members_that_have_them(client: Client) -> None:
    query = 'query { search(text: "hi") { ... on Note { text author { name } } ... on Product { name } } }'
    answer = await client.ask(query)
    assert codes(answer) == [("UNAUTHENTICATED", ["search", 1, "author"])]
    assert answer.body["data"] == {"search": [{"name": "Teapot"}, {"text": "hi", "author": None}]}


async def test_fragments_aliases_and_conditions_are_minded(client: Client) -> None:
    query = """
    query ($with: Boolean = false) {
      user(id: "u1") { ...Contact mail: email @include(if: $with) }
    }
    fragment Contact on User { id again: email @skip(if: $with) }
    """
    assert codes(await client.ask(query)) == [("UNAUTHENTICATED", ["user", "again"])]
    answer = await client.ask(query, {"with": True})
    assert codes(answer) == [("UNAUTHENTICATED", ["user", "mail"])]
    assert answer.body["data"] == {"user": {"id": "u1", "mail": None}}


async def test_a_fragment_of_nothing_but_refused_fields_leaves_its_siblings_alone(client: Client) -> None:
    answer = await client.ask('{ user(id: "u1") { name ...Secrets } } fragment Secrets on User { email }')
    assert answer.body["data"] == {"user": {"name": "Ani", "email": None}}


async def test_a_mutation_of_refused_fields_only_runs_nowhere(client: Client) -> None:
    answer = await client.ask('mutation { rename(id: "p1", name: "x") { id } archive(id: "p1") { id } }')
    assert answer.body["data"] == {"rename": None, "archive": None}
    assert codes(answer) == [("UNAUTHENTICATED", ["rename"]), ("UNAUTHENTICATED", ["archive"])]
    assert client.market.request_counts == {"accounts": 0, "catalog": 0}


async def test_a_mutation_field_that_is_refused_does_not_stop_its_siblings(client: Client) -> None:
    answer = await client.as_(ANI).ask('mutation { archive(id: "p1") { id } rename(id: "p1", name: "x") { name } }')
    assert answer.body["data"] == {"archive": None, "rename": {"name": "x"}}
    assert codes(answer) == [("FORBIDDEN", ["archive"])]
    assert client.market.request_counts == {"accounts": 0, "catalog": 1}


async def test_who_may_sees_everything(client: Client) -> None:
    answer = await client.as_(STAFF).ask('mutation { archive(id: "p1") { name cost seller { taxNumber email } } }')
    assert answer.body == {
        "data": {"archive": {"name": "Teapot", "cost": 12, "seller": {"taxNumber": "T-1", "email": "ani@example.org"}}}
    }


async def test_what_went_wrong_inside_a_subgraph_is_not_told(client: Client) -> None:
    answer = await client.ask("{ fails products { id } }")
    assert answer.body["errors"] == [
        {
            "message": "Internal server error",
            "path": ["fails"],
            "extensions": {"code": "INTERNAL_SERVER_ERROR", "serviceName": "accounts"},
        }
    ]
    assert len(answer.body["data"]["products"]) == 3


async def test_it_is_told_where_configuration_says_so() -> None:
    client = make_client(configure(hide_subgraph_errors="none"))
    answer = await client.ask("{ fails }")
    assert answer.body["errors"][0]["message"] == "the password of the database is hunter2"


async def test_a_bug_in_the_router_is_an_internal_error_without_details(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("router.pipeline.plan_operation", broken)
    answer = await client.ask("{ users { id } }")
    assert answer.body == {
        "errors": [{"message": "Internal server error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]
    }


async def test_a_name_that_federation_needs_for_itself_is_refused(client: Client) -> None:
    answer = await client.ask("{ products { __typename: name } }")
    assert answer.body["errors"] == [
        {"message": "name may not be called __typename", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}
    ]
    assert client.market.request_counts == {"accounts": 0, "catalog": 0}


async def test_an_operation_is_read_and_planned_once(client: Client) -> None:
    for _ in range(3):
        await client.ask("{ users { id } }")
    graph = client.app.pipeline.serving
    assert (graph.planned_operations.counts().hits, graph.planned_operations.counts().misses) == (2, 1)
    assert (graph.read_operations.counts().hits, graph.read_operations.counts().misses) == (2, 1)


async def test_an_invalid_document_is_not_kept(client: Client) -> None:
    await client.ask("{ nonsense }")
    assert client.app.pipeline.serving.read_operations.counts().entries == 0


async def test_subgraphs_are_told_who_asks_and_get_the_configured_headers_only(client: Client) -> None:
    headers = {
        "accept-language": "id",
        "authorization": "Bearer x",
        "cookie": "a=b",
        "x-pasar-identity": "forged",
        "traceparent": "00-1",
    }
    answer = await client.as_(ANI).ask("{ headers }", headers=headers, request_id="r1")
    assert answer.body["data"] == {"headers": ["accept-language: id", "traceparent: 00-1"]}
    context = client.market.catalog.contexts[0]
    assert (context.identity, context.request_id) == (ANI, "r1")


async def test_a_token_that_is_not_valid_is_refused_before_anything_is_read(client: Client) -> None:
    answer = await client.ask("{ nonsense", headers={"authorization": "Bearer x.y.z"})
    assert codes(answer) == [("UNAUTHENTICATED", None)]


async def test_addresses_are_counted_before_tokens_are_looked_at() -> None:
    client = make_client(configure(rate={"per_address": "2/hour", "per_user": "1/hour"}))
    for _ in range(2):
        assert codes(await client.ask("{ __typename }", headers={"authorization": "Bearer x"})) == [
            ("UNAUTHENTICATED", None)
        ]
    assert codes(await client.ask("{ __typename }")) == [("RATE_LIMITED", None)]
    assert codes(await client.as_(ANI).ask("{ __typename }", address="10.0.0.2")) == []
    assert codes(await client.as_(ANI).ask("{ __typename }", address="10.0.0.3")) == [("RATE_LIMITED", None)]


async def test_an_operation_that_is_too_expensive_is_refused() -> None:
    client = make_client(configure(limits={"max_cost": 20}))
    assert codes(await client.ask("{ users { name } }")) == []
    answer = await client.ask("{ users { friends { name } } }")
    assert answer.body["errors"] == [
        {
            "message": "the operation's estimated cost is 110, more than 20",
            "extensions": {"code": "COST_ESTIMATED_TOO_EXPENSIVE"},
        }
    ]
    assert client.market.request_counts == {"accounts": 1, "catalog": 0}


async def test_trusted_subgraphs_set_cookies_and_nobody_sees_how() -> None:
    client = make_client(configure(authentication={"cookie_setting_subgraphs": ["accounts"]}))
    cookie = {"name": "pasar_access", "value": "token"}
    client.market.accounts.extensions = {"pasar": {"setCookies": [cookie]}}
    client.market.catalog.extensions = {"pasar": {"setCookies": [{"name": "evil", "value": "1"}]}}
    answer = await client.ask('mutation { login(name: "x") }')
    assert [given.to_header() for given in answer.set_cookies] == [
        "pasar_access=token; Path=/; SameSite=Lax; HttpOnly; Secure"
    ]
    assert answer.body == {"data": {"login": "token-of-x"}}
    assert (await client.ask("{ products { id } }")).set_cookies == ()


async def events_of(client: Client, query: str, variables: Mapping[str, Any] | None = None) -> list[Any]:
    outcome = await client.app.pipeline.handle(
        GraphQLRequest(query, variables=variables or {}), Caller(identity=client.identity)
    )
    assert isinstance(outcome, EventStream)
    return [event async for event in outcome.events]


async def test_a_subscription_is_a_stream_of_responses(client: Client) -> None:
    assert await events_of(client, "subscription { ticks(count: 3) }") == [{"data": {"ticks": n}} for n in range(3)]
    assert client.market.catalog.open_streams == 0


async def test_refused_fields_are_null_in_every_event(client: Client) -> None:
    events = await events_of(client.as_(ANI), "subscription { priceChanges { name seller { taxNumber } } }")
    assert [event["data"] for event in events] == [
        {"priceChanges": {"name": name, "seller": None}} for name in ("Teapot", "Cup", "Spoon")
    ]
    assert [error["path"] for error in events[0]["errors"]] == [["priceChanges", "seller", "taxNumber"]]


async def test_a_subscription_that_is_refused_is_answered_without_a_stream(client: Client) -> None:
    answer = await client.ask("subscription { priceChanges { name } }")
    assert codes(answer) == [("UNAUTHENTICATED", ["priceChanges"])]
    assert client.market.request_counts == {"accounts": 0, "catalog": 0}


async def test_a_subscription_with_wrong_variables_is_one_event_without_data(client: Client) -> None:
    events = await events_of(client, "subscription ($n: Int!) { ticks(count: $n) }", {"n": "many"})
    assert [event["errors"][0]["extensions"]["code"] for event in events] == ["BAD_USER_INPUT"]
    assert "data" not in events[0]


async def test_a_new_supergraph_serves_the_next_request(client: Client) -> None:
    smaller = MARKET_SDL.replace("  users: [User!]! @join__field(graph: ACCOUNTS)\n", "")
    assert codes(await client.ask("{ users { id } }")) == []
    client.app.load_supergraph(smaller, client.market.transports)
    assert codes(await client.ask("{ users { id } }")) == [("GRAPHQL_VALIDATION_FAILED", None)]


async def test_metrics_count_operations_by_outcome(client: Client) -> None:
    await client.ask("{ users { id } }")
    await client.ask("{ nonsense }")
    await client.ask("{ fails }")
    text = client.app.telemetry.render().decode()
    assert 'pasar_router_operations_total{kind="query",outcome="ok"} 1.0' in text
    assert 'pasar_router_operations_total{kind="query",outcome="subgraph_error"} 1.0' in text
    assert 'pasar_router_operations_total{kind="unknown",outcome="GRAPHQL_VALIDATION_FAILED"} 1.0' in text
    assert 'pasar_router_subgraph_requests_total{outcome="ok",subgraph="accounts"} 1.0' in text
    assert 'pasar_router_operation_cache_total{event="miss"} 2.0' in text
