"""`pasar router`: anybody's supergraph, with no store and no database behind it."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from router.composition import compose
from router.composition.model import SubgraphSchema
from tests.testkit.running import Client, clean_environment, pasar, send

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"]) '
BOOKS = 'type Query { book: Book } type Book @key(fields: "id") { id: ID! title: String! }'
REVIEWS = 'type Book @key(fields: "id") { id: ID! stars: [Int!]! }'


class Subgraphs(ThreadingHTTPServer):
    """Two subgraphs that know one answer each, and note what they were told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Subgraphs

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if self.path == "/books":
            data: object = {"book": {"__typename": "Book", "id": "1", "title": "Bumi Manusia"}}
        else:
            assert "_entities" in request["query"]
            data = {"_entities": [{"__typename": "Book", "stars": [5, 4]}]}
        body = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture
def subgraphs() -> Iterator[Subgraphs]:
    with Subgraphs() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def supergraph(subgraphs: Subgraphs, tmp_path: Path) -> Path:
    composed = compose(
        [
            SubgraphSchema("books", LINK + BOOKS, f"{subgraphs.url}/books"),
            SubgraphSchema("reviews", LINK + REVIEWS, f"{subgraphs.url}/reviews"),
        ]
    )
    assert composed.supergraph_sdl is not None
    file = tmp_path / "supergraph.graphql"
    file.write_text(composed.supergraph_sdl)
    return file


@contextmanager
def running_router(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    program = subprocess.Popen(
        [sys.executable, "-m", "pasar", "router", *options, "--host", "127.0.0.1", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**clean_environment(), "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        assert program.stdout is not None
        line = program.stdout.readline()
        assert line.startswith("router is ready at "), line
        yield program, line.split()[-1]
    finally:
        program.kill()
        program.wait()
        assert program.stdout is not None
        program.stdout.close()


def test_it_serves_a_supergraph_and_stops_on_a_signal(supergraph: Path, subgraphs: Subgraphs, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    with running_router(folder, "--supergraph", str(supergraph)) as (program, url):
        assert Client(url).ask("{ book { title stars } }") == {"book": {"title": "Bumi Manusia", "stars": [5, 4]}}
        assert [path for path, _ in subgraphs.seen] == ["/books", "/reviews"]
        # With no secret configured nobody is told who asks
        assert not [name for _, headers in subgraphs.seen for name in headers if name.startswith("x-pasar")]
        base = url.removesuffix("/graphql")
        assert send(f"{base}/health/live").status == 200
        assert send(f"{base}/health/ready").status == 200
        types = Client(url).ask("{ __schema { types { name } } }")["__schema"]["types"]
        assert {"name": "Book"} in types
        assert {"name": "join__Graph"} not in types
        program.send_signal(signal.SIGTERM)
        assert program.wait(60) == 0
    assert list(folder.iterdir()) == []


def test_a_port_that_is_taken_is_one_sentence(supergraph: Path, subgraphs: Subgraphs) -> None:
    result = pasar("router", "--supergraph", str(supergraph), "--port", str(subgraphs.server_port))
    assert result.returncode == 1
    assert result.stderr.startswith(f"error [PORT_TAKEN] port {subgraphs.server_port} on 127.0.0.1 is taken by")


def test_a_file_that_is_no_supergraph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "schema.graphql").write_text("type Query { a: Int }")
    result = pasar("router", "--supergraph", str(tmp_path / "schema.graphql"), "--port", "0")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error [SUPERGRAPH_INVALID] SUPERGRAPH_NO_JOIN_SPEC: ")
    missing = pasar("router", "--supergraph", str(tmp_path / "none.graphql"), "--port", "0")
    assert missing.stderr.splitlines()[-1].startswith("error [CONFIGURATION_INVALID] supergraph_file: ")
