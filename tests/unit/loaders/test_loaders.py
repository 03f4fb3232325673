"""Loaders: one look-up per batch, rows aligned to keys whatever their order."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.peers import PeerError, PeerUnavailable
from loaders.batch import align, align_many
from loaders.entity import entity_loader, list_loader
from loaders.remote import remote_entity_loader


@given(st.lists(st.integers(0, 20)), st.dictionaries(st.integers(0, 20), st.text()))
def test_rows_are_aligned_to_keys(keys: list[int], rows: dict[int, str]) -> None:
    aligned = align(keys, rows.items(), lambda row: row[0])
    assert aligned == [(key, rows[key]) if key in rows else None for key in keys]


@given(st.lists(st.integers(0, 5)), st.lists(st.tuples(st.integers(0, 5), st.integers())))
def test_many_rows_per_key_keep_their_order(keys: list[int], rows: list[tuple[int, int]]) -> None:
    aligned = align_many(keys, rows, lambda row: row[0])
    assert aligned == [[row for row in rows if row[0] == key] for key in keys]


async def test_an_entity_loader_looks_up_each_key_once() -> None:
    asked: list[list[str]] = []

    async def find_many(keys: list[str]) -> list[str]:
        asked.append(keys)
        return [key.upper() for key in reversed(keys) if key != "missing"]

    loader = entity_loader(find_many, str.lower)
    found = await asyncio.gather(*(loader.load(key) for key in ("a", "b", "missing", "a")))
    assert found == ["A", "B", None, "A"]
    assert await loader.load("b") == "B"
    assert asked == [["a", "b", "missing"]]


async def test_a_list_loader_gives_an_empty_list_where_there_is_nothing() -> None:
    async def find_many(keys: list[str]) -> list[tuple[str, int]]:
        return [("a", 1), ("b", 2), ("a", 3)]

    loader = list_loader(find_many, lambda row: row[0])
    assert await loader.load_many(["a", "b", "c"]) == [[("a", 1), ("a", 3)], [("b", 2)], []]


class FakePeers:
    """Answers with the entities it was given."""

    def __init__(self, entities: Any) -> None:
        self.entities = entities
        self.asked: list[tuple[str, str, Mapping[str, Any]]] = []

    async def query(self, subgraph: str, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append((subgraph, document, variables))
        if isinstance(self.entities, Exception):
            raise self.entities
        return {"_entities": self.entities}


async def test_a_remote_loader_sends_one_request_per_batch() -> None:
    peers = FakePeers([{"name": "Mouse"}, None])
    loader = remote_entity_loader(peers, "product", "Product", "name price { amount }", key="sku")
    assert await loader.load_many(["m", "x"]) == [{"name": "Mouse"}, None]
    assert peers.asked == [
        (
            "product",
            "query($representations: [_Any!]!) { _entities(representations: $representations) "
            "{ ... on Product { name price { amount } } } }",
            {"representations": [{"__typename": "Product", "sku": "m"}, {"__typename": "Product", "sku": "x"}]},
        )
    ]


@pytest.mark.parametrize("entities", [None, [], [{"name": "one of two"}], {"name": "no list"}])
async def test_an_answer_that_does_not_fit_the_references_is_no_answer(entities: Any) -> None:
    loader = remote_entity_loader(FakePeers(entities), "product", "Product", "name")
    with pytest.raises(PeerUnavailable):
        await loader.load_many(["a", "b"])


async def test_a_refused_request_fails_the_whole_batch() -> None:
    loader = remote_entity_loader(FakePeers(PeerError("no", codes=("FORBIDDEN",))), "product", "Product", "name")
    results = await asyncio.gather(loader.load("a"), loader.load("b"), return_exceptions=True)
    assert [type(result) for result in results] == [PeerError, PeerError]
