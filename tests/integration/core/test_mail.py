"""Mail into the development mailbox and over SMTP."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from structlog.testing import capture_logs

from core.errors import Unavailable
from core.mail import MAILBOX, Mail, MailboxMailer, SmtpMailer
from core.mongo import Client
from pasar.free_ports import pick_free_port
from tests.testkit.smtp_server import SmtpServer

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
MAIL = Mail("evt_1", "budi@example.com", "Order 42\nBcc: thief@example.com", "Terima kasih, Budi!\nTotal: Rp 10.000")


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpServer]:
    server = SmtpServer()
    await server.start()
    yield server
    await server.stop()


async def test_the_mailbox_keeps_each_mail_once_and_shows_the_newest_first(
    mongo_client: Client, database_prefix: str
) -> None:
    database = mongo_client[f"{database_prefix}mail"]
    one, other = MailboxMailer(database), MailboxMailer(database)
    assert await one.read() == []
    letters = [Mail(f"evt_{n}", f"u{n % 2}@example.com", f"Order {n}", "text") for n in range(4)]
    # Two processes begin at the same time
    await asyncio.gather(one.send(letters[0], now=NOW), other.send(letters[0], now=NOW))
    for mail in letters:
        await one.send(mail, now=NOW)
    assert await other.read() == letters[::-1]
    assert await other.read(to="u1@example.com") == [letters[3], letters[1]]
    assert await other.read(limit=1) == [letters[3]]
    assert (await database[MAILBOX].options())["capped"] is True


async def test_smtp_gets_one_well_formed_message(smtp: SmtpServer) -> None:
    mailer = SmtpMailer(f"smtp://127.0.0.1:{smtp.port}", sender="Pasar <no-reply@pasar.example>")
    await mailer.send(MAIL, now=NOW)
    [raw] = smtp.messages
    message = message_from_bytes(raw, policy=policy.default)
    assert message["To"] == "budi@example.com"
    assert message["From"] == "Pasar <no-reply@pasar.example>"
    assert message["Subject"] == "Order 42 Bcc: thief@example.com"
    assert message["Bcc"] is None
    assert message["Message-ID"] == "<evt_1@127.0.0.1>"
    assert message["Date"] == "Sun, 01 Nov 2026 09:30:00 +0000"
    body = message.get_body()
    assert body is not None
    assert body.get_content().splitlines()[:2] == ["Terima kasih, Budi!", "Total: Rp 10.000"]


async def test_an_address_that_is_refused_for_good_is_dropped_and_logged(smtp: SmtpServer) -> None:
    smtp.recipient_answer = "550 no such mailbox"
    mailer = SmtpMailer(f"smtp://127.0.0.1:{smtp.port}", sender="shop@pasar.example")
    with capture_logs() as logs:
        await mailer.send(MAIL, now=NOW)
    assert [(log["event"], log["mail_id"]) for log in logs] == [
        ("the mail server refused an address for good", "evt_1")
    ]
    assert smtp.messages == []


async def test_what_may_work_later_is_tried_again(smtp: SmtpServer) -> None:
    smtp.recipient_answer = "451 come back later"
    mailer = SmtpMailer(f"smtp://127.0.0.1:{smtp.port}", sender="shop@pasar.example")
    with pytest.raises(Unavailable):
        await mailer.send(MAIL, now=NOW)
    with pytest.raises(Unavailable):
        await SmtpMailer(f"smtp://127.0.0.1:{pick_free_port()}", sender="shop@pasar.example").send(MAIL, now=NOW)


async def test_a_password_is_not_sent_over_an_open_line(smtp: SmtpServer) -> None:
    mailer = SmtpMailer(f"smtp://shop:secret@127.0.0.1:{smtp.port}", sender="shop@pasar.example")
    with pytest.raises(Unavailable):
        await mailer.send(MAIL, now=NOW)
    assert "AUTH" not in smtp.commands
    assert smtp.messages == []
