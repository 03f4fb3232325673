"""One execution of a plan: its requests are sent, their answers merged, and the client's operation is projected."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import msgspec
import structlog

from router.executor.compiled_projection import OUT_OF_PLACE
from router.executor.contexts import ContextDocuments
from router.executor.failed_places import Asked, FailedPlaces, read_error_path
from router.executor.incremental import Delivery
from router.executor.large_answers import OUT_OF_PLACE_IN_BYTES, encode_large_answer
from router.executor.measures import Measures
from router.executor.objects import JsonObject, locate_objects
from router.executor.prepared import (
    AnyPreparedFetch,
    PreparedBlock,
    PreparedCondition,
    PreparedEntityFetch,
    PreparedEntityPart,
    PreparedFetch,
    PreparedNestedFetch,
    PreparedNode,
    PreparedOperation,
    PreparedParallel,
    PreparedSequence,
)
from router.executor.projection import project
from router.executor.renames import rename_path
from router.executor.reports import SUBREQUEST_MALFORMED_RESPONSE, FieldPath, Reports
from router.executor.representations import Representations
from router.executor.result import ExecutionResult
from router.planner.plan import Alternatives, ResponsePath
from router.transports.base import (
    LargeResponse,
    MalformedResponse,
    RequestContext,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphTransport,
    TransportError,
)

_log = structlog.get_logger("router.executor")


class Run:
    """One execution of a plan. Mutable on purpose: it holds the response so far."""

    __slots__ = (
        "_client_variables",
        "_context",
        "_encoded",
        "_measures",
        "_merged",
        "_merger",
        "_passed",
        "_places",
        "_prepared",
        "_reports",
        "_response",
        "_timeout_s",
        "_transports",
        "_variables",
    )

    def __init__(
        self,
        prepared: PreparedOperation,
        transports: Mapping[str, SubgraphTransport],
        client_variables: Mapping[str, Any],
        variables: dict[str, Any],
        context: RequestContext,
        timeout_s: float,
        measures: Measures | None = None,
    ) -> None:
        self._prepared = prepared
        self._transports = transports
        self._client_variables = client_variables
        self._variables = variables
        self._context = context
        self._timeout_s = timeout_s
        self._measures = measures
        self._merger = prepared.merger
        self._merged: JsonObject = {}
        self._encoded: msgspec.Raw | None = None
        self._reports = Reports(prepared.subgraphs_at)
        self._response = prepared.response_for(variables)
        self._places = FailedPlaces(self._response, self._merged)
        # Opened for each request that is through, where deferred ones wait for it
        self._passed: dict[int, asyncio.Event] = {}

    async def run(self, node: PreparedNode) -> None:
        """Run a node of the plan; failures become reports."""
        match node:
            case PreparedEntityFetch():
                await self._run_entity_fetch(node)
                self._pass(node.order)
            case PreparedFetch():
                response = await self._send(node, self.request_of(node))
                if response is not None:
                    self.accept(node, response)
                self._pass(node.order)
            case PreparedNestedFetch():
                await self._run_nested_fetch(node)
                self._pass(node.order)
            case PreparedSequence(nodes=nodes):
                for inner in nodes:
                    await self.run(inner)
            case PreparedParallel(nodes=nodes):
                await asyncio.gather(*[self.run(inner) for inner in nodes])
            case PreparedCondition(variable=variable, then=then, otherwise=otherwise):
                chosen = then if self._variables.get(variable) else otherwise
                if chosen is not None:
                    await self.run(chosen)

    async def answer_in_parts(self) -> AsyncGenerator[dict[str, Any], None]:
        """Run the plan and yield the answer's parts; only one, without `hasNext`, if nothing is left to come."""
        blocks = self._prepared.blocks
        self._passed = {number: asyncio.Event() for block in blocks for number in block.waits_for}
        delivery = Delivery(
            self._prepared, self._merged, self._client_variables, self._context.request_id, self._response.reader
        )
        tasks = [
            asyncio.create_task(self._run_block(block, gate, delivery))
            for block, gate in zip(blocks, delivery.gates, strict=True)
        ]
        try:
            if self._prepared.root is not None:
                await self.run(self._prepared.root)
            # A condition may have left out what they wait for: then they find nothing to ask about
            for number, passed in self._passed.items():
                if not any(number in block.orders for block in blocks):
                    passed.set()
            delivery.report(self._reports.formatted())
            first, later = delivery.begin()
            yield first
            if later is not None:
                async with aclosing(later):
                    async for part in later:
                        yield part
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run_block(self, block: PreparedBlock, gate: asyncio.Event, delivery: Delivery) -> None:
        """Run a deferred block as soon as what it waits for is through, then let the fields go that wait for it."""
        for number in block.waits_for:
            await self._passed[number].wait()
        beside = self._beside()
        try:
            await beside.run(block.node)
        except Exception:
            # A bug: nobody may wait for the block for ever
            _log.exception("deferred_block_raised", request_id=self._context.request_id)
            beside._reports.add_internal_error()
        for number in block.orders:
            self._pass(number)
        await delivery.has_begun.wait()
        delivery.report(beside._reports.formatted())
        gate.set()

    def _beside(self) -> "Run":
        """Return a run that adds to the same response, with reports of its own."""
        run = Run(
            self._prepared,
            self._transports,
            self._client_variables,
            self._variables,
            self._context,
            self._timeout_s,
            self._measures,
        )
        run._merged, run._passed, run._places = self._merged, self._passed, self._places
        return run

    def _pass(self, number: int) -> None:
        if self._passed and number in self._passed:
            self._passed[number].set()

    def finish(self) -> ExecutionResult:
        """Project what has arrived."""
        if self._encoded is not None:
            return ExecutionResult(None, encoded=self._encoded, measures=self._measures)
        response = self._response
        introspection_errors: list[dict[str, Any]] = []
        if response.introspection is not None:
            fields, introspection_errors = response.introspection.answer(self._client_variables)
            self._merged.update(fields)
        data: dict[str, Any] | None
        try:
            data = response.projection.project_root(self._merged)
        except OUT_OF_PLACE:
            data = project(response.reader, self._merged, self._reports)
        errors = self._reports.formatted() if self._reports else []
        if introspection_errors:
            errors = [*errors, *introspection_errors]
        return ExecutionResult(data, errors, measures=self._measures)

    def request_of(self, node: AnyPreparedFetch) -> SubgraphRequest:
        """Return the request of *node*, with those of the client's variables that it uses."""
        fetch = node.fetch
        variables = self._variables
        return SubgraphRequest(
            document=fetch.document,
            variables={name: variables[name] for name in fetch.variables if name in variables},
            operation_name=fetch.operation_name,
            is_mutation=node.is_mutation,
        )

    def transport_of(self, node: AnyPreparedFetch) -> SubgraphTransport | None:
        """Return the way to the node's subgraph; report the subgraph when there is none."""
        transport = self._transports.get(node.fetch.subgraph)
        if transport is None:
            self.fail(node, TransportError("no transport is configured"))
        return transport

    def accept_event(self, source: PreparedFetch, event: SubgraphResponse) -> None:
        """Take an event of a subscription as the answer to its *source*."""
        if self._measures is not None:
            self._measures.begin(source.order, 0)
            self._measures.end(source.order, has_errors=bool(event.errors))
        self.accept(source, event)

    def accept(self, node: PreparedFetch, response: SubgraphResponse) -> None:
        """Merge the answer to a root fetch and report its errors."""
        if isinstance(response, LargeResponse):
            if node is self._prepared.root and self._encode(node, response):
                return
            try:
                response = response.decode()
            except MalformedResponse as malformed:
                self.fail(node, malformed)
                return
        data = response.data
        if data is not None and data.__class__ is not dict:
            self.fail(node, MalformedResponse("data is no object"))
            return
        if data is None and not response.errors:
            self.fail(node, MalformedResponse("neither data nor errors"))
            return
        if response.errors:
            for error in response.errors:
                path = read_error_path(error)
                if path is not None:
                    paths = self._places.clip([rename_path(path, node.fetch.renames)])
                elif data is None or len(node.root_keys) == 1:
                    paths = self._places.of_request(node)
                else:
                    paths = [None]
                self._report(node, error, paths)
        if data is not None:
            if node.apply_renames is not None:
                node.apply_renames(data)
            self._merger.merge(self._merged, data)

    def _encode(self, node: PreparedFetch, large: LargeResponse) -> bool:
        """Make the response's data out of the answer to the plan's only fetch, without keeping it as objects."""
        response = self._response
        adds_something = response.introspection is not None or self._prepared.blocks
        if large.errors or node.apply_renames is not None or adds_something:
            return False
        try:
            self._encoded = encode_large_answer(response.reader, response.projection, large.unread)
        except OUT_OF_PLACE_IN_BYTES:
            return False
        return True

    def fail(self, node: AnyPreparedFetch, error: Exception, paths: Sequence[FieldPath | None] | None = None) -> None:
        """Report that *node* got no usable answer, at *paths* or wherever that leaves nulls.

        Why is told to the log only.
        """
        if self._measures is not None:
            self._measures.fail(node.order)
        subgraph = node.fetch.subgraph
        _log.warning(
            "subgraph_request_failed",
            subgraph=subgraph,
            request_id=self._context.request_id,
            error=f"{type(error).__name__}: {error}",
        )
        match error:
            case TimeoutError():
                code, message = TransportError.code, f"Subgraph '{subgraph}' did not answer in time."
            case TransportError(code=code) if code == SUBREQUEST_MALFORMED_RESPONSE:
                message = f"Subgraph '{subgraph}' sent a malformed response."
            case TransportError(code=code):
                message = f"The request to subgraph '{subgraph}' failed."
            case _:
                code, message = TransportError.code, f"The request to subgraph '{subgraph}' failed."
        self._reports.add_failure(
            node.order, subgraph, code, message, self._places.of_request(node) if paths is None else paths
        )

    async def _run_nested_fetch(self, node: PreparedNestedFetch) -> None:
        objects = node.collect_objects(self._merged)
        if not objects:
            return
        response = await self._send(node, self.request_of(node))
        if response is None:
            return
        if response.data is None and not response.errors:
            self.fail(node, MalformedResponse("neither data nor errors"))
            return
        for error in response.errors:
            path = rename_path(read_error_path(error) or (), node.fetch.renames)
            places = (place for _, place in locate_objects(node.path, self._merged))
            self._report(
                node,
                error,
                self._places.clip((*place, *path) for place in places) if path else self._places.of_request(node),
            )
        if response.data is not None:
            if node.apply_renames is not None:
                node.apply_renames(response.data)
            self._merger.merge_entity(objects, response.data, may_share=node.may_share)

    async def _run_entity_fetch(self, node: PreparedEntityFetch) -> None:
        if node.documents is not None:
            await self._run_contextual_fetch(node, node.documents)
            return
        request = self.request_of(node)
        variables = dict(request.variables)
        asked: list[Asked] = []
        for part in node.parts:
            runs = part.runs_if is None or self._holds(part.runs_if)
            representations = part.collect_representations(part.collect_objects(self._merged) if runs else [])
            variables[part.representations_variable] = representations.values
            asked.append((part, representations))
        await self._ask(node, replace(request, variables=variables), asked)

    async def _run_contextual_fetch(self, node: PreparedEntityFetch, documents: ContextDocuments) -> None:
        """Ask about objects with what objects above them say: once for each combination of values, in one request."""
        groups: list[list[tuple[tuple[Any, ...], Representations]]] = []
        for part in node.parts:
            runs = part.runs_if is None or self._holds(part.runs_if)
            if part.collect_groups is None:
                objects = part.collect_objects(self._merged) if runs else []
                groups.append([((), part.collect_representations(objects))])
                continue
            found = [
                (values, part.collect_representations(objects))
                for values, objects in (part.collect_groups(self._merged) if runs else ())
            ]
            groups.append([group for group in found if group[1].values])
        if not any(representations.values for each in groups for _, representations in each):
            return
        document = documents.of(tuple(map(len, groups)))
        request = self.request_of(node)
        variables = dict(request.variables)
        asked: list[Asked] = []
        for part, names, each in zip(node.parts, document.names, groups, strict=True):
            for name, (values, representations) in zip(names, each, strict=True):
                variables[name.representations_variable] = representations.values
                variables.update(zip(name.contexts, values, strict=True))
                is_alone = name.answer_key == part.answer_key
                asked.append((part if is_alone else replace(part, answer_key=name.answer_key), representations))
        await self._ask(node, replace(request, document=document.text, variables=variables), asked)

    async def _ask(self, node: PreparedEntityFetch, request: SubgraphRequest, asked: list[Asked]) -> None:
        """Send an entity fetch, if it asks about anything, and merge the answer."""
        if not any(representations.values for _, representations in asked):
            return
        response = await self._send(node, request, asked)
        if response is not None:
            self._accept_entities(node, asked, response)

    def _holds(self, alternatives: Alternatives) -> bool:
        variables = self._variables
        return any(
            all(bool(variables.get(name)) is value for name, value in alternative) for alternative in alternatives
        )

    def _accept_entities(self, node: PreparedEntityFetch, asked: list[Asked], response: SubgraphResponse) -> None:
        """Merge the answer to an entity fetch, part by part, and report its errors."""
        data = response.data if isinstance(response.data, dict) else {}
        explained = self._report_entity_errors(node, asked, response.errors) if response.errors else frozenset()
        unanswered: list[Asked] = []
        for part, representations in asked:
            objects = representations.objects
            entities = data.get(part.answer_key)
            if entities is None:
                if objects and part.answer_key not in explained:
                    unanswered.append((part, representations))
                continue
            if entities.__class__ is not list or len(entities) != len(objects):
                error = MalformedResponse(f"not the {len(objects)} entities asked for")
                self.fail(node, error, self._places.of_part(part, representations))
                continue
            self._merge_entities(node, part, objects, entities)
        if not unanswered:
            return
        if response.errors:
            # an error in another part took the whole answer along
            self._report(node, response.errors[0], self._places.of_request(node, unanswered))
        else:
            self.fail(node, MalformedResponse("neither entities nor errors"), self._places.of_request(node, unanswered))

    def _merge_entities(
        self, node: PreparedEntityFetch, part: PreparedEntityPart, objects: list[list[JsonObject]], entities: list[Any]
    ) -> None:
        merge_entity, may_share, apply_renames = self._merger.merge_entity, part.may_share, part.apply_renames
        garbled: list[JsonObject] = []
        for askers, entity in zip(objects, entities, strict=True):
            if entity.__class__ is dict:
                if apply_renames is not None:
                    apply_renames(entity)
                merge_entity(askers, entity, may_share=may_share)
            elif entity is not None:
                garbled.extend(askers)
        if garbled:
            places = self._places.of_objects(part)
            paths = self._places.clip(place for source in garbled for place in places.get(id(source), ()))
            self.fail(node, MalformedResponse("an entity is no object"), paths)

    def _report_entity_errors(
        self, node: PreparedEntityFetch, asked: list[Asked], errors: list[dict[str, Any]]
    ) -> frozenset[str]:
        """Report errors where they belong; return the answer keys of the parts that have one."""
        explained: set[str] = set()
        places_of: dict[tuple[ResponsePath, ...], dict[int, list[FieldPath]]] = {}
        parts = {part.answer_key: (part, each) for part, each in asked}
        for error in errors:
            paths: Sequence[FieldPath | None]
            match read_error_path(error):
                case (str(key), int(position), *rest) if key in parts and 0 <= position < len(parts[key][1].objects):
                    part, representations = parts[key]
                    places = places_of.get(part.paths)
                    if places is None:
                        places = places_of[part.paths] = self._places.of_objects(part)
                    inner = rename_path(tuple(rest), part.renames)
                    paths = self._places.clip(
                        (*place, *inner)
                        for source in representations.objects[position]
                        for place in places.get(id(source), ())
                    )
                    explained.add(key)
                case (str(key), *_) if key in parts:
                    paths = self._places.of_part(*parts[key])
                    explained.add(key)
                case _:
                    paths = self._places.of_request(node, asked)
                    explained.update(parts)
            self._report(node, error, paths)
        return frozenset(explained)

    def _report(self, node: AnyPreparedFetch, error: dict[str, Any], paths: Sequence[FieldPath | None]) -> None:
        _log.info(
            "subgraph_error",
            subgraph=node.fetch.subgraph,
            request_id=self._context.request_id,
            error=error.get("message") if isinstance(error, dict) else None,
        )
        for path in paths:
            self._reports.add_subgraph_error(node.order, node.fetch.subgraph, error, path)

    async def _send(
        self,
        node: AnyPreparedFetch,
        request: SubgraphRequest,
        asked: Sequence[Asked] | None = None,
    ) -> SubgraphResponse | None:
        """Send *request* and return the answer; report the failure and return None when there is none."""
        transport = self._transports.get(node.fetch.subgraph)
        context, measures = self._context, self._measures
        if measures is not None:
            measured = measures.begin(node.order, sum(len(each.values) for _, each in asked or ()))
            context = replace(context, observation=measured.observation)
        try:
            if transport is None:
                raise TransportError("no transport is configured")
            deadline_s = asyncio.get_running_loop().time() + self._timeout_s
            if self._context.deadline_s is not None:
                deadline_s = min(deadline_s, self._context.deadline_s)
            async with asyncio.timeout_at(deadline_s):
                response = await transport.send(request, context)
            if isinstance(response, LargeResponse) and node is not self._prepared.root:
                response = response.decode()
            if measures is not None:
                measures.end(node.order, has_errors=bool(response.errors))
            return response
        except Exception as error:
            if not isinstance(error, TransportError | TimeoutError):
                # a bug in a transport or an in-process subgraph: the rest of the answer is still worth having
                _log.exception("transport_raised", subgraph=node.fetch.subgraph, request_id=self._context.request_id)
            self.fail(node, error, self._places.of_request(node, asked))
            return None
