import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from benchmarks.relay import record
from benchmarks.workload_folder import UnfitFolder, read_workload_folder
from router.composition import SubgraphSchema, compose
from tests.testkit.federation.graph import FEDERATION_LINK
from tests.testkit.waiting import eventually

ROOT = Path(__file__).resolve().parents[3]
SDL = {
    "accounts": 'type Query { me: User users: [User] } type User @key(fields: "id") { id: ID! name: String }',
    "inventory": """type Product @key(fields: "upc") {
        upc: String! price: Int @external weight: Int @external inStock: Boolean
        shippingEstimate: Int @requires(fields: "price weight")
    }""",
    "products": """type Query { topProducts(first: Int = 2): [Product] }
        type Product @key(fields: "upc") { upc: String! price: Int weight: Int }""",
    "reviews": """type Review @key(fields: "id") { id: ID! body: String product: Product author: User }
        type User @key(fields: "id") { id: ID! reviews: [Review] }
        type Product @key(fields: "upc") { upc: String! reviews: [Review] }""",
}
DATA = {
    "users": [{"id": "1", "name": "Ani"}, {"id": "2", "name": "Budi"}],
    "products": [
        {"upc": "1", "price": 1000, "weight": 100},
        {"upc": "2", "price": 1001, "weight": 50},
        {"upc": "3", "price": 1, "weight": 1},
    ],
    "inventory": [{"upc": "1", "inStock": True}, {"upc": "2", "inStock": False}],
    "reviews": [
        {"id": "1", "body": "Good", "upc": "1"},
        {"id": "2", "body": "Fine", "upc": "2"},
        {"id": "3", "body": "Bad", "upc": "1"},
    ],
}
HEAVY = "{ users { name reviews { id product { shippingEstimate } } } topProducts { reviews { id author { name } } } }"
LIGHT = "{ me { name } topProducts(first: 1) { inStock } }"
HEAVY_ANSWER = {
    "users": [
        {
            "name": name,
            "reviews": [
                {"id": "1", "product": {"shippingEstimate": 50}},
                {"id": "2", "product": {"shippingEstimate": 0}},
            ],
        }
        for name in ("Ani", "Budi")
    ],
    "topProducts": [
        {"reviews": [{"id": "1", "author": {"name": "Ani"}}, {"id": "3", "author": {"name": "Ani"}}]},
        {"reviews": [{"id": "2", "author": {"name": "Ani"}}]},
    ],
}


async def free_port() -> int:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


def write_folder(folder: Path, urls: dict[str, str]) -> Path:
    subgraphs = [SubgraphSchema(name, FEDERATION_LINK + SDL[name], url) for name, url in urls.items()]
    supergraph_sdl = compose(subgraphs).supergraph_sdl
    assert supergraph_sdl is not None
    (folder / "supergraph.graphql").write_text(supergraph_sdl)
    (folder / "data.json").write_text(json.dumps(DATA))
    (folder / "heavy.graphql").write_text(HEAVY)
    (folder / "light.graphql").write_text(LIGHT)
    return folder


def urls_at(port: int) -> dict[str, str]:
    return {name: f"http://127.0.0.1:{port}/{name}" for name in SDL}


@asynccontextmanager
async def running_stub(folder: Path) -> AsyncIterator[dict[str, str]]:
    command = [sys.executable, "-m", "benchmarks.stub_subgraphs", "--workload", str(folder)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())["urls"]
    finally:
        process.stdin.close()
        assert await process.wait() == 0


def test_the_expected_answer_comes_from_the_data_and_the_stubs_rules(tmp_path: Path) -> None:
    workload = read_workload_folder(write_folder(tmp_path, urls_at(4200)))
    heavy, light = workload.operations
    assert (heavy.name, light.name, workload.port) == ("heavy", "light", 4200)
    assert workload.resolve_as_monolith(heavy.document) == {"data": HEAVY_ANSWER}
    assert workload.resolve_as_monolith(light.document) == {
        "data": {"me": {"name": "Ani"}, "topProducts": [{"inStock": True}]}
    }


