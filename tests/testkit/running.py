"""The store as its users run it: a program of its own, reached over HTTP."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[2]
READY = "Pasar is ready"
# Far longer than anything here takes: it ends a test that would wait for ever
PATIENCE_S = 120.0
POLL_S = 0.05

T = TypeVar("T")
Json = dict[str, Any]


def pasar(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `pasar` to its end and return it, with its output as text."""
    return subprocess.run(
        [sys.executable, "-m", "pasar", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**clean_environment(), **variables},
        timeout=PATIENCE_S * 2,
        check=False,
    )


def clean_environment() -> dict[str, str]:
    """Return the environment without settings of whoever runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PASAR_")}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


def send(
    url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None, method: str | None = None
) -> Answer:
    """Send an HTTP request and return the answer, whatever its status."""
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read())


@dataclass(frozen=True, slots=True)
class Client:
    """A client of one GraphQL endpoint, with or without an access token."""

    url: str
    token: str = ""

    def send(self, query: str, **variables: Any) -> Answer:
        """Send an operation and return the HTTP answer."""
        headers = {"content-type": "application/json", "accept": "application/graphql-response+json"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        return send(self.url, body=json.dumps({"query": query, "variables": variables}).encode(), headers=headers)

    def execute(self, query: str, **variables: Any) -> Json:
        """Send an operation and return the GraphQL response."""
        response: Json = self.send(query, **variables).json
        return response

    def ask(self, query: str, **variables: Any) -> Json:
        """Send an operation that must succeed and return its data."""
        response = self.execute(query, **variables)
        assert "errors" not in response, response["errors"]
        data: Json = response["data"]
        return data

    def with_token(self, token: str) -> "Client":
        """Return a client that speaks for the bearer of *token*."""
        return Client(self.url, token)

    def log_in(self, email: str, password: str) -> "Client":
        """Return a client that is logged in."""
        session = self.ask(
            "mutation ($input: LoginInput!) { login(input: $input) { ... on AuthSession { accessToken } } }",
            input={"email": email, "password": password},
        )["login"]
        return self.with_token(session["accessToken"])


@dataclass(slots=True)
class RunningStore:
    """A started `pasar up`. Mutable: its output grows as the program writes."""

    program: subprocess.Popen[str]
    data: Path
    lines: list[str] = field(default_factory=list)
    _spoke: threading.Condition = field(default_factory=threading.Condition)
    _has_ended: bool = False

    @property
    def client(self) -> Client:
        """Return an anonymous client."""
        return Client(self._value_of("GraphQL and GraphiQL"))

    @property
    def url(self) -> str:
        """Return where the store listens."""
        return self.client.url.removesuffix("/graphql")

    @property
    def mailbox_url(self) -> str:
        """Return the page of the development mailbox, which the sandbox gateway is beside."""
        return self._value_of("Mail to customers")

    def mails_to(self, address: str) -> list[Json]:
        """Return what the development mailbox has for *address*, newest first."""
        mails: list[Json] = send(
            f"{self.mailbox_url}?{urlencode({'to': address})}", headers={"accept": "application/json"}
        ).json
        return mails

    def pid_of(self, name: str) -> int:
        """Return the process id of one of the store's programs, as it told at its start."""
        return int(next(line.split()[2] for line in self.lines if line.split()[:2] == [name, "pid"]))

    def mongod_pid(self) -> int:
        """Return the process id of the store's mongod."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().split(b"\0")
                if str(self.data / "mongod").encode() in command and (folder / "stat").read_text().split()[2] != "Z":
                    return int(folder.name)
            except OSError:
                continue
        raise AssertionError("the store's mongod does not run")

    def children(self) -> list[int]:
        """Return the process ids of everything that the store has started and that still runs."""
        found = subprocess.run(
            ["ps", "-o", "pid=,stat=", "--ppid", str(self.program.pid)], capture_output=True, text=True, check=False
        )
        return [int(line.split()[0]) for line in found.stdout.splitlines() if not line.split()[1].startswith("Z")]

    def subgraph_requests(self) -> dict[str, int]:
        """Return how many requests the router has sent to each subgraph."""
        counts: dict[str, int] = {}
        for family in text_string_to_metric_families(send(f"{self.url}/metrics").body.decode()):
            for sample in family.samples:
                if sample.name == "pasar_router_subgraph_requests_total":
                    name = sample.labels["subgraph"]
                    counts[name] = counts.get(name, 0) + int(sample.value)
        return counts

    def wait_for_line(self, beginning: str) -> str:
        """Return the first line with this beginning; fail with the output when the program ends without it."""
        with self._spoke:
            self._spoke.wait_for(lambda: self._find(beginning) or self._has_ended, PATIENCE_S)
        line = self._find(beginning)
        assert line is not None, f"no line {beginning!r} in:\n" + "\n".join(self.lines)
        return line

    def read_output(self) -> None:
        """Collect the program's lines until it closes its output."""
        assert self.program.stdout is not None
        for line in self.program.stdout:
            with self._spoke:
                self.lines.append(line.rstrip("\n"))
                self._spoke.notify_all()
        with self._spoke:
            self._has_ended = True
            self._spoke.notify_all()

    def _find(self, beginning: str) -> str | None:
        return next((line for line in self.lines if line.strip().startswith(beginning)), None)

    def _value_of(self, name: str) -> str:
        return self.wait_for_line(name).split()[-1]


@contextmanager
def running_store(data: Path, *options: str, **variables: str) -> Iterator[RunningStore]:
    """Start `pasar up` on a free port, yield it once it is ready, and stop it."""
    program = subprocess.Popen(
        [sys.executable, "-m", "pasar", "up", "--data", str(data), "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**clean_environment(), "PYTHONUNBUFFERED": "1", **variables},
    )
    store = RunningStore(program, data.resolve())
    reader = threading.Thread(target=store.read_output, daemon=True)
    reader.start()
    try:
        store.wait_for_line(READY)
        store.wait_for_line("Data")
        yield store
    finally:
        program.terminate()
        try:
            program.wait(PATIENCE_S)
        finally:
            program.kill()
            program.wait()
            reader.join(PATIENCE_S)
            assert program.stdout is not None
            program.stdout.close()


def eventually(look: Callable[[], T], *, until: Callable[[T], bool]) -> T:
    """Return what *look* returns as soon as it satisfies *until*: for what arrives by events, which send no answer."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        seen = look()
        if until(seen):
            return seen
        assert time.monotonic() < deadline, f"it has not come to it; last seen: {seen!r}"
        time.sleep(POLL_S)
