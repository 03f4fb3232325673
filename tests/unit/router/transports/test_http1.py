"""HTTP/1.1 as servers speak it, well and badly; the answers are written byte by byte."""

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from router.transports.http1 import (
    MAX_HEAD_BYTES,
    AnswerTooLong,
    ConnectFailed,
    ConnectionBroken,
    Http1Client,
    Target,
    write_headers,
)
from tests.unit.router.transports.servers import free_url

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
MAX_BYTES = 1000

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    """A server under test. Mutable on purpose: it remembers what it got, and how many connections."""

    url: str = ""
    connections: int = 0
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def raw_server(
    *answers: bytes, closes: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Answer each request on a connection with the next of *answers*, again from the first on every connection."""
    server = RawServer()
    writers: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        writers.append(writer)
        for answer in answers:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionResetError):
                return
            length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
            server.heads.append(head)
            server.bodies.append(await reader.readexactly(int(length.split()[1])))
            writer.write(answer)
        if closes:
            writer.close()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/graphql"
    try:
        yield server
    finally:
        for writer in writers:
            writer.close()
        listening.close()
        await listening.wait_closed()


@pytest.fixture
async def client() -> AsyncIterator[Http1Client]:
    opened = Http1Client()
    yield opened
    await opened.aclose()


async def post(client: Http1Client, url: str, body: bytes = b"{}", *, max_bytes: int = MAX_BYTES) -> tuple[int, bytes]:
    headers = write_headers({"content-type": "application/json"})
    return await client.post(Target.of_url(url), headers, body, max_bytes=max_bytes, connect_timeout_s=3.0)


async def test_a_request_is_written_as_http_1_1_wants_it(client: Http1Client) -> None:
    async with raw_server(OK) as server:
        assert await post(client, server.url + "?a=1", b'{"query":"{x}"}') == (200, b"{}")
    host = server.url.removeprefix("http://").removesuffix("/graphql")
    assert server.heads == [
        f"POST /graphql?a=1 HTTP/1.1\r\nhost: {host}\r\naccept-encoding: identity\r\n"
        "content-type: application/json\r\ncontent-length: 15\r\n\r\n".encode()
    ]
    assert server.bodies == [b'{"query":"{x}"}']


async def test_a_large_body_arrives_whole(client: Http1Client) -> None:
    async with raw_server(OK, OK) as server:
        await post(client, server.url, b"x" * 1_000_000)
        await post(client, server.url, b"y")
    assert [len(body) for body in server.bodies] == [1_000_000, 1]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("http://a.example", "POST / HTTP/1.1\r\nhost: a.example\r\n"),
        ("https://a.example:8443/q?b=c", "POST /q?b=c HTTP/1.1\r\nhost: a.example:8443\r\n"),
        ("http://[::1]:80/x", "POST /x HTTP/1.1\r\nhost: [::1]:80\r\n"),
    ],
)
def test_the_host_is_named_as_in_the_url(url: str, start: str) -> None:
    assert Target.of_url(url).start.decode() == f"{start}accept-encoding: identity\r\n"


def test_a_name_and_password_in_the_url_become_basic_authentication() -> None:
    # RFC 7617, section 2
    assert (
        b"authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
        in Target.of_url("http://Aladdin:open%20sesame@a.example/").start
    )


@pytest.mark.parametrize("url", ["ftp://a/", "a.example", "http:///x", "http://a/\r\nx: y", "http://a/ b", "http://ä/"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|escaped"):
        Target.of_url(url)


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nx: y", "a\rx", "a\0"])
def test_a_header_cannot_become_two(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        write_headers({"a": value})
    with pytest.raises(ValueError, match="line break"):
        write_headers({value: "a"})


def test_headers_are_passed_on_byte_by_byte() -> None:
    assert write_headers({"a": "\xe9", "b": "1"}) == b"a: \xe9\r\nb: 1\r\n"
    assert write_headers({"a": "\u20ac"}) == "a: \u20ac\r\n".encode()


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{ \t\r\n1\r\n}\r\n0\r\n\r\n", 200, b"{ \t}"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nnull", 500, b"null"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"{}"),
        (b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + OK, 200, b"{}"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-length: 2\r\n\r\n{}", 200, b"{}"),
    ],
)
@pytest.mark.parametrize("cut", [1, 7, 10_000])
async def test_answers_are_read_however_they_are_framed_and_cut(
    client: Http1Client, answer: bytes, status: int, body: bytes, cut: int
) -> None:
    async with raw_server(answer, answer) as server:
        for _ in range(2):
            assert await post(client, server.url) == (status, body)
    assert server.connections == 1
    # And as asyncio may deliver it
    from router.transports.http1 import _Connection

    connection = _Connection()
    connection.connection_made(_NoTransport())
    waiter = connection.send(b"", b"", MAX_BYTES)
    for start in range(0, len(answer), cut):
        connection.data_received(answer[start : start + cut])
    assert waiter.result() == (status, body)
    assert connection.can_be_kept


class _NoTransport(asyncio.Transport):
    def write(self, data: object) -> None:
        """Drop it."""

    def abort(self) -> None:
        """Do nothing."""


async def test_without_a_length_the_end_of_the_connection_is_the_end_of_the_body(client: Http1Client) -> None:
    async with raw_server(b"HTTP/1.0 200 OK\r\n\r\n{}", closes=True) as server:
        for _ in range(2):
            assert await post(client, server.url) == (200, b"{}")
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        OK + OK,
        OK + b"garbage",
    ],
    ids=["close", "HTTP/1.0", "a second answer", "garbage behind it"],
)
async def test_a_connection_that_says_more_or_says_goodbye_is_not_used_again(
    client: Http1Client, answer: bytes
) -> None:
    async with raw_server(answer, answer) as server:
        for _ in range(2):
            assert await post(client, server.url) == (200, b"{}")
    assert server.connections == 2


async def test_what_comes_unasked_is_no_answer_to_the_next_request(client: Http1Client) -> None:
    async with raw_server(OK) as server:
        target = Target.of_url(server.url)
        await post(client, server.url)
        (connection,) = client._idle[target.origin]
        connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged")
        assert await post(client, server.url) == (200, b"{}")
    assert server.connections == 2


@pytest.mark.parametrize(
    ("answer", "begun"),
    [
        (b"", False),
        (b"HTTP/1.1 200 OK\r\ncontent-le", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{}", True),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n", True),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}", True),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\n{}", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}", True),
        (b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", True),
        (b"SSH-2.0-OpenSSH_9.2\r\n", True),
        (b"<html>", True),
    ],
)
async def test_what_is_no_whole_http_answer_is_a_broken_connection(
    client: Http1Client, answer: bytes, begun: bool
) -> None:
    async with raw_server(answer, closes=True) as server:
        with pytest.raises(ConnectionBroken) as broken:
            await post(client, server.url)
    assert broken.value.answer_begun is begun
    assert client._idle == {}


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
async def test_a_body_that_is_compressed_nevertheless_is_read(
    client: Http1Client, compress: Callable[[bytes], bytes]
) -> None:
    def answer(body: bytes) -> bytes:
        encoding = b"gzip" if compress is gzip.compress else b"deflate"
        head = b"HTTP/1.1 200 OK\r\ncontent-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (encoding, len(body))
        return head + body

    whole, bomb = compress(b"x" * MAX_BYTES), compress(b"x" * (MAX_BYTES + 1))
    async with raw_server(answer(whole), answer(bomb)) as server:
        assert await post(client, server.url) == (200, b"x" * MAX_BYTES)
        with pytest.raises(AnswerTooLong):
            await post(client, server.url)
    async with raw_server(answer(whole[:-3])) as server:
        with pytest.raises(ConnectionBroken, match="ends too early"):
            await post(client, server.url)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n" + b"x" * 1001,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1001,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001,
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * (MAX_HEAD_BYTES // 6 + MAX_BYTES),
        b"HTTP/1.1 200 OK\r\na: " + b"b" * (MAX_HEAD_BYTES + MAX_BYTES),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;" + b"e" * (MAX_HEAD_BYTES + 6 * MAX_BYTES),
    ],
    ids=["length", "chunks", "end of connection", "many headers", "a long header", "a chunk extension"],
)
async def test_an_answer_has_an_end(client: Http1Client, answer: bytes) -> None:
    async with raw_server(answer) as server:
        with pytest.raises(AnswerTooLong):
            await post(client, server.url)
    assert client._idle == {}


async def test_a_request_that_is_given_up_takes_its_connection_along(client: Http1Client) -> None:
    async with raw_server(b"", OK) as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await post(client, server.url)
        assert client._idle == {}
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await post(client, server.url)
    assert server.connections == 2


async def test_a_server_that_is_not_there_got_nothing(client: Http1Client) -> None:
    with pytest.raises(ConnectFailed):
        await post(client, await free_url())
    with pytest.raises(ConnectFailed):
        await post(client, "http://name.invalid/")


async def test_idle_connections_are_closed_after_a_while(client: Http1Client) -> None:
    async with raw_server(OK, OK) as server:
        origin = Target.of_url(server.url).origin
        await asyncio.gather(post(client, server.url), post(client, server.url))
        one, other = client._idle[origin]
        one.idle_since_s -= 4
        client._close_idle(asyncio.get_running_loop())
        assert (one.can_be_kept, other.can_be_kept) == (False, True)
        assert client._idle == {origin: [other]}
        # Also one that nobody has closed yet is not used any more
        other.idle_since_s -= 4
        await post(client, server.url)
    assert server.connections == 3


async def test_further_requests_wait_for_their_turn() -> None:
    client = Http1Client(max_requests=2)
    async with raw_server(*[OK] * 10) as server:
        answers = await asyncio.gather(*(post(client, server.url) for _ in range(10)))
    assert answers == [(200, b"{}")] * 10
    assert server.connections <= 2
    await client.aclose()


async def test_a_closed_client_opens_nothing() -> None:
    client = Http1Client()
    async with raw_server(OK, OK) as server:
        await post(client, server.url)
        await client.aclose()
        with pytest.raises(ConnectFailed, match="closed"):
            await post(client, server.url)
    assert server.connections == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with the key and the certificate of `localhost`, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    pem, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_password) + made.public_bytes(pem))
    return file


async def test_over_tls_a_server_is_believed_by_its_certificate_only(
    client: Http1Client, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with raw_server(OK, OK, tls=tls) as server:
        address = server.url.replace("http:", "https:")
        name = address.replace("127.0.0.1", "localhost")
        with pytest.raises(ConnectFailed, match="self-signed"):
            await post(client, name)
        make = ssl.create_default_context
        monkeypatch.setattr(ssl, "create_default_context", lambda: make(cafile=str(certificate)))
        trusting = Http1Client()
        with pytest.raises(ConnectFailed, match=r"not valid for '127\.0\.0\.1'"):
            await post(trusting, address)
        assert server.bodies == []
        for _ in range(2):
            assert await post(trusting, name) == (200, b"{}")
        await trusting.aclose()
    assert server.connections == 1
