"""GraphQL over HTTP, as a raw ASGI application: the hot path of the router.

https://graphql.github.io/graphql-over-http/draft/
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from starlette.types import Receive, Scope, Send

from router.config import RouterConfig
from router.errors import (
    MethodNotAllowed,
    NotAcceptable,
    RouterError,
    ValidationFailed,
    VariablesRefused,
)
from router.exchange import Answer, Caller, EventStream, GraphQLRequest, PartStream, refuse
from router.pipeline import Pipeline
from router.server.addresses import AddressReader
from router.server.closing import Closing
from router.server.event_stream import send_events, send_single_event
from router.server.graphiql import GraphiQLPage
from router.server.media import (
    Media,
    accepts_events,
    accepts_parts,
    prefers_html,
    require_json_body,
    require_media,
)
from router.server.multipart import send_parts, send_single_part
from router.server.origins import OriginRules, RawHeaders
from router.server.reading import (
    ClientGone,
    parse_body,
    parse_query_string,
    read_body,
    read_cookies,
    read_headers,
)

_ALLOWED_METHODS = "GET, POST, OPTIONS"
# What a proxy in front of us may call a request; anything else could break a log line or a header
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/=+-]{1,128}")


@dataclass(frozen=True, slots=True)
class HttpEndpoint:
    """Answers HTTP requests at the GraphQL path. *page* is None when browsers get no GraphiQL."""

    pipeline: Pipeline
    config: RouterConfig
    origins: OriginRules
    addresses: AddressReader
    page: GraphiQLPage | None
    closing: Closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = read_headers(scope["headers"])
        request_id = request_id_of(headers)
        reply = _Reply(send, [(b"x-request-id", request_id.encode()), *self.origins.cors_headers(headers)])
        method: str = scope["method"]
        accept = headers.get("accept", "")
        media = Media.JSON
        try:
            if method == "OPTIONS":
                await self._answer_preflight(headers, reply)
            elif method == "GET" and self.page is not None and prefers_html(accept) and not scope["query_string"]:
                await reply.send_page(self.page)
            elif method in {"GET", "POST"}:
                media = require_media(accept)
                caller = Caller(
                    address=self.addresses.client_address(scope, headers),
                    headers=headers,
                    cookies=read_cookies(headers.get("cookie")),
                    request_id=request_id,
                    may_mutate=method == "POST",
                    takes_parts=accepts_parts(accept) or media is Media.EVENT_STREAM,
                )
                request = await self._read_request(scope, receive, caller)
                await self._answer_operation(request, caller, media, receive, reply)
            else:
                raise MethodNotAllowed(f"{method} is not a method of GraphQL over HTTP", allow=_ALLOWED_METHODS)
        except ClientGone:
            pass
        except RouterError as error:
            await self._send_answer(refuse(error), media, reply)

    async def _read_request(self, scope: Scope, receive: Receive, caller: Caller) -> GraphQLRequest:
        if scope["method"] == "GET":
            self.origins.check_get(caller.headers, caller.cookies)
            return parse_query_string(scope["query_string"])
        require_json_body(caller.headers.get("content-type"))
        self.origins.check_post(caller.headers, caller.cookies)
        return parse_body(await read_body(receive, caller.headers, self.config.limits.max_body_bytes))

    async def _answer_operation(
        self, request: GraphQLRequest, caller: Caller, media: Media, receive: Receive, reply: "_Reply"
    ) -> None:
        outcome = await self.pipeline.handle(request, caller)
        match outcome:
            case Answer():
                await self._send_answer(outcome, media, reply)
            case EventStream(events=events):
                if not accepts_events(caller.headers.get("accept", "")):
                    await events.aclose()
                    raise NotAcceptable(
                        "a subscription needs the header Accept: text/event-stream, or a WebSocket with the"
                        " sub-protocol graphql-transport-ws"
                    )
                await send_events(
                    events,
                    receive,
                    reply.send,
                    headers=reply.headers,
                    keepalive_s=self.config.subscriptions.keepalive_s,
                    closing=self.closing,
                )
            case PartStream(parts=parts):
                headers = [*reply.headers, *_cookie_headers(outcome)]
                if media is Media.EVENT_STREAM:
                    keepalive_s = self.config.subscriptions.keepalive_s
                    await send_events(
                        parts, receive, reply.send, headers=headers, keepalive_s=keepalive_s, closing=None
                    )
                else:
                    await send_parts(parts, receive, reply.send, headers=headers)

    async def _send_answer(self, answer: Answer, media: Media, reply: "_Reply") -> None:
        error = answer.error
        body = answer.encoded
        if media is Media.EVENT_STREAM:
            if error is None or not error.is_http_error:
                await send_single_event(body, reply.send, headers=reply.headers)
                return
            # The stream has not begun: its client learns from the status that there will be none
            media = Media.JSON
        extra = _cookie_headers(answer)
        if media is Media.MULTIPART:
            if error is None or not error.is_http_error:
                await send_single_part(body, reply.send, headers=[*reply.headers, *extra])
                return
            media = Media.JSON
        if error is not None:
            extra += [(name.encode(), value.encode("latin-1", "replace")) for name, value in error.headers.items()]
        await reply.send_body(self._status_of(answer, media), media.content_type, body, extra)

    def _status_of(self, answer: Answer, media: Media) -> int:
        # Cases: not a GraphQL request, or not admitted: the error's status, for everybody; older clients: 200 for any
        # GraphQL response; newer ones: 200 if it ran, the error's status if not; the draft has one more for each
        error = answer.error
        is_draft = self.config.status_codes == "draft"
        if error is not None and error.is_http_error:
            return error.status
        if media is Media.JSON:
            return 200
        if error is None:
            return 294 if is_draft and "errors" in answer.body else 200
        if is_draft and isinstance(error, ValidationFailed | VariablesRefused):
            return 422
        return error.status

    async def _answer_preflight(self, headers: Mapping[str, str], reply: "_Reply") -> None:
        if "access-control-request-method" not in headers:
            raise MethodNotAllowed("OPTIONS is for CORS preflights here", allow=_ALLOWED_METHODS)
        granted = self.origins.preflight_headers(headers)
        # Without the headers the browser refuses the request itself; the status tells nothing
        await reply.send_empty(204, granted or [])


def _cookie_headers(outcome: Answer | PartStream) -> list[tuple[bytes, bytes]]:
    return [(b"set-cookie", cookie.to_header().encode("latin-1")) for cookie in outcome.set_cookies]


def request_id_of(headers: Mapping[str, str]) -> str:
    """Return the id that a proxy gave the request, or a new one."""
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else token_hex(8)


class _Reply:
    """Writes one HTTP response; *headers* are those that every response to this request has."""

    __slots__ = ("headers", "send")

    def __init__(self, send: Send, headers: RawHeaders) -> None:
        self.send = send
        self.headers = headers

    async def send_body(
        self, status: int, content_type: str, body: bytes, extra: Sequence[tuple[bytes, bytes]]
    ) -> None:
        headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            *self.headers,
            *extra,
        ]
        await self._write(status, headers, body)

    async def send_page(self, page: GraphiQLPage) -> None:
        headers = [
            (b"content-length", str(len(page.html)).encode()),
            *page.headers,
            *self.headers,
        ]
        await self._write(200, headers, page.html)

    async def send_empty(self, status: int, headers: RawHeaders) -> None:
        await self._write(status, [*headers, self.headers[0]], b"")

    async def _write(self, status: int, headers: Any, body: bytes) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})
