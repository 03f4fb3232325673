"""From an HTTP request to a GraphQLRequest.

https://graphql.github.io/graphql-over-http/draft/#sec-Request
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive

from router.errors import BadRequest, BodyTooLarge, UnsupportedMediaType
from router.exchange import GraphQLRequest

# A GET request has five parameters that mean something; the rest is somebody else's, but not without bound
MAX_PARAMETERS = 50


class _Body(msgspec.Struct, rename="camel"):
    query: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None


_BODY = msgspec.json.Decoder(_Body)
_MAP = msgspec.json.Decoder(dict[str, Any])


# Of a body that is larger, no more is read than so many times what is allowed
SKIPPED_LIMITS = 10


class ClientGone(Exception):
    """The client hung up before its request was complete."""


async def read_body(receive: Receive, headers: Mapping[str, str], max_bytes: int) -> bytes:
    """Return the body; raise BodyTooLarge when it is larger than *max_bytes*, which is never kept as a whole.

    Whoever is still sending when a connection is closed is told of the closing only. So the rest of a body that is
    somewhat too large is thrown away, for its sender to read why.
    """
    encoding = headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMediaType(f"a body with Content-Encoding: {encoding} is not read here")
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        # Who asks first has sent nothing yet
        if "expect" not in headers and int(announced) <= SKIPPED_LIMITS * max_bytes:
            await _skip_body(receive, int(announced))
        raise BodyTooLarge(f"the body is larger than {max_bytes} bytes")
    chunks: list[bytes] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            if message.get("more_body", False):
                await _skip_body(receive, SKIPPED_LIMITS * max_bytes - size_bytes)
            raise BodyTooLarge(f"the body is larger than {max_bytes} bytes")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _skip_body(receive: Receive, max_bytes: int) -> None:
    """Throw a body away, or *max_bytes* of it when it is larger."""
    left_bytes = max_bytes
    while left_bytes > 0:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        if not message.get("more_body", False):
            return
        left_bytes -= len(message.get("body", b""))


def parse_body(body: bytes) -> GraphQLRequest:
    """Read a POST body; raise BadRequest when it is not a GraphQL request."""
    try:
        parsed = _BODY.decode(body)
    except msgspec.ValidationError as error:
        if body.lstrip().startswith(b"["):
            raise BadRequest("several requests in one body are not supported") from None
        raise BadRequest(f"the body is not a GraphQL request: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRequest("the body is not JSON") from None
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    return GraphQLRequest(
        query=parsed.query,
        operation_name=parsed.operation_name or None,
        variables=parsed.variables or {},
        extensions=parsed.extensions or {},
        document_id=parsed.document_id,
    )


def parse_query_string(query_string: bytes) -> GraphQLRequest:
    """Read the parameters of a GET request; raise BadRequest when they are not a GraphQL request."""
    try:
        parameters = dict(
            parse_qsl(
                query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
            )
        )
    except (ValueError, UnicodeDecodeError):
        raise BadRequest("the query string is not URL-encoded UTF-8, or has too many parameters") from None
    return GraphQLRequest(
        query=parameters.get("query") or None,
        operation_name=parameters.get("operationName") or None,
        variables=_parse_map("variables", parameters.get("variables")),
        extensions=_parse_map("extensions", parameters.get("extensions")),
        document_id=parameters.get("documentId") or None,
    )


def _parse_map(name: str, text: str | None) -> dict[str, Any]:
    if not text or text == "null":
        return {}
    try:
        return _MAP.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest(f'the parameter "{name}" is not a JSON object') from None


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by lower-case name; repeated ones are joined, as RFC 9110 section 5.3 allows."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name in headers:
            value = f"{headers[name]}{'; ' if name == 'cookie' else ', '}{value}"
        headers[name] = value
    return headers


def read_cookies(header: str | None) -> dict[str, str]:
    """Return the cookies of a `Cookie` header; of several with one name the first, which is the most specific."""
    cookies: dict[str, str] = {}
    for pair in (header or "").split(";"):
        name, separator, value = pair.strip().partition("=")
        if separator and name:
            cookies.setdefault(name, value.strip('"'))
    return cookies
