import asyncio
import json
from pathlib import Path

import pytest

from router.config import load_config
from tests.testkit.browser import ARTIFACTS, find_chromium, require_build
from tests.testkit.market import open_market
from tests.testkit.node import run_node
from tests.testkit.router_server import running_market_router
from tests.testkit.router_tokens import TokenIssuer


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
