"""The operation caches are bounded in bytes by an estimate: here it is compared with what Python allocates."""

import asyncio
import gc
import tracemalloc
from collections.abc import Mapping

import pytest

from benchmarks.planner_families import differing_branches
from benchmarks.workload import HEAVY, LIGHT, SUBGRAPH_SDL
from router.app import RouterApp, build_app
from router.composition import SubgraphSchema, compose
from router.config import load_config
from router.exchange import Answer, Caller, GraphQLRequest
from router.transports.fake import FakeTransport

COPIES = 10
DOCUMENTS = {
    "tiny": "{ me { id } }",
    "light": LIGHT,
    "heavy": HEAVY,
    "deep": "{ me { reviews { product { reviews { author { reviews { product { reviews { body } } } } } } } } }",
    "aliases": f"{{ topProducts {{ {' '.join(f'a{i}: name' for i in range(45))} }} }}",
    "conditions": "query ($a: Boolean = true) { me { id @include(if: $a) name @skip(if: $a) reviews { id body } } }",
    "fragments": "fragment U on User { id name username reviews { ...R } } fragment R on Review { id body } "
    "{ me { ...U } users { ...U } topProducts { reviews { ...R author { ...U } } } }",
}


def open_router(subgraphs: Mapping[str, str] = SUBGRAPH_SDL, **cache: int) -> RouterApp:
    composed = compose([SubgraphSchema(name, sdl, "") for name, sdl in subgraphs.items()])
    assert composed.supergraph_sdl is not None
    return build_app(
        load_config(environ={}, overrides={"cache": cache, "limits": {"max_aliases": 1000}}),
        supergraph_sdl=composed.supergraph_sdl,
        transports={name: FakeTransport(lambda _: {"data": {}}) for name in subgraphs},
    )


def plan_copies(app: RouterApp, document: str, copies: int) -> int:
    """Have the router read and plan *copies* of *document* that differ in a comment; return the bytes allocated."""

    async def ask() -> None:
        for number in range(copies):
            answer = await app.pipeline.handle(GraphQLRequest(f"{document} #{number:05}"), Caller())
            assert isinstance(answer, Answer)
            assert answer.error is None

    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        asyncio.run(ask())
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before


def estimated_bytes(app: RouterApp) -> int:
    graph = app.pipeline.serving
    return graph.read_operations.counts().size_bytes + graph.planned_operations.counts().size_bytes


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_estimate_of_an_operation_is_near_what_it_takes(document: str) -> None:
    app = open_router()
    plan_copies(app, "{ users { id } }", 1)
    before = estimated_bytes(app)
    allocated = plan_copies(app, document, COPIES)
    estimated = estimated_bytes(app) - before
    assert 0.6 * allocated < estimated < 2.5 * allocated


def test_the_estimate_of_a_short_operation_with_a_long_plan_is_no_less_than_it_takes() -> None:
    question = differing_branches(7)
    app = open_router(question.subgraphs)
    plan_copies(app, "{ any { __typename } }", 1)
    before = estimated_bytes(app)
    allocated = plan_copies(app, question.operation, 3)
    assert len(question.operation) < 700
    assert allocated < estimated_bytes(app) - before < 6 * allocated


def test_an_operation_larger_than_the_cache_is_answered_not_kept_and_displaces_nothing() -> None:
    app = open_router(max_bytes=500_000)
    plan_copies(app, "{ users { id } }", 3)
    caches = (app.pipeline.serving.read_operations, app.pipeline.serving.planned_operations)
    before = [cache.counts() for cache in caches]
    plan_copies(app, f"{{ topProducts {{ {' '.join(f'a{i}: name' for i in range(900))} }} }}", 1)
    after = [cache.counts() for cache in caches]
    assert [(one.entries, one.size_bytes, one.evictions) for one in after] == [
        (one.entries, one.size_bytes, one.evictions) for one in before
    ]
    assert [one.entries for one in after] == [3, 3]


def test_a_full_cache_takes_no_more_than_it_may_however_many_operations_come() -> None:
    max_bytes = 1_000_000
    app = open_router(max_bytes=max_bytes)
    plan_copies(app, "{ users { id } }", 1)
    allocated = plan_copies(app, LIGHT, 120)
    # all of them would take five times as much
    assert allocated < 1.2 * max_bytes
    assert 0.9 * max_bytes < estimated_bytes(app) <= max_bytes
    assert app.pipeline.serving.planned_operations.counts().evictions > 60


def test_a_cache_keeps_no_more_operations_than_it_may() -> None:
    app = open_router(max_operations=5)
    plan_copies(app, "{ me { id } }", 12)
    graph = app.pipeline.serving
    for cache in (graph.read_operations, graph.planned_operations):
        counts = cache.counts()
        assert (counts.entries, counts.evictions) == (5, 7)
