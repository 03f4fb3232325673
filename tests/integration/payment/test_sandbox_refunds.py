"""Refunds at the sandbox gateway, over real sockets: once per key, never more than was paid."""

from typing import Any

from tests.integration.payment.conftest import SandboxTill
from tests.integration.payment.test_refunds import refund
from tests.integration.payment.test_sandbox import call


async def pay(sandbox: SandboxTill) -> dict[str, Any]:
    payment = await sandbox.open()
    await sandbox.press(payment["payUrl"], "pay")
    await sandbox.server.notifications.deliver_due()
    (row,) = await sandbox.rows()
    return row


async def send_back(sandbox: SandboxTill, key: str, amount: Any, reference: str = "ORD-1") -> tuple[str, str]:
    body = {"refund_key": key, "amount": amount, "reason": "size"}
    _, answer = await call(sandbox, "POST", f"/v2/{reference}/refund", json=body)
    return answer["status_code"], answer.get("transaction_status", "")


async def test_a_refund_is_made_and_its_two_notifications_change_nothing_more(sandbox: SandboxTill) -> None:
    payment = await pay(sandbox)
    assert (await refund(sandbox, payment, 20_000))["status"] == "PARTIALLY_REFUNDED"
    assert await sandbox.server.notifications.deliver_due() == 2
    assert (await refund(sandbox, payment, key="rest"))["status"] == "REFUNDED"
    assert await sandbox.server.notifications.deliver_due() == 2
    assert (await sandbox.events()).count("PaymentRefunded") == 2
    _, status = await call(sandbox, "GET", "/v2/ORD-1/status")
    assert (status["transaction_status"], status["refund_amount"]) == ("refund", "54000.00")
    assert [(each["refund_amount"], each["reason"]) for each in status["refunds"]] == [
        ("20000.00", "too late"),
        ("34000.00", "too late"),
    ]
    assert "The money has been sent back." in await sandbox.press(str(payment["pay_url"]), "pay")
    assert await sandbox.status() == "REFUNDED"


async def test_a_refund_key_sends_the_money_once(sandbox: SandboxTill) -> None:
    await pay(sandbox)
    assert await send_back(sandbox, "RF-1", 20_000) == ("200", "partial_refund")
    assert await send_back(sandbox, "RF-1", 20_000) == ("200", "partial_refund")
    assert await send_back(sandbox, "RF-1", 20_001) == ("406", "")
    assert await send_back(sandbox, "RF-2", 34_001) == ("414", "")
    assert await send_back(sandbox, "RF-2", 34_000) == ("200", "refund")
    assert await send_back(sandbox, "RF-3", 1) == ("412", "")
    _, status = await call(sandbox, "GET", "/v2/ORD-1/status")
    assert [each["refund_key"] for each in status["refunds"]] == ["RF-1", "RF-2"]


async def test_what_was_not_paid_or_cannot_be_read_is_refused(sandbox: SandboxTill) -> None:
    await sandbox.open()
    assert await send_back(sandbox, "RF-1", 1) == ("404", "")
    assert await send_back(sandbox, "RF-1", 1, "X-none") == ("404", "")
    await sandbox.server.settle_late("ORD-1")
    for amount in (0, -1, "1.5", True, None, [1]):
        assert await send_back(sandbox, "RF-1", amount) == ("400", "")
    assert await send_back(sandbox, "", 1) == ("400", "")
    status, _ = await call(sandbox, "POST", "/v2/ORD-1/refund", json={}, headers={"authorization": "Basic x"})
    assert status == 401
    _, answer = await call(sandbox, "GET", "/v2/ORD-1/status")
    assert "refunds" not in answer
