"""A small federated graph for tests of the router: two subgraphs that answer from memory and count what they are asked.

The subgraphs are executed by graphql-core over the schemas that the supergraph itself describes.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLObjectType, GraphQLUnionType, execute, parse, subscribe

from router.supergraph.reading import read_supergraph
from router.transports.base import RequestContext, SubgraphRequest, SubgraphTransport
from router.transports.in_process import InProcessTransport

MARKET_SDL = """
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/policy/v0.1", for: SECURITY)
{
  query: Query
  mutation: Mutation
  subscription: Subscription
}

directive @authenticated on ENUM | FIELD_DEFINITION | INTERFACE | OBJECT | SCALAR
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(
  graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean,
  override: String, usedOverridden: Boolean
) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(
  graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true,
  isInterfaceObject: Boolean! = false
) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @policy(policies: [[policy__Policy!]!]!) on ENUM | FIELD_DEFINITION | INTERFACE | OBJECT | SCALAR
directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on ENUM | FIELD_DEFINITION | INTERFACE | OBJECT | SCALAR

scalar join__FieldSet
scalar link__Import
scalar policy__Policy
scalar requiresScopes__Scope

enum join__Graph {
  ACCOUNTS @join__graph(name: "accounts", url: "http://accounts.invalid/graphql")
  CATALOG @join__graph(name: "catalog", url: "http://catalog.invalid/graphql")
}

enum link__Purpose {
  SECURITY
  EXECUTION
}

type Query @join__type(graph: ACCOUNTS) @join__type(graph: CATALOG) {
  me: User @join__field(graph: ACCOUNTS) @authenticated
  user(id: ID!): User @join__field(graph: ACCOUNTS)
  users: [User!]! @join__field(graph: ACCOUNTS)
  fails: String @join__field(graph: ACCOUNTS)
  products(first: Int = 3): [Product!]! @join__field(graph: CATALOG)
  product(id: ID!): Product @join__field(graph: CATALOG)
  search(text: String!): [Hit!]! @join__field(graph: CATALOG)
  headers: [String!]! @join__field(graph: CATALOG)
  audit: Audit @join__field(graph: ACCOUNTS)
}

type Mutation @join__type(graph: ACCOUNTS) @join__type(graph: CATALOG) {
  login(name: String!): String @join__field(graph: ACCOUNTS)
  rename(id: ID!, name: String!): Product @join__field(graph: CATALOG) @authenticated
  archive(id: ID!): Product @join__field(graph: CATALOG) @requiresScopes(scopes: [["catalog:write"], ["admin", "all"]])
}

type Subscription @join__type(graph: CATALOG) {
  ticks(count: Int!): Int! @join__field(graph: CATALOG)
  priceChanges: Product @join__field(graph: CATALOG) @authenticated
}

type User @join__type(graph: ACCOUNTS, key: "id") @join__type(graph: CATALOG, key: "id") {
  id: ID!
  name: String! @join__field(graph: ACCOUNTS)
  email: String @join__field(graph: ACCOUNTS) @requiresScopes(scopes: [["profile"]])
  taxNumber: String! @join__field(graph: ACCOUNTS) @policy(policies: [["staff"]])
  friends: [User!]! @join__field(graph: ACCOUNTS)
  products: [Product!]! @join__field(graph: CATALOG)
}

type Product @join__type(graph: CATALOG, key: "id") {
  id: ID!
  name: String!
  cost: Int! @authenticated
  seller: User
}

type Note @join__type(graph: CATALOG) {
  text: String!
  author: User @authenticated
}

union Hit @join__type(graph: CATALOG) @join__unionMember(graph: CATALOG, member: "Product")
  @join__unionMember(graph: CATALOG, member: "Note") = Product | Note