async def test_the_stub_serves_the_folder_where_its_supergraph_says_and_counts(tmp_path: Path) -> None:
    urls = urls_at(await free_port())
    folder = write_folder(tmp_path, urls)
    async with running_stub(folder) as served, aiohttp.ClientSession() as http:
        assert served == urls
        recording = await record((folder / "supergraph.graphql").read_text(), HEAVY)
        assert recording["response"] == {"data": HEAVY_ANSWER}
        async with http.get(urls["accounts"].replace("/accounts", "/count")) as response:
            assert await response.json() == {"accounts": 2, "inventory": 1, "products": 2, "reviews": 1}
        async with http.post(urls["accounts"].replace("/accounts", "/nowhere"), json={}) as response:
            assert response.status == 404


async def test_a_recording_has_the_requests_of_the_plan_in_its_order(tmp_path: Path) -> None:
    urls = urls_at(await free_port())
    folder = write_folder(tmp_path, urls)
    async with running_stub(folder):
        recording = await record((folder / "supergraph.graphql").read_text(), LIGHT)
    match recording["step"]:
        case {"parallel": [[first, _], {"sequence": [[second, _], [third, body]]}]}:
            assert (first, second, third) == (urls["accounts"], urls["products"], urls["inventory"])
            assert json.loads(body)["variables"] == {"representations": [{"__typename": "Product", "upc": "1"}]}
        case step:
            pytest.fail(f"another order: {step}")


async def test_inventory_knows_the_price_only_from_what_it_is_sent(tmp_path: Path) -> None:
    urls = urls_at(await free_port())
    query = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Product { shippingEstimate } } }"
    sent: dict[str, Any] = {"__typename": "Product", "upc": "1"}
    async with running_stub(write_folder(tmp_path, urls)), aiohttp.ClientSession() as http:

        async def estimate(representation: dict[str, Any]) -> Any:
            body = {"query": query, "variables": {"r": [representation]}}
            async with http.post(urls["inventory"], json=body) as response:
                return await response.json()

        assert await estimate({**sent, "price": 10, "weight": 8}) == {"data": {"_entities": [{"shippingEstimate": 4}]}}
        assert "errors" in await estimate(sent)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reviews": "http://127.0.0.1:4201/reviews"}, "must share one host and port"),
        ({"reviews": "http://127.0.0.1:4200/products"}, "differ in their paths"),
    ],
    ids=["another port", "the same path"],
)
def test_a_folder_that_the_stub_cannot_serve_is_refused(tmp_path: Path, change: dict[str, str], message: str) -> None:
    folder = write_folder(tmp_path, {**urls_at(4200), **change})
    with pytest.raises(UnfitFolder, match=message):
        read_workload_folder(folder)


def test_a_folder_without_its_files_is_refused_with_the_files_name(tmp_path: Path) -> None:
    (write_folder(tmp_path, urls_at(4200)) / "light.graphql").unlink()
    with pytest.raises(UnfitFolder, match=r"light\.graphql"):
        read_workload_folder(tmp_path)


async def test_the_relay_sends_the_recorded_requests_and_the_recorded_response(tmp_path: Path) -> None:
    urls, port = urls_at(await free_port()), await free_port()
    folder = write_folder(tmp_path, urls)
    async with running_stub(folder), aiohttp.ClientSession() as http:
        recording = await record((folder / "supergraph.graphql").read_text(), LIGHT)
        (folder / "recording.json").write_text(json.dumps(recording))
        count_url = urls["accounts"].replace("/accounts", "/count")
        async with http.get(count_url) as response:
            await response.read()
        command = [sys.executable, "-m", "benchmarks.relay", str(folder / "recording.json"), str(port), "off"]
        relay = await asyncio.create_subprocess_exec(*command, cwd=ROOT)

        async def answers() -> bool:
            try:
                async with http.post(f"http://127.0.0.1:{port}/graphql", json={"query": LIGHT}) as response:
                    return bool(await response.json() == recording["response"])
            except aiohttp.ClientConnectorError:
                return False

        try:
            await eventually(answers)
            async with http.get(count_url) as response:
                assert await response.json() == {"accounts": 1, "inventory": 1, "products": 1, "reviews": 0}
        finally:
            relay.terminate()
            await relay.wait()
