from graphql import parse
from inline_snapshot import snapshot

from router.composition import SubgraphSchema, compose
from router.composition.specs import SUPERGRAPH_HEADER, SUPERGRAPH_TYPES
from tests.unit.router.composition.builders import fed2

PRODUCT = fed2(
    "product",
    """\
type Query { products: [Product!]! }
"A thing that is sold."
type Product @key(fields: "id") { id: ID! name: String! weight: Int cost: Int @inaccessible }
""",
)
INVENTORY = fed2(
    "inventory",
    """\
type Product @key(fields: "id") {
  id: ID!
  weight: Int @external
  shipping(express: Boolean! = false): Int! @requires(fields: "weight")
}
""",
)


def without_machinery(sdl: str | None) -> str:
    """Leave out the definitions that every supergraph has."""
    assert sdl is not None
    for text in (*SUPERGRAPH_HEADER, *SUPERGRAPH_TYPES):
        sdl = sdl.replace(text + "\n\n", "").replace(text + "\n", "")
    return "\n".join(line for line in sdl.split("\n") if not line.startswith("directive @inaccessible "))


def test_two_subgraphs_make_a_standard_supergraph() -> None:
    result = compose([PRODUCT, INVENTORY])
    assert result.errors == ()
    assert result.hints == ()
    assert without_machinery(result.supergraph_sdl) == snapshot('''\
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)
{
  query: Query
}


"""A thing that is sold."""
type Product
  @join__type(graph: INVENTORY, key: "id")
  @join__type(graph: PRODUCT, key: "id")
{
  id: ID!
  weight: Int @join__field(graph: INVENTORY, external: true) @join__field(graph: PRODUCT)
  shipping(express: Boolean! = false): Int! @join__field(graph: INVENTORY, requires: "weight")
  name: String! @join__field(graph: PRODUCT)
  cost: Int @join__field(graph: PRODUCT) @inaccessible
}

type Query
  @join__type(graph: INVENTORY)
  @join__type(graph: PRODUCT)
{
  products: [Product!]! @join__field(graph: PRODUCT)
}

enum join__Graph {
  INVENTORY @join__graph(name: "inventory", url: "http://inventory")
  PRODUCT @join__graph(name: "product", url: "http://product")
}

''')


def test_supergraph_defines_the_machinery_that_routers_look_for() -> None:
    sdl = compose([PRODUCT, INVENTORY]).supergraph_sdl
    assert sdl is not None
    assert [text for text in (*SUPERGRAPH_HEADER, *SUPERGRAPH_TYPES) if text not in sdl] == []
    names = [definition.name.value for definition in parse(sdl).definitions[1:]]  # type: ignore[attr-defined]
    directives, types = names[:9], names[9:]
    assert directives == sorted(directives)
    assert types == sorted(types)


def test_api_schema_shows_neither_machinery_nor_what_is_inaccessible() -> None:
    assert compose([PRODUCT, INVENTORY]).api_sdl == snapshot('''\
"""A thing that is sold."""
type Product {
  id: ID!
  weight: Int
  shipping(express: Boolean! = false): Int!
  name: String!
}

type Query {
  products: [Product!]!
}
''')


def test_order_of_the_subgraphs_does_not_matter() -> None:
    assert compose([PRODUCT, INVENTORY]) == compose([INVENTORY, PRODUCT])


def test_unsatisfiable_field_is_shown_with_a_query_and_a_reason_for_each_subgraph() -> None:
    shop = fed2("shop", 'type Query { product(id: ID!): Product! }\ntype Product @key(fields: "id") { id: ID! }\n')
    stock = fed2("stock", 'type Product @key(fields: "sku") { sku: ID! count: Int }\n')
    result = compose([shop, stock])
    assert result.supergraph_sdl is None
    assert result.api_sdl is None
    assert [error.code for error in result.errors] == ["SATISFIABILITY_ERROR", "SATISFIABILITY_ERROR"]
    assert result.errors[1].message == snapshot("""\
The query
query {
  product(id: "id") {
    count
  }
}
cannot be answered by the subgraphs:
- 'shop' is reached, but has no field Product.count
- 'stock' has Product.count, but its @key ('sku') cannot be gathered from 'shop'\
""")
    assert result.errors[1].details["field"] == "Product.count"
    assert [(each.subgraph, each.line, each.column) for each in result.errors[1].locations] == [("stock", 2, 45)]


def test_diagnostics_are_collected_over_all_subgraphs() -> None:
    a = fed2("a", 'type Query { x: Int }\ntype A @key(fields: "nope") { id: ID! }\n')
    b = fed2("b", "interface I { x: Int @shareable }\ntype J implements I { x: Int @external }\ntype K { y: Nope }\n")
    c = fed2("c", 'type B @key(fields: "nope") { id: ID! }\ntype C { c: Int @provides(fields: "x") }\n')
    result = compose([a, b, c])
    found = [(error.code, error.locations[0].subgraph, error.locations[0].line) for error in result.errors]
    assert found == [
        ("INVALID_GRAPHQL", "b", 4),
        ("KEY_INVALID_FIELDS", "a", 3),
        ("KEY_INVALID_FIELDS", "c", 2),
        ("PROVIDES_ON_NON_OBJECT_FIELD", "c", 3),
    ]


def test_strawberry_sdl_loses_its_machinery() -> None:
    sdl = """\
schema @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key"]) {
  query: Query
}

type Product @key(fields: "id") {
  id: ID!
}

type Query {
  _entities(representations: [_Any!]!): [_Entity]!
  _service: _Service!
  product: Product
}

scalar _Any

union _Entity = Product

type _Service {
  sdl: String!
}
"""
    result = compose([SubgraphSchema("product", sdl)])
    assert result.errors == ()
    assert result.api_sdl == "type Product {\n  id: ID!\n}\n\ntype Query {\n  product: Product\n}\n"
    assert '@join__graph(name: "product", url: "")' in (result.supergraph_sdl or "")
