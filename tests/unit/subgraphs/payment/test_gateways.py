"""What the adapter and the sandbox gateway read and write, without a network."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.money import Money
from subgraphs.payment.gateways.base import BadNotification, ForgedNotification
from subgraphs.payment.gateways.midtrans_format import (
    read_status,
    read_time,
    sign_notification,
    write_amount,
    write_gross_amount,
    write_time,
)
from subgraphs.payment.gateways.sandbox import SandboxGateway
from subgraphs.payment.gateways.sandbox_notifications import delay_before_retry
from subgraphs.payment.gateways.sandbox_page import PageLine, PayPage, render_page
from subgraphs.payment.model import PaymentStatus

# From Midtrans' documentation, signed with this key
SERVER_KEY = "SB-Mid-server-TESTKEY"
EXAMPLE: dict[str, Any] = json.loads("""
{"transaction_time":"2026-03-01 10:00:00","transaction_status":"settlement",
"transaction_id":"9aed5972-5b6a-401e-894b-a32c91ed1a3a","status_code":"200",
"status_message":"midtrans payment notification","settlement_time":"2026-03-01 10:04:11",
"signature_key":"e95341cc69358ba852af996b488fdcad7c38e6d83993e3ce01980531a7bd8a09ed30beebfdfd602f254bc1cf7939f456e2b81b1d267dec71f497d69e25d987ed",
"payment_type":"bank_transfer","va_numbers":[{"bank":"bca","va_number":"812785002530231"}],"payment_amounts":[],
"order_id":"ORD-2026-000123","merchant_id":"G000000001","gross_amount":"150000.00","fraud_status":"accept",
"currency":"IDR"}
""")


@pytest.fixture
def gateway() -> SandboxGateway:
    return SandboxGateway("http://sandbox.invalid", server_key=SERVER_KEY)


def test_the_documented_example_carries_the_right_signature() -> None:
    assert sign_notification("ORD-2026-000123", "200", "150000.00", SERVER_KEY) == EXAMPLE["signature_key"]


def test_the_documented_example_is_read(gateway: SandboxGateway) -> None:
    notification = gateway.read_notification(json.dumps(EXAMPLE).encode(), {})
    assert (notification.reference, notification.status) == ("ORD-2026-000123", PaymentStatus.PAID)


@pytest.mark.parametrize(
    "change",
    [
        {"signature_key": "0" * 128},
        {"signature_key": ""},
        {"signature_key": "ä"},
        {"order_id": "ORD-2026-000124"},
        {"status_code": "201"},
        {"gross_amount": "150000"},
    ],
)
def test_a_changed_notification_is_forged(gateway: SandboxGateway, change: dict[str, str]) -> None:
    with pytest.raises(ForgedNotification):
        gateway.read_notification(json.dumps({**EXAMPLE, **change}).encode(), {})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"order_id": "x"}', b"\xff"])
def test_what_is_no_notification_is_refused(gateway: SandboxGateway, body: bytes) -> None:
    with pytest.raises(BadNotification):
        gateway.read_notification(body, {})


def test_a_status_that_nobody_knows_is_refused(gateway: SandboxGateway) -> None:
    with pytest.raises(BadNotification, match="'mystery' is not known"):
        gateway.read_notification(json.dumps({**EXAMPLE, "transaction_status": "mystery"}).encode(), {})


def test_copies_have_one_key_and_other_notifications_another(gateway: SandboxGateway) -> None:
    def key(**change: object) -> str:
        return gateway.read_notification(json.dumps({**EXAMPLE, **change}).encode(), {}).key

    assert key() == key(status_message="unknown fields may appear", new_field=1, transaction_status="SETTLEMENT")
    assert len({key(), key(transaction_status="deny"), key(transaction_id="another"), key(refunds=[{}])}) == 4


@pytest.mark.parametrize(
    ("raw", "fraud", "status"),
    [
        ("pending", "accept", "PENDING"),
        ("authorize", "accept", "AUTHORIZED"),
        ("capture", "accept", "PAID"),
        ("capture", "challenge", "IN_REVIEW"),
        ("settlement", None, "PAID"),
        ("SETTLEMENT", "ACCEPT", "PAID"),
        ("deny", None, "FAILED"),
        ("failure", None, "FAILED"),
        ("cancel", None, "CANCELLED"),
        ("expire", None, "EXPIRED"),
        ("refund", None, "REFUNDED"),
        ("partial_refund", None, "PARTIALLY_REFUNDED"),
        ("chargeback", None, "CHARGED_BACK"),
        ("partial_chargeback", None, "CHARGED_BACK"),
        ("", None, None),
    ],
)
def test_their_words_are_translated(raw: str, fraud: str | None, status: str | None) -> None:
    assert read_status(raw, fraud) == status


def test_amounts_and_times_are_written_as_theirs() -> None:
    assert write_gross_amount(Money(150_000, "IDR")) == "150000.00"
    assert write_gross_amount(Money(1250, "USD")) == "12.50"
    assert write_amount(150_000, "IDR") == 150_000
    assert write_amount(1205, "USD") == "12.05"
    at = datetime(2026, 3, 1, 3, 4, 11, tzinfo=UTC)
    assert write_time(at) == "2026-03-01 10:04:11"
    assert read_time("2026-03-01 10:04:11") == at


def test_notifications_are_retried_as_documented() -> None:
    def delays(status: int | None) -> list[int]:
        found: list[int] = []
        while (delay := delay_before_retry(status, len(found) + 1)) is not None:
            found.append(int(delay / timedelta(minutes=1)))
        return found

    assert delays(200) == delays(204) == []
    assert delays(500) == [2]
    assert delays(400) == delays(404) == [2, 10]
    assert delays(503) == [2, 10, 30, 90]
    assert delays(None) == delays(502) == delays(403) == [2, 10, 30, 90, 210]


def test_the_page_has_three_buttons_while_it_is_open_and_none_afterwards() -> None:
    page = PayPage(title="Pay", order_id="ORD-1", total="IDR 5", lines=(PageLine("Cup", 1, "IDR 5"),), is_open=True)
    html = render_page(page)
    assert [html.count(f'value="{action}"') for action in ("pay", "fail", "expire")] == [1, 1, 1]
    assert '<html lang="en">' in html
    assert html.count("<h1>") == html.count("<main>") == 1
    closed = render_page(PayPage(title="Pay", notice="Paid."))
    assert "<button" not in closed
    assert '<p class="notice" role="status">Paid.</p>' in closed


def test_what_a_shop_sends_cannot_become_markup() -> None:
    evil = '"><script>alert(1)</script>'
    html = render_page(
        PayPage(title="Pay", order_id=evil, total=evil, lines=(PageLine(evil, 1, evil),), finish_url=evil, is_open=True)
    )
    assert "<script" not in html
