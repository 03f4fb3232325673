"""Measure what a very large subgraph response takes of a router's memory.

A stub subgraph answers about 50 MB of JSON: many small objects, or a few long strings. Each router runs as a process
of its own and is asked once for a small answer, and then for the large one; the number is how much its peak memory
(VmHWM) grew by the second request, over the size of the subgraph's response. The limit is 6; the baseline is the peer
that takes the least. A peer that cannot serve it is named with the reason.
"""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httptools
import uvloop

from benchmarks.report import Result, parse_arguments, publish
from benchmarks.router import CONTENDERS, PEERS, ROOT, Contender, Files, memory_mib, running, wait_until_answering
from benchmarks.router import free_port as choose_port
from router.composition import SubgraphSchema, compose

SDL = """
type Query { small: [Item!] objects: [Item!] texts: [String!] }
type Item { id: ID! name: String price: Int inStock: Boolean tags: [String!] }
"""
FIELDS = "{ id name price inStock tags }"
MEGABYTE = 1_000_000
OPERATIONS = {"objects": f"{{ objects {FIELDS} }}", "strings": "{ texts }"}
# A router that takes longer than this for one response does not serve it
PATIENCE_S = 120


def make_items(size_bytes: int) -> list[dict[str, Any]]:
    """Return small objects that take about *size_bytes* as JSON; no two have the same text."""
    one = {"id": "i0000000", "name": "Item number 0000000", "price": 1234567, "inStock": True, "tags": ["red", "green"]}
    count = size_bytes // (len(json.dumps(one, separators=(",", ":"))) + 1)
    return [{**one, "id": f"i{i:07}", "name": f"Item number {i:07}", "price": 10**6 + i} for i in range(count)]


def answers_of(size_bytes: int) -> dict[str, bytes]:
    """Return the stub's HTTP bodies by the root field that is asked for."""
    fields: dict[str, Any] = {
        "small": make_items(1000),
        "objects": make_items(size_bytes),
        "texts": ["x" * (size_bytes // 20)] * 20,
    }
    return {name: json.dumps({"data": {name: value}}, separators=(",", ":")).encode() for name, value in fields.items()}


class _Stub(asyncio.Protocol):
    """Answers with the body of the root field that the request's text names."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        self._answers = answers
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._body = b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        text = self._body.decode()
        body = next((body for name, body in self._answers.items() if name in text), b'{"data":{"__typename":"Query"}}')
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode())
        self._transport.write(body)


async def serve_stub(size_bytes: int) -> None:
    """Serve the answers until standard input closes; print the port and the answers' sizes first."""
    loop = asyncio.get_running_loop()
    answers = answers_of(size_bytes)
    server = await loop.create_server(partial(_Stub, answers), "127.0.0.1", 0)
    ready = {"port": server.sockets[0].getsockname()[1], "sizes": {name: len(body) for name, body in answers.items()}}
    print(json.dumps(ready), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def fetch(url: str, document: str) -> tuple[int, str]:
    """Send *document*; return the length of the response and a digest of it, without keeping it."""
    headers = {"content-type": "application/json", "accept": "application/json"}
    request = urllib.request.Request(url, json.dumps({"query": document}).encode(), headers)
    digest, length, start = hashlib.sha256(), 0, b""
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        while chunk := answer.read(1 << 20):
            start = start or chunk[:300]
            digest.update(chunk)
            length += len(chunk)
    if b'"errors"' in start:
        raise RuntimeError(start.decode("utf-8", "replace"))
    return length, digest.hexdigest()


def measure(contender: Contender, supergraph: Path, document: str, size_bytes: int) -> float:
    """Return how far the peak memory of *contender* grows by one large response, over the response's size.

    Raises RuntimeError or OSError when it does not serve it.
    """
    port = choose_port()
    url = f"http://127.0.0.1:{port}{contender.path}"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = contender.command(Files(supergraph, supergraph), port, dedupe=True)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (
            log.open("w") as output,
            running(command, stdout=output, stderr=subprocess.STDOUT, cwd=PEERS, env=environment) as process,
        ):
            wait_until_answering(process, url, log)
            fetch(url, f"{{ small {FIELDS} }}")
            before_mib = memory_mib(process.pid)
            length, _ = fetch(url, document)
            if length < size_bytes * 0.9:
                raise RuntimeError(f"its response has {length} bytes only")
            return (memory_mib(process.pid) - before_mib) * 1024 * 1024 / size_bytes


def compare(contenders: list[Contender], supergraph: Path, sizes: dict[str, int]) -> Iterator[Result]:
    """Measure every contender with every kind of response; print the rows of the table."""
    for kind, document in OPERATIONS.items():
        size_bytes = sizes["texts" if kind == "strings" else kind]
        factors: dict[str, float] = {}
        for contender in contenders:
            try:
                factor = factors[contender.name] = measure(contender, supergraph, document, size_bytes)
            except (RuntimeError, OSError, urllib.error.URLError) as error:
                print(f"{kind:10}{contender.name:11} does not serve it: {str(error)[:120]}", flush=True)
                continue
            print(f"{kind:10}{contender.name:11}{factor:8.2f}", flush=True)
        ours = factors["pasar"]
        baseline = min((factor for name, factor in factors.items() if name != "pasar"), default=ours)
        yield Result(f"memory of a {size_bytes / MEGABYTE:.0f} MB response of {kind}", ours, baseline, "x its size")


def main() -> None:
    """Start the stub, and each router in turn."""
    arguments = parse_arguments(__doc__.splitlines()[0], ("--megabytes", int, 50, "size of the subgraph's response"))
    # pages of the process that the small request did not touch count too, so a small response says little
    megabytes = 10 if arguments.quick else arguments.megabytes
    contenders = [one for one in CONTENDERS if one.name != "relay" and (one.needs is None or one.needs.exists())]
    if arguments.quick:
        contenders = [one for one in contenders if one.name in ("pasar", "hive-rust")]
    stub = [sys.executable, "-m", "benchmarks.memory", "--serve", str(megabytes * MEGABYTE)]
    with (
        running(stub, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process,
        tempfile.TemporaryDirectory() as folder,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        supergraph = Path(folder) / "supergraph.graphql"
        composed = compose([SubgraphSchema("big", SDL, f"http://127.0.0.1:{ready['port']}/graphql")])
        assert composed.supergraph_sdl is not None
        supergraph.write_text(composed.supergraph_sdl)
        print(f"{'response':10}{'router':11}{'x size':>8}")
        results = list(compare(contenders, supergraph, ready["sizes"]))
        process.stdin.close()
    publish(results, arguments.json)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        uvloop.run(serve_stub(int(sys.argv[2])))
    else:
        main()
