"""What the use cases on placed orders have in common: the order, whoever acts, and texts that people type."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from core.clock import Clock
from core.errors import BadUserInput, NotFound
from core.identity import Identity
from core.mongo import Client, Row, Session, in_transaction
from core.scopes import ORDERS_READ, ORDERS_WRITE
from core.subgraph import require_person
from subgraphs.order.model import Actor, ActorKind
from subgraphs.order.moves import OrderMover
from subgraphs.order.repository import OrderRepository

MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Turn:
    """One change of an order, inside its transaction: *order* as it was read there."""

    order: Row
    by: Actor
    now: datetime
    session: Session


class OrderDesk:
    """Runs changes of orders."""

    def __init__(self, client: Client, clock: Clock, *, orders: OrderRepository, mover: OrderMover) -> None:
        self._client = client
        self._clock = clock
        self._orders = orders
        self.mover = mover

    async def change(self, order_id: str, caller: Identity, work: Callable[[Turn], Awaitable[Row]]) -> Row:
        """Run *work* in a transaction and return the order as it is then; who may do it is checked by the use case.

        Raises:
            NotFound: there is no such order, or none that the caller may see.
        """
        user_id = require_person(caller)

        async def run(session: Session) -> Row:
            order = await self._orders.find_order(order_id, session=session)
            is_staff = caller.has_scopes(ORDERS_READ) or caller.has_scopes(ORDERS_WRITE)
            if order is None or not (is_staff or order["buyer_id"] == user_id):
                raise NotFound(f"there is no order {order_id}")
            kind = ActorKind.BUYER if order["buyer_id"] == user_id else ActorKind.STORE
            return await work(Turn(order, Actor(user_id, kind), self._clock.now(), session))

        return await in_transaction(self._client, run)


def clean_required(text: str, field: str, *, longest: int = MAX_TEXT) -> str:
    """Return *text* on one line; raise BadUserInput when nothing is left, or too much."""
    cleaned = clean_optional(text, field, longest=longest)
    if cleaned is None:
        raise BadUserInput("it must not be empty", field=field)
    return cleaned


def clean_optional(text: str | None, field: str, *, longest: int = MAX_TEXT) -> str | None:
    """Return *text* on one line, None when nothing is left; raise BadUserInput when it is too long."""
    cleaned = " ".join((text or "").split())
    if len(cleaned) > longest:
        raise BadUserInput(f"at most {longest} characters fit", field=field)
    return cleaned or None
