"""Apollo's own implementation reads our supergraph SDL and finds the API schema that we find."""

import json
from pathlib import Path

import pytest
from graphql import build_schema, lexicographic_sort_schema, print_schema

from tests.testkit.node import run_node

SDL = Path(__file__).parents[3] / "schema" / "sdl"

FIVE_SUBGRAPHS = """{
  me { name orders(first: 10) { nodes {
    number
    lines { product { name availability { available } } }
    payment { status }
  } } }
}"""


def canonical(sdl: str) -> str:
    return print_schema(lexicographic_sort_schema(build_schema(sdl)))


@pytest.mark.node
def test_apollo_finds_the_same_api_schema_in_the_stores_supergraph() -> None:
    answer = json.loads(run_node("supergraph", "read.mjs", stdin=(SDL / "supergraph.graphql").read_text()))
    assert answer["subgraphs"] == ["inventory", "order", "payment", "product", "sync", "user"]
    assert canonical(answer["apiSchema"]) == canonical((SDL / "api.graphql").read_text())


@pytest.mark.node
def test_apollo_plans_the_five_subgraph_query_over_our_supergraph() -> None:
    supergraph = (SDL / "supergraph.graphql").read_text()
    (plan,) = json.loads(run_node("supergraph", "read.mjs", FIVE_SUBGRAPHS, stdin=supergraph))["plans"]
    fetches = sorted(line.split('"')[1] for line in plan.splitlines() if "Fetch(service:" in line)
    assert fetches == ["inventory", "order", "payment", "product", "user"]
