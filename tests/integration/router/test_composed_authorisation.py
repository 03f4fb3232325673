from typing import Any

from core.identity import Identity
from router.app import build_app
from router.composition import SubgraphSchema, compose
from router.config import RouterConfig
from router.exchange import Answer, Caller, GraphQLRequest
from router.transports.fake import FakeTransport

ACCOUNTS = """
extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.9"
  import: ["@key", "@authenticated", "@requiresScopes", {name: "@policy", as: "@onlyFor"}]
)
type Query { user: User secret: String @onlyFor(policies: [["staff"]]) }
type User @key(fields: "id") { id: ID! name: String email: String @requiresScopes(scopes: [["profile"]]) }
"""
REVIEWS = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated"])
type User @key(fields: "id") { id: ID! drafts: [String!] @authenticated }
"""


async def ask(query: str, identity: Identity | None) -> tuple[Any, list[str], list[str]]:
    composed = compose([SubgraphSchema("accounts", ACCOUNTS), SubgraphSchema("reviews", REVIEWS)])
    assert composed.supergraph_sdl is not None, composed.errors
    accounts = FakeTransport(
        lambda request: {
            "data": {"user": {"__typename": "User", "id": "1", "name": "Ani", "email": "a@example.org"}, "secret": "s"}
        }
    )
    reviews = FakeTransport(lambda request: {"data": {"_entities": [{"__typename": "User", "drafts": ["d"]}]}})
    app = build_app(
        RouterConfig(),
        supergraph_sdl=composed.supergraph_sdl,
        transports={"accounts": accounts, "reviews": reviews},
    )
    answer = await app.pipeline.handle(GraphQLRequest(query), Caller(identity=identity))
    assert isinstance(answer, Answer)
    codes = [f"{'.'.join(error['path'])}: {error['extensions']['code']}" for error in answer.body.get("errors", [])]
    return answer.body["data"], codes, [request.document for request in (*accounts.requests, *reviews.requests)]


async def test_what_subgraphs_declare_is_enforced_on_the_composed_graph_under_whatever_name() -> None:
    query = "{ secret user { name email drafts } }"
    assert await ask(query, None) == (
        {"secret": None, "user": {"name": "Ani", "email": None, "drafts": None}},
        ["secret: UNAUTHENTICATED", "user.email: UNAUTHENTICATED", "user.drafts: UNAUTHENTICATED"],
        ["{ user { name } }"],
    )
    data, codes, documents = await ask(query, Identity(subject="1", scopes=frozenset({"profile"})))
    assert data == {"secret": None, "user": {"name": "Ani", "email": "a@example.org", "drafts": ["d"]}}
    assert codes == ["secret: FORBIDDEN"]
    assert len(documents) == 2
    assert not any("secret" in document for document in documents)
