"""Every row of the table, with every kind of bad token: 401, no data, and nothing changed."""

from collections.abc import AsyncIterator
from itertools import cycle
from typing import Any

import aiohttp
import pytest

from tests.integration.security.asking import read_document, write_document
from tests.integration.security.expected import BAD_TOKENS, FIELDS, READS, WRITES, Field, Read
from tests.integration.security.test_tokens_attacked import ATTACKS
from tests.integration.security.things import Things, make_all_things
from tests.integration.security.world import World
from tests.testkit.asgi_server import running_asgi


@pytest.fixture(scope="module")
async def things(world: World) -> Things:
    return await make_all_things(world)


@pytest.fixture(scope="module")
async def url(world: World) -> AsyncIterator[str]:
    async with running_asgi(world.app) as base:
        yield f"{base}/graphql"


@pytest.mark.parametrize("kind", BAD_TOKENS)
async def test_a_bad_token_is_refused_whatever_is_asked(world: World, things: Things, url: str, kind: str) -> None:
    rows: tuple[Read | Field, ...] = (*READS, *FIELDS)
    asked: list[tuple[str, dict[str, Any]]] = [(read_document(row, things)[0], {}) for row in rows]
    asked += [write_document(row, things) for row in WRITES]
    before = await world.snapshot()
    tokens = [ATTACKS[attack](world) for attack in BAD_TOKENS[kind]]
    async with aiohttp.ClientSession() as http:
        # The forgeries of a kind take turns; test_tokens_attacked.py tries each of them
        for (document, variables), token in zip(asked, cycle(tokens), strict=False):
            body = {"query": document, "variables": variables}
            async with http.post(url, json=body, headers={"authorization": f"Bearer {token}"}) as answer:
                answered = await answer.json()
            codes = [error["extensions"]["code"] for error in answered["errors"]]
            assert (answer.status, codes, "data" in answered) == (401, ["UNAUTHENTICATED"], False), document
    assert await world.snapshot() == before
