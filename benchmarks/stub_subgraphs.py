"""Stub subgraphs for benchmarks: one process, one port each, answers remembered by request body.

The first time a body is seen it is executed by graphql-core; afterwards the recorded bytes are sent, so that the stub's
share of the work is the same small one for every router. `GET /count` returns the number of GraphQL requests per
subgraph and sets them to zero. Prints one JSON line {"urls": {name: url}} when ready; ends when standard input closes.
"""

import asyncio
import json
import sys
from functools import partial
from typing import Any

import httptools
import msgspec
import uvloop
from graphql import graphql_sync

from benchmarks.workload import SUBGRAPH_SDL, executable_subgraph

COUNTS = dict.fromkeys(SUBGRAPH_SDL, 0)


class _Subgraph:
    def __init__(self, name: str) -> None:
        self.name = name
        self.schema = executable_subgraph(name)
        self.answers: dict[bytes, bytes] = {}

    def answer(self, body: bytes) -> bytes:
        COUNTS[self.name] += 1
        recorded = self.answers.get(body)
        if recorded is None:
            request = msgspec.json.decode(body)
            result = graphql_sync(
                self.schema,
                request["query"],
                variable_values=request.get("variables"),
                operation_name=request.get("operationName"),
            )
            recorded = self.answers[body] = _http(msgspec.json.encode(result.formatted))
        return recorded


def _http(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, subgraph: _Subgraph) -> None:
        self._subgraph = subgraph
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url, self._body = b"", []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._url == b"/count":
            self._transport.write(_http(json.dumps(COUNTS).encode()))
            COUNTS.update(dict.fromkeys(COUNTS, 0))
        else:
            self._transport.write(self._subgraph.answer(b"".join(self._body)))


async def serve() -> None:
    """Serve until standard input closes."""
    loop = asyncio.get_running_loop()
    urls: dict[str, str] = {}
    for name in SUBGRAPH_SDL:
        subgraph = _Subgraph(name)
        server = await loop.create_server(partial(_Connection, subgraph), "127.0.0.1", 0)
        urls[name] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    print(json.dumps({"urls": urls}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve())
