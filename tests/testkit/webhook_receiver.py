"""A customer's webhook endpoint behind a real HTTP server, which checks signatures as Standard Webhooks describes."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.testkit.asgi_server import running_asgi


@dataclass(slots=True)
class WebhookReceiver:
    """What was posted, and what to answer: the next of *answers*, else 200. Mutable."""

    url: str = ""
    secret: str = ""
    answers: list[int] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    refused: int = 0
    # While it is set, a delivery is answered only once this event is
    hold: asyncio.Event | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def batches(self) -> list[list[str]]:
        """Return the ids of the orders in each batch that was taken."""
        return [[order["id"] for order in delivery["data"]["orders"]] for delivery in self.deliveries]

    async def receive(self, request: Request) -> Response:
        """Answer one delivery."""
        body = await request.body()
        self.arrived.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.secret and not self._is_signed(request, body):
            self.refused += 1
            return Response(status_code=401)
        status = self.answers.pop(0) if self.answers else 200
        if status >= 300:
            self.refused += 1
            return Response(status_code=status, headers={"location": self.url} if status < 400 else {})
        self.headers.append(dict(request.headers))
        self.deliveries.append(json.loads(body))
        return Response(status_code=status)

    def _is_signed(self, request: Request, body: bytes) -> bool:
        signed = b".".join(
            [request.headers["webhook-id"].encode(), request.headers["webhook-timestamp"].encode(), body]
        )
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return request.headers["webhook-signature"] == f"v1,{expected}"


@asynccontextmanager
async def running_receiver() -> AsyncIterator[WebhookReceiver]:
    """Serve a receiver on a free port for the duration of the block."""
    receiver = WebhookReceiver()
    app = Starlette(routes=[Route("/hook", receiver.receive, methods=["POST", "GET"])])
    async with running_asgi(app) as url:
        receiver.url = f"{url}/hook"
        yield receiver
