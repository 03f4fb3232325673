import asyncio
import json
import shutil
from pathlib import Path

import pytest

from router.config import load_config
from router.server.graphiql import BUILD_FOLDER
from tests.testkit.market import open_market
from tests.testkit.node import run_node
from tests.testkit.presence import do_without
from tests.testkit.router_server import running_market_router
from tests.testkit.router_tokens import TokenIssuer

ARTIFACTS = Path(__file__).resolve().parents[3] / "artifacts"


def find_chromium() -> str:
    """Return the browser; skip without one, except in CI, where it must be there."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    return path if path is not None else do_without("needs Chromium on PATH")


def require_build() -> None:
    if not (BUILD_FOLDER / "index.html").is_file():
        do_without("needs the GraphiQL page: run `npm ci && npm run build` in web")


@pytest.mark.browser
@pytest.mark.node
async def test_a_person_reads_the_schema_and_runs_operations_without_any_internet(tmp_path: Path) -> None:
    chromium = find_chromium()
    require_build()
    issuer = TokenIssuer(tmp_path)
    screenshot = ARTIFACTS / "graphiql.png"
    screenshot.unlink(missing_ok=True)
    bearer = {"Authorization": f"Bearer {issuer.token('u1', 'profile')}"}
    operations = [
        {"query": "{ me { name email } }", "headers": bearer, "until": "ani@example.org"},
        {"query": "subscription { ticks(count: 3) }", "headers": {}, "until": '"ticks": 2'},
        {"query": "{ me { name } }", "headers": {"Authorization": ""}, "until": "UNAUTHENTICATED"},
    ]
    config = load_config(environ={}, overrides={"authentication": issuer.authentication})
    async with running_market_router(open_market(), config) as url:
        output = await asyncio.to_thread(
            run_node, "browser", "graphiql.mjs", chromium, url, str(screenshot), stdin=json.dumps(operations)
        )
    seen = json.loads(output)
    assert seen["title"] == "GraphiQL"
    assert {"query: Query", "mutation: Mutation", "Product"} <= set(seen["documentation"].splitlines())
    assert json.loads(seen["results"][0]) == {"data": {"me": {"name": "Ani", "email": "ani@example.org"}}}
    assert seen["problems"] == []
    # The page works with no internet: whatever it asked for came from the router
    origin = url.removesuffix("/graphql")
    assert [address for address in seen["requests"] if not address.startswith((origin, "data:", "blob:"))] == []
    assert screenshot.stat().st_size > 10_000
