"""Which tests one process runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.testkit.groups import group_of, turn_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/unit/test_a.py::test_b", "tests/unit/test_a.py"),
        ("tests/unit/test_a.py::test_b[split]", "tests/unit/test_a.py"),
        ("tests/unit/test_a.py::test_b[a::b]", "tests/unit/test_a.py"),
        ("tests/e2e/test_a.py::test_b", "tests/e2e/test_a.py"),
        ("tests/e2e/test_a.py::test_b[split]", "store-split"),
        ("tests/e2e/browser/test_a.py::test_b[up-light]", "store-up"),
        ("tests/e2e/test_a.py::test_b[upper]", "tests/e2e/test_a.py"),
    ],
)
def test_a_file_stays_together_and_so_does_all_that_asks_one_store(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group


def test_stores_of_ones_own_come_first_then_the_shared_ones_then_all_else() -> None:
    tests = [
        "tests/composition_cases/test_a.py::test_b",
        "tests/e2e/browser/test_a.py::test_b[up]",
        "tests/e2e/browser/test_a.py::test_b[split]",
        "tests/e2e/test_a.py::test_b",
    ]
    assert sorted(tests, key=turn_of) == [tests[3], tests[2], tests[1], tests[0]]


def test_two_processes_divide_the_files_and_not_the_tests_of_a_file() -> None:
    files = [f"tests/unit/core/test_{name}.py" for name in ("money", "ids", "paging")]
    run = [sys.executable, "-m", "pytest", "-v", "-n", "2", "-p", "no:cacheprovider", *files]
    printed = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    ran = re.findall(r"^\[(gw\d)\].*PASSED (\S+\.py)::", printed, re.MULTILINE)
    assert len(ran) > 2 * len(files)
    assert sorted({file for _, file in ran}) == sorted(files)
    assert len(set(ran)) == len(files)
    assert {process for process, _ in ran} == {"gw0", "gw1"}
