from pathlib import Path

import pytest
from graphql import parse

from router.composition import ErrorCode, all_codes, find_code
from router.composition.model import Severity
from router.composition.registry import render_page
from router.composition.registry.page import render_entry

PAGE = Path(__file__).parents[4] / "docs" / "errors.md"


def test_docs_page_is_printed_from_the_registry() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_page(all_codes())


@pytest.mark.parametrize("entry", all_codes(), ids=lambda entry: entry.code)
def test_entry_explains_shows_and_helps(entry: ErrorCode) -> None:
    assert entry.meaning.endswith(".")
    assert entry.remedy.endswith(".")
    assert entry.example.strip()
    assert find_code(entry.code) is entry


def test_codes_are_sorted_and_unique() -> None:
    codes = [entry.code for entry in all_codes()]
    assert codes == sorted(set(codes))


def test_errors_and_hints_are_told_apart() -> None:
    severities = {entry.code: entry.severity for entry in all_codes()}
    assert severities["SATISFIABILITY_ERROR"] is Severity.ERROR
    assert severities["UNUSED_ENUM_TYPE"] is Severity.HINT


def test_unknown_code_has_no_entry() -> None:
    assert find_code("NO_SUCH_CODE") is None


def test_entry_is_written_as_markdown() -> None:
    entry = ErrorCode("SOME_CODE", "It is wrong.", "type A { a: Int }\n", "Mend it.")
    assert render_entry(entry) == (
        "### SOME_CODE\n\nIt is wrong.\n\n```graphql\ntype A { a: Int }\n```\n\n**Remedy:** Mend it.\n"
    )


def test_whole_definitions_in_examples_are_graphql() -> None:
    broken = {"INVALID_GRAPHQL"}
    for entry in all_codes():
        starts = entry.example.split("\n")[0].split(" ")[0]
        if entry.code not in broken and starts in {"type", "interface", "input", "enum", "schema", "extend", "scalar"}:
            parse(entry.example)
