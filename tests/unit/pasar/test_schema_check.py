"""What a new schema means for the clients of the old one."""

import pytest
from graphql import build_schema

from pasar.schema_check import Change, Impact, find_changes, has_worse_than

BASE = """
directive @live(every: Int, unit: String) on QUERY
interface Node { id: ID! }
scalar Date @specifiedBy(url: "https://example.com/a")
enum Colour { RED GREEN }
union Hit = Book | Film
type Book implements Node { id: ID! title: String pages: Int price(currency: String = "IDR"): Float }
type Film { title: String old: Int @deprecated(reason: "never") }
input Filter { text: String limit: Int = 10 day: Date }
type Query { hits(filter: Filter): [Hit!] book(id: ID!): Book colour: Colour node: Node }
type Mutation { rename(id: ID!): Book }
"""


def changes_of(before: str, after: str, base: str = BASE) -> list[tuple[str, str, str]]:
    """Return what comes of replacing *before* by *after*, which occurs once."""
    assert base.count(before) == 1
    found = find_changes(build_schema(base), build_schema(base.replace(before, after)))
    return [(change.impact.value, change.code, change.message) for change in found]


@pytest.mark.parametrize(
    ("before", "after", "code", "message"),
    [
        ("pages: Int ", "", "FIELD_REMOVED", "Field Book.pages was removed."),
        ("pages: Int", "pages: String", "FIELD_CHANGED_KIND", "Field Book.pages changed type from Int to String."),
        ("hits(filter: Filter)", "hits(filter: Filter!)", "ARG_CHANGED_KIND", ""),
        ("book(id: ID!)", "book(id: ID!, region: Int!)", "REQUIRED_ARG_ADDED", ""),
        ('(currency: String = "IDR")', "", "ARG_REMOVED", "Argument Book.price(currency:) was removed."),
        ("text: String", "text: String more: Int!", "REQUIRED_INPUT_FIELD_ADDED", ""),
        ("RED GREEN", "RED", "VALUE_REMOVED_FROM_ENUM", "Enum value Colour.GREEN was removed."),
        ("Book | Film", "Book", "TYPE_REMOVED_FROM_UNION", "Film was removed from union type Hit."),
        ("Book implements Node", "Book", "IMPLEMENTED_INTERFACE_REMOVED", ""),
        ("enum Colour { RED GREEN }", "scalar Colour", "TYPE_CHANGED_KIND", ""),
        ("every: Int, ", "", "DIRECTIVE_ARG_REMOVED", "Argument @live(every:) was removed."),
        ("input Filter", "input Filter @oneOf", "ONE_OF_ADDED", "Filter accepts only one of its fields now (@oneOf)."),
    ],
)
def test_what_fails_operations_is_breaking(before: str, after: str, code: str, message: str) -> None:
    # `@oneOf` allows no defaults
    base = BASE.replace(" = 10", "") if code == "ONE_OF_ADDED" else BASE
    found = changes_of(before, after, base)
    assert [(impact, found_code) for impact, found_code, _ in found] == [("BREAKING", code)]
    assert found[0][2] == message or not message


@pytest.mark.parametrize(
    ("before", "after", "code", "message"),
    [
        ("RED GREEN", "RED GREEN BLUE", "VALUE_ADDED_TO_ENUM", "Enum value Colour.BLUE was added."),
        ("price(", "price(day: Date, ", "OPTIONAL_ARG_ADDED", "An optional argument Book.price(day:) was added."),
        ("text: String", "text: String more: Int", "OPTIONAL_INPUT_FIELD_ADDED", ""),
        ('"IDR"', '"USD"', "ARG_DEFAULT_VALUE_CHANGE", ""),
        ("= 10", "= 20", "INPUT_FIELD_DEFAULT_VALUE_CHANGE", ""),
        (
            "https://example.com/a",
            "https://example.com/b",
            "SPECIFIED_BY_CHANGED",
            "Date is specified by https://example.com/b now, not by https://example.com/a.",
        ),
    ],
)
def test_what_may_surprise_a_client_is_dangerous(before: str, after: str, code: str, message: str) -> None:
    found = changes_of(before, after)
    assert [(impact, found_code) for impact, found_code, _ in found] == [("DANGEROUS", code)]
    assert found[0][2] == message or not message


