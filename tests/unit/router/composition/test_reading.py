# ruff: noqa: E501 - SDL reads better with a definition a line
"""A supergraph of ours comes back unchanged; older ones are told in today's words; what is none is refused."""

from pathlib import Path

import pytest
from graphql.language.print_string import print_string
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from router.composition import UnreadableSupergraphError, compose, rerender_supergraph
from tests.composition_cases.cases import CompositionCase, all_cases
from tests.composition_cases.generate import generate_subgraphs
from tests.unit.router.composition.builders import fed2
from tests.unit.router.composition.test_compose import without_machinery

CASES = all_cases()
STORE = Path(__file__).parents[4] / "schema" / "sdl" / "supergraph.graphql"
LINKS = (
    '@link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)'
)
GRAPHS = 'enum join__Graph { A @join__graph(name: "a", url: "http://a") B @join__graph(name: "b", url: "") }'


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_composed_case_comes_back_unchanged(case: CompositionCase) -> None:
    sdl = compose(case.subgraphs).supergraph_sdl
    if sdl is not None:
        assert rerender_supergraph(sdl) == sdl


def test_most_cases_compose() -> None:
    assert sum(compose(case.subgraphs).supergraph_sdl is not None for case in CASES) >= 140


def test_supergraph_of_the_store_comes_back_unchanged() -> None:
    sdl = STORE.read_text(encoding="utf-8")
    assert rerender_supergraph(sdl) == sdl


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1_000_000))
def test_made_up_supergraph_comes_back_unchanged(seed: int) -> None:
    sdl = compose(generate_subgraphs(seed)).supergraph_sdl
    if sdl is not None:
        assert rerender_supergraph(sdl) == sdl


@settings(max_examples=200, deadline=None, derandomize=True)
@given(text=st.text(st.sampled_from('a "\\\n\t\r#é\x07'), min_size=1, max_size=12))
def test_any_description_and_text_comes_back_unchanged(text: str) -> None:
    quoted = print_string(text)
    schema = fed2(
        "a",
        f"type Query {{ {quoted} f({quoted} x: String = {quoted}): E @tag(name: {quoted}) }} {quoted} enum E {{ {quoted} A }}",
    )
    sdl = compose([schema]).supergraph_sdl
    assert sdl is not None
    assert rerender_supergraph(sdl) == sdl


def test_names_are_those_that_the_links_give() -> None:
    rendered = rerender_supergraph(
        """
        schema
          @link(url: "https://specs.apollo.dev/link/v1.0", import: ["Purpose"])
          @link(url: "https://specs.apollo.dev/join/v0.3", as: "j", for: EXECUTION)
          @link(url: "https://specs.apollo.dev/tag/v0.2", as: "label")
          @link(url: "https://specs.apollo.dev/inaccessible/v0.2", import: [{name: "@inaccessible", as: "@hidden"}])
          @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", import: ["@requiresScopes", "Scope"], for: SECURITY)
          @link(url: "https://specs.apollo.dev/cost/v0.1")
          @link(url: "https://example.com/mine/v2.1", as: "m", import: [{name: "@color", as: "@paint"}])
        { query: Query }
        directive @label(name: String!) repeatable on OBJECT
        directive @hidden on FIELD_DEFINITION
        directive @requiresScopes(scopes: [[Scope!]!]!) on OBJECT
        directive @cost__listSize(assumedSize: Int) on FIELD_DEFINITION
        directive @j__type(graph: j__Graph!) repeatable on OBJECT
        directive @paint(hue: Int! = 3) on FIELD_DEFINITION
        scalar Scope
        scalar j__FieldSet
        enum Purpose { SECURITY EXECUTION }
        enum j__Graph { A @j__graph(name: "a", url: "http://a") }
        type Query @j__type(graph: A) @label(name: "x") {
          one: Int @hidden @j__field(graph: A)
          two: [Int] @cost__listSize(assumedSize: 2) @paint
        }
        """
    )
    assert without_machinery(rendered).replace("\n\n\n", "\n") == snapshot("""\
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/tag/v0.3", import: [{name: "@tag", as: "@label"}])
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY, import: [{name: "@inaccessible", as: "@hidden"}])
  @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/cost/v0.1", import: [{name: "@listSize", as: "@cost__listSize"}])
  @link(url: "https://example.com/mine/v2.1", as: "m", import: [{name: "@color", as: "@paint"}])
{
  query: Query
}

directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR

directive @cost__listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION

directive @hidden on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION

directive @label(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA

directive @paint(hue: Int! = 3) on FIELD_DEFINITION

directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM

type Query
  @join__type(graph: A)
  @label(name: "x")
{
  one: Int @join__field(graph: A) @hidden
  two: [Int] @cost__listSize(assumedSize: 2) @paint
}

enum join__Graph {
  A @join__graph(name: "a", url: "http://a")
}

scalar requiresScopes__Scope
""")
    assert rerender_supergraph(rendered) == rendered


