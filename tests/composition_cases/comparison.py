"""Compare what we make of a case with what an oracle made of it."""

from collections.abc import Mapping
from typing import Any

from router.composition import CompositionResult
from tests.composition_cases.normal_form import NormalForm, normalise_api_schema, normalise_supergraph

REFERENCE = "apollo"
"""The oracle we answer like, unless a case says why not."""


OTHER = "guild"
"""The other oracle, The Guild's composition."""


def codes_of(result: CompositionResult) -> list[str]:
    """Return the error codes of *result*, each once, sorted."""
    return sorted({error.code for error in result.errors})


def list_differences(result: CompositionResult, oracle: Mapping[str, Any]) -> list[str]:
    """Say where the supergraph and the API schema of *result* differ from the oracle's."""
    assert result.supergraph_sdl is not None
    assert result.api_sdl is not None
    return [
        *_differences("supergraph", normalise_supergraph(result.supergraph_sdl), oracle["supergraph"]),
        *_differences("api", normalise_api_schema(result.api_sdl), oracle["api"]),
    ]


def _differences(what: str, ours: NormalForm, theirs: NormalForm) -> list[str]:
    return [
        f"{what} {name}: ours {ours.get(name)}, theirs {theirs.get(name)}"
        for name in sorted({*ours, *theirs})
        if ours.get(name) != theirs.get(name)
    ]
