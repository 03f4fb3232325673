"""Live totals over HTTP, in one process and split: whoever writes an order, the chart moves."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.testkit.running import PATIENCE_S, pasar, running_store, send

LIVE = """
subscription { orderTotalsChanged(timezone: "UTC", currency: "IDR") { today { orderCount } month { orderCount } } }
"""


def open_events(url: str, token: str) -> Iterator[dict[str, Any]]:
    """Yield the answers of the subscription, over server-sent events."""
    request = urllib.request.Request(
        url,
        data=json.dumps({"query": LIVE}).encode(),
        headers={
            "accept": "text/event-stream",
            "content-type": "application/json",
            "authorization": f"Bearer {token}",
        },
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        for line in answer:
            if line.startswith(b"data: {"):
                yield json.loads(line.removeprefix(b"data: "))


@pytest.mark.parametrize("options", [(), ("--split",)], ids=["one process", "split"])
def test_an_order_that_another_process_writes_moves_the_live_totals(tmp_path: Path, options: tuple[str, ...]) -> None:
    data, orders = tmp_path / "data", tmp_path / "orders.csv"
    with running_store(data, *options) as store:
        token = pasar("token", "--data", str(data)).stdout.strip()
        # A month may end meanwhile, but no test takes two of them
        with closing(open_events(store.client.url, token)) as events:  # type: ignore[type-var]
            first = next(events)["data"]["orderTotalsChanged"]
            assert first == {"today": {"orderCount": 0}, "month": {"orderCount": 0}}
            day = datetime.now(UTC).strftime("%Y-%m-%d")
            orders.write_text(f"customer,date,quantity,amount\nana,{day},2,1000\nben,{day},1,500\n")
            columns = ("--currency", "IDR", "--timezone", "UTC", "--data", str(data))
            imported = pasar("import", "orders", str(orders), *columns)
            assert imported.returncode == 0, imported.stderr
            following = next(events)["data"]["orderTotalsChanged"]
            assert following == {"today": {"orderCount": 2}, "month": {"orderCount": 2}}
        refused = send(
            store.client.url,
            body=json.dumps({"query": LIVE}).encode(),
            headers={"accept": "text/event-stream", "content-type": "application/json"},
        )
        assert b"UNAUTHENTICATED" in refused.body
