"""What must hold for any set of subgraphs, tried on made-up ones."""

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest
from graphql import build_ast_schema, build_schema, parse, print_schema, validate_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from router.composition import CompositionResult, compose
from tests.composition_cases.comparison import OTHER, REFERENCE, codes_of, list_differences
from tests.composition_cases.generate import generate_subgraphs
from tests.composition_cases.refresh import summarise
from tests.testkit.node import run_node


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1_000_000))
def test_composed_set_is_valid_graphql_twice(seed: int) -> None:
    result = compose(generate_subgraphs(seed))
    if result.errors:
        assert result.supergraph_sdl is None
        return
    assert result.supergraph_sdl is not None
    assert result.api_sdl is not None
    api = build_schema(result.api_sdl)
    assert validate_schema(api) == []
    assert validate_schema(build_ast_schema(parse(result.supergraph_sdl))) == []
    assert "join__" not in print_schema(api)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1_000_000))
def test_result_does_not_depend_on_the_order_of_the_subgraphs(seed: int) -> None:
    subgraphs = list(generate_subgraphs(seed))
    result = compose(subgraphs)
    random.Random(seed).shuffle(subgraphs)
    assert compose(subgraphs) == result


def disagreements(seeds: range) -> list[str]:
    sets = [generate_subgraphs(seed) for seed in seeds]
    question = json.dumps([[[each.name, each.sdl] for each in subgraphs] for subgraphs in sets])
    answers = json.loads(run_node("composition", "ask.mjs", stdin=question, timeout_s=1200))
    found: list[str] = []
    for seed, subgraphs, answer in zip(seeds, sets, answers, strict=True):
        oracles = {name: summarise(each) for name, each in answer.items()}
        found.extend(f"seed {seed}: {each}" for each in disagreement(compose(subgraphs), oracles))
    return found


def disagreement(result: CompositionResult, oracles: Mapping[str, Mapping[str, Any]]) -> list[str]:
    reference = oracles[REFERENCE]["codes"]
    if "THROWN" in reference:
        return []  # it gave up, so there is nothing to agree with
    ours = codes_of(result)
    if ours == ["SATISFIABILITY_ERROR"] and reference == [] and oracles[OTHER]["codes"] == ours:
        return []  # the reference takes what @provides gives on one path for available on every path
    if ours != reference:
        return [f"ours {ours}, theirs {reference}"]
    return [] if ours else list_differences(result, oracles[REFERENCE])


@pytest.mark.node
def test_two_hundred_generated_sets_are_answered_like_the_reference() -> None:
    assert disagreements(range(200)) == []


@pytest.mark.node
@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_six_thousand_generated_sets_are_answered_like_the_reference() -> None:
    assert disagreements(range(6000)) == []
