"""Supergraphs to test with, one per difficulty: subgraph SDL by name, without the federation link."""

from typing import Final

FIXTURES: Final[dict[str, dict[str, str]]] = {
    "entities-of-three-subgraphs": {
        "accounts": """
            type Query { me: User  users(first: Int): [User!]! }
            type User @key(fields: "id") { id: ID!  name: String  username: String! }
        """,
        "products": """
            type Query { topProducts(first: Int = 2): [Product]  product(upc: ID!): Product }
            type Product @key(fields: "upc") { upc: ID!  name: String!  price: Int  label(style: String): String }
        """,
        "reviews": """
            type Query { latest: [Review!]! }
            type Review @key(fields: "id") { id: ID!  body: String  author: User!  product: Product  stars: Int! }
            type User @key(fields: "id") { id: ID!  reviews(first: Int): [Review!] }
            type Product @key(fields: "upc") { upc: ID!  reviews: [Review]  score: Float! }
        """,
    },
    "requires": {
        "products": """
            type Query { products: [Product!]!  product: Product }
            type Product @key(fields: "id") { id: ID!  price: Int  weight: Int!  size: Size }
            type Size { width: Int!  height: Int }
        """,
        "shipping": """
            type Product @key(fields: "id") {
              id: ID!  price: Int @external  weight: Int! @external  size: Size @external
              estimate: Int @requires(fields: "price weight")
              box: String @requires(fields: "size { width height }")
            }
            type Size @external { width: Int!  height: Int }
        """,
    },
    "requires-of-requires": {
        "a": """
            type Query { things: [Thing] }
            type Thing @key(fields: "id") { id: ID!  base: Int }
        """,
        "b": """
            type Thing @key(fields: "id") { id: ID!  base: Int @external  doubled: Int @requires(fields: "base") }
        """,
        "c": """
            type Thing @key(fields: "id") {
              id: ID!  doubled: Int @external  base: Int @external
              tripled: Int! @requires(fields: "doubled base")
            }
        """,
    },
    "compound-and-nested-keys": {
        "stores": """
            type Query { shelves: [Shelf!] }
            type Shelf @key(fields: "store { id } number") { store: Store!  number: Int!  note: String }
            type Store @key(fields: "id") { id: ID!  city: String }
        """,
        "stock": """
            type Query { scarce: [Shelf] }
            type Shelf @key(fields: "store { id } number") { store: Store!  number: Int!  pieces: Int!  next: Shelf }
            type Store @key(fields: "id", resolvable: false) { id: ID! }
        """,
    },
    "key-chain": {
        "by-id": """
            type Query { items: [Item!]! }
            type Item @key(fields: "id") { id: ID!  one: String }
        """,
        "by-both": """
            type Item @key(fields: "id") @key(fields: "sku") { id: ID!  sku: String!  two: String }
        """,
        "by-sku": """
            type Item @key(fields: "sku") @key(fields: "code") { sku: String!  code: Int!  three: String  next: Item }
        """,
        "by-code": """
            type Query { coded: [Item] }
            type Item @key(fields: "code") { code: Int!  four: [String!] }
        """,
    },
    "provides": {
        "reviews": """
            type Query { reviews: [Review!]!  named: [Review] @provides(fields: "author { name }") }
            type Review @key(fields: "id") {
              id: ID!  author: User @provides(fields: "name")  other: User
            }
            type User @key(fields: "id") { id: ID!  name: String @external }
        """,
        "users": """
            type User @key(fields: "id") { id: ID!  name: String @shareable  mail: String! }
        """,
    },
    "shareable": {
        "a": """
            type Query { position: Position @shareable  a: Owner }
            type Position @shareable { x: Int!  y: Int }
            type Owner @key(fields: "id") { id: ID!  position: Position @shareable  label: String @shareable }
        """,
        "b": """
            type Query { position: Position @shareable  b: [Owner!] }
            type Position @shareable { x: Int!  y: Int }
            type Owner @key(fields: "id") { id: ID!  position: Position @shareable  label: String @shareable  b: Int }
        """,
    },
    "interfaces": {
        "media": """
            type Query { all: [Media!]!  first: Media  book: Book }
            interface Media { id: ID!  title: String }
            interface Paper implements Media { id: ID!  title: String  pages: Int }
            type Book implements Media & Paper @key(fields: "id") { id: ID!  title: String  pages: Int  author: Person }
            type Film implements Media @key(fields: "id") { id: ID!  title: String  minutes: Int!  cast: [Person!] }
            type Person @key(fields: "id") { id: ID!  name: String }
        """,
        "ratings": """
            type Query { best: Rated }
            interface Rated { rating: Int }
            type Book implements Rated @key(fields: "id") { id: ID!  rating: Int }
            type Film implements Rated @key(fields: "id") { id: ID!  rating: Int  oscars: Int! }
            type Person @key(fields: "id") { id: ID!  likes: [Rated!] }
        """,
    },
    "union-members-differ": {
        "search": """
            type Query { search(text: String!): [Hit]  top: Hit! }
            union Hit = Book | Film | Shop
            type Book @key(fields: "id") { id: ID!  title: String }
            type Film @key(fields: "id") { id: ID!  minutes: Int }
            type Shop { street: String!  nearby: [Hit!] }
        """,
        "library": """
            type Query { shelf: [Hit!] }
            union Hit = Book | Magazine
            type Book @key(fields: "id") { id: ID!  pages: Int! }
            type Magazine @key(fields: "id") { id: ID!  issue: Int }
        """,
    },
    "interface-object": {
        "media": """
            type Query { all: [Media!]!  one: Media }
            interface Media @key(fields: "id") { id: ID!  title: String }
            type Book implements Media @key(fields: "id") { id: ID!  title: String  pages: Int }
            type Film implements Media @key(fields: "id") { id: ID!  title: String  minutes: Int! }
        """,
        "reviews": """
            type Query { reviewed: [Media]  worst: Media }
            type Media @key(fields: "id") @interfaceObject { id: ID!  reviews: [Review!]  stars: Int! }
            type Review { text: String!  of: Media }
        """,
    },
    "inaccessible": {
        "a": """
            type Query { things: [Thing!]  state: State  any: [Any] }
            type Thing @key(fields: "secret") { secret: ID! @inaccessible  name: String  states: [State!] }
            enum State { OPEN CLOSED @inaccessible }
            union Any = Thing | Hidden
            type Hidden @inaccessible { x: Int }
        """,
        "b": """
            type Thing @key(fields: "secret") { secret: ID!  count: Int!  twin: Thing }
        """,
    },
    "override": {
        "old": """
            type Query { users: [User!]! }
            type User @key(fields: "id") { id: ID!  name: String  mail: String }
        """,
        "new": """
            type User @key(fields: "id") { id: ID!  mail: String @override(from: "old")  phone: String }
        """,
    },
    "nested-lists-and-inputs": {
        "grid": """
            type Query { grid(filter: Filter, sizes: [Int!]): [[Cell]!]!  cell(by: By = ID): Cell  raw: Json }
            scalar Json
            enum By { ID NAME }
            input Filter { text: String!  inner: Filter  by: By = NAME }
            type Cell @key(fields: "id") { id: ID!  tags: [[String]!]  matrix: [[Cell!]] }
        """,
        "colours": """
            type Cell @key(fields: "id") { id: ID!  colour(of: [By!], deep: Filter): String  neighbours: [[Cell]] }
            enum By { ID NAME }
            input Filter { text: String!  inner: Filter  by: By = NAME }
        """,
    },
    "mutations": {
        "orders": """
            type Query { orders: [Order!]! }
            type Mutation { place(product: ID!): Order!  cancel: Order }
            type Order @key(fields: "id") { id: ID!  state: String  product: Product! }
            type Product @key(fields: "id", resolvable: false) { id: ID! }
        """,
        "products": """
            type Query { products: [Product] }
            type Mutation { rename(name: String!): Product  touch: Boolean! }
            type Product @key(fields: "id") { id: ID!  name: String!  price: Int }
        """,
    },
    "subscriptions": {
        "orders": """
            type Query { order: Order }
            type Subscription { changed(of: ID): Order!  closed: [Order] }
            type Order @key(fields: "id") { id: ID!  state: String  buyer: Buyer  lines: [Line!] }
            type Line { count: Int!  product: Product }
            type Product @key(fields: "id", resolvable: false) { id: ID! }
            type Buyer @key(fields: "id", resolvable: false) { id: ID! }
        """,
        "products": """
            type Subscription { repriced: Product }
            type Product @key(fields: "id") { id: ID!  name: String!  price: Int }
        """,
        "buyers": """
            type Buyer @key(fields: "id") { id: ID!  name: String  last: Order }
            type Order @key(fields: "id") { id: ID!  note: String! }
        """,
    },
    "contexts": {
        "users": """
            type Query @context(name: "user") {
              locale: String!  currency: String  users: [User!]!  first: Order
            }
            type User @key(fields: "id") @context(name: "user") {
              id: ID!  locale: String  currency: String @external  orders: [Order]  friend: User
            }
            type Order @key(fields: "id") {
              id: ID!
              total(locale: String @fromContext(field: "$user ... on User { locale } ... on Query { locale }")): String
              paid(
                digits: Int
                currency: String @fromContext(field: "$user ... on User { currency } ... on Query { currency }")
              ): String
              lines: [Line!]
            }
            type Line @key(fields: "id") {
              id: ID!
              note: String
              text(locale: String @fromContext(field: "$user ... on User { locale } ... on Query { locale }")): String
            }
        """,
        "bank": """
            type Query { bought: Order }
            type User @key(fields: "id") { id: ID!  currency: String  wishes: [Order!] }
            type Order @key(fields: "id") { id: ID!  weight: Int  parcels: [Line!] }
            type Line @key(fields: "id", resolvable: false) { id: ID! }
        """,
    },
}
