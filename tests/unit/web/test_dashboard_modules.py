"""The parts of the page of sales that need no browser, in Node's own test runner, and its operations."""

import json
import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from tests.testkit.node import NODE_TESTS, run_node

API_SCHEMA = Path(__file__).parents[3] / "schema" / "sdl" / "api.graphql"

pytestmark = pytest.mark.node


@pytest.mark.parametrize("file", sorted(file.name for file in (NODE_TESTS / "dashboard").glob("*.test.mjs")))
def test_the_page_s_modules_pass_their_tests(file: str) -> None:
    output = run_node("dashboard", "--test", "--test-reporter=tap", file)
    passed = re.search(r"^# pass (\d+)$", output, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > 1


def test_the_page_asks_for_nothing_that_the_graph_lacks() -> None:
    schema = build_schema(API_SCHEMA.read_text("utf-8"))
    operations: dict[str, str] = json.loads(run_node("dashboard", "operations.mjs"))
    assert sorted(operations) == [
        *("CompleteLogin", "Days", "Live", "LogIn", "LogOut", "Me", "Months", "Refresh", "TopProducts")
    ]
    assert [error.message for text in operations.values() for error in validate(schema, parse(text))] == []
