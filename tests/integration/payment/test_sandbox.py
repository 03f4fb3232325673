"""The sandbox gateway over real sockets: its API, its page, its notifications, and the adapter that uses it."""

import asyncio
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from subgraphs.payment.gateways.base import GatewayUnavailable
from subgraphs.payment.gateways.midtrans_format import sign_notification
from subgraphs.payment.gateways.sandbox import SandboxGateway
from subgraphs.payment.gateways.sandbox_notifications import SandboxFaults
from tests.integration.payment.conftest import OPEN, SERVER_KEY, SandboxTill
from tests.testkit.callers import ORDER_SERVICE

AUTH = {"authorization": aiohttp.encode_basic_auth(SERVER_KEY, "")}
SNAP = {"transaction_details": {"order_id": "X-1", "gross_amount": 5000}}


async def call(till: SandboxTill, method: str, path: str, **more: Any) -> tuple[int, Any]:
    headers = {**AUTH, **more.pop("headers", {})}
    async with till.browser.request(method, till.gateway_url + path, headers=headers, **more) as response:
        return response.status, await response.json()


async def test_a_payment_made_on_the_page_is_captured_through_a_notification(sandbox: SandboxTill) -> None:
    payment = await sandbox.open()
    async with sandbox.browser.get(payment["payUrl"]) as response:
        page = await response.text()
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert "Order ORD-1" in page
    assert "IDR 54,000" in page
    sandbox.clock.advance(seconds=30)
    assert "Paid. The store has been told." in await sandbox.press(payment["payUrl"], "pay")
    # Two notifications: it has begun, it is settled
    assert await sandbox.server.notifications.deliver_due() == 2
    assert await sandbox.status() == "PAID"
    assert await sandbox.events() == ["PaymentCaptured"]
    (row,) = await sandbox.rows()
    assert (row["gateway_status"], row["paid_at"]) == ("settlement", sandbox.clock.now())
    # Pressing again, and sending again, changes nothing
    await sandbox.press(payment["payUrl"], "fail")
    assert await sandbox.server.notifications.deliver_due() == 0
    assert await sandbox.status() == "PAID"


@pytest.mark.parametrize(
    ("action", "status", "event"),
    [("fail", "FAILED", "PaymentFailed"), ("expire", "EXPIRED", "PaymentExpired")],
)
async def test_the_other_buttons_end_the_payment(sandbox: SandboxTill, action: str, status: str, event: str) -> None:
    payment = await sandbox.open()
    await sandbox.press(payment["payUrl"], action)
    await sandbox.server.notifications.deliver_due()
    assert await sandbox.status() == status
    assert await sandbox.events() == [event]


async def test_the_gateway_notifies_by_itself_once_it_is_started(sandbox: SandboxTill) -> None:
    payment = await sandbox.open()
    await sandbox.server.notifications.start()
    changes = await sandbox.subgraph.runtime.database["payments"].watch(
        [{"$match": {"updateDescription.updatedFields.status": "PAID"}}]
    )
    async with changes:
        await sandbox.press(payment["payUrl"], "pay")
        await asyncio.wait_for(changes.next(), 30)
    assert await sandbox.status() == "PAID"


async def test_copies_of_a_notification_at_the_same_time_capture_once(sandbox: SandboxTill) -> None:
    payment = await sandbox.open()
    await sandbox.press(payment["payUrl"], "pay")
    row = await sandbox.server.find("ORD-1")
    assert row is not None
    body = sandbox.server.describe(row)
    assert await asyncio.gather(*(sandbox.notify(body) for _ in range(10))) == [200] * 10
    assert await sandbox.notify(body) == 200
    assert await sandbox.events() == ["PaymentCaptured"]


async def test_settled_before_pending_is_settled(sandbox: SandboxTill) -> None:
    payment = await sandbox.open()
    await sandbox.press(payment["payUrl"], "pay")
    row = await sandbox.server.find("ORD-1")
    assert row is not None
    assert await sandbox.notify(sandbox.server.describe(row)) == 200
    assert await sandbox.notify(sandbox.server.describe({**row, "status": "pending"})) == 200
    assert await sandbox.status() == "PAID"
    assert await sandbox.events() == ["PaymentCaptured"]


async def test_a_forged_notification_is_refused_and_changes_nothing(sandbox: SandboxTill) -> None:
    payment = await sandbox.open()
    await sandbox.press(payment["payUrl"], "pay")
    row = await sandbox.server.find("ORD-1")
    assert row is not None
    body = sandbox.server.describe(row)
    assert await sandbox.notify({**body, "signature_key": "0" * 128}) == 403
    assert await sandbox.notify({**body, "gross_amount": "1.00"}) == 403
    assert await sandbox.notify({key: value for key, value in body.items() if key != "signature_key"}) == 400
    async with sandbox.browser.post(sandbox.webhook_url, data=b"x" * 70_000) as response:
        assert response.status == 413
    async with sandbox.browser.get(sandbox.webhook_url) as response:
        assert response.status == 405
    assert await sandbox.status() == "PENDING"
    assert await sandbox.rows("notifications") == []


