"""HTTP/1.1 for the one thing that a router does all day: POST a small body and read the whole answer.

A request takes about 15 us of CPU this way, and 75 us with aiohttp, which was most of what a light operation took. The
protocol is parsed by httptools (Node's llhttp); connecting and TLS are asyncio's. Left out is what a router does not
need: redirects, cookies, proxies, streamed bodies.

Http1Error
├── ConnectFailed       nothing was sent
├── ConnectionBroken    something was, and there is no whole answer
└── AnswerTooLong
"""

import asyncio
import ssl
import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import httptools

#: Far more than any server sends, far less than what a flood of headers or chunk extensions would take.
MAX_HEAD_BYTES = 256 * 1024
#: One write of both parts of a request is cheaper than two, until copying the body costs more.
_JOINED_BYTES = 64 * 1024
_DECODED = frozenset({b"gzip", b"x-gzip", b"deflate"})
# zlib's: find out by the header whether it is gzip or zlib
_EITHER_HEADER = 32 + zlib.MAX_WBITS


class Http1Error(Exception):
    """A request got no answer."""


class ConnectFailed(Http1Error):
    """The server cannot be connected to: nothing of the request was sent."""


class ConnectionBroken(Http1Error):
    """The connection broke, or what came over it is no HTTP; the request may have been carried out.

    *answer_begun* is False while nothing had come back, as when the server had given up an idle connection.
    """

    def __init__(self, message: str, *, answer_begun: bool) -> None:
        super().__init__(message)
        self.answer_begun = answer_begun


class AnswerTooLong(Http1Error):
    """The answer is longer than the caller wants."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go: the parts of a URL, and *start*, the lines that begin each request to it."""

    host: str
    port: int
    is_tls: bool
    start: bytes

    @classmethod
    def of_url(cls, url: str) -> "Target":
        """Read an `http` or `https` URL; a name and password in it become basic authentication.

        Raises:
            ValueError: it is no such URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no http or https URL")
        is_tls = parts.scheme == "https"
        port = parts.port or (443 if is_tls else 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        if parts.port:
            host = f"{host}:{port}"
        # A server need not speak gzip: between a router and its subgraphs CPU is dearer than bytes
        lines = [f"POST {path} HTTP/1.1", f"host: {host}", "accept-encoding: identity"]
        if parts.username is not None:
            credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            lines.append(f"authorization: Basic {b64encode(credentials.encode()).decode()}")
        start = "".join(f"{line}\r\n" for line in lines)
        if not start.isascii() or any(character in url for character in "\r\n \t"):
            raise ValueError(f"{url!r} has characters that must be escaped")
        return cls(parts.hostname, port, is_tls, start.encode("ascii"))

    @property
    def origin(self) -> tuple[str, int, bool]:
        """Return what a connection can be used for."""
        return self.host, self.port, self.is_tls


def write_headers(headers: Mapping[str, str]) -> bytes:
    """Return *headers* as lines.

    Raises:
        ValueError: a name or value has a line break, and would become a header of its own.
    """
    text = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if text.count("\n") != len(headers) or text.count("\r") != len(headers) or "\0" in text:
        raise ValueError("a header has a line break")
    try:
        # As ASGI servers read them, so that what a client sent is passed on byte by byte
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


class Http1Client:
    """Keeps connections to servers alive and sends requests over them. Mutable; belongs to one event loop.

    Args:
        max_requests: how many may be under way; further ones wait.
        keepalive_s: how long an idle connection is used again.
    """

    def __init__(self, *, max_requests: int = 1000, keepalive_s: float = 4.0) -> None:
        self._keepalive_s = keepalive_s
        self._turns = asyncio.Semaphore(max_requests)
        self._idle: dict[tuple[str, int, bool], list[_Connection]] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._tls: ssl.SSLContext | None = None
        self.is_closed = False

    async def post(
        self, target: Target, headers: bytes, body: bytes, *, max_bytes: int, connect_timeout_s: float
    ) -> tuple[int, bytes]:
        """Send one request and return the answer's status and body, of *max_bytes* at most.

        Raises:
            Http1Error: there is no whole answer.
        """
        if self._turns.locked():
            async with self._turns:
                return await self._post(target, headers, body, max_bytes, connect_timeout_s)
        await self._turns.acquire()
        try:
            return await self._post(target, headers, body, max_bytes, connect_timeout_s)
        finally:
            self._turns.release()

    async def _post(
        self, target: Target, headers: bytes, body: bytes, max_bytes: int, connect_timeout_s: float
    ) -> tuple[int, bytes]:
        connection = self._take_idle(target.origin) or await self._connect(target, connect_timeout_s)
        try:
            answer = await connection.send(
                b"%b%bcontent-length: %d\r\n\r\n" % (target.start, headers, len(body)), body, max_bytes
            )
        except BaseException:
            # Also when the caller gives up: the answer that is still to come belongs to nobody
            connection.abort()
            raise
        if connection.can_be_kept and not self.is_closed:
            self._keep(target.origin, connection)
        else:
            connection.abort()
        return answer

    def _take_idle(self, origin: tuple[str, int, bool]) -> "_Connection | None":
        idle = self._idle.get(origin)
        oldest_s = asyncio.get_running_loop().time() - self._keepalive_s
        while idle:
            connection = idle.pop()
            if connection.can_be_kept and connection.idle_since_s > oldest_s:
                return connection
            connection.abort()
        return None

    def _keep(self, origin: tuple[str, int, bool], connection: "_Connection") -> None:
        loop = asyncio.get_running_loop()
        connection.idle_since_s = loop.time()
        self._idle.setdefault(origin, []).append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(self._keepalive_s, self._close_idle, loop)

    def _close_idle(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close what has been idle for too long, and look again later as long as anything is idle."""
        self._sweep = None
        oldest_s = loop.time() - self._keepalive_s
        for origin, idle in list(self._idle.items()):
            kept = [one for one in idle if one.can_be_kept and one.idle_since_s > oldest_s]
            for one in idle:
                if one not in kept:
                    one.abort()
            if kept:
                self._idle[origin] = kept
            else:
                del self._idle[origin]
        if self._idle:
            self._sweep = loop.call_later(self._keepalive_s, self._close_idle, loop)

    async def _connect(self, target: Target, timeout_s: float) -> "_Connection":
        if self.is_closed:
            raise ConnectFailed("the client is closed")
        if target.is_tls and self._tls is None:
            self._tls = ssl.create_default_context()
        try:
            async with asyncio.timeout(timeout_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    _Connection, target.host, target.port, ssl=self._tls if target.is_tls else None
                )
        except TimeoutError:
            raise ConnectFailed(f"{target.host}:{target.port} did not accept within {timeout_s} s") from None
        except (OSError, UnicodeError) as error:
            raise ConnectFailed(f"{target.host}:{target.port}: {error}") from error
        return connection

    async def aclose(self) -> None:
        """Close all idle connections; those in use close with their request."""
        self.is_closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for idle in self._idle.values():
            for connection in idle:
                connection.abort()
        self._idle.clear()


