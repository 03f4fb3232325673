"""Sending a webhook: signed as Standard Webhooks says (https://www.standardwebhooks.com), with a time-out, once.

Trying again is the exporter's business: it remembers in MongoDB what is left to send.
"""

import base64
import hashlib
import hmac
import secrets
import socket
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from core.errors import BadUserInput
from subgraphs.sync.addresses import check_webhook_url, may_call

# A receiver should take the batch and answer; whoever works for longer does so afterwards
TIMEOUT_S = 15.0
SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32


class DeliveryFailed(Exception):
    """The receiver did not take a batch. The message is for the schedule's owner."""


class _ForbiddenAddress(OSError):
    """The host's name stands for an address that a webhook must not reach."""


class WebhookSender:
    """Posts JSON to customers' URLs, with private networks in reach only if *allow_private*."""

    def __init__(self, *, allow_private: bool, timeout_s: float = TIMEOUT_S) -> None:
        self._allow_private = allow_private
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def send(self, url: str, secret: str, message_id: str, payload: Mapping[str, Any], *, now: datetime) -> None:
        """Post *payload*; raise DeliveryFailed unless the receiver answers with 2xx."""
        try:
            target = URL(check_webhook_url(url, allow_private=self._allow_private))
        except BadUserInput as error:
            raise DeliveryFailed(error.message) from None
        body = msgspec.json.encode(payload)
        timestamp = int(now.timestamp())
        headers = {
            "content-type": "application/json",
            "user-agent": "Pasar-Sync",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(secret, message_id, timestamp, body),
        }
        # A connection of its own each time: batches are minutes or days apart. No cookies, no proxy from the
        # environment, no redirects: each of them could lead elsewhere than the URL that was checked
        connector = aiohttp.TCPConnector(socket_factory=self._open_socket, use_dns_cache=False, force_close=True)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
                ) as session,
                session.post(target, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
        except TimeoutError:
            raise DeliveryFailed(f"the webhook did not answer within {self._timeout.total:g} s") from None
        except aiohttp.ClientConnectorDNSError:
            raise DeliveryFailed(f"the host {target.host} has no address") from None
        except aiohttp.ClientConnectorError as error:
            raise DeliveryFailed(_describe(error, target)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise DeliveryFailed(f"the webhook could not be called: {type(error).__name__}") from None
        if not 200 <= status < 300:
            raise DeliveryFailed(f"the webhook answered {status}")

    def _open_socket(self, address: aiohttp.AddrInfoType) -> socket.socket:
        # Asked before every connection, whatever the name was: the last moment at which the address is known
        family, kind, protocol, _, target = address
        if not may_call(ip_address(str(target[0])), allow_private=self._allow_private):
            raise _ForbiddenAddress("not a public address")
        return socket.socket(family, kind, protocol)


def generate_secret() -> str:
    """Return a new signing secret, in the form that Standard Webhooks libraries read."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: version, comma, and HMAC-SHA256 of id, time and body in base 64."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _describe(error: aiohttp.ClientConnectorError, target: URL) -> str:
    if isinstance(error, aiohttp.ClientSSLError):
        return f"the certificate of {target.host} is not valid"
    # With several addresses the client joins their errors into one text
    if isinstance(error.os_error, _ForbiddenAddress) or "not a public address" in str(error.os_error):
        return f"{target.host} is not a public address"
    return f"{target.host} does not accept connections on port {target.port}"
