from collections.abc import Mapping
from typing import Any

import pytest
from starlette.types import Receive

from router.errors import BadRequest, BodyTooLarge, UnsupportedMediaType
from router.exchange import GraphQLRequest
from router.server.reading import (
    ClientGone,
    parse_body,
    parse_query_string,
    read_body,
    read_cookies,
    read_headers,
)


def receive_from(*messages: Mapping[str, Any]) -> tuple[Receive, list[Mapping[str, Any]]]:
    waiting = list(messages)

    async def receive() -> Any:
        return waiting.pop(0)

    return receive, waiting


def chunk(body: bytes, *, more: bool = False) -> Mapping[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_several_chunks_is_joined() -> None:
    receive, _ = receive_from(chunk(b"ab", more=True), chunk(b"", more=True), chunk(b"c"))
    assert await read_body(receive, {}, 3) == b"abc"


async def test_a_body_that_is_announced_as_too_large_is_thrown_away_and_refused() -> None:
    receive, waiting = receive_from(chunk(b"ab", more=True), chunk(b"cd"), chunk(b"next"))
    with pytest.raises(BodyTooLarge) as refusal:
        await read_body(receive, {"content-length": "4"}, 3)
    assert refusal.value.status == 413
    assert waiting == [chunk(b"next")]


@pytest.mark.parametrize("headers", [{"content-length": "31"}, {"content-length": "4", "expect": "100-continue"}])
async def test_a_size_that_is_far_too_large_and_one_that_is_asked_for_first_are_refused_unread(
    headers: dict[str, str],
) -> None:
    receive, waiting = receive_from(chunk(b"abcd"))
    with pytest.raises(BodyTooLarge):
        await read_body(receive, headers, 3)
    assert len(waiting) == 1


async def test_a_body_that_grows_beyond_the_limit_is_read_to_ten_times_the_limit() -> None:
    receive, waiting = receive_from(chunk(b"ab", more=True), chunk(b"cd", more=True), chunk(b"e"), chunk(b"next"))
    with pytest.raises(BodyTooLarge):
        await read_body(receive, {}, 3)
    assert waiting == [chunk(b"next")]
    receive, waiting = receive_from(*[chunk(b"abcd", more=True)] * 20)
    with pytest.raises(BodyTooLarge):
        await read_body(receive, {}, 3)
    # Eight times four bytes are more than thirty
    assert len(waiting) == 12


async def test_a_client_that_hangs_up_while_its_body_is_thrown_away_is_noticed() -> None:
    receive, _ = receive_from(chunk(b"ab", more=True), {"type": "http.disconnect"})
    with pytest.raises(ClientGone):
        await read_body(receive, {"content-length": "4"}, 3)


async def test_a_client_that_hangs_up_is_noticed() -> None:
    receive, _ = receive_from(chunk(b"ab", more=True), {"type": "http.disconnect"})
    with pytest.raises(ClientGone):
        await read_body(receive, {}, 100)


async def test_a_compressed_body_is_refused() -> None:
    receive, _ = receive_from(chunk(b"x"))
    with pytest.raises(UnsupportedMediaType):
        await read_body(receive, {"content-encoding": "gzip"}, 100)


def test_a_body_is_read_and_what_it_has_besides_is_ignored() -> None:
    body = b'{"query": "{a}", "operationName": "A", "variables": {"x": 1}, "extensions": {"y": 2}, "other": [1]}'
    assert parse_body(body) == GraphQLRequest("{a}", "A", {"x": 1}, {"y": 2})


def test_null_is_the_same_as_nothing() -> None:
    body = b'{"query": "{a}", "operationName": null, "variables": null, "extensions": null}'
    assert parse_body(body) == GraphQLRequest("{a}")
    assert parse_body(b'{"documentId": "sha256:1"}') == GraphQLRequest(None, document_id="sha256:1")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is not JSON"),
        (b'{"query"', "the body is not JSON"),
        (b'{"query": "\xff"}', "the body is not JSON"),
        (b'{"query": 1}', "Expected `str | null`, got `int` - at `$.query`"),
        (b'{"query": "{a}", "variables": []}', "Expected `object | null`, got `array` - at `$.variables`"),
        (b'"x"', "Expected `object`, got `str`"),
        (b'[{"query": "{a}"}]', "several requests in one body are not supported"),
        (b'{"query": "{a}", "variables": {"x": ' + b"[" * 100_000, "the body is nested too deeply"),
    ],
)
def test_what_is_no_graphql_request_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_body(body)
    assert message in str(refusal.value)
    assert refusal.value.status == 400


def test_a_query_string_is_read() -> None:
    query_string = b"query=%7Ba%7D&operationName=A&variables=%7B%22x%22%3A1%7D&extensions=null&other=1"
    assert parse_query_string(query_string) == GraphQLRequest("{a}", "A", {"x": 1})


@pytest.mark.parametrize(
    "query_string",
    [
        b"query=%7Ba%7D&variables=%5B1%5D",
        b"query=%7Ba%7D&variables=nonsense",
        b"query=%FF",
        b"query=\xff",
        b"&".join(b"a=%d" % number for number in range(60)),
    ],
)
def test_a_query_string_that_is_no_graphql_request_is_refused(query_string: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_query_string(query_string)


def test_an_empty_query_string_asks_nothing() -> None:
    assert parse_query_string(b"") == GraphQLRequest(None)


def test_repeated_headers_are_joined() -> None:
    raw = [(b"accept", b"a/b"), (b"cookie", b"x=1"), (b"accept", b"c/d"), (b"cookie", b"y=2")]
    assert read_headers(raw) == {"accept": "a/b, c/d", "cookie": "x=1; y=2"}


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        (None, {}),
        ("", {}),
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ("a=1;a=2", {"a": "1"}),
        ('a="quoted"; nonsense; =x; b=1=2', {"a": "quoted", "b": "1=2"}),
    ],
)
def test_cookies_are_read(header: str | None, cookies: dict[str, str]) -> None:
    assert read_cookies(header) == cookies