type Audit @join__type(graph: ACCOUNTS) @authenticated {
  entries: [String!]!
}
"""

USERS: dict[str, dict[str, Any]] = {
    "u1": {"id": "u1", "name": "Ani", "email": "ani@example.org", "taxNumber": "T-1", "friendIds": ["u2"]},
    "u2": {"id": "u2", "name": "Budi", "email": "budi@example.org", "taxNumber": "T-2", "friendIds": []},
}
PRODUCTS: dict[str, dict[str, Any]] = {
    "p1": {"id": "p1", "name": "Teapot", "cost": 12, "sellerId": "u1"},
    "p2": {"id": "p2", "name": "Cup", "cost": 3, "sellerId": "u2"},
    "p3": {"id": "p3", "name": "Spoon", "cost": 1, "sellerId": "u1"},
}

Resolver = Callable[..., Any]


@dataclass
class MemorySubgraph:
    """One subgraph. Mutable: *requests* and *contexts* remember what it was asked, in order.

    *stream_closed* is set when a subscription has been given up.
    """

    name: str
    resolvers: Mapping[tuple[str, str], Resolver]
    requests: list[SubgraphRequest] = field(default_factory=list)
    contexts: list[RequestContext] = field(default_factory=list)
    extensions: dict[str, Any] = field(default_factory=dict)
    open_streams: int = 0
    stream_closed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.schema = read_supergraph(MARKET_SDL).subgraph_schema(self.name)
        for (type_name, field_name), resolver in self.resolvers.items():
            type_ = self.schema.get_type(type_name)
            assert isinstance(type_, GraphQLObjectType)
            if type_name == "Subscription":
                type_.fields[field_name].subscribe = resolver
                type_.fields[field_name].resolve = lambda event, *_, **__: event
            else:
                type_.fields[field_name].resolve = resolver
        for name in ("_Entity", "Hit"):
            union = self.schema.get_type(name)
            if isinstance(union, GraphQLUnionType):
                union.resolve_type = lambda value, *_: value["__typename"]

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> dict[str, Any]:
        self.requests.append(request)
        self.contexts.append(context)
        result = execute(
            self.schema,
            parse(request.document),
            variable_values=dict(request.variables),
            operation_name=request.operation_name,
            context_value=context,
        )
        if not isinstance(result, ExecutionResult):
            result = await result
        response: dict[str, Any] = {"data": result.data, "extensions": dict(self.extensions)}
        if result.errors:
            response["errors"] = [_format_error(error) for error in result.errors]
        return response

    async def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncIterator[dict[str, Any]]:
        self.requests.append(request)
        self.contexts.append(context)
        self.open_streams += 1
        try:
            events = subscribe(
                self.schema, parse(request.document), variable_values=dict(request.variables), context_value=context
            )
            if inspect.isawaitable(events):
                events = await events
            assert not isinstance(events, ExecutionResult), events.errors
            async for result in events:
                yield {"data": result.data}
        finally:
            self.open_streams -= 1
            self.stream_closed.set()

    def transport(self) -> SubgraphTransport:
        return InProcessTransport(self.execute, self.subscribe)


def _format_error(error: GraphQLError) -> dict[str, Any]:
    extensions = dict(error.extensions or {})
    extensions.setdefault("code", "INTERNAL_SERVER_ERROR")
    return {"message": error.message, "path": error.path, "extensions": extensions}


@dataclass(frozen=True, slots=True)
class Market:
    """The whole graph."""

    accounts: MemorySubgraph
    catalog: MemorySubgraph

    @property
    def transports(self) -> dict[str, SubgraphTransport]:
        return {"accounts": self.accounts.transport(), "catalog": self.catalog.transport()}

    @property
    def request_counts(self) -> dict[str, int]:
        return {"accounts": len(self.accounts.requests), "catalog": len(self.catalog.requests)}


def open_market() -> Market:
    """Return the graph with nothing asked of it yet."""
    accounts = MemorySubgraph(
        "accounts",
        {
            ("Query", "me"): lambda _, info: USERS.get(info.context.identity.subject or ""),
            ("Query", "user"): lambda _, info, id: USERS.get(id),
            ("Query", "users"): lambda _, info: list(USERS.values()),
            ("Query", "fails"): _fail,
            ("Query", "audit"): lambda _, info: {"entries": ["opened"]},
            ("Query", "_entities"): lambda _, info, representations: [
                _entity(USERS, representation) for representation in representations
            ],
            ("User", "friends"): lambda user, info: [USERS[friend] for friend in user["friendIds"]],
            ("Mutation", "login"): lambda _, info, name: f"token-of-{name}",
        },
    )
    catalog = MemorySubgraph(
        "catalog",
        {
            ("Query", "products"): lambda _, info, first=3: [_product(product) for product in PRODUCTS.values()][
                :first
            ],
            ("Query", "product"): lambda _, info, id: _product(PRODUCTS[id]) if id in PRODUCTS else None,
            ("Query", "search"): lambda _, info, text: [
                {"__typename": "Product", **_product(PRODUCTS["p1"])},
                {"__typename": "Note", "text": text, "author": {"id": "u2"}},
            ],
            ("Query", "headers"): lambda _, info: [f"{k}: {v}" for k, v in sorted(info.context.headers.items())],
            ("Query", "_entities"): lambda _, info, representations: [
                _entity(PRODUCTS if representation["__typename"] == "Product" else {}, representation)
                for representation in representations
            ],
            ("User", "products"): lambda user, info: [
                _product(product) for product in PRODUCTS.values() if product["sellerId"] == user["id"]
            ],
            ("Mutation", "rename"): lambda _, info, id, name: {**_product(PRODUCTS[id]), "name": name},
            ("Mutation", "archive"): lambda _, info, id: _product(PRODUCTS[id]),
            ("Subscription", "ticks"): _tick,
            ("Subscription", "priceChanges"): _change_prices,
        },
    )
    return Market(accounts, catalog)


async def _tick(_: Any, info: Any, count: int) -> AsyncIterator[int]:
    """Count up to *count*; more than 100 is never reached."""
    for number in range(min(count, 100)):
        # Somebody else's turn
        await asyncio.sleep(0)
        yield number
    if count > 100:
        await asyncio.Event().wait()


async def _change_prices(_: Any, info: Any) -> AsyncIterator[dict[str, Any]]:
    for product in PRODUCTS.values():
        yield _product(product)


def _fail(_: Any, info: Any) -> str:
    raise RuntimeError("the password of the database is hunter2")


def _product(product: Mapping[str, Any]) -> dict[str, Any]:
    return {**product, "seller": {"id": product["sellerId"]}}


def _entity(known: Mapping[str, Any], representation: Mapping[str, Any]) -> dict[str, Any]:
    return {**known.get(representation["id"], {"id": representation["id"]}), "__typename": representation["__typename"]}
