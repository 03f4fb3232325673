# ruff: noqa: E501 - SDL reads better with a type a line
"""What is read from supergraph SDL of each join version, and what is refused."""

import pytest
from graphql import GraphQLObjectType, print_schema
from inline_snapshot import snapshot

from router.supergraph import Supergraph, SupergraphError, read_supergraph
from router.supergraph.field_sets import parse_field_set, print_field_set
from router.supergraph.model import (
    ContextArgument,
    FieldInSubgraph,
    FieldSetField,
    FieldSetFragment,
    InputValue,
    Key,
    Subgraph,
    TypeInSubgraph,
    TypeKind,
)

LINKS = '@link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/{version}", for: EXECUTION)'


def sdl(body: str, version: str = "v0.5", links: str = "") -> str:
    return f"""
schema {LINKS.format(version=version)} {links} {{ query: Query }}
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
scalar join__FieldSet
enum link__Purpose {{ SECURITY EXECUTION }}
enum join__Graph {{ A @join__graph(name: "a", url: "http://a") B_B @join__graph(name: "b-b", url: "") }}
{body}
"""


def read(body: str, version: str = "v0.5", links: str = "") -> Supergraph:
    return read_supergraph(sdl(body, version, links))


def refuse(text: str) -> SupergraphError:
    with pytest.raises(SupergraphError) as refused:
        read_supergraph(text)
    return refused.value


QUERY = "type Query @join__type(graph: A) { one: Int }"


def test_subgraphs_have_their_own_names_and_urls() -> None:
    assert read(QUERY).subgraphs == (Subgraph("a", "A", "http://a"), Subgraph("b-b", "B_B", ""))
    assert read(QUERY).subgraph("b-b").graph == "B_B"


def test_unknown_subgraph_is_refused() -> None:
    with pytest.raises(SupergraphError, match="there is no subgraph c") as refused:
        read(QUERY).subgraph("c")
    assert refused.value.code == "SUPERGRAPH_UNKNOWN_SUBGRAPH"


def test_type_without_join_fields_has_all_fields_in_all_its_subgraphs() -> None:
    supergraph = read(QUERY + " type T @join__type(graph: A) @join__type(graph: B_B) { x: Int! }")
    assert dict(supergraph.types["T"].fields["x"].subgraphs) == {
        "a": FieldInSubgraph("a", "Int!"),
        "b-b": FieldInSubgraph("b-b", "Int!"),
    }


def test_keys_are_parsed_and_resolvable_unless_it_says_otherwise() -> None:
    supergraph = read(
        QUERY
        + """
        type T @join__type(graph: A, key: "id") @join__type(graph: A, key: "x { y } z", extension: true)
               @join__type(graph: B_B, key: "id", resolvable: false) { id: ID x: U z: Int } type U @join__type(graph: A) { y: Int }
        """
    )
    nested = (FieldSetField("x", (), (FieldSetField("y"),)), FieldSetField("z"))
    assert dict(supergraph.types["T"].subgraphs) == {
        "a": TypeInSubgraph("a", keys=(Key((FieldSetField("id"),)), Key(nested)), is_extension=True),
        "b-b": TypeInSubgraph("b-b", keys=(Key((FieldSetField("id"),), resolvable=False),)),
    }


def test_fields_say_what_each_subgraph_knows() -> None:
    supergraph = read(
        QUERY
        + """
        type T @join__type(graph: A, key: "id") @join__type(graph: B_B, key: "id") {
          id: ID!
          one: T @join__field(graph: A, requires: "two(x: 1)", provides: "two") @join__field(graph: B_B, type: "T!", external: true)
          two(x: Int = 3): Int @join__field(graph: B_B, override: "a", overrideLabel: "percent(5)")
            @join__field(graph: A, usedOverridden: true, overrideLabel: "percent(5)")
          four: Int @join__field
        }
        """
    )
    fields = supergraph.types["T"].fields
    assert dict(fields["one"].subgraphs) == {
        "a": FieldInSubgraph(
            "a",
            "T",
            requires=(FieldSetField("two", (("x", "1"),)),),
            provides=(FieldSetField("two"),),
        ),
        "b-b": FieldInSubgraph("b-b", "T!", is_external=True),
    }
    assert dict(fields["two"].subgraphs) == {
        "b-b": FieldInSubgraph("b-b", "Int", override="a", override_label="percent(5)"),
        "a": FieldInSubgraph("a", "Int", override_label="percent(5)", is_used_overridden=True),
    }
    assert fields["two"].arguments == (InputValue("x", "Int", "3"),)
    assert dict(fields["four"].subgraphs) == {}


