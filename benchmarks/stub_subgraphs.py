"""Stub subgraphs for benchmarks: one process, answers remembered by request body.

Serves the benchmark's own workload at one free port per subgraph, or `--workload DIR` at the address that its
supergraph names. The first time a body is seen it is executed by graphql-core; afterwards the recorded bytes are sent,
so that the stub's share of the work is the same small one for every router. `GET /count` returns the number of GraphQL
requests per subgraph and sets them to zero. Prints one JSON line {"urls": {name: url}} when ready; ends when standard
input closes.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httptools
import msgspec
import uvloop
from graphql import GraphQLSchema, graphql_sync

from benchmarks.workload import SUBGRAPH_SDL, executable_subgraph
from benchmarks.workload_folder import read_workload_folder

COUNTS: dict[str, int] = {}


class _Subgraph:
    def __init__(self, name: str, schema: GraphQLSchema) -> None:
        self.name = name
        self.schema = schema
        self.answers: dict[bytes, bytes] = {}
        COUNTS[name] = 0

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
            recorded = self.answers[body] = http_answer(msgspec.json.encode(result.formatted))
        return recorded


def http_answer(body: bytes, status: str = "200 OK") -> bytes:
    """Return *body* as a whole HTTP response."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, subgraphs: Mapping[bytes, _Subgraph]) -> None:
        self._subgraphs = subgraphs
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
        subgraph = self._subgraphs.get(self._url)
        if subgraph is not None:
            self._transport.write(subgraph.answer(b"".join(self._body)))
        elif self._url == b"/count":
            self._transport.write(http_answer(json.dumps(COUNTS).encode()))
            COUNTS.update(dict.fromkeys(COUNTS, 0))
        else:
            self._transport.write(http_answer(b'{"errors":[{"message":"no such path"}]}', "404 Not Found"))


async def serve(workload: Path | None) -> None:
    """Serve until standard input closes."""
    urls: dict[str, str] = {}
    if workload is None:
        for name in SUBGRAPH_SDL:
            subgraph = _Subgraph(name, executable_subgraph(name))
            urls[name] = await _listen(0, {b"/graphql": subgraph}) + "/graphql"
    else:
        folder = read_workload_folder(workload)
        subgraphs = {
            path.encode(): _Subgraph(name, folder.executable_subgraph(name)) for path, name in folder.paths.items()
        }
        origin = await _listen(folder.port, subgraphs)
        urls = {name: origin + path for path, name in folder.paths.items()}
    print(json.dumps({"urls": urls}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def _listen(port: int, subgraphs: Mapping[bytes, _Subgraph]) -> str:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(_Connection, subgraphs), "127.0.0.1", port)
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workload", type=Path, metavar="DIR")
    uvloop.run(serve(parser.parse_args().workload))
