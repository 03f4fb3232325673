"""What a subgraph is: its schema with everything that must run beside it, and how one request to it is executed."""

import copy
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import structlog
from beanie import Document
from graphql import FieldNode, GraphQLError, GraphQLSyntaxError, parse
from pymongo import IndexModel
from starlette.routing import BaseRoute
from strawberry.federation import Schema
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from core.budget import RowBudget
from core.cache import Cache
from core.clock import Clock
from core.errors import BadUserInput, DomainError, Forbidden, PasarError, RateLimited, Unauthenticated
from core.events import EventHandler, create_event_indexes, event_indexes
from core.identity import ANONYMOUS, Identity
from core.jobs import Job
from core.mail import Mailer
from core.mongo import Client, Database, init_documents
from core.peers import Peers
from core.settings import Settings

log = structlog.get_logger(__name__)

# Whoever reaches a subgraph without the router introspects it at most (about 2,000 characters). Documents are parsed,
# validated and kept in caches: without this bound, 1,000 of any length
MAX_UNTRUSTED_DOCUMENT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What a subgraph is built from. *database* is its own; *peers* is its way to the other subgraphs."""

    settings: Settings
    clock: Clock
    client: Client
    database: Database
    peers: Peers
    cache: Cache
    mailer: Mailer


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that the answer shall set; a *max_age_s* of 0 removes it."""

    name: str
    value: str
    max_age_s: int
    path: str = "/"
    http_only: bool = True
    secure: bool = True
    same_site: Literal["lax", "strict", "none"] = "strict"


# Set by the router for mutations of the user subgraph
CLIENT_ADDRESS_HEADER = "x-pasar-client-address"
# Longer than any browser's
MAX_USER_AGENT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: the client's network address, and what its program calls itself; empty if unknown."""

    address: str = ""
    user_agent: str = ""


UNKNOWN_ORIGIN = Origin()


@dataclass(slots=True)
class Call:
    """One request to a subgraph, as its resolvers see it. Mutable only in *cookies* and *rows*.

    *trusted* tells that the router or another subgraph sent it: *identity* is proven and `_entities` is allowed.
    *headers* have lower-case names and are those of the client that the router forwards.
    """

    identity: Identity = ANONYMOUS
    trusted: bool = False
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: list[Cookie] = field(default_factory=list)
    rows: RowBudget = field(default_factory=RowBudget)

    @property
    def origin(self) -> Origin:
        """Return where the client is, as far as the router tells; nobody else is believed about the address."""
        address = self.headers.get(CLIENT_ADDRESS_HEADER, "") if self.trusted else ""
        return Origin(address, self.headers.get("user-agent", "")[:MAX_USER_AGENT_LENGTH])