def test_interfaces_members_and_values_are_read_per_subgraph() -> None:
    supergraph = read(
        QUERY
        + """
        interface I @join__type(graph: A) @join__type(graph: B_B, isInterfaceObject: true) { x: Int }
        type T implements I @join__type(graph: A) @join__implements(graph: A, interface: "I") @join__type(graph: B_B) { x: Int }
        union U @join__type(graph: A) @join__type(graph: B_B) @join__unionMember(graph: A, member: "T") = T
        enum E @join__type(graph: A) @join__type(graph: B_B) { V @join__enumValue(graph: A) W @join__enumValue(graph: B_B) }
        """
    )
    assert supergraph.types["I"].subgraphs["b-b"].is_interface_object
    assert supergraph.types["T"].subgraphs["a"].interfaces == ("I",)
    assert supergraph.types["T"].subgraphs["b-b"].interfaces == ()
    assert supergraph.types["U"].subgraphs["a"].members == ("T",)
    assert supergraph.types["U"].subgraphs["b-b"].members == ()
    assert supergraph.types["E"].subgraphs["b-b"].values == ("W",)
    assert supergraph.types["E"].kind is TypeKind.ENUM


def test_before_v03_members_and_values_are_the_same_everywhere() -> None:
    supergraph = read(
        QUERY
        + """
        type T @join__type(graph: A) { x: Int }
        union U @join__type(graph: A) = T
        enum E @join__type(graph: A) { V W }
        """,
        version="v0.2",
    )
    assert supergraph.types["U"].subgraphs["a"].members == ("T",)
    assert supergraph.types["E"].subgraphs["a"].values == ("V", "W")


def test_machinery_is_not_among_the_types() -> None:
    assert sorted(read(QUERY).types) == ["Query"]


def test_api_schema_has_neither_machinery_nor_hidden_parts() -> None:
    supergraph = read(
        """
        directive @inaccessible on OBJECT | FIELD_DEFINITION
        directive @tag(name: String!) repeatable on OBJECT
        directive @custom(x: Int) on FIELD
        directive @onlyInSchemas on OBJECT
        "The root."
        type Query @join__type(graph: A) {
          one(a: Int @inaccessible, b: Int = 2): Int @deprecated(reason: "old")
          hidden: Int @inaccessible
          ghost: Ghost
          pet: Pet
          color: Color
        }
        type Ghost @join__type(graph: A) @inaccessible { boo: Int }
        type Cat implements Pet @join__type(graph: A) @tag(name: "x") { name: String }
        interface Pet @join__type(graph: A) { name: String }
        union Any @join__type(graph: A) = Cat | Ghost
        type Shell @join__type(graph: A) { all: Int @inaccessible }
        enum Color @join__type(graph: A) { RED BLUE @inaccessible }
        input In @join__type(graph: A) { x: Int y: Int @inaccessible }
        scalar Day @join__type(graph: A) @specifiedBy(url: "http://day")
        """,
        links='@link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY) @link(url: "https://specs.apollo.dev/tag/v0.3")',
    )
    assert print_schema(supergraph.api_schema) == snapshot('''\
directive @custom(x: Int) on FIELD

"""The root."""
type Query {
  one(b: Int = 2): Int @deprecated(reason: "old")
  pet: Pet
  color: Color
}

type Cat implements Pet {
  name: String
}

interface Pet {
  name: String
}

union Any = Cat

enum Color {
  RED
}

input In {
  x: Int
}

scalar Day @specifiedBy(url: "http://day")\
''')
    assert supergraph.types["Ghost"].is_inaccessible
    assert supergraph.types["Query"].fields["hidden"].is_inaccessible


