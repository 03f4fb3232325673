import asyncio
from pathlib import Path

import pytest

from tests.testkit.market import open_market
from tests.testkit.node import run_node
from tests.testkit.router_server import running_market_router


@pytest.mark.node
async def test_a_typed_client_is_generated_from_the_running_router(tmp_path: Path) -> None:
    market = open_market()
    async with running_market_router(market) as url:
        # The script also compiles what it generated, strictly
        client = await asyncio.to_thread(run_node, "codegen", "codegen.mjs", url, "market.graphql", str(tmp_path))
    assert (
        "export type ProductsWithSellersQuery = { products: Array<{ name: string,"
        " seller: { name: string, email: string | null } | null }>," in client
    )
    assert "join__" not in client
    assert "_Entity" not in client
    assert market.request_counts == {"accounts": 0, "catalog": 0}