async def _nothing_to_do() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgraph:
    """One subgraph of the store.

    *context* makes the object that resolvers get as `info.context`, one per request (so dataloaders in it batch and
    remember within that request). *handlers* maps event types of other subgraphs to reactions. *routes* are its public
    HTTP routes (webhooks, keys, pages); *internal_routes* are for other programs of the store, and served only where
    the subgraph is a program of its own. *prepare* runs once at start, after the indexes are there, and *more_indexes*
    are those that it creates, by collection; *close* runs once at the end, to give back what the subgraph itself has
    opened (connections to a gateway).
    """

    name: str
    schema: Schema
    runtime: Runtime
    documents: tuple[type[Document], ...]
    context: Callable[[Call], object]
    handlers: Mapping[str, EventHandler] = field(default_factory=dict)
    jobs: tuple[Job, ...] = ()
    routes: tuple[BaseRoute, ...] = ()
    internal_routes: tuple[BaseRoute, ...] = ()
    more_indexes: Mapping[str, Sequence[IndexModel]] = field(default_factory=dict)
    prepare: Callable[[], Awaitable[None]] = _nothing_to_do
    close: Callable[[], Awaitable[None]] = _nothing_to_do

    async def start(self) -> None:
        """Bind documents, create indexes, and prepare."""
        await init_documents(self.runtime.database, self.documents)
        await create_event_indexes(self.runtime.database)
        await self.prepare()

    @property
    def indexes(self) -> dict[str, tuple[IndexModel, ...]]:
        """Return the indexes that `start` creates, by collection; the one of `_id` is not among them."""
        found: dict[str, tuple[IndexModel, ...]] = event_indexes()
        for document in self.documents:
            settings: Any = document.Settings
            if indexes := getattr(settings, "indexes", ()):
                found[settings.name] = tuple(indexes)
        for name, indexes in self.more_indexes.items():
            found[name] = (*found.get(name, ()), *indexes)
        return found

    async def stop(self) -> None:
        """Give back what the subgraph itself has opened."""
        await self.close()

    @property
    def sdl(self) -> str:
        """Return the schema as `_service { sdl }` gives it."""
        result = self.schema.execute_sync("{ _service { sdl } }")
        if result.errors or result.data is None:
            raise RuntimeError(f"subgraph {self.name} has no readable schema: {result.errors}")
        sdl: str = result.data["_service"]["sdl"]
        return sdl

    async def execute(
        self, document: str, variables: Mapping[str, Any] | None, operation_name: str | None, call: Call
    ) -> dict[str, Any]:
        """Execute one operation and return a GraphQL response of JSON values.

        Errors that are not meant for callers are logged with the request id and replaced by a sentence.
        """
        refusal = _refuse_untrusted(document, call)
        if refusal is not None:
            return refusal
        # Strawberry's `_entities` takes representations apart, and in-process these are the caller's own
        owned = copy.deepcopy(dict(variables)) if variables else {}
        try:
            result = await self.schema.execute(
                document,
                variable_values=owned,
                operation_name=operation_name,
                context_value=self.context(call),
                # By one answer: executed as a query, a subscription would be null
                allowed_operation_types=_ANSWERED,
            )
        except InvalidOperationTypeError:
            message = "a subscription needs an event stream: accept text/event-stream"
            return {"data": None, "errors": [{"message": message, "extensions": _BAD_REQUEST}]}
        response = self._format_result(result.data, result.errors, call)
        if call.cookies:
            response["extensions"] = {"pasar": {"setCookies": [asdict(cookie) for cookie in call.cookies]}}
        return response

    async def subscribe(
        self, document: str, variables: Mapping[str, Any] | None, operation_name: str | None, call: Call
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield a GraphQL response for each event of a subscription; errors are treated as `execute` does.

        What cannot be subscribed to is answered by one response with errors. Closing the iterator ends the
        subscription.
        """
        refusal = _refuse_untrusted(document, call)
        if refusal is not None:
            yield refusal
            return
        owned = copy.deepcopy(dict(variables)) if variables else {}
        results = await self.schema.subscribe(
            document, variable_values=owned, operation_name=operation_name, context_value=self.context(call)
        )
        try:
            async with aclosing(results) as open_results:
                async for result in open_results:
                    yield self._format_result(result.data, result.errors, call)
        except GraphQLError as error:
            # What cannot be parsed is raised from a stream
            yield self._format_result(None, [error], call)

    def _format_result(self, data: Any, errors: Iterable[GraphQLError] | None, call: Call) -> dict[str, Any]:
        response: dict[str, Any] = {"data": data}
        if errors:
            response["errors"] = [self._format_error(error, call) for error in errors]
        return response

    def _format_error(self, error: GraphQLError, call: Call) -> dict[str, Any]:
        cause = error.original_error
        # Coercing an argument can raise ours inside graphql-core's own error
        while isinstance(cause, GraphQLError) and cause.original_error is not None:
            cause = cause.original_error
        formatted: dict[str, Any] = {"message": error.message}
        if error.locations:
            formatted["locations"] = [location.formatted for location in error.locations]
        if error.path:
            formatted["path"] = list(error.path)
        extensions: dict[str, Any] = dict(error.extensions or {})
        match cause:
            case DomainError():
                formatted["message"] = cause.message
                extensions["code"] = cause.code
                if isinstance(cause, BadUserInput) and cause.field:
                    extensions["field"] = cause.field
                if isinstance(cause, RateLimited):
                    extensions["retryAfter"] = cause.retry_after_s
            case InvalidOperationTypeError():
                # A query where a subscription was expected
                extensions["code"] = "BAD_REQUEST"
            case None | GraphQLError():
                refusal = (
                    "GRAPHQL_PARSE_FAILED" if isinstance(error, GraphQLSyntaxError) else "GRAPHQL_VALIDATION_FAILED"
                )
                extensions.setdefault("code", "BAD_USER_INPUT" if error.path else refusal)
            case _:
                log.error("resolver failed", subgraph=self.name, request_id=call.request_id, exc_info=cause)
                formatted["message"] = "Internal server error"
                extensions["code"] = cause.code if isinstance(cause, PasarError) else "INTERNAL_SERVER_ERROR"
        return {**formatted, "extensions": extensions}


_ANSWERED = (OperationType.QUERY, OperationType.MUTATION)
_FORBIDDEN = {"code": "FORBIDDEN"}
_BAD_REQUEST = {"code": "BAD_REQUEST"}


def _refuse_untrusted(document: str, call: Call) -> dict[str, Any] | None:
    """Return the refusal of a document that only the router may send, None for any other."""
    if call.trusted:
        return None
    if len(document) > MAX_UNTRUSTED_DOCUMENT:
        return {"data": None, "errors": [{"message": "the document is too long", "extensions": _BAD_REQUEST}]}
    if _asks_for_entities(document):
        return {"data": None, "errors": [{"message": "_entities is for the router", "extensions": _FORBIDDEN}]}
    return None


def _asks_for_entities(document: str) -> bool:
    # A cheap look first: only a document that spells it can ask for it
    if "_entities" not in document:
        return False
    try:
        parsed = parse(document, no_location=True)
    except GraphQLError:
        return False
    return any(
        isinstance(node, FieldNode) and node.name.value == "_entities"
        for definition in parsed.definitions
        for node in _walk_selections(definition)
    )


def _walk_selections(node: Any) -> list[Any]:
    found: list[Any] = []
    waiting = [node]
    while waiting:
        current = waiting.pop()
        selection_set = getattr(current, "selection_set", None)
        if selection_set is not None:
            found.extend(selection_set.selections)
            waiting.extend(selection_set.selections)
    return found


def require_login(identity: Identity) -> str:
    """Return the caller's user id; raise Unauthenticated for anonymous callers."""
    if identity.subject is None:
        raise Unauthenticated("log in first")
    return identity.subject


def require_person(identity: Identity) -> str:
    """Return the caller's user id; Unauthenticated for anonymous callers, Forbidden for services: they own nothing."""
    user_id = require_login(identity)
    if identity.is_service:
        raise Forbidden("this is for people; a service has no account")
    return user_id


def require_scopes(identity: Identity, *scopes: str) -> None:
    """Refuse a caller who does not hold all of *scopes*: Unauthenticated for anonymous callers, else Forbidden."""
    require_login(identity)
    if not identity.has_scopes(*scopes):
        raise Forbidden(f"this needs {' and '.join(scopes)}")


def require_service(identity: Identity) -> None:
    """Refuse a caller that is not another subgraph."""
    if not identity.is_service:
        raise Forbidden("this is for the store's own services")