def test_renamed_machinery_is_recognised() -> None:
    text = """
    schema @link(url: "https://specs.apollo.dev/join/v0.3", as: "j", for: EXECUTION)
           @link(url: "https://specs.apollo.dev/inaccessible/v0.2", as: "hide", for: SECURITY)
           @link(url: "https://specs.apollo.dev/tag/v0.3", import: [{name: "@tag", as: "@label"}]) { query: Root }
    directive @j__graph(name: String!, url: String!) on ENUM_VALUE
    directive @label(name: String!) on FIELD_DEFINITION
    directive @hide on FIELD_DEFINITION
    enum j__Graph { A @j__graph(name: "a", url: "") }
    type Root @j__type(graph: A) { one: Int @label(name: "x") two: Int @hide }
    """
    supergraph = read_supergraph(text)
    assert supergraph.query_type == "Root"
    assert print_schema(supergraph.api_schema) == snapshot("""\
schema {
  query: Root
}

type Root {
  one: Int
}\
""")


def test_subgraph_schema_has_external_fields_and_entities() -> None:
    supergraph = read(
        """
        type Query @join__type(graph: A) @join__type(graph: B_B) { t(first: Int = 1): T @join__field(graph: A) }
        interface I @join__type(graph: A, key: "id") @join__type(graph: B_B, key: "id", isInterfaceObject: true) { id: ID! y: Int @join__field(graph: B_B) }
        type T implements I @join__type(graph: A, key: "id") @join__implements(graph: A, interface: "I") { id: ID! x: [U] @join__field(graph: A, external: true) y: Int @join__field }
        union U @join__type(graph: A) @join__unionMember(graph: A, member: "T") = T
        enum E @join__type(graph: B_B) { V @join__enumValue(graph: B_B) }
        input In @join__type(graph: B_B) { e: E = V @join__field(graph: B_B, type: "E!") }
        scalar Day @join__type(graph: B_B)
        """
    )
    assert supergraph.subgraph_sdl("a") == snapshot("""\
schema { query: Query }

interface I {
  id: ID!
}

type Query {
  t(first: Int = 1): T
  _entities(representations: [_Any!]!): [_Entity]!
}

type T implements I {
  id: ID!
  x: [U]
}

union U = T

scalar _Any

union _Entity = T
""")
    assert supergraph.subgraph_sdl("b-b") == snapshot("""\
schema { query: Query }

scalar Day

enum E {
  V
}

type I {
  id: ID!
  y: Int
}

input In {
  e: E! = V
}

type Query {
  _entities(representations: [_Any!]!): [_Entity]!
}

scalar _Any

union _Entity = I
""")
    assert supergraph.subgraph_schema("b-b").type_map["I"].name == "I"


def test_field_sets_are_parsed_and_printed() -> None:
    text = 'a b(x: [1, "y"], e: V) { c ... on T { d } } ... on U { f { g } }'
    parsed = parse_field_set(text)
    assert print_field_set(parsed) == text
    assert parse_field_set("{ " + text + " }") == parsed
    assert parsed[2] == FieldSetFragment("U", (FieldSetField("f", (), (FieldSetField("g"),)),))


FED1 = """
schema @core(feature: "https://specs.apollo.dev/core/v0.1") @core(feature: "https://specs.apollo.dev/join/v0.1") { query: Query }
directive @core(feature: String!) repeatable on SCHEMA
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet) on FIELD_DEFINITION
directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on OBJECT | INTERFACE
directive @join__owner(graph: join__Graph!) on OBJECT | INTERFACE
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
scalar join__FieldSet
enum join__Graph {
  ACCOUNTS @join__graph(name: "accounts" url: "http://accounts")
  REVIEWS @join__graph(name: "reviews" url: "http://reviews")
}
type Query { me: User @join__field(graph: ACCOUNTS) latest: Review @join__field(graph: REVIEWS) things: [Thing] @join__field(graph: REVIEWS) }
type User @join__owner(graph: ACCOUNTS) @join__type(graph: ACCOUNTS, key: "id") @join__type(graph: REVIEWS, key: "id") {
  id: ID! @join__field(graph: ACCOUNTS)
  name: Name @join__field(graph: ACCOUNTS)
  username: String @join__field(graph: ACCOUNTS)
  mood: Mood
  reviews: [Review] @join__field(graph: REVIEWS, requires: "name { first }")
}
type Name { first: String last: String }
type Review { body: String author: User @join__field(graph: REVIEWS, provides: "username") at: Place }
interface Thing { label: String }
type Stone implements Thing { label: String weight: Int }
type Place { city: String }
enum Mood { GOOD BAD }
"""


