import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, build_schema, parse

from core.identity import ANONYMOUS, Identity
from router.authorisation import AuthorisationRules, Requirement, holds_role, read_authorisation
from router.supergraph.reading import read_supergraph
from tests.testkit.market import MARKET_SDL

SCHEMA = read_supergraph(MARKET_SDL).api_schema
RULES = read_authorisation(parse(MARKET_SDL))

CUSTOMER = Identity(subject="u1", roles=frozenset({"CUSTOMER"}), scopes=frozenset({"profile", "all"}))
STAFF = Identity(subject="u2", roles=frozenset({"STAFF"}))
ADMIN = Identity(subject="u3", roles=frozenset({"ADMIN"}), scopes=frozenset({"admin", "all"}))


def may_see(identity: Identity, type_name: str, field_name: str, rules: AuthorisationRules = RULES) -> bool:
    type_ = SCHEMA.get_type(type_name)
    assert isinstance(type_, GraphQLObjectType)
    guard = rules.guard_of(SCHEMA, type_, field_name)
    return all(requirement.is_met_by(identity, holds_role) for requirement in guard)


@pytest.mark.parametrize(
    ("type_name", "field_name", "anonymous", "customer", "staff", "admin"),
    [
        ("Query", "products", True, True, True, True),
        ("Query", "me", False, True, True, True),
        ("User", "email", False, True, False, False),
        ("User", "taxNumber", False, False, True, True),
        # any one alternative, in full
        ("Mutation", "archive", False, False, False, True),
        # declared on the type that the field returns, and so on the type's own fields
        ("Query", "audit", False, True, True, True),
        ("Audit", "entries", False, True, True, True),
        ("Audit", "__typename", True, True, True, True),
    ],
)
def test_each_caller_sees_what_the_schema_grants(
    type_name: str, field_name: str, anonymous: bool, customer: bool, staff: bool, admin: bool
) -> None:
    seen = [may_see(identity, type_name, field_name) for identity in (ANONYMOUS, CUSTOMER, STAFF, ADMIN)]
    assert seen == [anonymous, customer, staff, admin]


def test_a_supergraph_without_directives_has_no_rules() -> None:
    assert read_authorisation(parse("type Query { a: Int @deprecated }")).is_empty


@pytest.mark.parametrize(
    ("link", "directive"),
    [
        ('@link(url: "https://specs.apollo.dev/authenticated/v0.1", as: "loggedIn")', "loggedIn"),
        (
            '@link(url: "https://specs.apollo.dev/federation/v2.9",'
            ' import: [{name: "@authenticated", as: "@loggedIn"}])',
            "loggedIn",
        ),
        ('@link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@authenticated"])', "authenticated"),
        ('@link(url: "https://example.org/other/v1.0")', "authenticated"),
    ],
)
def test_a_directive_is_found_under_the_name_that_link_gives_it(link: str, directive: str) -> None:
    rules = read_authorisation(
        parse(f"schema {link} {{ query: Query }} type Query {{ a: Int @{directive} b: Int @{directive}2 }}")
    )
    assert rules.fields == {("Query", "a"): Requirement(login=True)}


def test_rules_are_found_where_schema_and_types_are_extended() -> None:
    link = '@link(url: "https://specs.apollo.dev/authenticated/v0.1", as: "loggedIn")'
    rules = read_authorisation(
        parse(
            f"schema {{ query: Query }} extend schema {link} type Query {{ a: Int }} extend type Query {{ b: Int"
            " @loggedIn } extend scalar Secret @loggedIn"
        )
    )
    assert rules.fields == {("Query", "b"): Requirement(login=True)}
    assert rules.types == {"Secret": Requirement(login=True)}


def test_several_directives_on_one_field_must_all_be_met() -> None:
    rules = read_authorisation(
        parse(
            'type Query { a: Int @authenticated @requiresScopes(scopes: [["x", "y"]]) @policy(policies: [["staff"]]) }'
        )
    )
    requirement = rules.fields["Query", "a"]
    needed = Identity(subject="u", roles=frozenset({"STAFF"}), scopes=frozenset({"x", "y"}))
    assert requirement.is_met_by(needed, holds_role)
    for lacking in (
        Identity(subject="u", roles=frozenset({"STAFF"}), scopes=frozenset({"x"})),
        Identity(subject="u", scopes=frozenset({"x", "y"})),
        Identity(subject=None, roles=frozenset({"STAFF"}), scopes=frozenset({"x", "y"})),
    ):
        assert not requirement.is_met_by(lacking, holds_role)


def test_an_empty_list_of_scopes_is_met_by_nobody() -> None:
    rules = read_authorisation(parse("type Query { a: Int @requiresScopes(scopes: []) }"))
    assert not rules.fields["Query", "a"].is_met_by(ADMIN, holds_role)


def test_an_interface_field_needs_what_each_implementation_needs() -> None:
    sdl = """
    interface Node { id: ID! owner: String }
    type Order implements Node { id: ID! owner: String @authenticated }
    type Page implements Node { id: ID! owner: String }
    type Query { node: Node }
    """
    schema = build_schema("directive @authenticated on FIELD_DEFINITION" + sdl)
    rules = read_authorisation(parse(sdl))
    node, page = schema.get_type("Node"), schema.get_type("Page")
    assert isinstance(node, GraphQLInterfaceType)
    assert isinstance(page, GraphQLObjectType)
    assert rules.guard_of(schema, node, "owner") == {Requirement(login=True)}
    assert rules.guard_of(schema, page, "owner") == frozenset()
    assert rules.guard_of(schema, node, "id") == frozenset()


@pytest.mark.parametrize(
    ("policy", "holders"),
    [("staff", [STAFF, ADMIN]), ("ADMIN", [ADMIN]), ("Customer", [CUSTOMER]), ("unknown", [])],
)
def test_a_policy_is_by_default_the_name_of_a_role(policy: str, holders: list[Identity]) -> None:
    assert [identity for identity in (ANONYMOUS, CUSTOMER, STAFF, ADMIN) if holds_role(identity, policy)] == holders
