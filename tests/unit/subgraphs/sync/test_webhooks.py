import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from subgraphs.sync.webhooks import DeliveryFailed, WebhookSender, generate_secret, sign
from tests.testkit.webhook_receiver import WebhookReceiver, running_receiver

NOW = datetime(2040, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with running_receiver() as running:
        running.secret = generate_secret()
        yield running


async def send(receiver: WebhookReceiver, sender: WebhookSender, *, url: str = "") -> None:
    await sender.send(url or receiver.url, receiver.secret, "msg_1", {"orders": ["ord_1"]}, now=NOW)


def test_a_signature_is_the_one_of_the_specification() -> None:
    # The example of https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md
    body = b'{"test": 2432232314}'
    signature = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_secret_is_another_one() -> None:
    assert len({generate_secret() for _ in range(100)}) == 100


async def test_a_delivery_is_signed_and_taken(receiver: WebhookReceiver) -> None:
    await send(receiver, WebhookSender(allow_private=True))
    assert receiver.deliveries == [{"orders": ["ord_1"]}]


async def test_a_wrong_secret_is_noticed(receiver: WebhookReceiver) -> None:
    sender = WebhookSender(allow_private=True)
    with pytest.raises(DeliveryFailed, match="answered 401"):
        await sender.send(receiver.url, generate_secret(), "msg_1", {}, now=NOW)
    assert receiver.deliveries == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(receiver: WebhookReceiver, status: int) -> None:
    receiver.answers = [status]
    with pytest.raises(DeliveryFailed, match=f"answered {status}"):
        await send(receiver, WebhookSender(allow_private=True))
    assert (receiver.refused, receiver.deliveries) == (1, [])


async def test_a_receiver_that_does_not_answer_is_given_up(receiver: WebhookReceiver) -> None:
    receiver.hold = asyncio.Event()
    with pytest.raises(DeliveryFailed, match=r"did not answer within 0\.3 s"):
        await send(receiver, WebhookSender(allow_private=True, timeout_s=0.3))
    receiver.hold.set()


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost.", "127.0.0.1"])
async def test_no_spelling_of_this_machine_is_reached_in_production(receiver: WebhookReceiver, host: str) -> None:
    url = receiver.url.replace("127.0.0.1", host)
    with pytest.raises(DeliveryFailed, match=r"is not a public|is not the name of a host"):
        await send(receiver, WebhookSender(allow_private=False), url=url)
    assert (receiver.refused, receiver.deliveries) == (0, [])


async def test_a_name_is_judged_by_the_address_that_it_has_when_it_is_called(
    receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A name server under an attacker's control can answer with another address after the URL was checked
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def rebound(host: str, port: int, **options: object) -> object:
        return await real("127.0.0.1" if host == "erp.example" else host, port, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "getaddrinfo", rebound)
    url = receiver.url.replace("127.0.0.1", "erp.example")
    await send(receiver, WebhookSender(allow_private=True), url=url)
    assert len(receiver.deliveries) == 1
    with pytest.raises(DeliveryFailed, match=r"erp\.example is not a public address"):
        await send(receiver, WebhookSender(allow_private=False), url=url)
    assert len(receiver.deliveries) == 1


async def test_a_host_without_address_is_named(receiver: WebhookReceiver) -> None:
    with pytest.raises(DeliveryFailed, match=r"the host nowhere\.invalid has no address"):
        await send(receiver, WebhookSender(allow_private=True), url="http://nowhere.invalid/hook")


async def test_a_proxy_of_the_environment_is_not_used(
    receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    await send(receiver, WebhookSender(allow_private=True))
    assert len(receiver.deliveries) == 1