def test_federation_1_entities_belong_to_their_owner_but_for_keys_and_extensions() -> None:
    user = read_supergraph(FED1).types["User"]
    assert {name: sorted(field.subgraphs) for name, field in user.fields.items()} == {
        "id": ["accounts", "reviews"],
        "name": ["accounts", "reviews"],
        "username": ["accounts", "reviews"],
        "mood": ["accounts"],
        "reviews": ["reviews"],
    }
    assert not user.fields["id"].subgraphs["reviews"].is_external
    assert user.fields["name"].subgraphs["reviews"].is_external
    assert user.fields["username"].subgraphs["reviews"].is_external


def test_federation_1_value_types_belong_to_whoever_reaches_them() -> None:
    types = read_supergraph(FED1).types
    assert {name: sorted(type_.subgraphs) for name, type_ in types.items()} == {
        "Query": ["accounts", "reviews"],
        "User": ["accounts", "reviews"],
        "Name": ["accounts", "reviews"],
        "Review": ["reviews"],
        "Thing": ["reviews"],
        "Stone": ["reviews"],
        "Place": ["reviews"],
        "Mood": ["accounts"],
    }
    assert types["Stone"].subgraphs["reviews"].interfaces == ("Thing",)


def test_federation_1_subgraph_schemas_are_valid() -> None:
    supergraph = read_supergraph(FED1)
    assert supergraph.subgraph_sdl("reviews") == snapshot("""\
schema { query: Query }

type Name {
  first: String
  last: String
}

type Place {
  city: String
}

type Query {
  latest: Review
  things: [Thing]
  _entities(representations: [_Any!]!): [_Entity]!
}

type Review {
  body: String
  author: User
  at: Place
}

type Stone implements Thing {
  label: String
  weight: Int
}

interface Thing {
  label: String
}

type User {
  id: ID!
  name: Name
  username: String
  reviews: [Review]
}

scalar _Any

union _Entity = User
""")
    supergraph.subgraph_schema("reviews")
    supergraph.subgraph_schema("accounts")
    assert print_schema(supergraph.api_schema).count("join__") == 0


def test_syntax_error_has_a_place() -> None:
    error = refuse("type Query {\n  one: \n}")
    assert (error.code, error.line, error.column) == ("SUPERGRAPH_SYNTAX", 3, 1)
    assert str(error) == "SUPERGRAPH_SYNTAX: Syntax Error: Expected Name, found '}'. (line 3, column 1)"


def test_plain_schema_is_no_supergraph() -> None:
    assert refuse("type Query { one: Int }").code == "SUPERGRAPH_NO_JOIN_SPEC"
    assert refuse("").code == "SUPERGRAPH_SYNTAX"


def test_unknown_join_version_is_refused() -> None:
    error = refuse(sdl(QUERY, version="v1.7"))
    assert error.code == "SUPERGRAPH_UNSUPPORTED_VERSION"
    assert "join v1.7 is not supported" in error.message


def test_unknown_feature_is_refused_only_if_it_matters() -> None:
    ignored = '@link(url: "https://example.com/colour/v1.0")'
    assert read(QUERY, links=ignored).query_type == "Query"
    error = refuse(sdl(QUERY, links='@link(url: "https://example.com/colour/v1.0", for: EXECUTION)'))
    assert error.code == "SUPERGRAPH_UNSUPPORTED_FEATURE"
    assert (error.line, error.message) == (
        2,
        "the supergraph needs https://example.com/colour/v1.0 for EXECUTION, which this router does not support",
    )


def test_link_without_url_is_refused() -> None:
    assert refuse(sdl(QUERY, links="@link(as: 3)")).code == "SUPERGRAPH_INVALID_DIRECTIVE"
    assert refuse(sdl(QUERY, links='@link(url: "")')).code == "SUPERGRAPH_INVALID_DIRECTIVE"
    assert read(QUERY, links='@link(url: "v1.0")').query_type == "Query"


def test_supergraph_without_subgraphs_is_refused() -> None:
    text = f"schema {LINKS.format(version='v0.3')} {{ query: Query }} type Query {{ one: Int }}"
    assert refuse(text).code == "SUPERGRAPH_NO_SUBGRAPHS"


def test_graph_without_a_name_is_refused() -> None:
    assert refuse(sdl(QUERY).replace('@join__graph(name: "a", url: "http://a")', "")).code == (
        "SUPERGRAPH_INVALID_DIRECTIVE"
    )
    assert refuse(sdl(QUERY).replace('name: "a", ', "")).code == "SUPERGRAPH_INVALID_DIRECTIVE"


