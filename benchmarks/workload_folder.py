"""A workload in a folder of its own: a supergraph of four subgraphs, what they serve, and operations to send.

    supergraph.graphql   accounts, inventory, products and reviews (join v0.3), all at one address, told apart by path
    data.json            users, products, inventory and reviews, as lists of objects
    heavy.graphql        and light.graphql: the operations

Beside the lists themselves: every user's reviews are the first two; every review is by the first user, who is also
`me`; `shippingEstimate` is 0 above a price of 1000 and else half the weight.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from graphql import GraphQLObjectType, GraphQLSchema, GraphQLUnionType, graphql_sync

from benchmarks.workload import Workload
from router.supergraph.reading import read_supergraph
from router.supergraph.supergraph import Supergraph

SUBGRAPHS = {"accounts", "inventory", "products", "reviews"}
OPERATIONS = ("heavy", "light")
REVIEWS_PER_USER = 2
FREE_SHIPPING_ABOVE = 1000

Row = dict[str, Any]


class UnfitFolder(Exception):
    """The folder is no workload that the stub could serve."""


@dataclass(frozen=True, slots=True)
class WorkloadFolder:
    """What was read from a folder. *port* and *paths* (the subgraphs' names by path) are where the stub must serve."""

    supergraph_sdl: str
    supergraph: Supergraph
    operations: tuple[Workload, ...]
    port: int
    paths: dict[str, str]
    users: list[Row]
    products: list[Row]
    inventory: list[Row]
    reviews: list[Row]

    def executable_subgraph(self, name: str) -> GraphQLSchema:
        """Return subgraph *name* as an executable schema with `_entities`."""
        schema = self.supergraph.subgraph_schema(name)
        _resolve_by(schema, self._resolve)
        union = schema.get_type("_Entity")
        if isinstance(union, GraphQLUnionType):
            union.resolve_type = lambda value, *_: value["__typename"]

        def resolve_entities(_: Any, __: Any, representations: list[Row]) -> list[Row]:
            # inventory knows of a product only what it is sent: a router that forgets @requires gets an error
            return [dict(sent) if name == "inventory" else {**self._row_of(sent), **sent} for sent in representations]

        query = schema.query_type
        if query is not None and "_entities" in query.fields:
            query.fields["_entities"].resolve = resolve_entities
        return schema

    def resolve_as_monolith(self, document: str) -> dict[str, Any]:
        """Return the response of one schema that has all four subgraphs' fields."""
        # read anew: the resolvers stay in the schema
        schema = read_supergraph(self.supergraph_sdl).api_schema
        _resolve_by(schema, self._resolve)
        result = graphql_sync(schema, document)
        if result.errors:
            raise UnfitFolder(f"the data does not answer the operation: {result.errors[0]}")
        return {"data": result.data}

    def _row_of(self, sent: Row) -> Row:
        match sent["__typename"]:
            case "User":
                return _find(self.users, "id", sent["id"])
            case "Product":
                return _find(self.products, "upc", sent["upc"])
            case _:
                return _find(self.reviews, "id", sent["id"])

    def _resolve(self, source: Any, info: Any, **arguments: Any) -> Any:
        match info.parent_type.name, info.field_name:
            case "Query", "users":
                return self.users
            case ("Query", "me") | ("Review", "author"):
                return self.users[0]
            case "Query", "user":
                return _find(self.users, "id", arguments["id"])
            case "Query", "topProducts":
                return self.products[: arguments["first"]]
            case "User", "reviews":
                return self.reviews[:REVIEWS_PER_USER]
            case "Product", "reviews":
                return [review for review in self.reviews if review["upc"] == source["upc"]]
            case "Product", "inStock":
                return _find(self.inventory, "upc", source["upc"])["inStock"]
            case "Product", "shippingEstimate":
                return 0 if source["price"] > FREE_SHIPPING_ABOVE else source["weight"] // 2
            case "Review", "product":
                return _find(self.products, "upc", source["upc"])
            case _, name:
                return source.get(name)


def read_workload_folder(folder: Path) -> WorkloadFolder:
    """Read *folder*; raise UnfitFolder with what is wrong with it."""
    try:
        supergraph_sdl = (folder / "supergraph.graphql").read_text()
        rows = json.loads((folder / "data.json").read_text())
        operations = tuple(Workload(name, (folder / f"{name}.graphql").read_text()) for name in OPERATIONS)
    except (OSError, ValueError) as error:
        raise UnfitFolder(f"{folder}: {error}") from error
    supergraph = read_supergraph(supergraph_sdl)
    urls = {subgraph.name: urlsplit(subgraph.url) for subgraph in supergraph.subgraphs}
    if urls.keys() != SUBGRAPHS:
        raise UnfitFolder(f"{folder}: the subgraphs are {sorted(urls)}, not {sorted(SUBGRAPHS)}")
    addresses = {(url.hostname, url.port) for url in urls.values()}
    paths = {url.path: name for name, url in urls.items()}
    port = next(iter(addresses))[1]
    if len(addresses) > 1 or len(paths) < len(urls) or port is None:
        raise UnfitFolder(f"{folder}: the subgraphs must share one host and port and differ in their paths")
    return WorkloadFolder(supergraph_sdl, supergraph, operations, port, paths, **rows)


def _resolve_by(schema: GraphQLSchema, resolve: Any) -> None:
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for field in type_.fields.values():
                field.resolve = resolve


def _find(rows: list[Row], key: str, value: str) -> Row:
    return next(row for row in rows if row[key] == value)
