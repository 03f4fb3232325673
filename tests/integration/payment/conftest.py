"""A payment subgraph with a gateway in memory, and one with the sandbox gateway behind real sockets."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from core.events import OUTBOX
from core.mongo import Row
from core.settings import Settings
from core.subgraph import Subgraph
from subgraphs.payment import app
from subgraphs.payment.gateways.sandbox_server import SandboxServer, build_sandbox_app
from tests.testkit.asgi_server import running_asgi
from tests.testkit.callers import ORDER_SERVICE, Caller
from tests.testkit.clock import FixedClock
from tests.testkit.gateway import MemoryGateway
from tests.testkit.late_app import LateApp
from tests.testkit.shop import OPENING
from tests.testkit.store import MakeRuntime

SERVER_KEY = "SB-tests"
OPEN = """
mutation($input: OpenPaymentInput!) {
  openPayment(input: $input) { id status gateway payUrl amount { amount currency } expiresAt paidAt }
}
"""
CANCEL = "mutation($orderId: ID!) { cancelPayment(orderId: $orderId) { id status } }"


@dataclass(frozen=True, slots=True)
class Till(Caller):
    """A payment subgraph and its time."""

    clock: FixedClock

    def opening(self, number: int = 1, total: int = 54_000, **more: Any) -> dict[str, Any]:
        """Return the variables of OPEN."""
        return {
            "input": {
                "orderId": f"ord_{number}",
                "orderNumber": f"ORD-{number}",
                "buyerId": "usr_customer",
                "buyerEmail": "ani@example.org",
                "buyerName": "Ani Wijaya",
                "amount": {"amount": total, "currency": "IDR"},
                "lines": [
                    {"name": "Cup", "quantity": 2, "unitAmount": (total - 24_000) // 2},
                    {"name": "Shipping", "quantity": 1, "unitAmount": 24_000},
                ],
                "expiresAt": (self.clock.now() + timedelta(minutes=30)).isoformat(),
                **more,
            }
        }

    async def open(self, number: int = 1, **more: Any) -> dict[str, Any]:
        """Open a payment as the order subgraph does."""
        payment: dict[str, Any] = (await self.data(OPEN, self.opening(number, **more), by=ORDER_SERVICE))["openPayment"]
        return payment

    async def cancel(self, number: int = 1) -> str | None:
        """Cancel an order's payment and return its status."""
        answer = await self.data(CANCEL, {"orderId": f"ord_{number}"}, by=ORDER_SERVICE)
        return answer["cancelPayment"] and str(answer["cancelPayment"]["status"])

    async def rows(self, collection: str = "payments") -> list[Row]:
        """Return all rows."""
        return await self.subgraph.runtime.database[collection].find().sort("_id", 1).to_list()

    async def status(self) -> str:
        """Return the status of the only payment."""
        (payment,) = await self.rows()
        return str(payment["status"])

    async def events(self) -> list[str]:
        """Return the types of all events."""
        return [row["type"] for row in await self.subgraph.runtime.database[OUTBOX].find().sort("_id", 1).to_list()]

    async def run_job(self, name: str) -> None:
        """Run a job once."""
        job = next(job for job in self.subgraph.jobs if job.name == name)
        await job.run(self.clock.now())


@dataclass(frozen=True, slots=True)
class SandboxTill(Till):
    """A payment subgraph whose gateway is the sandbox: both are reached over HTTP."""

    gateway_url: str
    webhook_url: str
    server: SandboxServer
    browser: aiohttp.ClientSession

    async def press(self, pay_url: str, action: str) -> str:
        """Press a button of the pay page and return the page that follows."""
        async with self.browser.post(pay_url, data={"action": action}) as response:
            assert response.status == 200
            return await response.text()

    async def notify(self, body: dict[str, Any]) -> int:
        """Send a notification as the gateway would; return the HTTP status."""
        async with self.browser.post(self.webhook_url, json=body) as response:
            return response.status


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(OPENING)


@pytest.fixture
def gateway() -> MemoryGateway:
    return MemoryGateway()


@pytest.fixture
async def till(make_runtime: MakeRuntime, clock: FixedClock, gateway: MemoryGateway) -> AsyncIterator[Till]:
    subgraph = app.build(make_runtime("payment", clock=clock), gateway=gateway)
    await subgraph.start()
    yield Till(subgraph, clock)
    await subgraph.stop()


@pytest.fixture
async def sandbox(make_runtime: MakeRuntime, store_settings: Settings, clock: FixedClock) -> AsyncIterator[SandboxTill]:
    shop, bank = LateApp(), LateApp()
    async with running_asgi(shop) as shop_url, running_asgi(bank) as bank_url, aiohttp.ClientSession() as browser:
        webhook_url = f"{shop_url}/webhooks/sandbox"
        bank.app = build_sandbox_app(
            make_runtime("sandbox").database,
            server_key=SERVER_KEY,
            notify_url=webhook_url,
            public_url=bank_url,
            clock=clock,
        )
        server: SandboxServer = bank.app.state.server
        await server.prepare()
        settings = store_settings.model_copy(
            update={"sandbox_gateway_url": bank_url, "sandbox_server_key": SecretStr(SERVER_KEY)}
        )
        subgraph: Subgraph = app.build(make_runtime("payment", clock=clock, settings=settings))
        await subgraph.start()
        shop.app = Starlette(routes=list(subgraph.routes))
        yield SandboxTill(subgraph, clock, bank_url, webhook_url, server, browser)
        await subgraph.stop()
        await server.notifications.stop()


@pytest.fixture(autouse=True)
def every_query_has_an_index(indexed_queries: None) -> None:
    """Look at all queries that the tests of this folder make the store send."""