def test_two_subgraphs_of_one_name_are_refused() -> None:
    error = refuse(sdl(QUERY).replace('"b-b"', '"a"'))
    assert (error.code, error.line) == ("SUPERGRAPH_DUPLICATE_SUBGRAPH", 6)


def test_unknown_graph_is_refused() -> None:
    error = refuse(sdl(QUERY + " type T @join__type(graph: C) { x: Int }"))
    assert (error.code, error.line) == ("SUPERGRAPH_UNKNOWN_SUBGRAPH", 7)
    assert error.message == "@join__type names C, which join__Graph does not have"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("id {", 'key: "id {": Syntax Error: Expected Name, found <EOF>.'),
        ("}{", 'key: "}{": the field set is not one selection set'),
        ("...F", 'key: "...F": a field set has no named fragments'),
        ("  ", 'key: "  ": the field set is empty'),
        ("id } { x", 'key: "id } { x": the field set is not one selection set'),
        ("nothing", "T has no field nothing, which a field set of a names"),
        ("id { x }", "T.id has no fields, but a field set of a selects some"),
        ("t", "T.t needs fields, but a field set of a selects none"),
        ("... on Nobody { x }", "there is no type Nobody, which a field set of a names"),
    ],
)
def test_broken_field_set_is_refused(key: str, message: str) -> None:
    error = refuse(sdl(QUERY + f' type T @join__type(graph: A, key: "{key}") {{ id: ID t: T }}'))
    assert error.code == "SUPERGRAPH_INVALID_FIELD_SET"
    assert error.message == message


CONTEXT_LINK = '@link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY)'


def with_context(argument: str, setter: str = '@context(name: "a__user")', links: str = CONTEXT_LINK) -> str:
    return sdl(
        f"""
        type Query @join__type(graph: A) {{ user: User }}
        type User @join__type(graph: A, key: "id") {setter} {{ id: ID! locale: String! settings: Settings orders: [Order] }}
        type Settings @join__type(graph: A) {{ theme: String dark: Boolean }}
        type Order @join__type(graph: A, key: "id") {{
          id: ID!
          total: Int @join__field(graph: A, contextArguments: [{argument}])
        }}
        """,
        links=links,
    )


def test_contexts_are_read_and_their_arguments_hidden_from_clients() -> None:
    argument = '{context: "a__user", name: "theme", type: "String", selection: " { settings { theme } }"}'
    supergraph = read_supergraph(with_context(argument))
    assert supergraph.types["User"].contexts == ("a__user",)
    assert supergraph.types["Order"].contexts == ()
    total = supergraph.types["Order"].fields["total"]
    selections = (FieldSetField("settings", (), (FieldSetField("theme"),)),)
    assert total.subgraphs["a"].context_arguments == (ContextArgument("theme", "String", "a__user", selections),)
    order = supergraph.api_schema.type_map["Order"]
    assert isinstance(order, GraphQLObjectType)
    assert order.fields["total"].args == {}
    assert "context" not in supergraph.api_schema.directives
    assert "total(theme: String): Int" in supergraph.subgraph_sdl("a")


def test_context_directive_may_go_by_another_name() -> None:
    argument = '{context: "a__user", name: "l", type: "String", selection: "{ locale }"}'
    links = '@link(url: "https://specs.apollo.dev/context/v0.1", as: "setting", for: SECURITY)'
    supergraph = read_supergraph(with_context(argument, '@setting(name: "a__user")', links))
    assert supergraph.types["User"].contexts == ("a__user",)


