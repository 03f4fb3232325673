"""Measure composition beside the two npm implementations on the same input.

A made-up graph of N subgraphs with 20 types each, every second type extended by the next subgraph with a requirement.
Ours is timed over parsing, composing and rendering both schemas; the peers (`npm ci` in tests/node/composition) over
parsing and composing. The time must grow about linearly with N. Without Node only ours is measured.
"""

import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.report import Result, parse_arguments, publish
from router.composition import SubgraphSchema, compose

PEERS = Path(__file__).resolve().parent.parent / "tests" / "node" / "composition"
TYPES_PER_SUBGRAPH = 20
SIZES = (10, 50, 100, 200)
QUICK_SIZES = (10, 50)
IMPORTS = '"@key", "@shareable", "@external", "@requires"'
LINK = f'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [{IMPORTS}])'
PEER_LIMIT_S = 900


def main() -> int:
    """Print a line for each size and each peer."""
    arguments = parse_arguments(__doc__ or "")
    results = []
    for size in QUICK_SIZES if arguments.quick else SIZES:
        subgraphs = make_graph(size)
        size_kb = sum(len(each.sdl) for each in subgraphs) / 1000
        seconds = time_ours(subgraphs)
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        types = size * TYPES_PER_SUBGRAPH
        print(f"{size} subgraphs, {types} types, {size_kb:,.0f} kB: {seconds:.2f} s, {memory_mb:.0f} MB")
        for peer, peer_seconds in time_peers(subgraphs).items():
            results.append(Result(f"compose {size} subgraphs, against {peer}", seconds, peer_seconds, "s"))
    publish(results, arguments.json)
    return 0


def make_graph(size: int) -> list[SubgraphSchema]:
    """Return *size* subgraphs that compose."""
    return [SubgraphSchema(f"s{index:03}", make_sdl(index, size), f"http://s{index:03}") for index in range(size)]


def make_sdl(index: int, size: int) -> str:
    """Return the SDL of one of *size* subgraphs."""
    parts = [LINK]
    roots = []
    for number in range(TYPES_PER_SUBGRAPH):
        own = f"T{index * TYPES_PER_SUBGRAPH + number}"
        following = f"T{index * TYPES_PER_SUBGRAPH + (number + 1) % TYPES_PER_SUBGRAPH}"
        parts.append(
            f'"""Type {own}."""\ntype {own} @key(fields: "id") {{ id: ID! name: String! a(x: Int = 1, y: String): Int'
            f" b: [String!]! c: Float d: Boolean next: {following} price: Money e: E{index} }}"
        )
        roots.append(f"get{own}(id: ID!): {own} list{own}(first: Int, input: In{index}): [{own}!]!")
        if number % 2 == 0:
            extended = f"T{(index + 1) % size * TYPES_PER_SUBGRAPH + number}"
            parts.append(
                f'type {extended} @key(fields: "id") {{ id: ID! more{index}_{number}: {own} name: String! @external'
                f' f{index}_{number}: Int @requires(fields: "name") }}'
            )
    parts.append("type Money @shareable { amount: Int! currency: String! }")
    parts.append(f"enum E{index} {{ A B C }}\ninput In{index} {{ a: Int b: String! }}")
    parts.append(f"type Query {{ {' '.join(roots)} }}")
    return "\n\n".join(parts)


def time_ours(subgraphs: list[SubgraphSchema]) -> float:
    """Return the seconds of the better of two runs."""
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        result = compose(subgraphs)
        best = min(best, time.perf_counter() - start)
        assert result.errors == (), result.errors[0].message
    return best


def time_peers(subgraphs: list[SubgraphSchema]) -> dict[str, float]:
    """Return the seconds of each npm implementation, or nothing where they are not installed."""
    node = shutil.which("node")
    if node is None or not (PEERS / "node_modules").is_dir():
        print(f"  no peers: run `npm ci` in {PEERS}", file=sys.stderr)
        return {}
    finished = subprocess.run(
        [node, "time.mjs"],
        cwd=PEERS,
        input=json.dumps([[each.name, each.sdl] for each in subgraphs]),
        capture_output=True,
        text=True,
        timeout=PEER_LIMIT_S,
        check=True,
    )
    measured: dict[str, float] = json.loads(finished.stdout)
    return measured


if __name__ == "__main__":
    sys.exit(main())