def test_before_v03_every_subgraph_of_a_type_has_all_its_members_and_values() -> None:
    body = """
    type Query @join__type(graph: A) @join__type(graph: B) { u: U e: E }
    type T @join__type(graph: A) @join__type(graph: B) { x: Int }
    union U @join__type(graph: A) @join__type(graph: B) = T
    enum E @join__type(graph: A) { X }
    """
    sdl = f"schema {LINKS} {{ query: Query }}\n{GRAPHS}\n{body}".replace("join/v0.3", "join/v0.2")
    assert without_machinery(rerender_supergraph(sdl)) == snapshot("""\
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
{
  query: Query
}

enum E
  @join__type(graph: A)
{
  X @join__enumValue(graph: A)
}

type Query
  @join__type(graph: A)
  @join__type(graph: B)
{
  u: U
  e: E
}

type T
  @join__type(graph: A)
  @join__type(graph: B)
{
  x: Int
}

union U
  @join__type(graph: A)
  @join__type(graph: B)
  @join__unionMember(graph: A, member: "T")
  @join__unionMember(graph: B, member: "T")
 = T

enum join__Graph {
  A @join__graph(name: "a", url: "http://a")
  B @join__graph(name: "b", url: "")
}

""")


def test_federation_1_says_where_value_types_are_by_reach() -> None:
    sdl = (Path(__file__).parent / "supergraphs" / "v0.1" / "apollo-federation-0.33-store.graphql").read_text("utf-8")
    assert without_machinery(rerender_supergraph(sdl)) == snapshot('''\
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
{
  query: Query
  mutation: Mutation
}

interface Account
  @join__type(graph: ACCOUNTS)
  @join__type(graph: REVIEWS)
{
  id: ID!
  name: String
}

union Actor
  @join__type(graph: ACCOUNTS)
  @join__unionMember(graph: ACCOUNTS, member: "Robot")
  @join__unionMember(graph: ACCOUNTS, member: "User")
 = Robot | User

type Address
  @join__type(graph: ACCOUNTS)
{
  city: String!
  country: Country!
}

type Brand
  @join__type(graph: PRODUCTS)
{
  country: Country
  id: ID!
}

type Country
  @join__type(graph: ACCOUNTS)
  @join__type(graph: PRODUCTS)
{
  code: String!
}

scalar Day
  @join__type(graph: ACCOUNTS)
  @join__type(graph: PRODUCTS)
  @join__type(graph: REVIEWS)

union Found
  @join__type(graph: REVIEWS)
  @join__unionMember(graph: REVIEWS, member: "Note")
  @join__unionMember(graph: REVIEWS, member: "Review")
 = Note | Review

type Money
  @join__type(graph: PRODUCTS)
  @join__type(graph: REVIEWS)
{
  amount: Int!
  currency: String!
}

type Mutation
  @join__type(graph: ACCOUNTS)
  @join__type(graph: PRODUCTS)
  @join__type(graph: REVIEWS)
{
  register(name: String!): Account @join__field(graph: ACCOUNTS)
}

type Note
  @join__type(graph: REVIEWS)
{
  text: String!
}

type Product
  @join__type(graph: PRODUCTS, key: "upc")
  @join__type(graph: PRODUCTS, key: "sku brand{id}")
  @join__type(graph: REVIEWS, key: "upc")
{
  brand: Brand @join__field(graph: PRODUCTS)
  price: Money @join__field(graph: PRODUCTS) @join__field(graph: REVIEWS, external: true)
  reviews: [Review!]! @join__field(graph: REVIEWS)
  shipping: Int @join__field(graph: REVIEWS, requires: "weight price{amount}")
  since: Day @join__field(graph: PRODUCTS)
  sku: String @join__field(graph: PRODUCTS)
  upc: ID! @join__field(graph: PRODUCTS) @join__field(graph: REVIEWS)
  weight: Int @join__field(graph: PRODUCTS) @join__field(graph: REVIEWS, external: true)
}

type Query
  @join__type(graph: ACCOUNTS)
  @join__type(graph: PRODUCTS)
  @join__type(graph: REVIEWS)
{
  me: User @join__field(graph: ACCOUNTS)
  product(id: ID!): Product @join__field(graph: PRODUCTS)
  reviews: [Review!]! @join__field(graph: REVIEWS)
  search(text: String): [Found!] @join__field(graph: REVIEWS)
  topProducts(first: Int = 5): [Product] @join__field(graph: PRODUCTS)
  users(filter: UserFilter = { role: ADMIN }): [User!]! @join__field(graph: ACCOUNTS)
}

type Review
  @join__type(graph: REVIEWS, key: "id")
{
  author: User @join__field(graph: REVIEWS, provides: "name")
  id: ID! @join__field(graph: REVIEWS)
  on: Day @join__field(graph: REVIEWS)
  paid: Money @join__field(graph: REVIEWS)
  product: Product @join__field(graph: REVIEWS)
  stars: Int @join__field(graph: REVIEWS)
}

type Robot implements Account
  @join__implements(graph: ACCOUNTS, interface: "Account")
  @join__type(graph: ACCOUNTS, key: "id")
{
  id: ID! @join__field(graph: ACCOUNTS)
  master: Actor @join__field(graph: ACCOUNTS)
  name: String @join__field(graph: ACCOUNTS)
}

enum Role
  @join__type(graph: ACCOUNTS)
{
  ADMIN @join__enumValue(graph: ACCOUNTS)
  READER @join__enumValue(graph: ACCOUNTS)
}

type User implements Account
  @join__implements(graph: ACCOUNTS, interface: "Account")
  @join__implements(graph: REVIEWS, interface: "Account")
  @join__type(graph: ACCOUNTS, key: "id")
  @join__type(graph: ACCOUNTS, key: "address{city}")
  @join__type(graph: REVIEWS, key: "id")
{
  address: Address @join__field(graph: ACCOUNTS)

  created: Day @join__field(graph: ACCOUNTS)

  id: ID! @join__field(graph: ACCOUNTS) @join__field(graph: REVIEWS)

  name: String @join__field(graph: ACCOUNTS) @join__field(graph: REVIEWS, external: true)

  """Long gone."""
  nick: String @join__field(graph: ACCOUNTS) @deprecated(reason: "use name")

  reviews: [Review] @join__field(graph: REVIEWS)

  role: Role @join__field(graph: ACCOUNTS)
}

input UserFilter
  @join__type(graph: ACCOUNTS)
{
  role: Role
}

enum join__Graph {
  ACCOUNTS @join__graph(name: "accounts", url: "http://accounts")
  PRODUCTS @join__graph(name: "products", url: "http://products")
  REVIEWS @join__graph(name: "reviews", url: "http://reviews")
}

''')


