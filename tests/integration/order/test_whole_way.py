"""From the cart to the letter: five subgraphs, and the sandbox gateway behind real sockets."""

from datetime import timedelta

import aiohttp
from starlette.applications import Starlette

from subgraphs.payment.gateways.sandbox import SandboxGateway
from subgraphs.payment.gateways.sandbox_server import SandboxServer, build_sandbox_app
from tests.testkit.asgi_server import running_asgi
from tests.testkit.late_app import LateApp
from tests.testkit.shop import ANI, STAFF, open_shop
from tests.testkit.store import MakeRuntime

TOTALS = """{
  monthlyOrderTotals(from: "2027-03", to: "2027-03") { months { orderCount quantity revenue { amount } } }
}"""


async def test_an_order_is_placed_paid_on_the_page_delivered_from_stock_reported_and_told(
    make_runtime: MakeRuntime,
) -> None:
    store, bank = LateApp(), LateApp()
    async with running_asgi(store) as store_url, running_asgi(bank) as bank_url, aiohttp.ClientSession() as browser:
        shop = await open_shop(make_runtime, gateway=SandboxGateway(bank_url, server_key="SB-tests"))
        store.app = Starlette(routes=list(shop.subgraphs["payment"].routes))
        bank.app = build_sandbox_app(
            make_runtime("sandbox").database,
            server_key="SB-tests",
            notify_url=f"{store_url}/webhooks/sandbox",
            public_url=bank_url,
            clock=shop.clock,
        )
        server: SandboxServer = bank.app.state.server
        await server.prepare()
        await shop.stock_up(teapot=5)
        await shop.put_in_cart(ANI, teapot=2)
        result = await shop.check_out()
        order = result["order"]
        assert order["total"] == {"amount": 32_000, "currency": "IDR"}
        assert await shop.stock("teapot") == (5, 2)
        shop.clock.advance(timedelta(minutes=3))
        async with browser.post(result["payUrl"], data={"action": "pay"}) as response:
            assert response.status == 200
        assert await server.notifications.deliver_due() == 2
        await shop.deliver_events()
        placed = await shop.the_order()
        assert (placed["status"], placed["paid_at"]) == ("PAID", shop.clock.now())
        assert await shop.stock("teapot") == (3, 0)
        assert await shop.order.data(TOTALS, by=STAFF) == {
            "monthlyOrderTotals": {"months": [{"orderCount": 1, "quantity": 2, "revenue": {"amount": 32_000}}]}
        }
        await shop.run_job("payment", "send_mails")
        (mail,) = await shop.mails()
        assert mail.subject == f"Payment received for order {order['number']}"
        for subgraph in shop.subgraphs.values():
            await subgraph.stop()
        await server.notifications.stop()
