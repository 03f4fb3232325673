"""Use cases of the order subgraph: who may, what the rule is, write, announce."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

import structlog

from core.addresses import PostalAddress
from core.clock import Clock
from core.errors import Conflict, Forbidden, NotFound, Unauthenticated
from core.identity import Identity
from core.money import Money
from core.mongo import Client, Row, Session, in_transaction
from core.paging import Page, PageRequest
from core.peers import PeerError
from core.scopes import ORDERS_READ, ORDERS_WRITE, REPORTS_READ
from core.service_calls import require_caller
from core.subgraph import require_login, require_person, require_scopes
from subgraphs.order.checkout import CheckedOut, Checkout
from subgraphs.order.checkout_request import CheckoutRequest
from subgraphs.order.desk import clean_optional
from subgraphs.order.live_totals import LiveTotalsFeed
from subgraphs.order.model import (
    SYSTEM,
    Actor,
    ActorKind,
    Attention,
    OrderStatus,
    may_cancel,
)
from subgraphs.order.moves import OrderMover
from subgraphs.order.neighbours import Neighbours
from subgraphs.order.order_lists import OrderFilter, plan_list
from subgraphs.order.periods import P
from subgraphs.order.repository import OrderRepository
from subgraphs.order.totals import LiveTotals, TotalsReader
from subgraphs.order.totals_model import TopProducts, TopProductsQuery, Totals, TotalsQuery

log = structlog.get_logger(__name__)

# How many overdue orders one run of the job expires
EXPIRE_BATCH = 200
# An order whose payment cannot be stopped yet, or has just come in, is looked at again after this
EXPIRE_AGAIN_AFTER = timedelta(seconds=60)

# A payment in these states can never bring in money any more, as far as its gateway knows
_PAYMENT_OVER = frozenset({None, "CANCELLED", "EXPIRED", "FAILED", "REFUNDED"})


def can_read(order: Row, caller: Identity) -> bool:
    """Tell whether *caller* may see *order*: its buyer, holders of orders:read, and the store's own services."""
    return caller.is_service or caller.has_scopes(ORDERS_READ) or order["buyer_id"] == caller.subject


