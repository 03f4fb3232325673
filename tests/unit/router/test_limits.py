import pytest
from graphql import get_introspection_query, parse

from router.config import LimitsConfig
from router.errors import LimitExceeded, OperationNotResolved, ParseFailed
from router.limits import Extent, check_limits, fragments_of, measure, parse_document, select_operation

DEFAULTS = LimitsConfig()


def extent_of(text: str) -> Extent:
    document = parse(text)
    return measure(select_operation(document, None).selection_set, fragments_of(document))


def refusal_of(text: str, limits: LimitsConfig = DEFAULTS) -> LimitExceeded:
    document = parse_document(text, limits)
    with pytest.raises(LimitExceeded) as refusal:
        check_limits(document, select_operation(document, None), limits)
    return refusal.value


def test_a_leaf_at_the_root_is_one_deep() -> None:
    assert extent_of("{ a }") == Extent(depth=1, root_fields=1, fields=1)


def test_fragments_add_no_depth_but_what_is_in_them_counts() -> None:
    assert extent_of("{ ...F ... on Query { c { d } } } fragment F on Query { a b: a }") == Extent(
        depth=2, root_fields=3, fields=4, aliases=1
    )


def test_a_fragment_counts_as_often_as_it_is_spread() -> None:
    assert extent_of("{ a { ...F } b { ...F } } fragment F on T { x: y z }") == Extent(
        depth=2, root_fields=2, fields=6, aliases=2
    )


def test_directives_are_counted_on_fields_and_spreads() -> None:
    text = "{ a @skip(if: true) ...F @include(if: true) } fragment F on Query { b @skip(if: false) @a }"
    assert extent_of(text).directives == 4


def test_fragments_that_double_each_time_are_measured_without_spreading_them_out() -> None:
    doubling = " ".join(f"fragment F{n} on T {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
    assert extent_of(f"{{ ...F0 }} {doubling} fragment F60 on T {{ a }}").fields == 2**60


def test_a_cycle_of_fragments_ends() -> None:
    assert extent_of("{ ...A } fragment A on T { a ...B } fragment B on T { b ...A }").fields == 2


def test_the_introspection_query_passes_the_default_limits() -> None:
    document = parse_document(get_introspection_query(), DEFAULTS)
    assert check_limits(document, select_operation(document, None), DEFAULTS).depth == 1


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (
            "{" + "a {" * 15 + "a" + "}" * 16,
            "MAX_DEPTH_LIMIT",
            "the operation's depth is 16, more than 15",
        ),
        (
            "{" + " ".join(f"a{n}: a" for n in range(51)) + "}",
            "MAX_ALIASES_LIMIT",
            "the operation's number of aliases is 51, more than 50",
        ),
        (
            "{" + " ".join(f"f{n}" for n in range(31)) + "}",
            "MAX_ROOT_FIELDS_LIMIT",
            "the operation's number of root fields is 31, more than 30",
        ),
        (
            "{ r {" + " ".join(f"f{n}" for n in range(3000)) + "} }",
            "MAX_FIELDS_LIMIT",
            "the operation's number of fields is 3001, more than 3000",
        ),
        (
            "{ a" + " @d" * 201 + "}",
            "MAX_DIRECTIVES_LIMIT",
            "the operation's number of directives is 201, more than 200",
        ),
    ],
)
def test_each_limit_has_its_code(text: str, code: str, message: str) -> None:
    refusal = refusal_of(text)
    assert (refusal.code, str(refusal)) == (code, message)


def test_just_within_the_limits_is_allowed() -> None:
    document = parse_document("{" + "a {" * 14 + "a" + "}" * 15, DEFAULTS)
    assert check_limits(document, select_operation(document, None), DEFAULTS).depth == 15


def test_too_many_tokens_are_not_parsed() -> None:
    with pytest.raises(LimitExceeded) as refusal:
        parse_document("{ a b c }", LimitsConfig(max_tokens=4))
    assert refusal.value.code == "MAX_TOKENS_LIMIT"


def test_nesting_beyond_the_interpreter_is_a_depth_error() -> None:
    with pytest.raises(LimitExceeded) as refusal:
        parse_document("{ a" * 1900, DEFAULTS)
    assert refusal.value.code == "MAX_DEPTH_LIMIT"


def test_a_chain_of_fragments_beyond_the_interpreter_is_a_depth_error() -> None:
    chain = " ".join(f"fragment F{n} on T {{ ...F{n + 1} }}" for n in range(490))
    assert refusal_of("{ ...F0 } " + chain).code == "MAX_DEPTH_LIMIT"


def test_a_syntax_error_has_its_place() -> None:
    with pytest.raises(ParseFailed) as failure:
        parse_document("{ a(", DEFAULTS)
    assert failure.value.to_graphql() == [
        {
            "message": "Syntax Error: Expected Name, found <EOF>.",
            "locations": [{"line": 1, "column": 5}],
            "extensions": {"code": "GRAPHQL_PARSE_FAILED"},
        }
    ]


def test_an_empty_selection_set_is_refused() -> None:
    with pytest.raises(ParseFailed):
        parse_document("{ a { } }", DEFAULTS)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("fragment F on T { a }", None, "the document has no operation"),
        ("query A { a } query B { b }", None, "operationName must name one of several operations"),
        ("query A { a }", "C", 'the document has no operation "C"'),
    ],
)
def test_an_operation_that_is_not_clear_is_refused(text: str, name: str | None, message: str) -> None:
    with pytest.raises(OperationNotResolved, match=message):
        select_operation(parse(text), name)


def test_the_named_operation_is_selected() -> None:
    operation = select_operation(parse("query A { a } query B { b }"), "B")
    assert operation.name is not None
    assert operation.name.value == "B"
