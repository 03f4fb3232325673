"""The router benchmark's own supergraph: users, reviews, products and inventory, with data and two operations.

*heavy* asks for users and top products, four levels deep through reviews; *light* for one user with one level.
Everything is a pure function of a few constants, so that every run and every router sees the same answer.
"""

from dataclasses import dataclass
from typing import Any

from graphql import GraphQLSchema, build_schema, graphql_sync

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: [{imports}])\n'

SUBGRAPH_SDL: dict[str, str] = {
    "inventory": LINK.format(imports='"@key", "@external", "@requires"')
    + """
type Product @key(fields: "upc") {
  upc: ID!
  price: Int @external
  weight: Int @external
  inStock: Boolean
  shippingEstimate: Int @requires(fields: "price weight")
}
""",
    "products": LINK.format(imports='"@key"')
    + """
type Query { topProducts(first: Int = 8): [Product] }
type Product @key(fields: "upc") { upc: ID! name: String price: Int weight: Int }
""",
    "reviews": LINK.format(imports='"@key"')
    + """
type Review @key(fields: "id") { id: ID! body: String author: User product: Product }
type User @key(fields: "id") { id: ID! reviews: [Review] }
type Product @key(fields: "upc") { upc: ID! reviews: [Review] }
""",
    "users": LINK.format(imports='"@key"')
    + """
type Query { me: User users: [User] }
type User @key(fields: "id") { id: ID! name: String username: String }
""",
}

USERS = 7
PRODUCTS = 8
REVIEWS = 24

PRODUCT_FIELDS = "upc name price weight inStock shippingEstimate"
AUTHORED = f"author {{ id name username reviews {{ id body product {{ {PRODUCT_FIELDS} }} }} }}"
HEAVY = f"""query Heavy {{
  users {{ id name username reviews {{ id body product {{ {PRODUCT_FIELDS} reviews {{ id body {AUTHORED} }} }} }} }}
  topProducts {{ {PRODUCT_FIELDS} reviews {{ id body {AUTHORED} }} }}
}}"""
LIGHT = "query Light { me { id username reviews { id product { upc name } } } }"


@dataclass(frozen=True, slots=True)
class Workload:
    """An operation with the number of subgraph requests that a good plan needs, where that is known."""

    name: str
    document: str
    best_requests: int | None = None


WORKLOADS = (Workload("heavy", HEAVY, 6), Workload("light", LIGHT, 3))


def user(number: int) -> dict[str, Any]:
    """Return user *number*."""
    return {
        "__typename": "User",
        "id": f"u{number}",
        "name": f"User Number {number}",
        "username": f"user{number}",
        "reviews": [review(i) for i in range(REVIEWS) if i % USERS == number],
    }


def product(number: int) -> dict[str, Any]:
    """Return product *number*; its nested objects are made on demand."""
    price, weight = 100 + 37 * number, 50 + 11 * number
    return {
        "__typename": "Product",
        "upc": f"p{number}",
        "name": f"Product with the number {number}",
        "price": price,
        "weight": weight,
        "inStock": number % 3 != 0,
    }


def review(number: int) -> dict[str, Any]:
    """Return review *number* as the reviews subgraph stores it: references, no other subgraph's fields."""
    return {
        "__typename": "Review",
        "id": f"r{number}",
        "body": f"Review {number}: it does what it says, and it arrived in time.",
        "author": {"__typename": "User", "id": f"u{number % USERS}"},
        "product": {"__typename": "Product", "upc": f"p{number % PRODUCTS}"},
    }


def _resolve(source: Any, info: Any) -> Any:
    name = info.field_name
    match source.get("__typename"), name:
        case "User", "reviews":
            return [review(i) for i in range(REVIEWS) if f"u{i % USERS}" == source["id"]]
        case "Product", "reviews":
            return [review(i) for i in range(REVIEWS) if f"p{i % PRODUCTS}" == source["upc"]]
        case "User", ("name" | "username"):
            return user(int(source["id"][1:]))[name]
        case "Product", ("name" | "price" | "weight" | "inStock") if name not in source:
            return product(int(source["upc"][1:]))[name]
        case "Product", "shippingEstimate":
            # Only what the representation carried: a router that forgets @requires fails the comparison
            return None if source.get("price", 0) > 10_000 else source["price"] // 10 + source["weight"] * 2
        case _:
            return source.get(name)


def executable_subgraph(name: str) -> GraphQLSchema:
    """Return subgraph *name* as an executable schema with `_entities` and `_service`."""
    entities = {"inventory": "Product", "products": "Product", "reviews": "Review | User | Product", "users": "User"}
    body = SUBGRAPH_SDL[name].split("\n", 1)[1]
    roots = "_entities(representations: [_Any!]!): [_Entity]! _service: _Service!"
    if "type Query {" in body:
        body = body.replace("type Query {", f"type Query {{ {roots} ")
    else:
        body += f"type Query {{ {roots} }}\n"
    schema = build_schema(
        "directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT\n"
        "directive @external on FIELD_DEFINITION\ndirective @requires(fields: String!) on FIELD_DEFINITION\n"
        f"scalar _Any\nunion _Entity = {entities[name]}\ntype _Service {{ sdl: String! }}\n" + body
    )
    for type_name in ("User", "Product", "Review"):
        object_type: Any = schema.type_map.get(type_name)
        for field in object_type.fields.values() if object_type else ():
            field.resolve = _resolve
    query: Any = schema.query_type
    resolvers: dict[str, Any] = {
        "_entities": lambda _, __, representations: [dict(item) for item in representations],
        "_service": lambda _, __: {"sdl": SUBGRAPH_SDL[name]},
        "me": lambda _, __: user(1),
        "users": lambda _, __: [user(i) for i in range(USERS)],
        "topProducts": lambda _, __, first=8: [product(i) for i in range(min(first, PRODUCTS))],
    }
    for field_name, field in query.fields.items():
        field.resolve = resolvers[field_name]
    return schema


def resolve_as_monolith(document: str) -> dict[str, Any]:
    """Return the response of one schema that holds all four subgraphs' fields."""
    schema = build_schema(
        "type Query { me: User users: [User] topProducts(first: Int = 8): [Product] }\n"
        "type User { id: ID! name: String username: String reviews: [Review] }\n"
        "type Review { id: ID! body: String author: User product: Product }\n"
        "type Product { upc: ID! name: String price: Int weight: Int inStock: Boolean shippingEstimate: Int "
        "reviews: [Review] }\n"
    )

    def resolve(source: Any, info: Any, **arguments: Any) -> Any:
        match info.parent_type.name, info.field_name:
            case "Query", "me":
                return user(1)
            case "Query", "users":
                return [user(i) for i in range(USERS)]
            case "Query", "topProducts":
                return [product(i) for i in range(min(arguments["first"], PRODUCTS))]
            case "Product", "shippingEstimate":
                whole = product(int(source["upc"][1:]))
                return whole["price"] // 10 + whole["weight"] * 2
            case _:
                return _resolve(source, info)

    for type_name in ("Query", "User", "Review", "Product"):
        object_type: Any = schema.type_map[type_name]
        for field in object_type.fields.values():
            field.resolve = resolve
    result = graphql_sync(schema, document)
    if result.errors:
        raise RuntimeError(str(result.errors))
    return {"data": result.data}
