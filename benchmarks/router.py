"""Measure our router beside Apollo Gateway and Hive Gateway (Node, and its Rust planner and executor).

Each router runs as one process, in turn, over the same supergraph and the same stub subgraphs (one process that replays
recorded answers). wrk sends one operation over 50 connections; the answer is compared with the expected JSON before and
after each run, the stub counts subgraph requests per operation, and CPU time and memory of the router are read from
/proc. Two operations (heavy, light), each with de-duplication of in-flight subgraph requests off and on; the baseline
of a cell is the fastest peer in it, and in a line of its own a relay that does no GraphQL work at all
(benchmarks/relay.py). `--workload DIR` measures the workload in a folder (benchmarks/workload_folder.py) instead of our
own. Without the npm peers (`npm ci` in benchmarks/peers) or without wrk it says so and measures what is there.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from benchmarks.relay import record
from benchmarks.report import Result, parse_arguments, publish
from benchmarks.workload import SUBGRAPH_SDL, WORKLOADS, Workload, resolve_as_monolith
from benchmarks.workload_folder import WorkloadFolder, read_workload_folder
from router.composition import SubgraphSchema, compose

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / "peers"
CONNECTIONS = 50
# A router that is not up by then will not come up
START_LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Contender:
    """A router: how to start it for the files of one operation, a port and de-duplication on or off."""

    name: str
    needs: Path | None

    def command(self, files: "Files", port: int, *, dedupe: bool) -> list[str]:
        supergraph = files.supergraph
        hive = [str(PEERS / "node_modules/.bin/hive-gateway"), "supergraph", str(supergraph)]
        hive += ["--host", "127.0.0.1", "--port", str(port)]
        hive += ["--config-path", str(PEERS / f"hive-dedupe-{'on' if dedupe else 'off'}.mjs")]
        match self.name:
            case "pasar":
                address = ["--host", "127.0.0.1", "--port", str(port)]
                return [sys.executable, "-m", "pasar", "router", "--supergraph", str(supergraph), *address]
            case "apollo":
                return ["node", str(PEERS / "apollo.mjs"), str(supergraph), str(port)]
            case "hive":
                return hive
            case "hive-rust":
                return [*hive, "--hive-router-runtime"]
            case "relay":
                recording = str(files.recording)
                return [sys.executable, "-m", "benchmarks.relay", recording, str(port), "on" if dedupe else "off"]
        raise ValueError(self.name)

    @property
    def path(self) -> str:
        return "/" if self.name == "apollo" else "/graphql"

    @property
    def has_dedupe(self) -> bool:
        """Tell whether the router can de-duplicate in-flight requests at all."""
        return self.name != "apollo"


@dataclass(frozen=True, slots=True)
class Files:
    """What the routers of a cell are started with; *recording* is for the relay."""

    supergraph: Path
    recording: Path


CONTENDERS = (
    Contender("pasar", None),
    Contender("apollo", PEERS / "node_modules/@apollo/gateway"),
    Contender("hive", PEERS / "node_modules/@graphql-hive/gateway"),
    Contender("hive-rust", PEERS / "node_modules/@graphql-hive/router-runtime"),
    Contender("relay", None),
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """Medians over the rounds of one cell."""

    requests_per_s: float
    p99_ms: float
    cpu_ms_per_request: float
    memory_mib: float
    subgraph_requests: float


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start *command* in a process group of its own and end it afterwards."""
    with subprocess.Popen(command, text=True, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def post(url: str, document: str) -> Any:
    headers = {"content-type": "application/json", "accept": "application/json"}
    request = urllib.request.Request(url, json.dumps({"query": document}).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def wait_until_answering(process: subprocess.Popen[str], url: str, log: Path) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit and process.poll() is None:
        try:
            post(url, "{ __typename }")
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text()[-2000:]}")


def process_tree(root: int) -> list[int]:
    """Return *root* and its descendants: a peer's launcher may start the server as a child."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting.extend(children.get(pid, ()))
    return found


def cpu_s(root: int) -> float:
    total = 0
    for pid in process_tree(root):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def memory_mib(root: int) -> float:
    total_kib = 0
    for pid in process_tree(root):
        match = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        total_kib += int(match[1]) if match else 0
    return total_kib / 1024


def measure(
    contender: Contender,
    workload: Workload,
    files: Files,
    stub_count_url: str,
    expected: Any,
    *,
    dedupe: bool,
    rounds: int,
    seconds: int,
) -> Measurement:
    """Start *contender*, send *workload* for *rounds* of *seconds*, and return the medians."""
    port = free_port()
    url = f"http://127.0.0.1:{port}{contender.path}"
    with tempfile.TemporaryDirectory() as folder:
        log, script = Path(folder) / "log", Path(folder) / "wrk.lua"
        body = json.dumps({"query": workload.document})
        script.write_text(
            f"wrk.method = 'POST'\nwrk.body = [==[{body}]==]\n"
            "wrk.headers['content-type'] = 'application/json'\nwrk.headers['accept'] = 'application/json'\n"
            "done = function(s, l, r) io.write(string.format('RESULT %d %f %f %d\\n', s.requests, s.duration / 1e6,"
            " l:percentile(99) / 1e3, s.errors.status + s.errors.read + s.errors.timeout)) end\n"
        )
        with (
            log.open("w") as output,
            running(
                contender.command(files, port, dedupe=dedupe),
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=PEERS,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PASAR_ROUTER_DEDUPE": str(dedupe).lower()},
            ) as process,
        ):
            wait_until_answering(process, url, log)
            check(contender, post(url, workload.document), expected)
            samples: list[tuple[float, float, float, float]] = []
            run_wrk(script, url, 1 if seconds < 3 else 2)
            for _ in range(rounds):
                urllib.request.urlopen(stub_count_url).read()
                before = cpu_s(process.pid)
                requests, duration_s, p99_ms, failures = run_wrk(script, url, seconds)
                used_s = cpu_s(process.pid) - before
                counts = json.load(urllib.request.urlopen(stub_count_url))
                # A slow router on a busy machine may answer none of its first 50 requests in a short round
                requests = max(requests, 1)
                if failures:
                    raise RuntimeError(f"{contender.name}: {failures:.0f} of {requests:.0f} requests failed")
                samples.append(
                    (requests / duration_s, p99_ms, used_s * 1000 / requests, sum(counts.values()) / requests)
                )
            check(contender, post(url, workload.document), expected)
            rate, p99, cpu, subgraph_requests = (statistics.median(column) for column in zip(*samples, strict=True))
            return Measurement(rate, p99, cpu, memory_mib(process.pid), subgraph_requests)


def run_wrk(script: Path, url: str, seconds: int) -> tuple[float, float, float, float]:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s", "-s", str(script), url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    match = re.search(r"RESULT (\d+) ([\d.]+) ([\d.]+) (\d+)", output)
    if match is None:
        raise RuntimeError(f"wrk printed no result:\n{output}")
    requests, duration_s, p99_ms, failures = map(float, match.groups())
    return requests, duration_s, p99_ms, failures


def check(contender: Contender, answer: Any, expected: Any) -> None:
    if answer != expected:
        raise RuntimeError(f"{contender.name} answered {json.dumps(answer)[:500]}")


def compose_supergraph(urls: dict[str, str]) -> str:
    subgraphs = [SubgraphSchema(name, sdl, urls[name]) for name, sdl in SUBGRAPH_SDL.items()]
    result = compose(subgraphs)
    if result.supergraph_sdl is None:
        raise RuntimeError(f"the workload does not compose: {result.errors}")
    return result.supergraph_sdl


def expected_answer(workload: Workload, folder: WorkloadFolder | None) -> Any:
    """Compute the answer without any router: the workload's data resolved as one schema."""
    return resolve_as_monolith(workload.document) if folder is None else folder.resolve_as_monolith(workload.document)


def main() -> None:
    """Run every cell and print the table."""
    arguments = parse_arguments(
        __doc__.splitlines()[0],
        ("--seconds", int, 8, "length of a round"),
        ("--workload", Path, None, "folder with another workload than our own"),
        ("--only", str, None, "names of routers, with commas between; all if not given"),
    )
    if shutil.which("wrk") is None:
        print("wrk is not installed (apt-get install wrk): nothing can be measured")
        return
    rounds, seconds = (1, 2) if arguments.quick else (3, arguments.seconds)
    contenders = [one for one in CONTENDERS if one.needs is None or one.needs.exists()]
    for missing in set(CONTENDERS) - set(contenders):
        print(f"{missing.name} is not there: run `npm ci` in benchmarks/peers")
    if arguments.quick:
        contenders = [one for one in contenders if one.name in ("pasar", "hive-rust", "relay")]
    if arguments.only:
        contenders = [one for one in contenders if one.name in {"pasar", *arguments.only.split(",")}]
    workload_folder = None if arguments.workload is None else read_workload_folder(arguments.workload)
    results: list[Result] = []
    stub = [sys.executable, "-m", "benchmarks.stub_subgraphs"]
    if arguments.workload is not None:
        stub += ["--workload", str(arguments.workload.resolve())]
    with (
        running(stub, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process,
        tempfile.TemporaryDirectory() as folder,
    ):
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())["urls"]
        count_url = urljoin(next(iter(urls.values())), "/count")
        supergraph_sdl = compose_supergraph(urls) if workload_folder is None else workload_folder.supergraph_sdl
        files = Files(Path(folder) / "supergraph.graphql", Path(folder) / "recording.json")
        files.supergraph.write_text(supergraph_sdl)
        print(
            f"{'operation':10}{'dedupe':8}{'router':11}{'req/s':>9}{'p99 ms':>9}{'cpu ms':>8}{'MiB':>7}{'fetches':>9}"
        )
        for workload in WORKLOADS if workload_folder is None else workload_folder.operations:
            expected = expected_answer(workload, workload_folder)
            files.recording.write_text(json.dumps(asyncio.run(record(supergraph_sdl, workload.document))))
            for dedupe in (False, True):
                cell: dict[str, Measurement] = {}
                for contender in contenders:
                    if dedupe and not contender.has_dedupe:
                        continue
                    one = cell[contender.name] = measure(
                        contender,
                        workload,
                        files,
                        count_url,
                        expected,
                        dedupe=dedupe,
                        rounds=rounds,
                        seconds=seconds,
                    )
                    print(
                        f"{workload.name:10}{'on' if dedupe else 'off':8}{contender.name:11}{one.requests_per_s:9.0f}"
                        f"{one.p99_ms:9.1f}{one.cpu_ms_per_request:8.2f}{one.memory_mib:7.0f}"
                        f"{one.subgraph_requests:9.2f}",
                        flush=True,
                    )
                results += compare(workload, cell, dedupe=dedupe)
        assert process.stdin is not None
        process.stdin.close()
    publish(results, arguments.json)


def compare(workload: Workload, cell: dict[str, Measurement], *, dedupe: bool) -> list[Result]:
    """Compare ours with the fastest peer of the cell, and with the relay."""
    ours = cell["pasar"]
    peers = [one for name, one in cell.items() if name not in ("pasar", "relay")] or [ours]
    best = max(peers, key=lambda one: one.requests_per_s)
    relay = cell.get("relay", ours)
    label = f"{workload.name}, de-duplication {'on' if dedupe else 'off'}"
    return [
        Result(f"{label}, throughput", ours.requests_per_s, best.requests_per_s, "requests/s"),
        Result(f"{label}, p99", ours.p99_ms, best.p99_ms, "ms"),
        Result(f"{label}, memory", ours.memory_mib, best.memory_mib, "MiB"),
        Result(f"{label}, subgraph requests", ours.subgraph_requests, best.subgraph_requests, "per operation"),
        Result(f"{label}, throughput beside a relay", ours.requests_per_s, relay.requests_per_s, "requests/s"),
    ]


if __name__ == "__main__":
    main()
