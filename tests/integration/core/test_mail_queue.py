"""Mail that waits for its transaction, and for a mail server that answers."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Unavailable
from core.mail import Mail, MailboxMailer
from core.mail_queue import RETRY_AFTER, MailQueue
from core.mongo import Session, in_transaction
from core.subgraph import Runtime
from tests.testkit.store import MakeRuntime

NOW = datetime(2040, 5, 1, 12, 0, tzinfo=UTC)
MAIL = Mail("mail_1", "ani@example.com", "Hello", "Hello Ani,\n")


class SometimesAway:
    """Hands on to *mailer*, except while it is *away*. Mutable."""

    def __init__(self, mailer: MailboxMailer) -> None:
        self.mailer = mailer
        self.away = False
        self.tries = 0

    async def send(self, mail: Mail, *, now: datetime) -> None:
        self.tries += 1
        if self.away:
            raise Unavailable("not now")
        await self.mailer.send(mail, now=now)


@pytest.fixture
async def runtime(make_runtime: MakeRuntime) -> Runtime:
    return make_runtime("user")


@pytest.fixture
def mailer(runtime: Runtime) -> SometimesAway:
    assert isinstance(runtime.mailer, MailboxMailer)
    return SometimesAway(runtime.mailer)


@pytest.fixture
async def queue(runtime: Runtime, mailer: SometimesAway) -> MailQueue:
    mails = MailQueue(runtime.database, mailer)
    await mails.prepare()
    return mails


async def put(runtime: Runtime, queue: MailQueue, *, gives_up: bool = False) -> None:
    async def work(session: Session) -> None:
        await queue.queue(MAIL, now=NOW, session=session)
        if gives_up:
            raise RuntimeError("the change fails")

    await in_transaction(runtime.client, work)


async def test_a_mail_is_sent_once(runtime: Runtime, queue: MailQueue, mailer: SometimesAway) -> None:
    for _ in range(2):
        await put(runtime, queue)
        await queue.send_due(NOW)
    assert await mailer.mailer.read() == [MAIL]
    assert mailer.tries == 1
    # What it said is not kept
    assert await runtime.database["mails"].find().to_list() == [{"_id": "mail_1", "attempts": 1, "sent_at": NOW}]


async def test_a_change_that_fails_is_not_told(runtime: Runtime, queue: MailQueue, mailer: SometimesAway) -> None:
    with pytest.raises(RuntimeError):
        await put(runtime, queue, gives_up=True)
    await queue.send_due(NOW)
    assert mailer.tries == 0


async def test_a_mail_waits_for_a_server_that_is_away(
    runtime: Runtime, queue: MailQueue, mailer: SometimesAway
) -> None:
    await put(runtime, queue)
    mailer.away = True
    await queue.send_due(NOW)
    mailer.away = False
    await queue.send_due(NOW + RETRY_AFTER - timedelta(milliseconds=1))
    assert (mailer.tries, await mailer.mailer.read()) == (1, [])
    await queue.send_due(NOW + RETRY_AFTER)
    assert (mailer.tries, await mailer.mailer.read()) == (2, [MAIL])
