import asyncio

import pytest

from tests.testkit.market import open_market
from tests.testkit.node import run_node
from tests.testkit.router_server import running_market_router

# graphql-http 1.23.1 has so many; a newer version may bring more, then this number is raised with it
AUDITS = 61


@pytest.mark.node
async def test_every_public_audit_of_graphql_over_http_passes() -> None:
    async with running_market_router(open_market()) as url:
        output = await asyncio.to_thread(run_node, "audit", "audit.mjs", url)
    lines = output.splitlines()
    assert [line for line in lines if line.split()[1] != "ok"] == []
    assert len(lines) == AUDITS
