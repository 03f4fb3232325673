"""The development mailbox in a browser."""

import json
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from core.mail import Mail, MailboxMailer
from core.mongo import Client
from pasar.mailbox_page import mailbox_route

NOW = datetime(2026, 11, 24, tzinfo=UTC)


async def show(mailbox: MailboxMailer, *, query: str = "", accept: str = "text/html") -> Response:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/dev/mail",
        "query_string": query.encode(),
        "headers": [(b"accept", accept.encode())],
    }
    response: Response = await mailbox_route(mailbox).endpoint(Request(scope))
    return response


async def test_mail_is_shown_newest_first_and_what_people_typed_stays_text(
    mongo_client: Client, database_prefix: str
) -> None:
    mailbox = MailboxMailer(mongo_client[f"{database_prefix}mail"])
    assert b"No mail yet." in (await show(mailbox)).body
    await mailbox.send(Mail("1", "a@x.example", "First", "See http://127.0.0.1/pay?a=1&b=2 now"), now=NOW)
    later = NOW.replace(hour=1)
    await mailbox.send(Mail("2", "b@x.example", "<script>alert(1)</script>", "<img src=x onerror=y>"), now=later)
    page = await show(mailbox)
    body = bytes(page.body).decode()
    assert body.index("&lt;script&gt;alert(1)&lt;/script&gt;") < body.index("First")
    assert "<script" not in body
    assert "<img" not in body
    assert '<a href="http://127.0.0.1/pay?a=1&amp;b=2">' in body
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


async def test_programs_get_json_and_may_ask_for_one_recipient(mongo_client: Client, database_prefix: str) -> None:
    mailbox = MailboxMailer(mongo_client[f"{database_prefix}mail"])
    for number, recipient in enumerate(("a@x.example", "b@x.example")):
        await mailbox.send(Mail(str(number), recipient, "Hello", "You"), now=NOW)
    answer = await show(mailbox, query="to=b%40x.example", accept="application/json")
    assert json.loads(bytes(answer.body)) == [{"id": "1", "to": "b@x.example", "subject": "Hello", "text": "You"}]
