"""Checkout: a cart becomes an order that can be paid, once per idempotency key, or nothing is left behind.

What is ordered is quoted and recorded as a whole. Each step after that (checkout_steps.py) is idempotent and recorded
when it is done. After a crash, the job takes up whatever is unfinished where it stands; so does a second request with
the same key. Its answer is always the recorded one.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from core.clock import Clock
from core.errors import Conflict, DomainError, Unavailable
from core.ids import new_id
from core.money import Money
from core.mongo import Client, DuplicateKeyError, Row, Session, in_transaction
from core.peers import PeerError
from core.turns import Turns
from subgraphs.order.cart_repository import CartRepository
from subgraphs.order.carts import Cart, CartLine, cart_id, take_out
from subgraphs.order.checkout_repository import CheckoutRepository
from subgraphs.order.checkout_request import CheckoutRequest, clean_request, fingerprint_of
from subgraphs.order.checkout_steps import FINAL_STATES, FIRST_STATE
from subgraphs.order.discount_problems import DiscountNotApplicable, TotalDiffers
from subgraphs.order.discount_repository import USES, DiscountRepository, UsedUp
from subgraphs.order.discounts import CodeProblem, CodeRefusal
from subgraphs.order.documents import CheckoutState, OrderRow
from subgraphs.order.model import SYSTEM, OrderStatus
from subgraphs.order.moves import OrderMover
from subgraphs.order.neighbours import Buyer, Neighbours, may_pass
from subgraphs.order.pricing import Destination
from subgraphs.order.problems import (
    CartEmpty,
    PaymentUnavailable,
    StockShort,
    refusal_from_row,
    refusal_to_row,
)
from subgraphs.order.quote_rows import read_quote, write_order, write_quote
from subgraphs.order.quoting import Quoter, QuoteRequest
from subgraphs.order.repository import OrderRepository

log = structlog.get_logger(__name__)

# The reservation outlives the payment, so that a webhook that comes late still finds the stock
RESERVATION_GRACE = timedelta(minutes=15)
# The request itself has so long before the job takes over
TAKE_UP_AFTER = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=5)
# How many unfinished checkouts one run of the job takes up
BATCH = 100


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """The order, and where it is paid; nowhere if there is nothing to pay."""

    order: Row
    pay_url: str | None


class _CartChanged(Exception):
    """The cart does not hold any more what is being ordered."""


class Checkout:
    """Carries out checkouts."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        orders: OrderRepository,
        carts: CartRepository,
        checkouts: CheckoutRepository,
        mover: OrderMover,
        neighbours: Neighbours,
        quoter: Quoter,
        discounts: DiscountRepository,
        reservation_ttl_s: int,
    ) -> None:
        self._client = client
        self._clock = clock
        self._orders = orders
        self._carts = carts
        self._checkouts = checkouts
        self._mover = mover
        self._neighbours = neighbours
        self._quoter = quoter
        self._discounts = discounts
        # Of discounts: a code that everybody has is one counter
        self._turns = Turns()
        self._time_to_pay = timedelta(seconds=reservation_ttl_s)

    async def check_out(self, request: CheckoutRequest) -> CheckedOut:
        """Order what is in the buyer's cart; a used key gives its checkout's answer again.

        Raises:
            BadUserInput: address, note or key are not acceptable, or the cart mixes currencies.
            CartEmpty, StockShort, ProductUnavailable, ShippingUnavailable, PaymentUnavailable: as they say; no order
                is left.
            DiscountNotApplicable, TotalDiffers: a code of the cart does not apply, or it costs something else than was
                expected; no order is left.
            Conflict: the key was used for another request, or the cart changed meanwhile.
            PeerUnavailable: another part of the store does not answer; the same key may be tried again. A checkout
                that was quoted goes on in the background.
        """
        request = clean_request(request)
        fingerprint = fingerprint_of(request)
        checkout = await self._checkouts.find_by_key(request.buyer_id, request.idempotency_key)
        if checkout is None:
            checkout = await self._begin(request, fingerprint)
        if checkout["fingerprint"] != fingerprint:
            raise Conflict("this idempotency key was used for another checkout")
        return await self._answer(*await self.finish(checkout))

    async def resume_unfinished(self, now: datetime) -> None:
        """Take up checkouts that a crash or an outage left unfinished."""
        for checkout in await self._checkouts.find_due(now, BATCH):
            delay = min(TAKE_UP_AFTER * 2 ** min(checkout["attempts"], 10), LONGEST_RETRY)
            if not await self._checkouts.claim_due(checkout, now=now, next_due_at=now + delay):
                continue
            try:
                await self.finish(checkout)
            except Exception as error:
                # One broken checkout must not hold up the others
                expected = isinstance(error, Unavailable | PeerError)
                log.warning(
                    "checkout not finished yet",
                    order_id=checkout["_id"],
                    state=checkout["state"],
                    attempts=checkout["attempts"] + 1,
                    exc_info=None if expected else error,
                )

    async def finish(self, checkout: Row) -> tuple[Row, Row | None]:
        """Take *checkout* through its remaining steps; return it in a final state, and the order if we wrote it."""
        order: Row | None = None
        while checkout["state"] not in FINAL_STATES:
            state = checkout["state"]
            order = await self._take_step(checkout) or order
            if checkout["state"] == state:
                # Recorded in a transaction, or by another worker, which was faster
                found = await self._checkouts.find_checkout(checkout["_id"])
                if found is None:
                    raise RuntimeError(f"checkout {checkout['_id']} is gone")
                checkout = found
        return checkout, order

    async def _begin(self, request: CheckoutRequest, fingerprint: str) -> Row:
        buyer_id, key = request.buyer_id, request.idempotency_key
        cart = await self._carts.find_cart(buyer_id)
        if not cart.lines:
            # Of two equal requests the other one may have just emptied the cart
            checkout = await self._checkouts.find_by_key(buyer_id, key)
            if checkout is None:
                raise CartEmpty("there is nothing in the cart")
            return checkout
        now = self._clock.now()
        row: Row = {
            "_id": new_id("ord"),
            "buyer_id": buyer_id,
            "idempotency_key": key,
            "fingerprint": fingerprint,
            "cart": [{"product_id": line.product_id, "quantity": line.quantity} for line in cart.lines],
            "cart_version": cart.version,
            "codes": list(cart.codes),
            "address": {name: value for name, value in asdict(request.address).items() if value is not None},
            "shipping_method_id": request.shipping_method_id,
            "expected_total": asdict(request.expected_total) if request.expected_total else None,
            "note": request.note,
            "created_at": now,
            "updated_at": now,
            "expires_at": now + self._time_to_pay,
            "attempts": 0,
        }
        try:
            row |= {"state": FIRST_STATE, "due_at": now + TAKE_UP_AFTER, **await self._quote(row)}
        except DomainError as error:
            row |= {"state": "REFUSED", "refusal": refusal_to_row(error)}
        if await self._checkouts.insert_checkout(row):
            return row
        checkout = await self._checkouts.find_by_key(buyer_id, key)
        if checkout is None:
            raise RuntimeError(f"checkout {key} of {buyer_id} is taken and not there")
        return checkout

    async def _answer(self, checkout: Row, order: Row | None) -> CheckedOut:
        if checkout["state"] == "REFUSED":
            raise refusal_from_row(checkout["refusal"])
        if order is None:
            order = await self._orders.find_order(checkout["_id"])
        if order is None:
            raise RuntimeError(f"order {checkout['_id']} is gone")
        return CheckedOut(order, checkout.get("pay_url"))

    async def _take_step(self, checkout: Row) -> Row | None:
        # Return the order if the step wrote it
        state: CheckoutState = checkout["state"]
        is_late = self._clock.now() >= checkout["expires_at"]
        match state:
            case "QUOTED" | "RESERVED" if is_late:
                await self._refuse(checkout, Conflict("the checkout took too long; nothing was ordered"))
            case "QUOTED":
                await self._reserve(checkout)
            case "RESERVED":
                return await self._place(checkout)
            case "PLACED":
                return await self._open_payment(checkout, is_late=is_late)
            case "RELEASING":
                await self._release(checkout)
            case _:
                raise RuntimeError(f"nobody knows how a checkout goes on from {state}")
        return None

    async def _quote(self, checkout: Row) -> Row:
        # Return what is recorded of the quote; raise DomainError if nothing can be ordered
        address = checkout["address"]
        request = QuoteRequest(
            order_id=checkout["_id"],
            buyer_id=checkout["buyer_id"],
            lines=_read_cart_lines(checkout),
            codes=tuple(checkout["codes"]),
            destination=Destination(address["country"], address.get("region")),
            method_id=checkout["shipping_method_id"],
        )
        try:
            buyer, quoted = await asyncio.gather(
                self._neighbours.find_buyer(checkout["buyer_id"]), self._quoter.quote(request)
            )
        except PeerError as error:
            raise _refusal_by_peer(checkout, error) from error
        if buyer is None:
            raise Conflict("this account does not exist any more")
        if quoted.problems:
            # Left out, it would make the order dearer than its buyer thinks
            raise DiscountNotApplicable(quoted.problems[0])
        expected = checkout["expected_total"]
        if expected and Money(**expected) != quoted.quote.total:
            raise TotalDiffers(quoted.quote.total)
        return {"buyer": asdict(buyer), "quote": write_quote(quoted.quote)}

    async def _reserve(self, checkout: Row) -> None:
        order_id = checkout["_id"]
        try:
            is_reserved = await self._neighbours.reserve_stock(
                order_id, _read_cart_lines(checkout), expires_at=checkout["expires_at"] + RESERVATION_GRACE
            )
        except StockShort as error:
            await self._move(checkout, "REFUSED", {"refusal": refusal_to_row(error)})
            return
        except PeerError as error:
            await self._refuse(checkout, _refusal_by_peer(checkout, error))
            return
        if not is_reserved:
            await self._refuse(checkout, Conflict("the reservation is over; nothing was ordered"))
        elif not await self._move(checkout, "RESERVED", {}):
            now_there = await self._checkouts.find_checkout(order_id)
            if now_there is not None and now_there["state"] == "REFUSED":
                # Another worker was told that there is too little, before we were told that there is enough
                await self._neighbours.release_stock(order_id)

    async def _place(self, checkout: Row) -> Row | None:
        applied = read_quote(checkout["quote"]).discounts
        while True:
            order = write_order(checkout, now=self._clock.now())

            async def work(session: Session, order: OrderRow = order) -> tuple[Row, Row] | None:
                moved = await self._move(checkout, "PLACED", {"number": order.number}, session=session)
                if moved is None:
                    return None
                await self._empty_cart(checkout, {each.code for each in applied}, now=order.placed_at, session=session)
                placed = await self._mover.place(order, session=session)
                await self._discounts.take_uses(order.buyer_id, applied, session=session)
                return moved, placed

            try:
                async with self._turns.take(each.discount_id for each in applied):
                    written = await in_transaction(self._client, work)
                if written is not None:
                    checkout.update(written[0])
                    return written[1]
            except _CartChanged:
                changed = Conflict("the cart changed during the checkout; nothing was ordered")
                await self._refuse(checkout, changed)
            except UsedUp as error:
                reason = CodeRefusal.USED_BY_YOU if error.by_buyer else CodeRefusal.USED_UP
                await self._refuse(checkout, DiscountNotApplicable(CodeProblem(error.code, reason)))
            except DuplicateKeyError as error:
                # A number that was taken, or a buyer's first use of a discount that was counted twice at once
                if (error.details or {}).get("keyPattern") == {"number": 1} or f".{USES} " in str(error):
                    continue
                raise
            return None

    async def _empty_cart(self, checkout: Row, used_codes: set[str], *, now: datetime, session: Session) -> None:
        # Take what is ordered out of the cart: of the one that we remember, or of what has become of it meanwhile
        lines, owner_id = _read_cart_lines(checkout), checkout["buyer_id"]
        if (version := checkout.get("cart_version")) is None:
            # Of an older store
            cart = await self._carts.find_cart(owner_id, session=session)
        else:
            cart = Cart(cart_id(owner_id), owner_id, lines, version, tuple(checkout["codes"]))
        while (rest := take_out(cart, lines)) is not None:
            rest = replace(rest, codes=tuple(code for code in rest.codes if code not in used_codes))
            if await self._carts.save_cart(rest, now=now, session=session) is not None:
                return
            cart = await self._carts.find_cart(owner_id, session=session)
        raise _CartChanged

    async def _open_payment(self, checkout: Row, *, is_late: bool) -> Row | None:
        quote = read_quote(checkout["quote"])
        if quote.total.amount == 0:
            return await self._confirm_free(checkout)
        try:
            pay_url = await self._neighbours.open_payment(
                order_id=checkout["_id"],
                order_number=checkout["number"],
                buyer=Buyer(**checkout["buyer"]),
                quote=quote,
                expires_at=checkout["expires_at"],
            )
        except PeerError as error:
            if may_pass(error) and not is_late:
                raise
            log.warning("payment cannot be opened", order_id=checkout["_id"], reason=error.message)
            await self._abort(checkout)
            return None
        await self._move(checkout, "OPENED", {"pay_url": pay_url})
        return None

    async def _confirm_free(self, checkout: Row) -> Row | None:
        """Take an order as paid for which there is nothing to pay; no gateway opens a payment of nothing."""

        async def work(session: Session) -> Row | None:
            if not await self._move(checkout, "OPENED", {}, session=session):
                return None
            order = await self._orders.find_order(checkout["_id"], session=session)
            if order is None or order["status"] != OrderStatus.PENDING_PAYMENT:
                return order
            now = self._clock.now()
            return await self._mover.move(
                order,
                OrderStatus.PAID,
                by=SYSTEM,
                reason="there was nothing to pay",
                now=now,
                session=session,
                set_={"paid_at": now},
            )

        return await in_transaction(self._client, work)

    async def _abort(self, checkout: Row) -> None:
        refusal = PaymentUnavailable(f"order {checkout['number']} could not be opened for payment and is cancelled")

        async def work(session: Session) -> None:
            if not await self._move(checkout, "REFUSED", {"refusal": refusal_to_row(refusal)}, session=session):
                return
            order = await self._orders.find_order(checkout["_id"], session=session)
            if order is not None and order["status"] == OrderStatus.PENDING_PAYMENT:
                # OrderCancelled makes inventory release the stock, and payment refuse an opening that is under way
                await self._mover.move(
                    order,
                    OrderStatus.CANCELLED,
                    by=SYSTEM,
                    reason="the payment could not be opened",
                    now=self._clock.now(),
                    session=session,
                )

        await in_transaction(self._client, work)

    async def _release(self, checkout: Row) -> None:
        try:
            await self._neighbours.release_stock(checkout["_id"])
        except PeerError as error:
            if may_pass(error):
                raise
            # It ends by itself when its time is over
            log.warning("reservation cannot be released", order_id=checkout["_id"], reason=error.message)
        await self._move(checkout, "REFUSED", {})

    async def _refuse(self, checkout: Row, refusal: DomainError) -> None:
        # Inventory may have been asked, so the stock has to go back
        await self._move(checkout, "RELEASING", {"refusal": refusal_to_row(refusal)})

    async def _move(
        self,
        checkout: Row,
        target: CheckoutState,
        set_: Mapping[str, Any],
        *,
        session: Session | None = None,
    ) -> Row | None:
        """Record a step; return the row, None when *checkout* has left its state. Without a session it follows."""
        moved = await self._checkouts.move_checkout(
            checkout["_id"], checkout["state"], target, set_, now=self._clock.now(), session=session
        )
        if moved is not None and session is None:
            # A transaction may still be undone
            checkout.update(moved)
        return moved


def _read_cart_lines(checkout: Row) -> tuple[CartLine, ...]:
    return tuple(CartLine(line["product_id"], line["quantity"]) for line in checkout["cart"])


def _refusal_by_peer(checkout: Row, error: PeerError) -> DomainError:
    """Return how a checkout ends that another subgraph refuses; raise *error* if another try may succeed."""
    if may_pass(error):
        raise error
    log.error("checkout refused by another subgraph", order_id=checkout["_id"], exc_info=error)
    return Conflict("the store cannot take this order; nothing was ordered")
