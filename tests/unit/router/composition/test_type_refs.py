import pytest
from graphql import parse_type

from router.composition.merge.type_choice import choose_input_type, choose_output_type
from router.composition.type_refs import TypeRef, contains_list, is_subtype, named_type, read_type_ref


def ref(text: str) -> TypeRef:
    return read_type_ref(parse_type(text), lambda name: name)


def implements(sub: str, of: str) -> bool:
    return (sub, of) in {("Book", "Media"), ("Movie", "Media")}


@pytest.mark.parametrize("text", ["Int", "Int!", "[Int]", "[[Int!]!]!"])
def test_reference_is_written_as_it_was_read(text: str) -> None:
    assert str(ref(text)) == text


def test_names_are_renamed_inside_lists_and_non_nulls() -> None:
    assert str(read_type_ref(parse_type("[Q!]"), lambda name: "Query")) == "[Query!]"
    assert named_type(ref("[[Int!]!]!")) == "Int"
    assert contains_list(ref("[Int]!"))
    assert not contains_list(ref("Int!"))


@pytest.mark.parametrize(
    ("sub", "of", "expected"),
    [
        ("Int", "Int", True),
        ("Int!", "Int", True),
        ("Int", "Int!", False),
        ("[Int!]!", "[Int]", True),
        ("[Int]", "[Int!]", False),
        ("Int", "[Int]", False),
        ("[Int]", "Int", False),
        ("Book", "Media", True),
        ("[Book!]", "[Media]", True),
        ("Media", "Book", False),
        ("String", "Int", False),
    ],
)
def test_subtypes_are_those_of_the_specification(sub: str, of: str, expected: bool) -> None:
    assert is_subtype(ref(sub), ref(of), implements) is expected


@pytest.mark.parametrize(
    ("types", "output", "argument"),
    [
        (["Int", "Int!"], "Int", "Int!"),
        (["[Int!]", "[Int]!"], None, None),
        (["Book", "Media", "Movie"], "Media", None),
        (["Book", "Movie"], None, None),
        (["Int!", "Int!"], "Int!", "Int!"),
        (["Int", "String"], None, None),
    ],
)
def test_widest_output_and_strictest_input_win(types: list[str], output: str | None, argument: str | None) -> None:
    refs = [ref(text) for text in types]

    def text_of(chosen: TypeRef | None) -> str | None:
        return None if chosen is None else str(chosen)

    assert text_of(choose_output_type(refs, implements)) == output
    assert text_of(choose_input_type(refs, implements)) == argument