@pytest.mark.parametrize(
    ("before", "after", "code", "message"),
    [
        ("pages: Int", "pages: Int pictures: Int", "FIELD_ADDED", "Field Book.pictures was added."),
        ("pages: Int", "pages: Int!", "FIELD_CHANGED_KIND_SAFE", "Field Book.pages changed type from Int to Int!."),
        ("book(id: ID!)", "book(id: ID)", "ARG_CHANGED_KIND_SAFE", ""),
        ("pages: Int", "pages: Int @deprecated", "DEPRECATED", "Book.pages was deprecated: No longer supported"),
        ("GREEN", 'GREEN @deprecated(reason: "a\\n b")', "DEPRECATED", "Colour.GREEN was deprecated: a b"),
        ("text: String", "text: String @deprecated", "DEPRECATED", "Filter.text was deprecated: No longer supported"),
        (
            "every: Int",
            "every: Int @deprecated",
            "DEPRECATED",
            "@live(every:) was deprecated: No longer supported",
        ),
        (' @deprecated(reason: "never")', "", "DEPRECATION_REMOVED", "Film.old is no longer deprecated."),
        (
            '"never"',
            '"ever"',
            "DEPRECATION_REASON_CHANGED",
            "Film.old is deprecated with another reason: ever",
        ),
        ("unit: String", '"s or ms" unit: String', "DESCRIPTION_CHANGED", "The description of @live(unit:) changed."),
        ("currency:", '"ISO" currency:', "DESCRIPTION_CHANGED", "The description of Book.price(currency:) changed."),
        ("union Hit", '"Found." union Hit', "DESCRIPTION_CHANGED", "The description of Hit changed."),
    ],
)
def test_what_no_client_notices_is_safe(before: str, after: str, code: str, message: str) -> None:
    found = changes_of(before, after)
    assert [(impact, found_code) for impact, found_code, _ in found] == [("SAFE", code)]
    assert found[0][2] == message or not message


def test_a_type_that_may_now_come_from_an_interface_is_dangerous_like_a_new_member_of_a_union() -> None:
    assert changes_of("type Film", "type Song implements Node { id: ID! } type Film") == [
        ("DANGEROUS", "IMPLEMENTATION_ADDED", "Song was added, an implementation of Node."),
        ("SAFE", "TYPE_ADDED", "Song was added."),
    ]


def test_no_more_mutations_is_told_even_where_the_type_stays() -> None:
    old, new = "schema { query: Query mutation: Mutation }", "schema { query: Query }"
    assert changes_of(old, new, old + BASE) == [
        ("BREAKING", "ROOT_REMOVED", "Mutation operations are no longer possible.")
    ]
    assert changes_of(new, old, new + BASE) == [("SAFE", "ROOT_ADDED", "Mutation operations became possible.")]


def test_a_root_that_is_another_type_breaks_fragments_on_it() -> None:
    base = "schema { query: Query mutation: Mutation } type Change { rename(id: ID!): Book }" + BASE
    assert changes_of("mutation: Mutation", "mutation: Change", base) == [
        ("BREAKING", "ROOT_TYPE_CHANGED", "The mutation type changed from Mutation to Change.")
    ]


def test_a_standard_scalar_that_nothing_uses_any_more_is_no_change_of_its_own() -> None:
    old, new = build_schema("type Query { a: Int b: Float }"), build_schema("type Query { a: Int c: ID }")
    assert find_changes(old, new) == (
        Change(Impact.BREAKING, "FIELD_REMOVED", "Field Query.b was removed."),
        Change(Impact.SAFE, "FIELD_ADDED", "Field Query.c was added."),
    )


def test_one_of_that_goes_is_safe() -> None:
    base = "input Filter @oneOf { a: Int b: Int } type Query { hits(filter: Filter): Int }"
    assert changes_of(" @oneOf", "", base) == [
        ("SAFE", "ONE_OF_REMOVED", "Filter accepts several of its fields now (no @oneOf).")
    ]


def test_a_schema_does_not_differ_from_itself_nor_by_its_order() -> None:
    turned = "\n".join(reversed(BASE.strip().splitlines()))
    assert find_changes(build_schema(BASE), build_schema(turned)) == ()


@pytest.mark.parametrize(
    ("impact", "dangerous", "breaking"),
    [(Impact.SAFE, False, False), (Impact.DANGEROUS, True, False), (Impact.BREAKING, True, True)],
)
def test_a_change_is_measured_against_what_is_allowed(impact: Impact, dangerous: bool, breaking: bool) -> None:
    changes = [Change(Impact.SAFE, "A", "a"), Change(impact, "B", "b")]
    assert has_worse_than(Impact.SAFE, changes) is dangerous
    assert has_worse_than(Impact.DANGEROUS, changes) is breaking
    assert not has_worse_than(Impact.SAFE, [])
