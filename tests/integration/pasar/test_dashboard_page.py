"""The page of sales, as it is served."""

import json
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDictProxy
from starlette.routing import BaseRoute, Router

from core.settings import Settings
from pasar.dashboard import BUILD_FOLDER, dashboard_routes
from tests.testkit.asgi_server import running_asgi
from tests.testkit.browser import require_build

PAGE = '<html><meta name="pasar-store" content="__STORE__" /></html>'


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: CIMultiDictProxy[str]
    text: str


async def get(routes: list[BaseRoute], path: str, host: str = "shop.example") -> Reply:
    """Return what *routes* answer to a browser that knows them as *host*."""
    async with (
        running_asgi(Router(routes=routes)) as url,
        aiohttp.ClientSession() as http,
        http.get(f"{url}{path}", headers={"host": host}) as response,
    ):
        return Reply(response.status, response.headers, await response.text())


def told_store(page: Reply) -> Any:
    return json.loads(unescape(page.text.split('name="pasar-store" content="')[1].split('"')[0]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.js").write_text("1;")
    (tmp_path / "index.html").write_text(PAGE)
    return tmp_path


async def test_the_page_is_told_what_it_has_to_know_about_the_store(folder: Path) -> None:
    settings = Settings(timezone='Asia/"Jayapura"', currency="USD")
    page = await get(dashboard_routes(settings, graphql_path="/api", folder=folder), "/dashboard")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert told_store(page) == {
        "graphqlPath": "/api",
        "timezone": 'Asia/"Jayapura"',
        "currency": "USD",
        "currencies": ["AUD", "EUR", "GBP", "IDR", "JPY", "KRW", "MYR", "SGD", "USD", "VND"],
    }


async def test_the_page_may_load_its_own_files_and_ask_its_own_host_and_nothing_else(folder: Path) -> None:
    routes = dashboard_routes(Settings(), graphql_path="/graphql", folder=folder)
    page = await get(routes, "/dashboard", "shop.example:8443")
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:;"
        " connect-src 'self' ws://shop.example:8443 wss://shop.example:8443;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert page.headers["referrer-policy"] == "no-referrer"
    script = await get(routes, "/dashboard/assets/a.js")
    assert (script.status, script.headers["content-type"].split(";")[0]) == (200, "text/javascript")


@pytest.mark.parametrize("host", ["", "a; script-src *", "a b", "*", "[::1", "a/b", "a,b"])
async def test_a_host_that_is_none_cannot_change_the_policy(folder: Path, host: str) -> None:
    page = await get(dashboard_routes(Settings(), graphql_path="/graphql", folder=folder), "/dashboard", host)
    assert "; connect-src 'self'; base-uri" in page.headers["content-security-policy"]


@pytest.mark.parametrize("host", ["127.0.0.1:4000", "[::1]:4000", "shop.example"])
async def test_live_figures_come_from_the_page_s_own_host(folder: Path, host: str) -> None:
    page = await get(dashboard_routes(Settings(), graphql_path="/graphql", folder=folder), "/dashboard", host)
    assert f"; connect-src 'self' ws://{host} wss://{host}; base-uri" in page.headers["content-security-policy"]


async def test_without_a_build_a_page_says_how_to_make_it(tmp_path: Path) -> None:
    routes = dashboard_routes(Settings(), graphql_path="/graphql", folder=tmp_path / "nowhere")
    page = await get(routes, "/dashboard")
    assert page.status == 404
    assert "npm ci &amp;&amp; npm run build" in page.text
    assert page.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert (await get(routes, "/dashboard/assets/a.js")).status == 404


async def test_the_real_build_has_a_place_for_the_store_and_nothing_that_the_policy_forbids() -> None:
    require_build()
    page = await get(dashboard_routes(Settings(), graphql_path="/graphql"), "/dashboard")
    assert told_store(page)["timezone"] == "Asia/Jakarta"
    html = (BUILD_FOLDER / "index.html").read_text("utf-8")
    assert html.count("__STORE__") == 1
    assert "<style" not in html
    assert html.count("<script") == html.count('<script type="module" crossorigin src="/dashboard/assets/') == 1