def test_schema_may_be_left_to_the_names_of_the_root_types() -> None:
    body = "type Query @join__type(graph: A) { x: Int } type Mutation @join__type(graph: B) { y: Int }"
    rendered = rerender_supergraph(f"extend schema {LINKS}\n{GRAPHS}\n{body}")
    assert "{\n  query: Query\n  mutation: Mutation\n}" in rendered


def test_root_types_keep_other_names() -> None:
    body = "type Root @join__type(graph: A) { x: Int } type Query @join__type(graph: A) { y: Root }"
    assert "{\n  query: Root\n}" in rerender_supergraph(f"schema {LINKS} {{ query: Root }}\n{GRAPHS}\n{body}")


@pytest.mark.parametrize(
    ("sdl", "code", "place"),
    [
        ("type Query {", "INVALID_GRAPHQL", (1, 13)),
        ("type Query { x: Int }", "NOT_A_SUPERGRAPH", (1, 1)),
        ('schema @link(url: "https://specs.apollo.dev/link/v1.0") { query: Query }', "NOT_A_SUPERGRAPH", (1, 1)),
        ('schema\n  @link(url: "https://specs.apollo.dev/join/v9.0") { query: Q }', "UNKNOWN_JOIN_VERSION", (2, 3)),
        (
            f"schema {LINKS} {{ query: Query }}\n{GRAPHS}\ntype Query @join__type(graph: C) {{ x: Int }}",
            "UNKNOWN_GRAPH",
            (3, 12),
        ),
        (f"schema {LINKS} {{ query: Query }}\n{GRAPHS}\ntype Query @join__type {{ x: Int }}", "UNKNOWN_GRAPH", (3, 12)),
    ],
)
def test_what_is_no_supergraph_is_refused_with_its_place(sdl: str, code: str, place: tuple[int, int]) -> None:
    with pytest.raises(UnreadableSupergraphError) as refused:
        rerender_supergraph(sdl)
    assert (refused.value.code, (refused.value.line, refused.value.column)) == (code, place)


def test_federation_1_may_give_the_join_specification_another_name() -> None:
    sdl = (Path(__file__).parent / "supergraphs" / "v0.1" / "apollo-federation-0.33-store.graphql").read_text("utf-8")
    renamed = sdl.replace("join__", "j__").replace('join/v0.1"', 'join/v0.1", as: "j"')
    assert renamed.count("j__") == sdl.count("join__") > 40
    assert rerender_supergraph(renamed) == rerender_supergraph(sdl)
