"""Codes and what they mean."""

import pytest

from pasar.explaining import UnknownCode, explain, explainable_codes, format_list, suggest_codes
from pasar.tool_codes import TOOL_CODES
from router.composition import all_codes
from router.supergraph import SupergraphErrorCode


def test_every_code_of_composition_of_the_supergraph_and_of_the_tools_is_explained() -> None:
    known = [entry.code for entry in explainable_codes()]
    assert known == sorted(set(known))
    assert len(known) == len(all_codes()) + len(TOOL_CODES)
    assert {code.value for code in SupergraphErrorCode} <= set(known)
    for entry in TOOL_CODES:
        assert entry.meaning.endswith(".")
        assert entry.remedy.endswith(".")
        assert entry.example


@pytest.mark.parametrize("text", ["KEY_INVALID_FIELDS", "key-invalid-fields", " Key invalid_fields "])
def test_a_code_is_found_however_it_is_written(text: str) -> None:
    assert explain(text).code == "KEY_INVALID_FIELDS"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("KEY_INVALID_FIELD", "KEY_INVALID_FIELDS"),
        ("INVALID_KEY_FIELDS", "KEY_INVALID_FIELDS"),
        ("key_feilds", "KEY_INVALID_FIELDS"),
        ("SATISFIABILITY", "SATISFIABILITY_ERROR"),
        ("field sharing", "INVALID_FIELD_SHARING"),
        ("SUPERGRAPH", "SUPERGRAPH_SYNTAX"),
    ],
)
def test_the_likeliest_code_is_suggested_first(text: str, first: str) -> None:
    suggestions = suggest_codes(text)
    assert suggestions[0] == first
    assert len(suggestions) == len(set(suggestions)) <= 5


def test_an_unknown_code_names_what_may_have_been_meant() -> None:
    with pytest.raises(UnknownCode) as unknown:
        explain("SATISFIABILITY_EROR")
    assert unknown.value.message == "there is no code 'SATISFIABILITY_EROR'; did you mean SATISFIABILITY_ERROR?"
    with pytest.raises(UnknownCode) as unknown:
        explain("zzz")
    assert unknown.value.message == "there is no code 'zzz'; `pasar explain` lists all"
    assert suggest_codes("") == suggest_codes("___") == ()


def test_the_list_has_a_line_for_each_code() -> None:
    lines = format_list(explainable_codes()).splitlines()
    assert lines[0] == "Errors"
    # Two titles and the gap between them
    assert len(lines) == len(explainable_codes()) + 3
    assert [line.split()[0] for line in lines if line.startswith("  ")] == [
        *(entry.code for entry in explainable_codes() if entry.severity.value == "ERROR"),
        *(entry.code for entry in explainable_codes() if entry.severity.value == "HINT"),
    ]