async def test_a_changed_status_under_a_right_signature_is_not_believed(sandbox: SandboxTill) -> None:
    await sandbox.open()
    # Midtrans signs order, code and amount, but not the status
    body = {
        "order_id": "ORD-1",
        "status_code": "201",
        "gross_amount": "54000.00",
        "transaction_status": "settlement",
        "transaction_id": "t",
        "signature_key": sign_notification("ORD-1", "201", "54000.00", SERVER_KEY),
    }
    assert await sandbox.notify(body) == 200
    assert await sandbox.status() == "PENDING"
    assert await sandbox.events() == []


async def test_a_notification_about_nothing_of_ours_is_answered_with_404(sandbox: SandboxTill) -> None:
    body = {
        "order_id": "ORD-9",
        "status_code": "200",
        "gross_amount": "1.00",
        "transaction_status": "settlement",
        "signature_key": sign_notification("ORD-9", "200", "1.00", SERVER_KEY),
    }
    assert await sandbox.notify(body) == 404


async def test_forged_signatures_of_the_gateway_itself_are_made_up_for_by_asking(sandbox: SandboxTill) -> None:
    sandbox.server.notifications.faults = SandboxFaults(is_forged=True)
    payment = await sandbox.open()
    await sandbox.press(payment["payUrl"], "pay")
    await sandbox.server.notifications.deliver_due()
    assert await sandbox.status() == "PENDING"
    sandbox.clock.advance(seconds=60)
    await sandbox.run_job("check_payments")
    assert await sandbox.status() == "PAID"


async def test_duplicated_and_dropped_notifications_end_the_same(sandbox: SandboxTill) -> None:
    for number, copies in ((1, 3), (2, 0)):
        sandbox.server.notifications.faults = replace(sandbox.server.notifications.faults, copies=copies)
        payment = await sandbox.open(number)
        await sandbox.press(payment["payUrl"], "pay")
        assert await sandbox.server.notifications.deliver_due() == 2 * copies
    sandbox.clock.advance(seconds=60)
    await sandbox.run_job("check_payments")
    assert [payment["status"] for payment in await sandbox.rows()] == ["PAID", "PAID"]
    assert await sandbox.events() == ["PaymentCaptured", "PaymentCaptured"]


async def test_an_unanswered_notification_is_sent_again_when_it_is_due(sandbox: SandboxTill) -> None:
    payment = await sandbox.open()
    await sandbox.press(payment["payUrl"], "pay")
    queue = sandbox.server.notifications
    reached, queue._notify_url = queue._notify_url, "http://127.0.0.1:1/nobody"
    assert await queue.deliver_due() == 2
    queue._notify_url = reached
    sandbox.clock.advance(seconds=119)
    assert await queue.deliver_due() == 0
    sandbox.clock.advance(seconds=1)
    assert await queue.deliver_due() == 2
    assert await sandbox.status() == "PAID"


async def test_cancelling_closes_the_page_before_anybody_pays(sandbox: SandboxTill) -> None:
    payment = await sandbox.open()
    assert await sandbox.cancel() == "CANCELLED"
    assert "The store has cancelled this payment." in await sandbox.press(payment["payUrl"], "pay")
    # They send nothing about a page that nobody used
    assert await sandbox.server.notifications.deliver_due() == 0
    assert await sandbox.status() == "CANCELLED"


async def test_cancelling_what_was_paid_a_moment_ago_finds_it_paid(sandbox: SandboxTill) -> None:
    payment = await sandbox.open()
    await sandbox.press(payment["payUrl"], "pay")
    assert await sandbox.cancel() == "PAID"
    assert await sandbox.events() == ["PaymentCaptured"]


async def test_an_expired_page_takes_no_money_and_the_payment_expires(sandbox: SandboxTill) -> None:
    payment = await sandbox.open()
    sandbox.clock.advance(minutes=30, seconds=5)
    assert "The time to pay is over." in await sandbox.press(payment["payUrl"], "pay")
    await sandbox.run_job("check_payments")
    assert await sandbox.status() == "EXPIRED"


async def test_a_transfer_that_arrives_after_the_end_is_captured(sandbox: SandboxTill) -> None:
    await sandbox.open()
    await sandbox.cancel()
    await sandbox.server.settle_late("ORD-1")
    await sandbox.server.notifications.deliver_due()
    assert await sandbox.status() == "PAID"
    assert await sandbox.events() == ["PaymentCancelled", "PaymentCaptured"]


async def test_a_gateway_that_is_away_or_broken_is_unavailable(sandbox: SandboxTill) -> None:
    for url in ("http://127.0.0.1:1", f"{sandbox.gateway_url}/nowhere"):
        adapter = SandboxGateway(url, server_key=SERVER_KEY, timeout_s=5)
        with pytest.raises(GatewayUnavailable):
            await adapter.fetch_status("ORD-1")
        await adapter.aclose()
    stranger = SandboxGateway(sandbox.gateway_url, server_key="wrong")
    with pytest.raises(GatewayUnavailable, match="does not accept our server key"):
        await stranger.fetch_status("ORD-1")
    await stranger.aclose()


