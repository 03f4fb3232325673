"""Findings as text and as JSON."""

import json

import pytest

from pasar.problems import Finding, SourceProblem, SourceUnusable, format_finding, render_findings
from router.composition import Diagnostic, Severity, SourceLocation

ERROR = Diagnostic(
    "FIELD_TYPE_MISMATCH",
    "Order.total differs.",
    remedy="Agree.",
    locations=(SourceLocation("order", 3, 5), SourceLocation("user", 1, 2)),
    details={"coordinate": "Order.total"},
)
HINT = Diagnostic("EXTERNAL_UNUSED", "Nobody uses it.", Severity.HINT)
PLACED = SourceProblem("SUBGRAPH_LIST_INVALID", "a.yaml: order stands twice", "a.yaml", "order", 2, 3)
UNPLACED = SourceProblem("SCHEMA_UNREADABLE", "a cannot be read", "a")


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (
            ERROR,
            "error FIELD_TYPE_MISMATCH: Order.total differs.\n  at order:3:5 (o.graphql:3:5)\n  at user:1:2\n  Agree.",
        ),
        (HINT, "hint EXTERNAL_UNUSED: Nobody uses it."),
        (
            PLACED,
            "error SUBGRAPH_LIST_INVALID: a.yaml: order stands twice\n  at a.yaml:2:3\n"
            "  Give each subgraph, once, schema.file or schema.subgraph_url, and a routing_url.",
        ),
        (
            UNPLACED,
            "error SCHEMA_UNREADABLE: a cannot be read\n  Name a file with API schema SDL or supergraph SDL.",
        ),
    ],
)
def test_people_read_code_sentence_places_and_remedy(finding: Finding, text: str) -> None:
    assert format_finding(finding, {"order": "o.graphql"}) == text


def test_programs_read_every_field_with_the_same_keys_whatever_was_found() -> None:
    assert json.loads(render_findings([ERROR, HINT, PLACED, UNPLACED], {"order": "o.graphql"})) == [
        {
            "code": "FIELD_TYPE_MISMATCH",
            "message": "Order.total differs.",
            "severity": "ERROR",
            "remedy": "Agree.",
            "locations": [
                {"subgraph": "order", "line": 3, "column": 5, "file": "o.graphql"},
                {"subgraph": "user", "line": 1, "column": 2, "file": None},
            ],
            "details": {"coordinate": "Order.total"},
        },
        {
            "code": "EXTERNAL_UNUSED",
            "message": "Nobody uses it.",
            "severity": "HINT",
            "remedy": "",
            "locations": [],
            "details": {},
        },
        {
            "code": "SUBGRAPH_LIST_INVALID",
            "message": "a.yaml: order stands twice",
            "severity": "ERROR",
            "remedy": "Give each subgraph, once, schema.file or schema.subgraph_url, and a routing_url.",
            "locations": [{"subgraph": "order", "line": 2, "column": 3, "file": "a.yaml"}],
            "details": {"location": "a.yaml", "subgraph": "order"},
        },
        {
            "code": "SCHEMA_UNREADABLE",
            "message": "a cannot be read",
            "severity": "ERROR",
            "remedy": "Name a file with API schema SDL or supergraph SDL.",
            "locations": [],
            "details": {"location": "a"},
        },
    ]
    assert render_findings([]) == "[]"


def test_an_error_of_several_problems_has_a_line_for_each_and_the_code_of_the_first() -> None:
    error = SourceUnusable(UNPLACED, PLACED)
    assert (error.code, error.message) == ("SCHEMA_UNREADABLE", "a cannot be read\na.yaml: order stands twice")
