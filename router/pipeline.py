"""One request, from GraphQL text to response:

authenticate -> count -> parse -> measure -> validate -> estimate -> authorise -> plan -> execute -> mask
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from time import perf_counter
from typing import Any

import msgspec
import structlog
from graphql import (
    DocumentNode,
    GraphQLError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    specified_rules,
    validate,
)

from core.identity import Identity, Role
from router.auth import Admitted, Authenticator
from router.authorisation import (
    HoldsPolicy,
    find_guarded_fields,
)
from router.cache import CacheCounts
from router.config import RouterConfig
from router.cookies import RouterContext, SetCookie, forget_cookie
from router.cost import CostEstimate, estimate_cost
from router.deferring import decide_defers, find_defers, true_variables
from router.errors import (
    BadRequest,
    InternalError,
    LimitExceeded,
    MethodNotAllowed,
    NotReady,
    PersistedQueryNotSupported,
    RouterError,
    Unauthenticated,
    ValidationFailed,
    VariablesRefused,
)
from router.exchange import Answer, Caller, EventStream, GraphQLRequest, Outcome, PartStream, refuse
from router.executor.incremental import IncrementalResult
from router.executor.measures import Measures
from router.executor.prepared import prepare_operation
from router.executor.result import ExecutionResult
from router.executor.shape import ShapeReader, condition_variables
from router.executor.variables import coerce_variables
from router.exposing import describe_execution
from router.graph import Graph, PlannedOperation, ReadOperation
from router.limits import check_limits, fragments_of, parse_document, select_operation
from router.planner import PlanningError, PlanningErrorCode, measure_documents, plan_operation
from router.rates import RateGate
from router.refusal import Refusals, restore_refused, without_fields
from router.sharing import identify_query
from router.supergraph.api_schema import with_defer
from router.telemetry import Telemetry
from router.token_watch import until_token_ends
from router.transports.base import FirstAnswer

log = structlog.get_logger(__name__)

#: With the value `true` it asks for the plan and the times of its fetches; obeyed as `expose_query_plan` says.
EXPOSE_PLAN_HEADER = "pasar-expose-query-plan"
#: Where they stand among the answer's extensions.
PLAN_EXTENSION = "queryPlan"

# What an operation takes once it is read (syntax tree, what was measured on it), and beside that once it is planned
# (plan, generated functions): so much each, and so much for each character of its text or of the requests that come of
# it. Measured with tracemalloc on operations of 13 to 965 characters; a test compares them with what it measures
READ_BYTES, READ_BYTES_PER_CHARACTER = 16_000, 100
PLANNED_BYTES, PLANNED_BYTES_PER_CHARACTER = 5_000, 200


class Pipeline:
    """Answers requests. Mutable only in which graph it serves; a request keeps the one it started with."""

    def __init__(
        self,
        config: RouterConfig,
        *,
        authenticator: Authenticator,
        rates: RateGate,
        holds_policy: HoldsPolicy,
        telemetry: Telemetry,
    ) -> None:
        self._config = config
        self._authenticator = authenticator
        self._rates = rates
        self._holds_policy = holds_policy
        self._telemetry = telemetry
        self._graph: Graph | None = None
        self._rules = specified_rules if config.introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        telemetry.watch_cache(self._cache_counts)

    @property
    def is_ready(self) -> bool:
        """Tell whether a supergraph is loaded."""
        return self._graph is not None

    @property
    def serving(self) -> Graph:
        """Return the graph that the next request is answered with; raise NotReady when there is none."""
        if self._graph is None:
            raise NotReady("no supergraph is loaded")
        return self._graph

    def serve_graph(self, graph: Graph) -> None:
        """Answer requests from now on with *graph*; those under way are finished with the previous one."""
        self._graph = graph

    async def identify(self, caller: Caller, authorization: str | None) -> Identity:
        """Return who opens a long-lived connection; raise Unauthenticated or RateLimited."""
        if not self._rates.is_open:
            await self._rates.pass_address(caller.address)
        return await self._authenticator.authenticate(authorization, caller.cookies)

    async def handle(self, request: GraphQLRequest, caller: Caller) -> Outcome:
        """Answer *request*. Whatever goes wrong is an answer, too."""
        started_s = perf_counter()
        kind, label = "unknown", "interrupted"
        self._telemetry.start_operation()
        try:
            outcome: Outcome
            try:
                outcome, kind = await self._answer(request, caller)
            except Unauthenticated as error:
                outcome = replace(refuse(error), set_cookies=self._forget_refused(caller))
            except RouterError as error:
                outcome = refuse(error)
            except Exception:
                log.exception("request failed", request_id=caller.request_id)
                outcome = refuse(InternalError())
            label = _outcome_label(outcome)
            return outcome
        finally:
            self._telemetry.finish_operation(kind, label, perf_counter() - started_s)

    async def _answer(self, request: GraphQLRequest, caller: Caller) -> tuple[Outcome, str]:
        graph = self.serving
        admitted = await self._admit(caller)
        identity = admitted.identity
        read = self._read_operation(graph, request)
        kind = read.operation.operation
        if kind is OperationType.MUTATION and not caller.may_mutate:
            raise MethodNotAllowed("a mutation needs a POST request", allow="POST")
        self._check_cost(graph, read, request.variables)
        defers: frozenset[str] | None = None
        if read.deferring is not None and caller.takes_parts and kind is not OperationType.SUBSCRIPTION:
            defers = true_variables(read.deferring, read.operation, request.variables)
        planned = self._plan_operation(graph, read, identity, defers)
        may_share = graph.executions is not None and kind is OperationType.QUERY
        context = self._context_of(identity, caller, may_share=may_share)
        if kind is OperationType.SUBSCRIPTION:
            return await self._subscribe(graph, read, planned, request, context, admitted), kind.value
        return await self._execute(graph, read, planned, request.variables, context), kind.value

    async def _execute(
        self,
        graph: Graph,
        read: ReadOperation,
        planned: PlannedOperation,
        variables: Mapping[str, Any],
        context: RouterContext,
    ) -> Answer | PartStream:
        """Execute a query or mutation, or wait for an identical query's execution that may be joined."""
        if planned.prepared.blocks:
            return await self._execute_in_parts(graph, read, planned, variables, context)

        async def execute() -> Answer:
            result = await graph.executor.execute(planned.prepared, variables, context, measure=context.exposes_plan)
            body = self._respond(graph, read, planned, variables, context.identity, result)
            return Answer(body, set_cookies=tuple(context.set_cookies))

        executions = graph.executions
        if executions is None or context.first_answer is None or planned.prepared.root is None:
            return await execute()
        key = identify_query(planned, variables, context)
        return await (execute() if key is None else executions.run(key, context.first_answer, execute))

    async def _execute_in_parts(
        self,
        graph: Graph,
        read: ReadOperation,
        planned: PlannedOperation,
        variables: Mapping[str, Any],
        context: RouterContext,
    ) -> Answer | PartStream:
        result = await graph.executor.execute_incrementally(
            planned.prepared, variables, context, measure=context.exposes_plan
        )
        if isinstance(result, ExecutionResult):
            body = self._respond(graph, read, planned, variables, context.identity, result)
            return Answer(body, set_cookies=tuple(context.set_cookies))
        parts = self._masked_parts(read, planned, result)
        return PartStream(parts, set_cookies=tuple(context.set_cookies))

    async def _masked_parts(
        self, read: ReadOperation, planned: PlannedOperation, result: IncrementalResult
    ) -> AsyncGenerator[dict[str, Any], None]:
        with self._telemetry.count_stream():
            async with aclosing(result.parts) as open_parts:
                async for part in open_parts:
                    for holder in (part, *part.get("incremental", ()), *part.get("completed", ())):
                        if "errors" in holder:
                            holder["errors"] = [self._mask(error) for error in holder["errors"]]
                    if result.measures is not None and not part["hasNext"]:
                        part["extensions"] = _describe(read, planned, result.measures)
                    yield part

    def _forget_refused(self, caller: Caller) -> tuple[SetCookie, ...]:
        """Return what removes the cookie that *caller* was refused for; nothing when it was the header.

        No script can remove it, and with it the browser's next request, the one for a new token, would be refused, too.
        """
        name = self._config.authentication.cookie_name
        by_header = caller.headers.get("authorization", "").strip()
        return () if by_header or not name or not caller.cookies.get(name) else (forget_cookie(name),)

    async def _admit(self, caller: Caller) -> Admitted:
        """Return who is asking; raise Unauthenticated or RateLimited."""
        # The address is counted first: whoever tries out tokens is slowed down as well
        if not self._rates.is_open:
            await self._rates.pass_address(caller.address)
        if caller.identity is not None:
            admitted = Admitted(caller.identity)
        else:
            admitted = await self._authenticator.admit(caller.headers.get("authorization"), caller.cookies)
        if not self._rates.is_open:
            await self._rates.pass_user(admitted.identity)
        return admitted

    def _read_operation(self, graph: Graph, request: GraphQLRequest) -> ReadOperation:
        """Parse, measure and validate, or remember having done so."""
        text = request.query
        if text is None:
            if request.document_id is not None or "persistedQuery" in request.extensions:
                raise PersistedQueryNotSupported("PersistedQueryNotSupported")
            raise BadRequest('the request has no "query"')
        key = (text, request.operation_name)
        known = graph.read_operations.get(key)
        if known is not None:
            return known
        limits = self._config.limits
        document = parse_document(text, limits)
        operation = select_operation(document, request.operation_name)
        # Before validation, which costs more the larger a document is
        check_limits(document, operation, limits)
        # Suggestions would tell the names that a closed schema does not
        errors = validate(
            with_defer(graph.supergraph.api_schema),
            document,
            self._rules,
            hide_suggestions=not self._config.introspection,
        )
        if errors:
            raise ValidationFailed(errors)
        guarded = find_guarded_fields(graph.supergraph.api_schema, graph.authorisation, document, operation)
        estimate = self._estimate(graph, document, operation, request.variables)
        read = ReadOperation(
            text=text,
            document=document,
            operation=operation,
            guarded=guarded,
            requirements=frozenset(requirement for guarded_field in guarded for requirement in guarded_field.guard),
            cost=None if estimate.depends_on_variables else estimate,
            deferring=find_defers(document),
        )
        graph.read_operations.put(key, read, READ_BYTES + READ_BYTES_PER_CHARACTER * len(text))
        return read

    def _estimate(
        self,
        graph: Graph,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> CostEstimate:
        return estimate_cost(
            graph.supergraph.api_schema,
            graph.cost_rules,
            document,
            operation,
            variables,
            assumed_list_size=self._config.limits.assumed_list_size,
        )

    def _check_cost(self, graph: Graph, read: ReadOperation, variables: Mapping[str, Any]) -> None:
        estimate = read.cost or self._estimate(graph, read.document, read.operation, variables)
        self._telemetry.record_cost(estimate.cost)
        allowed = self._config.limits.max_cost
        if allowed and estimate.cost > allowed:
            raise LimitExceeded(
                f"the operation's estimated cost is {estimate.cost}, more than {allowed}",
                code="COST_ESTIMATED_TOO_EXPENSIVE",
            )

    def _plan_operation(
        self, graph: Graph, read: ReadOperation, identity: Identity, defers: frozenset[str] | None
    ) -> PlannedOperation:
        """Plan the operation without what *identity* may not see, or remember having done so.

        *defers* are the variables whose uses of `@defer` count; None lets none count.
        """
        unmet = frozenset(
            requirement for requirement in read.requirements if not requirement.is_met_by(identity, self._holds_policy)
        )
        if unmet:
            # What may not be seen is put back into a whole answer
            defers = None
        key = (read.text, read.name, unmet, defers)
        known = graph.planned_operations.get(key)
        if known is not None:
            return known
        document, refusals = read.document, None
        if unmet:
            refusals = Refusals(
                read.document, {id(entry.node): entry.coordinate for entry in read.guarded if entry.guard & unmet}
            )
            document = without_fields(document, refusals)
        if read.deferring is not None:
            document = decide_defers(document, defers)
        try:
            plan = plan_operation(graph.supergraph, document, read.name)
            prepared = prepare_operation(graph.supergraph.api_schema, plan, document, read.name)
        except PlanningError as error:
            if error.code != PlanningErrorCode.RESERVED_ALIAS:
                raise
            raise ValidationFailed([GraphQLError(str(error))]) from None
        except RecursionError:
            raise LimitExceeded("the operation is too large to be planned", code="MAX_DEPTH_LIMIT") from None
        planned = PlannedOperation(prepared, refusals)
        # Fragments that are spread in many places make a long plan of a short text
        characters = max(len(read.text), measure_documents(plan.root))
        graph.planned_operations.put(key, planned, PLANNED_BYTES + PLANNED_BYTES_PER_CHARACTER * characters)
        return planned

    def _context_of(self, identity: Identity, caller: Caller, *, may_share: bool) -> RouterContext:
        authentication = self._config.authentication
        forwarded = {name: caller.headers[name] for name in self._config.forward_headers if name in caller.headers}
        exposes_plan = EXPOSE_PLAN_HEADER in caller.headers and self._may_see_plan(identity, caller)
        return RouterContext(
            identity=identity,
            request_id=caller.request_id,
            headers=forwarded,
            cookie_header=caller.headers.get("cookie", "") if authentication.cookie_setting_subgraphs else "",
            client_address=caller.address,
            deadline_s=asyncio.get_running_loop().time() + self._config.timeouts.request_s,
            # What is told about an execution is about its own client's, so it is nobody else's
            first_answer=FirstAnswer() if may_share and not exposes_plan else None,
            exposes_plan=exposes_plan,
        )

    def _may_see_plan(self, identity: Identity, caller: Caller) -> bool:
        if caller.headers[EXPOSE_PLAN_HEADER].strip().lower() != "true":
            return False
        match self._config.expose_query_plan:
            case "everybody":
                return True
            case "admins":
                return self._holds_policy(identity, Role.ADMIN)
            case "nobody":
                return False

    async def _subscribe(
        self,
        graph: Graph,
        read: ReadOperation,
        planned: PlannedOperation,
        request: GraphQLRequest,
        context: RouterContext,
        admitted: Admitted,
    ) -> Outcome:
        if planned.prepared.plan.root is None:
            # The caller may not see what it wants to subscribe to (or only wants `__typename`): one answer says so
            result = await graph.executor.execute(
                planned.prepared, request.variables, context, measure=context.exposes_plan
            )
            return Answer(self._respond(graph, read, planned, request.variables, context.identity, result))

        async def events() -> AsyncGenerator[dict[str, Any], None]:
            results = graph.executor.subscribe(
                planned.prepared, request.variables, context, measure=context.exposes_plan
            )
            counted = until_token_ends(results, admitted, self._authenticator)
            with self._telemetry.count_stream():
                async with aclosing(counted) as open_results:
                    try:
                        async for result in open_results:
                            yield self._respond(graph, read, planned, request.variables, context.identity, result)
                    except (VariablesRefused, Unauthenticated) as error:
                        yield {"errors": error.to_graphql()}

        return EventStream(events())

    def _respond(
        self,
        graph: Graph,
        read: ReadOperation,
        planned: PlannedOperation,
        variables: Mapping[str, Any],
        identity: Identity,
        result: ExecutionResult,
    ) -> dict[str, Any]:
        """Return the response to the operation as the client wrote it; raise VariablesRefused if it never ran."""
        if not result.executed:
            raise VariablesRefused(result.errors)
        data, encoded, errors = result.data, result.encoded, result.errors
        if planned.refusals is not None:
            if encoded is not None:
                data, encoded = msgspec.json.decode(encoded), None
            reader = _reader_of(graph, read, planned, variables)
            data, refused = restore_refused(reader, planned.refusals, data, is_anonymous=not identity.is_authenticated)
            errors = [*errors, *refused]
        response: dict[str, Any] = {}
        if errors:
            response["errors"] = [self._mask(error) for error in errors]
        response["data"] = data if encoded is None else encoded
        extensions = {name: value for name, value in result.extensions.items() if name != "pasar"}
        if result.measures is not None:
            extensions |= _describe(read, planned, result.measures)
        if extensions:
            response["extensions"] = extensions
        return response

    def _mask(self, error: dict[str, Any]) -> dict[str, Any]:
        hidden = self._config.hide_subgraph_errors
        extensions = error.get("extensions") or {}
        if "serviceName" not in extensions or hidden == "none":
            return error
        if hidden == "internal" and extensions.get("code") != "INTERNAL_SERVER_ERROR":
            return error
        kept = {name: extensions[name] for name in ("code", "serviceName") if name in extensions}
        return {**error, "message": "Internal server error", "extensions": kept}

    def _cache_counts(self) -> CacheCounts:
        return self._graph.planned_operations.counts() if self._graph is not None else CacheCounts(0, 0, 0, 0, 0)


def _describe(read: ReadOperation, planned: PlannedOperation, measures: Measures) -> dict[str, Any]:
    """Return the extension that tells how an answer was made."""
    return {PLAN_EXTENSION: describe_execution(planned.prepared.plan, read.name, measures)}


def _reader_of(
    graph: Graph, read: ReadOperation, planned: PlannedOperation, variables: Mapping[str, Any]
) -> ShapeReader:
    """Return a reader of the operation as the client wrote it, with the conditions of this request."""
    coerced = coerce_variables(planned.prepared, variables)
    conditions = {name: bool(coerced.get(name)) for name in condition_variables(read.document)}
    return ShapeReader(graph.supergraph.api_schema, read.operation, fragments_of(read.document), conditions)


def _outcome_label(outcome: Outcome) -> str:
    if isinstance(outcome, Answer) and "errors" not in outcome.body:
        return "ok"
    match outcome:
        case Answer(body={"errors": [{"extensions": {"serviceName": _}}, *_]}):
            # A subgraph's codes are its own; as labels they would be without bound
            return "subgraph_error"
        case Answer(body={"errors": [{"extensions": {"code": str(code)}}, *_]}):
            return code
        case Answer(body={"errors": _}):
            return "unknown"
        case _:
            return "ok"
