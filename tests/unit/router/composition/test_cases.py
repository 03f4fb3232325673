"""Every composition case: we answer as Apollo's composition does, or as the case says with its reason."""

import pytest

from router.composition import all_codes, compose
from router.composition.model import Severity
from tests.composition_cases.cases import CompositionCase, all_cases
from tests.composition_cases.comparison import REFERENCE, codes_of, list_differences

CASES = all_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_is_answered_like_the_reference_or_as_it_says(case: CompositionCase) -> None:
    reference = case.oracles()[REFERENCE]
    result = compose(case.subgraphs)
    expected = reference["codes"] if case.expected_codes is None else sorted(case.expected_codes)
    assert codes_of(result) == expected, [error.message for error in result.errors]
    assert (result.supergraph_sdl is None) == (result.api_sdl is None) == bool(expected)
    if not expected and not reference["codes"]:
        assert list_differences(result, reference) == []
        assert sorted({hint.code for hint in result.hints}) == reference["hints"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_diagnostic_points_into_its_subgraphs(case: CompositionCase) -> None:
    lines = {schema.name: schema.sdl.split("\n") for schema in case.subgraphs}
    result = compose(case.subgraphs)
    for diagnostic in (*result.errors, *result.hints):
        assert diagnostic.remedy
        assert diagnostic.locations, diagnostic.message
        for location in diagnostic.locations:
            line = lines[location.subgraph][location.line - 1]
            assert 1 <= location.column <= len(line) + 1


def test_deviation_from_the_reference_has_a_reason() -> None:
    assert [case.name for case in CASES if case.expected_codes is not None and not case.because] == []
    superfluous = [
        case.name
        for case in CASES
        if case.expected_codes is not None and sorted(case.expected_codes) == case.oracles()[REFERENCE]["codes"]
    ]
    assert superfluous == []


def test_every_error_code_has_a_case() -> None:
    shown = {error.code for case in CASES for error in compose(case.subgraphs).errors}
    codes = {entry.code for entry in all_codes() if entry.severity is Severity.ERROR}
    # A case is a set of files, one per subgraph name, so it cannot show a name used twice.
    assert codes - shown == {"DUPLICATE_SUBGRAPH_NAME"}


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 330
