"""Who asks a subgraph, and how a test asks it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from core.identity import ANONYMOUS, Identity, Role, service_identity
from core.scopes import scopes_of
from core.subgraph import Call, Subgraph

ADMIN = Identity("usr_admin", frozenset({Role.ADMIN}), scopes_of([Role.ADMIN]))
STAFF = Identity("usr_staff", frozenset({Role.STAFF}), scopes_of([Role.STAFF]))
CUSTOMER = Identity("usr_customer", frozenset({Role.CUSTOMER}))
OTHER_CUSTOMER = Identity("usr_other", frozenset({Role.CUSTOMER}))
ORDER_SERVICE = service_identity("order")


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks one subgraph as the router would."""

    subgraph: Subgraph

    async def ask(
        self, document: str, variables: Mapping[str, Any] | None = None, *, by: Identity = ANONYMOUS
    ) -> dict[str, Any]:
        """Return the GraphQL response."""
        return await self.subgraph.execute(document, variables, None, Call(identity=by, trusted=True))

    async def first_event(
        self, document: str, variables: Mapping[str, Any] | None = None, *, by: Identity = ANONYMOUS
    ) -> dict[str, Any]:
        """Return the first response of a subscription, and end it."""
        async with aclosing(self.subscribe(document, variables, by=by)) as events:
            return await anext(events)

    def subscribe(
        self, document: str, variables: Mapping[str, Any] | None = None, *, by: Identity = ANONYMOUS
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Return the responses of a subscription."""
        return self.subgraph.subscribe(document, variables, None, Call(identity=by, trusted=True))

    async def data(
        self, document: str, variables: Mapping[str, Any] | None = None, *, by: Identity = ANONYMOUS
    ) -> dict[str, Any]:
        """Return the data of a response that must have no errors."""
        response = await self.ask(document, variables, by=by)
        assert "errors" not in response, response["errors"]
        data: dict[str, Any] = response["data"]
        return data

    async def refusals(
        self, document: str, variables: Mapping[str, Any] | None = None, *, by: Identity = ANONYMOUS
    ) -> list[str]:
        """Return the codes of a response's errors."""
        response = await self.ask(document, variables, by=by)
        return [error["extensions"]["code"] for error in response.get("errors", [])]

    async def entities(
        self, selection: str, representations: list[dict[str, Any]], *, by: Identity = ANONYMOUS
    ) -> list[Any]:
        """Return what references resolve to; *selection* is a list of inline fragments."""
        document = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ {selection} }} }}"
        found: list[Any] = (await self.data(document, {"r": representations}, by=by))["_entities"]
        return found
