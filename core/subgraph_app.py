"""A subgraph as an ASGI application of its own: GraphQL under `/graphql`, its public routes, and health.

Who accepts an event stream subscribes (event_stream.py).

The router's identity arrives as a signed assertion (`x-pasar-identity`); without one a caller is anonymous and not
trusted, whatever else the request says.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec
from pymongo import timeout
from pymongo.errors import PyMongoError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from core.event_stream import encode_events
from core.peers import ASSERTION_HEADER
from core.subgraph import Call, Subgraph
from core.tokens import AssertionVerifier, InvalidToken

# The router limits clients; this limits whoever reaches a subgraph directly
MAX_BODY_BYTES = 10 * 1024 * 1024

# Whoever asks for readiness asks again soon
READY_TIMEOUT_S = 2.0

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


class _GraphQLBody(msgspec.Struct):
    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None


def build_subgraph_app(
    subgraph: Subgraph, verifier: AssertionVerifier, *, lifespan: Lifespan | None = None
) -> Starlette:
    """Return the application of *subgraph*; its lifespan starts the subgraph inside *lifespan*."""

    async def graphql(request: Request) -> Response:
        call = Call(headers=dict(request.headers), request_id=request.headers.get("x-request-id", ""))
        assertion = request.headers.get(ASSERTION_HEADER)
        if assertion is not None:
            try:
                call.identity = verifier.verify(assertion, now=subgraph.runtime.clock.now())
            except InvalidToken:
                return _refuse(401, "the identity assertion is not valid", "UNAUTHENTICATED")
            call.trusted = True
        body = await _read_body(request)
        if body is None:
            return _refuse(413, f"the body is larger than {MAX_BODY_BYTES} bytes", "BAD_REQUEST")
        try:
            operation = msgspec.json.decode(body, type=_GraphQLBody)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _refuse(400, "the body is not a GraphQL request", "BAD_REQUEST")
        if "text/event-stream" in request.headers.get("accept", ""):
            events = subgraph.subscribe(operation.query, operation.variables, operation.operationName, call)
            return StreamingResponse(
                encode_events(events), media_type="text/event-stream", headers={"cache-control": "no-store"}
            )
        response = await subgraph.execute(operation.query, operation.variables, operation.operationName, call)
        return Response(msgspec.json.encode(response), media_type="application/json")

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        try:
            with timeout(READY_TIMEOUT_S):
                await subgraph.runtime.client.admin.command("ping")
        except PyMongoError:
            return JSONResponse({"status": "database is out of reach"}, status_code=503)
        return JSONResponse({"status": "ok"})

    @asynccontextmanager
    async def run(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if lifespan is not None:
                await stack.enter_async_context(lifespan(app))
            stack.push_async_callback(subgraph.stop)
            await subgraph.start()
            yield

    routes = [
        Route("/graphql", graphql, methods=["POST"]),
        Route("/health/live", live),
        Route("/health/ready", ready),
        *subgraph.routes,
        *subgraph.internal_routes,
    ]
    return Starlette(routes=routes, lifespan=run)


async def _read_body(request: Request) -> bytes | None:
    chunks: list[bytes] = []
    size_bytes = 0
    async for chunk in request.stream():
        size_bytes += len(chunk)
        if size_bytes > MAX_BODY_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _refuse(status: int, message: str, code: str) -> Response:
    return JSONResponse({"errors": [{"message": message, "extensions": {"code": code}}]}, status_code=status)
