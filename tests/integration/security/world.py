"""A whole store to attack: six subgraphs on the real database, composed, behind a router that believes their tokens."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import count
from typing import Any

from graphql import (
    REMOVE,
    FieldNode,
    NameNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    print_ast,
    visit,
)

from core.audit import PRIVILEGED_ACTION
from core.events import OUTBOX
from core.identity import ANONYMOUS, Identity, Role, service_identity
from core.mongo import Row
from core.peers import InProcessPeers
from core.scopes import scopes_of
from core.subgraph import Call, Subgraph
from core.tokens import AccessTokenIssuer
from pasar.composing import compose_schemas
from pasar.subgraph_sources import schemas_of
from router.app import RouterApp, build_app
from router.auth import build_authenticator
from router.config import RouterConfig
from router.exchange import Answer, EventStream, GraphQLRequest
from router.exchange import Caller as RouterCaller
from router.transports.base import RequestContext, SubgraphRequest
from router.transports.in_process import ExecuteRequest, InProcessTransport, SubscribeRequest
from subgraphs.sync import app as sync_app
from subgraphs.user.audit import AUDIT
from subgraphs.user.bulk import NewAccount, insert_users
from subgraphs.user.keys import load_token_issuer
from subgraphs.user.passwords import Passwords
from subgraphs.user.throttle import THROTTLE
from tests.testkit.callers import ADMIN, STAFF, Caller
from tests.testkit.clock import FixedClock
from tests.testkit.shop import ANI, BUDI, Shop, open_shop
from tests.testkit.store import MakeRuntime

# In this order, so that whoever owns a thing, and may end it, comes last
PEOPLE: Mapping[str, Identity] = {"anonymous": ANONYMOUS, "other": BUDI, "staff": STAFF, "admin": ADMIN, "owner": ANI}
SERVICE = service_identity("order")
CHEAP = Passwords(time_cost=1, memory_kib=8, threads=1)

# That somebody guessed is counted and noted, whatever comes of it; that is no change
_NOTES = ("LOGIN_FAILED", "TOO_MANY_ATTEMPTS")
_ATTEMPTS = (THROTTLE, "code_guesses")

_addresses = count(1)


@dataclass(frozen=True, slots=True)
class World:
    """The store. ANI owns what tests ask for; BUDI is another customer."""

    shop: Shop
    subgraphs: Mapping[str, Subgraph]
    app: RouterApp
    config: RouterConfig
    supergraph_sdl: str
    issuer: AccessTokenIssuer

    @property
    def clock(self) -> FixedClock:
        return self.shop.clock

    async def ask(
        self, document: str, variables: Mapping[str, Any] | None = None, *, by: Identity = ANONYMOUS
    ) -> dict[str, Any]:
        """Return the router's response to somebody with a token of the user subgraph, or with none.

        Of a subscription it is the first event.
        """
        headers = {} if by.subject is None else {"authorization": f"Bearer {self.token(by)}"}
        request = GraphQLRequest(document, variables=variables or {})
        # From an address of its own: attacks are many, and the store slows down whoever attacks
        address = str(ip_address(0x0A000000 + next(_addresses)))
        answer = await self.app.pipeline.handle(request, RouterCaller(address=address, headers=headers))
        if isinstance(answer, EventStream):
            async with aclosing(answer.events) as events:
                return await anext(events)
        assert isinstance(answer, Answer)
        return answer.body

    def token(self, identity: Identity) -> str:
        """Return an access token as a login gives it."""
        return self.issuer.issue(replace(identity, scopes=scopes_of(identity.roles)), now=self.clock.now())

    async def snapshot(self) -> dict[str, list[Row]]:
        """Return every row of every database, to compare before and after; but for notes that somebody guessed."""
        rows: dict[str, list[Row]] = {}
        for name, subgraph in self.subgraphs.items():
            database = subgraph.runtime.database
            for collection in sorted(await database.list_collection_names()):
                if collection not in _ATTEMPTS:
                    query = {"action": {"$nin": _NOTES}} if collection == AUDIT else {}
                    rows[f"{name}.{collection}"] = await database[collection].find(query).sort("_id", 1).to_list()
        return rows

    async def ask_directly(
        self, subgraph: str, document: str, variables: Mapping[str, Any] | None = None, *, by: Identity
    ) -> dict[str, Any]:
        """Return the response of one subgraph to a proven identity; what it does not have is left out of *document*."""
        local = local_part(self.subgraphs[subgraph], document)
        return await Caller(self.subgraphs[subgraph]).ask(local, variables, by=by)

    def subgraph_of(self, type_name: str, field_name: str) -> str:
        """Return the subgraph that resolves a field."""
        for name, subgraph in sorted(self.subgraphs.items()):
            type_ = subgraph.schema._schema.get_type(type_name)
            field = getattr(type_, "fields", {}).get(field_name)
            # The same key may stand in many, and `status` is external to inventory; what is owned is in one
            if field is not None and (type_name, name) != ("Product", "inventory"):
                return name
            if field is not None and field_name in ("stockLevel", "availability", "purchasable"):
                return name
        raise AssertionError(f"nobody resolves {type_name}.{field_name}")

    async def forget_attempts(self) -> None:
        """Let attempts count from the first again: what a test asks for is not to depend on those before it."""
        await self.subgraphs["user"].runtime.database[THROTTLE].delete_many({})
        await self.subgraphs["order"].runtime.database["code_guesses"].delete_many({})

    async def audited(self, action: str) -> int:
        """Return how many entries of *action* there are, or are on their way to the log."""
        users = self.subgraphs["user"].runtime.database
        on_their_way = [
            await subgraph.runtime.database[OUTBOX].count_documents(
                {"type": PRIVILEGED_ACTION, "payload.action": action}
            )
            for name, subgraph in self.subgraphs.items()
            if name != "user"
        ]
        written = await users[AUDIT].count_documents({"action": action, "address": {"$ne": None}})
        return sum(on_their_way) + written


def local_part(subgraph: Subgraph, document: str) -> str:
    """Return *document* without the fields that *subgraph* does not have; an object without any asks for its type."""
    types = TypeInfo(subgraph.schema._schema)

    class Prune(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> Any:
            return None if types.get_field_def() is not None else REMOVE

        def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> Any:
            if node.selections:
                return None
            return SelectionSetNode(selections=(FieldNode(name=NameNode(value="__typename")),))

    return print_ast(visit(parse(document), TypeInfoVisitor(types, Prune())))


async def open_world(make_runtime: MakeRuntime) -> World:
    """Return a started store with four accounts and nothing else in it."""
    shop = await open_shop(make_runtime)
    calls = {name: _execute_for_peers(subgraph) for name, subgraph in shop.subgraphs.items()}
    sync = sync_app.build(make_runtime("sync", peers=InProcessPeers(service_identity("sync"), calls), clock=shop.clock))
    await sync.start()
    shop.calls["sync"] = _execute_for_peers(sync)
    subgraphs = {**shop.subgraphs, "sync": sync}
    shop = replace(shop, subgraphs=subgraphs)
    user = subgraphs["user"].runtime
    people = [
        NewAccount("usr_staff", "staff@example.org", "Sari", shop.clock.now(), (Role.STAFF,)),
        NewAccount("usr_admin", "admin@example.org", "Dewi", shop.clock.now(), (Role.ADMIN,)),
    ]
    await insert_users(user.database, people, password="correct horse battery", passwords=CHEAP)
    jwks_file = user.settings.data / "jwks.json"
    issuer = load_token_issuer(user.settings)
    jwks_file.write_text(json.dumps(issuer.jwks()))
    config = RouterConfig.model_validate(
        {"authentication": {"jwks_file": jwks_file, "cookie_setting_subgraphs": ["user"]}}
    )
    sdl = compose_schemas(schemas_of({name: subgraph.sdl for name, subgraph in subgraphs.items()})).supergraph_sdl
    app = build_app(
        config,
        supergraph_sdl=sdl,
        transports={
            name: InProcessTransport(execute_for_router(subgraph), subscribe_for_router(subgraph))
            for name, subgraph in sorted(subgraphs.items())
        },
        authenticator=build_authenticator(config.authentication, now=shop.clock.now),
    )
    return World(shop, subgraphs, app, config, sdl, issuer)


def _execute_for_peers(subgraph: Subgraph) -> Any:
    async def execute(document: str, variables: Mapping[str, Any], identity: Identity) -> dict[str, Any]:
        return await subgraph.execute(document, variables, None, Call(identity=identity, trusted=True))

    return execute


def execute_for_router(subgraph: Subgraph) -> ExecuteRequest:
    async def execute(request: SubgraphRequest, context: RequestContext) -> Mapping[str, Any]:
        call = Call(identity=context.identity, trusted=True, request_id=context.request_id, headers=context.headers)
        return await subgraph.execute(request.document, request.variables, request.operation_name, call)

    return execute


def subscribe_for_router(subgraph: Subgraph) -> SubscribeRequest:
    def subscribe(request: SubgraphRequest, context: RequestContext) -> AsyncIterator[Mapping[str, Any]]:
        call = Call(identity=context.identity, trusted=True, request_id=context.request_id, headers=context.headers)
        return subgraph.subscribe(request.document, request.variables, request.operation_name, call)

    return subscribe
