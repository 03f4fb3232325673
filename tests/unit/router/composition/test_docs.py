from pathlib import Path

from tests.composition_cases.cases import all_cases

PAGE = Path(__file__).parents[4] / "docs" / "federation.md"


def test_every_deviation_from_the_reference_is_listed_with_its_reason() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").split("\n") if line.startswith("| `")]
    expected = []
    for case in all_cases():
        if case.expected_codes is not None:
            answer = ", ".join(f"`{code}`" for code in case.expected_codes) or "composes"
            expected.append(f"| `{case.name}` | {answer} | {case.because} |")
    assert rows == expected
