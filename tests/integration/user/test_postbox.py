import asyncio
from datetime import datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.errors import Unavailable
from core.mail import Mail
from subgraphs.user.accounts.documents import LetterKind
from tests.integration.user.conftest import PASSWORD, UserStore, token_in


class FailingMailer:
    """Refuses letters as it is told to. Mutable: notes the subjects of those that it took."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.refused_subject = ""
        self.sent: list[Mail] = []

    async def send(self, mail: Mail, *, now: datetime) -> None:
        if self.error is not None and self.refused_subject in mail.subject:
            raise self.error
        self.sent.append(mail)


@pytest.fixture
def mailer(store: UserStore) -> FailingMailer:
    mailer = FailingMailer()
    store.accounts.postbox._mailer = mailer
    return mailer


async def send(store: UserStore) -> None:
    await store.accounts.postbox.send_due(store.clock.now())


async def request_reset(store: UserStore, email: str = "ani@example.com") -> None:
    await store.accounts.credentials.request_password_reset(email)


async def test_a_letter_waits_for_the_mail_server_ever_longer(store: UserStore, mailer: FailingMailer) -> None:
    await store.add("Ani")
    await request_reset(store)
    mailer.error = Unavailable("the mail server does not answer")
    await send(store)
    (letter,) = (await store.snapshot())["letters"]
    assert (letter["attempts"], (letter["due_at"] - store.clock.now()).total_seconds()) == (1, 60)
    store.clock.advance(minutes=1)
    await send(store)
    (letter,) = (await store.snapshot())["letters"]
    assert (letter["attempts"], (letter["due_at"] - store.clock.now()).total_seconds()) == (2, 120)
    mailer.error = None
    await send(store)
    assert mailer.sent == []
    store.clock.advance(minutes=2)
    await send(store)
    assert [mail.subject for mail in mailer.sent] == ["Reset your password"]
    assert (await store.snapshot())["letters"] == []
    # The token that was stored with the first attempt is the one that came
    await store.accounts.credentials.reset_password(token_in(mailer.sent[0]), "another horse battery")
    entries = [entry["action"] for entry in (await store.snapshot())["audit_entries"]]
    assert entries == ["PASSWORD_RESET_REQUESTED", "PASSWORD_RESET"]


async def test_one_letter_that_cannot_be_sent_holds_up_no_other_and_stays_out_of_the_log(
    store: UserStore, mailer: FailingMailer
) -> None:
    _, ani = await store.add("Ani")
    await request_reset(store)
    await store.accounts.credentials.request_email_change("new@example.com", PASSWORD, by=ani)
    mailer.error, mailer.refused_subject = ValueError("ani@example.com is strange"), "Reset"
    with capture_logs() as logs:
        await send(store)
    assert sorted(mail.subject for mail in mailer.sent) == [
        "Confirm your new e-mail address",
        "Your e-mail address is about to change",
    ]
    (line,) = logs
    (letter,) = (await store.snapshot())["letters"]
    assert (line["event"], line["letter_id"], line["error"]) == ("letter not sent yet", letter["_id"], "ValueError")
    assert "in send" in line["trace"]
    assert "example.com" not in str(line)
    assert letter["nonce"] not in str(line)


async def test_news_that_are_old_are_not_sent(store: UserStore, mailer: FailingMailer) -> None:
    _, ani = await store.add("Ani")
    await store.accounts.credentials.change_password(PASSWORD, "another horse battery", by=ani)
    store.clock.advance(days=3)
    await send(store)
    assert mailer.sent == []
    assert (await store.snapshot())["letters"] == []


async def test_workers_at_the_same_time_send_each_letter_once(store: UserStore, mailer: FailingMailer) -> None:
    for number in range(10):
        await store.add(f"User{number}")
        await request_reset(store, f"user{number}@example.com")
    await asyncio.gather(*(send(store) for _ in range(4)))
    assert sorted(mail.to for mail in mailer.sent) == [f"user{number}@example.com" for number in range(10)]


async def test_a_letter_to_an_account_that_is_gone_is_nobodys(store: UserStore, mailer: FailingMailer) -> None:
    _, ani = await store.add("Ani")
    await store.accounts.credentials.request_email_change("new@example.com", PASSWORD, by=ani)
    await request_reset(store)
    await store.database["users"].delete_many({})
    await send(store)
    # News were addressed when they were written
    assert [mail.subject for mail in mailer.sent] == ["Your e-mail address is about to change"]
    assert (await store.snapshot())["mail_tokens"] == []


@pytest.mark.parametrize("kind", [LetterKind.REGISTRATION, LetterKind.PASSWORD_RESET])
async def test_an_allowance_is_for_one_address_and_one_kind(store: UserStore, kind: LetterKind) -> None:
    postbox: Any = store.accounts.postbox
    granted = await asyncio.gather(*(postbox.may_write(kind, "ani@example.com") for _ in range(20)))
    assert granted.count(True) == 5
    assert await postbox.may_write(kind, "budi@example.com") is True
    assert await postbox.may_write(LetterKind.EMAIL_CHANGE, "ani@example.com") is True
    store.clock.advance(minutes=59)
    assert await postbox.may_write(kind, "ani@example.com") is False
    store.clock.advance(minutes=1)
    assert await postbox.may_write(kind, "ani@example.com") is True
