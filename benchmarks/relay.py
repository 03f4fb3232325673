"""A relay: what is left of a router without GraphQL, as the bound that Python, uvicorn and aiohttp set.

For each client request it sends the subgraph requests that our router sends for one operation (recorded bodies, in the
sequence and parallelism of the plan), reads the answers, and sends one recorded response. Nothing is parsed, planned,
decoded, merged or encoded. With de-duplication it shares equal requests under way, by their bytes.

`record` makes a recording; `python -m benchmarks.relay FILE PORT on|off` serves one.
"""

import asyncio
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import uvicorn
from graphql import parse
from starlette.types import Receive, Scope, Send

from router.config import RouterConfig
from router.executor.execute import Executor
from router.executor.prepared import prepare_operation
from router.garbage import rarely_collecting
from router.planner import plan_operation
from router.planner.plan import BatchFetch, Condition, Fetch, Flatten, Parallel, PlanNode, Sequence
from router.server.reading import read_body
from router.serving import server_config
from router.supergraph.reading import read_supergraph
from router.transports.base import RequestContext, SubgraphRequest, SubgraphResponse
from router.transports.http import (
    ACCEPT,
    DEFAULT_MAX_RESPONSE_BYTES,
    HttpTransport,
    SubgraphSession,
    write_body,
)
from router.transports.http1 import Target, write_headers

#: A request [URL, body], or {"sequence": [...]} or {"parallel": [...]} of such steps.
Step = Any

_HEADERS = write_headers({"content-type": "application/json", "accept": ACCEPT})
_target = cache(Target.of_url)


class _RecordingTransport(HttpTransport):
    """Notes the body of each request. Mutable on purpose."""

    def __init__(self, url: str, session: SubgraphSession) -> None:
        super().__init__("recorded", (url,), session)
        self.url = url
        self.bodies: dict[str, str] = {}

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        self.bodies[request.document] = write_body(request).decode()
        return await super().send(request, context)


async def record(supergraph_sdl: str, document: str) -> dict[str, Any]:
    """Execute *document* once over the subgraphs of *supergraph_sdl*; return its requests and its response."""
    supergraph = read_supergraph(supergraph_sdl)
    parsed = parse(document)
    plan = plan_operation(supergraph, parsed)
    async with SubgraphSession() as session:
        transports = {each.name: _RecordingTransport(each.url, session) for each in supergraph.subgraphs}
        prepared = prepare_operation(supergraph.api_schema, plan, parsed, None)
        result = await Executor(supergraph.api_schema, transports).execute(prepared, {}, RequestContext())
    if result.errors or plan.root is None:
        raise RuntimeError(f"nothing to record: {result.errors}")
    return {"step": _step_of(plan.root, transports), "response": {"data": result.data}}


def _step_of(node: PlanNode, transports: dict[str, _RecordingTransport]) -> Step:
    match node:
        case Fetch() | BatchFetch():
            transport = transports[node.subgraph]
            return [transport.url, transport.bodies[node.document]]
        case Flatten(fetch=fetch):
            return _step_of(fetch, transports)
        case Sequence(nodes=nodes):
            return {"sequence": [_step_of(each, transports) for each in nodes]}
        case Parallel(nodes=nodes):
            return {"parallel": [_step_of(each, transports) for each in nodes]}
        case Condition():
            raise RuntimeError("an operation with conditions has no one sequence of requests")


class _Relay:
    """The ASGI application. Mutable on purpose: it knows the requests under way."""

    def __init__(self, recording: dict[str, Any], *, dedupe: bool) -> None:
        self._step = recording["step"]
        self._response = json.dumps(recording["response"], separators=(",", ":")).encode()
        self._dedupe = dedupe
        self._under_way: dict[str, asyncio.Future[None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            async with SubgraphSession() as self._session:
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await read_body(receive, {}, 1 << 20)
        await self._run(self._step)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(self._response)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._response})

    async def _run(self, step: Step) -> None:
        match step:
            case {"sequence": steps}:
                for each in steps:
                    await self._run(each)
            case {"parallel": steps}:
                await asyncio.gather(*[self._run(each) for each in steps])
            case [url, body] if self._dedupe:
                request = self._under_way.get(body)
                if request is None:
                    request = self._under_way[body] = asyncio.ensure_future(self._forward(url, body))
                    request.add_done_callback(lambda _: self._under_way.pop(body))
                await request
            case [url, body]:
                await self._forward(url, body)

    async def _forward(self, url: str, body: str) -> None:
        await self._session.requests.post(
            _target(url), _HEADERS, body.encode(), max_bytes=DEFAULT_MAX_RESPONSE_BYTES, connect_timeout_s=3.0
        )


def main() -> None:
    """Serve a recording until told to stop."""
    file, port, dedupe = sys.argv[1:]
    relay = _Relay(json.loads(Path(file).read_text()), dedupe=dedupe == "on")
    with rarely_collecting():
        uvicorn.Server(server_config(relay, RouterConfig(port=int(port)))).run()


if __name__ == "__main__":
    main()