class _Connection(asyncio.Protocol):
    """One connection, for one request after the other. Mutable: holds the answer so far."""

    __slots__ = (
        "_chunks",
        "_encoding",
        "_has_length",
        "_head_is_read",
        "_max_bytes",
        "_parser",
        "_received_bytes",
        "_size_bytes",
        "_transport",
        "_waiter",
        "can_be_kept",
        "idle_since_s",
    )

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: Any = None
        self._waiter: asyncio.Future[tuple[int, bytes]] | None = None
        self._max_bytes = 0
        self.can_be_kept = True
        self.idle_since_s = 0.0
        self._forget_answer()

    def send(self, head: bytes, body: bytes, max_bytes: int) -> "asyncio.Future[tuple[int, bytes]]":
        """Send a request and return the future of its answer."""
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        self._max_bytes = max_bytes
        self._received_bytes = 0
        self._forget_answer()
        if len(body) < _JOINED_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        return waiter

    def abort(self) -> None:
        """Close at once."""
        self.can_be_kept = False
        self._waiter = None
        self._transport.abort()

    def _forget_answer(self) -> None:
        self._chunks: list[bytes] = []
        self._size_bytes = 0
        self._encoding = b""
        self._has_length = False
        self._head_is_read = False

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            # Nobody has asked: whatever it is, the next request must not take it for its answer
            self.abort()
            return
        self._received_bytes += len(data)
        # A body in chunks of one byte takes six times its size; headers and chunk extensions have no end of their own
        if self._received_bytes > MAX_HEAD_BYTES + 6 * self._max_bytes or (
            not self._head_is_read and self._received_bytes > MAX_HEAD_BYTES + self._max_bytes
        ):
            self._fail(AnswerTooLong("the answer does not end"))
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._break(f"no HTTP: {error}")

    def eof_received(self) -> None:
        """Return nothing: the connection closes, and `connection_lost` follows."""

    def connection_lost(self, error: Exception | None) -> None:
        self.can_be_kept = False
        if self._waiter is None:
            return
        if error is None and self._head_is_read and not self._has_length:
            # HTTP/1.0: the end of the connection is the end of the body
            self._finish()
        else:
            self._break(f"the server closed the connection{f': {error}' if error else ''}")

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        if self._waiter is None:
            # A second answer to one request
            self.can_be_kept = False

    def on_header(self, name: bytes, value: bytes) -> None:
        match name.lower():
            case b"content-length" | b"transfer-encoding":
                self._has_length = True
            case b"content-encoding":
                self._encoding = value.strip().lower()

    def on_headers_complete(self) -> None:
        self._head_is_read = True

    def on_body(self, body: bytes) -> None:
        self._size_bytes += len(body)
        if self._size_bytes > self._max_bytes:
            self._fail(AnswerTooLong(f"the answer is longer than {self._max_bytes} bytes"))
        else:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            # 100 Continue, 103 Early Hints: the answer follows
            self._forget_answer()
            return
        self.can_be_kept = self.can_be_kept and self._parser.should_keep_alive()
        self._finish()

    def _finish(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():
            return
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        if self._encoding and self._encoding != b"identity" and body:
            try:
                body = _decode(body, self._encoding, self._max_bytes)
            except Http1Error as error:
                waiter.set_exception(error)
                return
        waiter.set_result((self._parser.get_status_code(), body))

    def _break(self, message: str) -> None:
        self._fail(ConnectionBroken(message, answer_begun=self._received_bytes > 0))

    def _fail(self, error: Http1Error) -> None:
        waiter, self._waiter = self._waiter, None
        self.can_be_kept = False
        self._transport.abort()
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)


def _decode(body: bytes, encoding: bytes, max_bytes: int) -> bytes:
    """Return *body* decoded, though it was asked for as it is."""
    if encoding not in _DECODED:
        raise ConnectionBroken(f"content-encoding {encoding.decode('latin-1')}", answer_begun=True)
    decompressor = zlib.decompressobj(_EITHER_HEADER)
    try:
        decoded = decompressor.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise ConnectionBroken(f"content-encoding {encoding.decode()}: {error}", answer_begun=True) from error
    if len(decoded) > max_bytes:
        raise AnswerTooLong(f"the answer is longer than {max_bytes} bytes")
    if not decompressor.eof:
        raise ConnectionBroken(f"content-encoding {encoding.decode()}: it ends too early", answer_begun=True)
    return decoded