class OrderService:
    """The use cases. *caller* is always the verified identity behind the request."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        orders: OrderRepository,
        mover: OrderMover,
        checkout: Checkout,
        totals: TotalsReader,
        live_totals: LiveTotalsFeed,
        neighbours: Neighbours,
    ) -> None:
        self._client = client
        self._clock = clock
        self._orders = orders
        self._mover = mover
        self._checkout = checkout
        self._totals = totals
        self._live_totals = live_totals
        self._neighbours = neighbours

    async def check_out(
        self,
        idempotency_key: str,
        address: PostalAddress,
        note: str | None,
        caller: Identity,
        *,
        shipping_method_id: str | None = None,
        expected_total: Money | None = None,
    ) -> CheckedOut:
        """Order the caller's cart; see Checkout.check_out."""
        buyer_id = require_person(caller)
        return await self._checkout.check_out(
            CheckoutRequest(buyer_id, idempotency_key, address, note, shipping_method_id, expected_total)
        )

    async def list_orders(self, wanted: OrderFilter, page: PageRequest, caller: Identity) -> Page[Row]:
        """Return a page of all orders, newest first."""
        require_scopes(caller, ORDERS_READ)
        return await self._orders.find_list_page(plan_list(wanted), page)

    async def list_changed_orders(
        self, since: datetime, until: datetime, buyer_id: str | None, page: PageRequest, caller: Identity
    ) -> Page[Row]:
        """Return a page of the orders changed in a stretch of time, for another subgraph."""
        require_caller(caller, "changedOrders")
        return await self._orders.find_changed(since, until, buyer_id, page)

    async def read_totals(self, query: TotalsQuery[P], caller: Identity) -> Totals[P]:
        """Return the totals per day, month or year."""
        _check_may_read_reports(caller)
        return await self._totals.read_totals(query)

    async def read_top_products(self, query: TopProductsQuery, caller: Identity) -> TopProducts:
        """Return the products of a month that were sold most."""
        _check_may_read_reports(caller)
        return await self._totals.read_top_products(query)

    async def watch_live_totals(
        self, timezone: str, currency: str, caller: Identity
    ) -> AsyncGenerator[LiveTotals, None]:
        """Yield the totals of today and of this month, again whenever they change."""
        _check_may_read_reports(caller)
        async with aclosing(self._live_totals.watch(timezone, currency)) as lives:
            async for live in lives:
                yield live

    def check_may_list_orders_of(self, user_id: str, caller: Identity) -> None:
        """Refuse a caller who may not see the orders of a user."""
        if caller.is_service or caller.has_scopes(ORDERS_READ) or caller.subject == user_id:
            return
        if caller.subject is None:
            raise Unauthenticated("log in first")
        raise Forbidden("these are the orders of somebody else")

    async def cancel_order(self, order_id: str, reason: str | None, caller: Identity) -> Row:
        """Cancel an order: its buyer while it is unpaid, the store until it is shipped. Cancelled twice is fine.

        An unpaid order's payment is stopped first, so that nobody pays for what is cancelled. A paid one is marked: its
        money has to go back.
        """
        require_person(caller)
        order = await self._find_readable(order_id, caller)
        by_store = caller.has_scopes(ORDERS_WRITE)
        reason = clean_optional(reason, "reason")
        if order["buyer_id"] != caller.subject and not by_store:
            raise Forbidden(f"cancelling the orders of others needs {ORDERS_WRITE}")
        by = self._actor(order, caller)
        status = _check_cancel(order, by_store=by_store)
        if status is OrderStatus.PENDING_PAYMENT:
            request = {"actor": by.id, "kind": by.kind.value, "reason": reason}
            await self._orders.request_cancel(order_id, request)
            payment_status = await self._neighbours.cancel_payment(order_id)
            if payment_status not in _PAYMENT_OVER:
                raise Conflict(f"the payment of order {order['number']} is {payment_status}")

        async def work(session: Session) -> Row:
            order = await self._get_order(order_id, session)
            status = _check_cancel(order, by_store=by_store)
            if status is OrderStatus.CANCELLED:
                return order
            now = self._clock.now()
            moved = await self._mover.move(
                order,
                OrderStatus.CANCELLED,
                by=by,
                reason=reason,
                now=now,
                session=session,
                # Also of the own order, where it took the store's rights
                is_privileged=by.kind is ActorKind.STORE or not may_cancel(status, by_store=False),
            )
            if status is OrderStatus.PENDING_PAYMENT or order["total_amount"] == 0:
                return moved
            payment = {"payment_id": order.get("payment_id"), "amount": order["total_amount"]}
            return await self._mover.call_for_attention(
                moved, Attention.REFUND_DUE, refund=payment, now=now, session=session
            )

        return await in_transaction(self._client, work)

    async def expire_unpaid_orders(self, now: datetime) -> None:
        """Expire orders that were not paid in time, after making sure that they cannot be paid any more."""
        for order in await self._orders.find_expire_due(now, EXPIRE_BATCH):
            try:
                payment_status = await self._neighbours.cancel_payment(order["_id"])
            except PeerError as error:
                log.warning("order not expired yet", order_id=order["_id"], reason=error.message)
                await self._orders.postpone_expiry(order["_id"], now + EXPIRE_AGAIN_AFTER)
                continue
            if payment_status not in _PAYMENT_OVER:
                # The buyer was faster: PaymentCaptured is on its way
                await self._orders.postpone_expiry(order["_id"], now + EXPIRE_AGAIN_AFTER)
                continue
            await in_transaction(self._client, self._expire(order["_id"]))

    def _expire(self, order_id: str) -> Callable[[Session], Any]:
        async def work(session: Session) -> None:
            order = await self._get_order(order_id, session)
            if order["status"] == OrderStatus.PENDING_PAYMENT:
                await self._mover.move(
                    order,
                    OrderStatus.EXPIRED,
                    by=SYSTEM,
                    reason="it was not paid in time",
                    now=self._clock.now(),
                    session=session,
                )

        return work

    async def _find_readable(self, order_id: str, caller: Identity) -> Row:
        order = await self._orders.find_order(order_id)
        if order is None or not can_read(order, caller):
            raise NotFound(f"there is no order {order_id}")
        return order

    async def _get_order(self, order_id: str, session: Session) -> Row:
        order = await self._orders.find_order(order_id, session=session)
        if order is None:
            raise NotFound(f"there is no order {order_id}")
        return order

    def _actor(self, order: Row, caller: Identity) -> Actor:
        user_id = require_login(caller)
        return Actor(user_id, ActorKind.BUYER if user_id == order["buyer_id"] else ActorKind.STORE)


def _check_may_read_reports(caller: Identity) -> None:
    if not caller.is_service:
        require_scopes(caller, REPORTS_READ)


def _check_cancel(order: Row, *, by_store: bool) -> OrderStatus:
    status = OrderStatus(order["status"])
    if status is not OrderStatus.CANCELLED and not may_cancel(status, by_store=by_store):
        raise Conflict(f"order {order['number']} is {status} and cannot be cancelled")
    if order["shipments"]:
        raise Conflict(f"parts of order {order['number']} are on their way; what comes back is a return")
    return status