@pytest.mark.parametrize(
    ("argument", "code", "message"),
    [
        (
            '{context: "a__nobody", name: "l", type: "String", selection: "{ locale }"}',
            "SUPERGRAPH_UNKNOWN_CONTEXT",
            "argument 'l' of Order.total in a comes from 'a__nobody', which no type sets",
        ),
        (
            '{context: "a__user", name: "l", type: "String", selection: "{ nothing }"}',
            "SUPERGRAPH_INVALID_CONTEXT",
            "argument 'l' of Order.total in a cannot come from 'a__user': User has no field nothing, which a field set of"
            " a names",
        ),
        (
            '{context: "a__user", name: "l", type: "String", selection: "{ locale id }"}',
            "SUPERGRAPH_INVALID_CONTEXT",
            "argument 'l' of Order.total in a cannot come from 'a__user': it selects several values of User",
        ),
        (
            '{context: "a__user", name: "l", type: "String", selection: "{ settings { theme dark } }"}',
            "SUPERGRAPH_INVALID_CONTEXT",
            "argument 'l' of Order.total in a cannot come from 'a__user': it selects several values of User",
        ),
        (
            '{context: "a__user", name: "l", type: "String", selection: "... on Nobody { x }"}',
            "SUPERGRAPH_INVALID_CONTEXT",
            "argument 'l' of Order.total in a cannot come from 'a__user': there is no type Nobody",
        ),
        (
            '{context: "a__user", name: "l", type: "String!", selection: "{ locale }"}',
            "SUPERGRAPH_INVALID_CONTEXT",
            "argument 'l' of Order.total in a cannot come from 'a__user': it is String!, but must allow null",
        ),
        (
            '{context: "a__user", name: "l", type: "User", selection: "{ locale }"}',
            "SUPERGRAPH_INVALID_CONTEXT",
            "argument 'l' of Order.total in a cannot come from 'a__user': User is no input type",
        ),
        (
            '{context: "a__user", name: "l", type: "[", selection: "{ locale }"}',
            "SUPERGRAPH_INVALID_CONTEXT",
            "argument 'l' from context 'a__user': Syntax Error: Expected Name, found <EOF>.",
        ),
        (
            '{context: "a__user", name: "l", type: "String", selection: "{ locale"}',
            "SUPERGRAPH_INVALID_CONTEXT",
            "argument 'l' from context 'a__user': Syntax Error: Expected Name, found <EOF>.",
        ),
        (
            '{context: "a__user", name: "l) { x }", type: "String", selection: "{ locale }"}',
            "SUPERGRAPH_INVALID_CONTEXT",
            "argument 'l) { x }' of Order.total in a cannot come from 'a__user': it has no proper name",
        ),
        (
            '{context: "a__user", name: "l", selection: "{ locale }"}',
            "SUPERGRAPH_INVALID_DIRECTIVE",
            "an argument from a context has no type",
        ),
    ],
)
def test_argument_that_no_context_can_fill_is_refused(argument: str, code: str, message: str) -> None:
    error = refuse(with_context(argument))
    assert (error.code, error.message) == (code, message)
    assert error.line is not None


def test_context_without_a_name_is_refused() -> None:
    argument = '{context: "a__user", name: "l", type: "String", selection: "{ locale }"}'
    error = refuse(with_context(argument, "@context"))
    assert (error.code, error.message) == ("SUPERGRAPH_INVALID_DIRECTIVE", "a context has no name")


def test_type_defined_twice_is_refused() -> None:
    assert refuse(sdl(QUERY + QUERY)).code == "SUPERGRAPH_INVALID_SCHEMA"


def test_unknown_type_is_refused() -> None:
    error = refuse(sdl("type Query @join__type(graph: A) { one: Nobody }"))
    assert error.code == "SUPERGRAPH_INVALID_SCHEMA"
    assert "Nobody" in error.message


def test_unknown_interfaces_and_members_are_refused() -> None:
    assert refuse(sdl(QUERY + " type T implements I @join__type(graph: A) { x: Int }")).code == (
        "SUPERGRAPH_INVALID_SCHEMA"
    )
    assert refuse(sdl(QUERY + " union U @join__type(graph: A) = T")).code == "SUPERGRAPH_INVALID_SCHEMA"
    implements = '@join__implements(graph: A, interface: "I")'
    assert refuse(sdl(QUERY + f" type T @join__type(graph: A) {implements} {{ x: Int }}")).code == (
        "SUPERGRAPH_UNKNOWN_TYPE"
    )


def test_supergraph_without_a_query_is_refused() -> None:
    assert refuse(sdl("type T @join__type(graph: A) { x: Int }")).code == "SUPERGRAPH_NO_QUERY"


def test_query_that_is_wholly_hidden_is_refused() -> None:
    error = refuse(
        sdl(
            "type Query @join__type(graph: A) { one: Int @inaccessible }",
            links='@link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)',
        )
    )
    assert error.code == "SUPERGRAPH_INVALID_SCHEMA"