async def test_other_currencies_than_rupiah_keep_their_cents(sandbox: SandboxTill) -> None:
    lines = [{"name": "Cup", "quantity": 1, "unitAmount": 1205}]
    money = {"amount": 1205, "currency": "USD"}
    variables = sandbox.opening()
    variables["input"] |= {"amount": money, "lines": lines}
    payment = (await sandbox.data(OPEN, variables, by=ORDER_SERVICE))["openPayment"]
    assert "USD 12.05" in await sandbox.press(payment["payUrl"], "pay")
    await sandbox.server.notifications.deliver_due()
    (row,) = await sandbox.rows()
    assert (row["status"], row["captured_amount"]) == ("PAID", 1205)


async def test_strangers_get_nothing_from_the_api(sandbox: SandboxTill) -> None:
    for method, path in (
        ("POST", "/snap/v1/transactions"),
        ("POST", "/snap/v1/transactions/x/cancel"),
        ("GET", "/v2/ORD-1/status"),
        ("POST", "/v2/ORD-1/cancel"),
        ("POST", "/v2/ORD-1/expire"),
    ):
        for key in ("", aiohttp.encode_basic_auth("wrong", "")):
            status, _ = await call(sandbox, method, path, headers={"authorization": key}, json=SNAP)
            assert status == 401
    assert await sandbox.server.find("X-1") is None


async def test_create_is_repeated_with_its_key_and_refused_without(sandbox: SandboxTill) -> None:
    headers = {"idempotency-key": "k"}
    first = await call(sandbox, "POST", "/snap/v1/transactions", json=SNAP, headers=headers)
    assert first[0] == 201
    assert await call(sandbox, "POST", "/snap/v1/transactions", json=SNAP, headers=headers) == first
    refused = (406, {"error_messages": ["transaction_details.order_id has already been taken"]})
    assert await call(sandbox, "POST", "/snap/v1/transactions", json=SNAP) == refused
    sandbox.clock.advance(minutes=5)
    assert await call(sandbox, "POST", "/snap/v1/transactions", json=SNAP, headers=headers) == refused


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"transaction_details": {"order_id": "a b", "gross_amount": 1}},
        {"transaction_details": {"order_id": "x" * 51, "gross_amount": 1}},
        {"transaction_details": {"order_id": "X", "gross_amount": 0}},
        {"transaction_details": {"order_id": "X", "gross_amount": 1.5}},
        {"transaction_details": {"order_id": "X", "gross_amount": "1.5"}},
        {**SNAP, "item_details": [{"name": "a", "quantity": 1, "price": 4999}]},
        {**SNAP, "expiry": {"unit": "day", "duration": 8}},
        {**SNAP, "expiry": {"unit": "fortnight", "duration": 1}},
        {**SNAP, "callbacks": {"finish": "javascript:alert(1)"}},
    ],
)
async def test_a_create_request_that_makes_no_sense_is_refused(sandbox: SandboxTill, body: Any) -> None:
    status, answer = await call(sandbox, "POST", "/snap/v1/transactions", json=body)
    assert status == 400
    assert len(answer["error_messages"]) == 1
    assert await sandbox.server.find("X-1") is None


async def test_core_answers_as_documented(sandbox: SandboxTill) -> None:
    _, created = await call(sandbox, "POST", "/snap/v1/transactions", json=SNAP)
    # Nobody has begun to pay
    assert (await call(sandbox, "GET", "/v2/X-1/status"))[1]["status_code"] == "404"
    assert (await call(sandbox, "POST", "/v2/X-1/cancel"))[1]["status_code"] == "404"
    await sandbox.press(created["redirect_url"], "pay")
    status = (await call(sandbox, "GET", "/v2/X-1/status"))[1]
    assert (status["status_code"], status["transaction_status"], status["gross_amount"]) == (
        "200",
        "settlement",
        "5000.00",
    )
    by_id = (await call(sandbox, "GET", f"/v2/{status['transaction_id']}/status"))[1]
    assert by_id == status
    for action in ("cancel", "expire"):
        assert (await call(sandbox, "POST", f"/v2/X-1/{action}"))[1]["status_code"] == "412"
    page_cancel = await call(sandbox, "POST", f"/snap/v1/transactions/{created['token']}/cancel")
    assert page_cancel == (400, {"error_messages": ["transaction cannot be canceled"]})


async def test_a_begun_payment_can_be_expired_by_the_shop(sandbox: SandboxTill) -> None:
    _, created = await call(sandbox, "POST", "/snap/v1/transactions", json=SNAP)
    row = await sandbox.server.find_page(created["token"])
    assert row is not None
    await sandbox.server.change(row, "pending", sources=(None,))
    assert (await call(sandbox, "POST", "/v2/X-1/expire"))[1]["status_code"] == "407"
    assert (await call(sandbox, "GET", "/v2/X-1/status"))[1]["transaction_status"] == "expire"


async def test_an_unknown_page_says_so(sandbox: SandboxTill) -> None:
    async with sandbox.browser.get(f"{sandbox.gateway_url}/pay/nothing") as response:
        assert response.status == 404
        assert "There is no such payment" in await response.text()
