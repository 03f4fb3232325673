"""Hand-written plans over a small shop, so that the executor is tested without the planner."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLSchema, build_schema, parse

from router.executor import ExecutionResult, Executor, PreparedOperation, prepare_operation
from router.planner.plan import (
    EntityTarget,
    Fetch,
    Flatten,
    KeyElement,
    ListElement,
    OperationKind,
    PathElement,
    Plan,
    PlanNode,
    RepresentationField,
    ResponsePath,
    Sequence,
    TypeElement,
)
from router.transports.base import RequestContext
from router.transports.fake import FakeTransport

API = build_schema(
    """
    type Query {
      me: User
      product(id: ID!): Product
      products(first: Int = 3): [Product!]!
      shelves: [[Product]]
      search(text: String!): [Hit!]!
      node(id: ID!): Node
      must: Product!
      status: Status
      ids: [ID!]
      blob: Blob
    }
    type Mutation { rename(id: ID!, name: String!): Product  remove(id: ID!): Boolean! }
    type Subscription { productChanged: Product }
    scalar Blob
    enum Status { OPEN CLOSED }
    interface Node { id: ID! }
    union Hit = Product | User
    type Product implements Node {
      id: ID!
      name: String
      price: Int
      rating: Float
      stock: Int!
      status: Status
      reviews: [Review!]
      maker: Maker
    }
    type Review { id: ID!  body: String!  author: User!  product: Product }
    type User implements Node { id: ID!  name: String!  active: Boolean  reviews: [Review!] }
    type Maker { name: String!  country: String }
    """
)


def path(text: str) -> ResponsePath:
    """Read `products.@.reviews.@|User.author` as plan paths are printed: @ steps into a list, |A,B stays on types."""
    elements: list[PathElement] = []
    for part in text.split("."):
        key, _, types = part.partition("|")
        elements.append(ListElement() if key == "@" else KeyElement(key))
        if types:
            elements.append(TypeElement(tuple(types.split(","))))
    return tuple(elements)


def root_fetch(subgraph: str, document: str, *variables: str, kind: OperationKind = OperationKind.QUERY) -> Fetch:
    return Fetch(subgraph, kind, document, variables=variables)


def target(type_name: str, *fields: str) -> EntityTarget:
    return EntityTarget((type_name,), type_name, tuple(RepresentationField(name, name) for name in fields))


def entity_fetch(at: str, subgraph: str, selection: str, *targets: EntityTarget) -> Flatten:
    document = f"query($representations:[_Any!]!){{_entities(representations:$representations){{{selection}}}}}"
    return Flatten(path(at), Fetch(subgraph, OperationKind.QUERY, document, targets=targets))


def prepare(
    query: str, root: PlanNode | None, *, api: GraphQLSchema = API, kind: OperationKind = OperationKind.QUERY
) -> PreparedOperation:
    return prepare_operation(api, Plan(kind, root), parse(query), None)


async def execute(
    query: str,
    root: PlanNode | None,
    transports: Mapping[str, FakeTransport],
    *,
    variables: Mapping[str, Any] | None = None,
    api: GraphQLSchema = API,
    kind: OperationKind = OperationKind.QUERY,
    context: RequestContext | None = None,
) -> ExecutionResult:
    executor = Executor(api, transports)
    prepared = prepare(query, root, api=api, kind=kind)
    return await executor.execute(prepared, variables or {}, context or RequestContext())


def entities(*answers: Any) -> dict[str, Any]:
    return {"data": {"_entities": list(answers)}}


def failure(
    subgraph: str, *places: str | int, code: str = "SUBREQUEST_HTTP_ERROR", message: str = ""
) -> dict[str, Any]:
    """Return the error of a request that got no answer."""
    return {
        "message": message or f"The request to subgraph '{subgraph}' failed.",
        "path": list(places),
        "extensions": {"code": code, "serviceName": subgraph},
    }


PRODUCTS = root_fetch("catalog", "{products{__typename id name}}")
STOCK = entity_fetch("products.@", "stock", "...on Product{stock}", target("Product", "id"))
WITH_STOCK = Sequence((PRODUCTS, STOCK))
TWO_PRODUCTS = {
    "data": {
        "products": [
            {"__typename": "Product", "id": "1", "name": "Table"},
            {"__typename": "Product", "id": "2", "name": "Chair"},
        ]
    }
}
