"""Checkout: a cart becomes an order that can be paid, once per idempotency key, or nothing is left behind.

Each step (checkout_steps.py) is idempotent and recorded when it is done. After a crash, the job takes up whatever is
unfinished where it stands; so does a second request with the same key. Its answer is always the recorded one.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
import structlog

from core.addresses import PostalAddress, clean_address
from core.clock import Clock
from core.errors import BadUserInput, Conflict, DomainError, Unavailable
from core.ids import new_id
from core.money import Money
from core.mongo import Client, DuplicateKeyError, Row, Session, in_transaction
from core.peers import PeerError
from subgraphs.order.cart_repository import CartRepository
from subgraphs.order.carts import CartLine, take_out
from subgraphs.order.checkout_repository import CheckoutRepository
from subgraphs.order.checkout_steps import FINAL_STATES, FIRST_STATE
from subgraphs.order.documents import AddressRow, CheckoutState, HistoryRow, LineRow, OrderRow
from subgraphs.order.model import (
    SYSTEM,
    ActorKind,
    OrderLine,
    OrderStatus,
    Quote,
    clean_note,
    new_order_number,
    quote,
)
from subgraphs.order.moves import OrderMover
from subgraphs.order.neighbours import Buyer, Neighbours, may_pass
from subgraphs.order.problems import (
    CartEmpty,
    PaymentUnavailable,
    ProductUnavailable,
    StockShort,
    refusal_from_row,
    refusal_to_row,
)
from subgraphs.order.repository import OrderRepository

log = structlog.get_logger(__name__)

# The reservation outlives the payment, so that a webhook that comes late still finds the stock
RESERVATION_GRACE = timedelta(minutes=15)
# The request itself has so long before the job takes over
TAKE_UP_AFTER = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=5)
# How many unfinished checkouts one run of the job takes up
BATCH = 100
MAX_KEY_LENGTH = 128


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What a buyer sends. The key is the client's: the same key is the same checkout."""

    buyer_id: str
    idempotency_key: str
    address: PostalAddress
    note: str | None = None


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """The order, and where it is paid."""

    order: Row
    pay_url: str


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
        reservation_ttl_s: int,
    ) -> None:
        self._client = client
        self._clock = clock
        self._orders = orders
        self._carts = carts
        self._checkouts = checkouts
        self._mover = mover
        self._neighbours = neighbours
        self._time_to_pay = timedelta(seconds=reservation_ttl_s)

    async def check_out(self, request: CheckoutRequest) -> CheckedOut:
        """Order what is in the buyer's cart; a used key gives its checkout's answer again.

        Raises:
            BadUserInput: address, note or key are not acceptable, or the cart mixes currencies.
            CartEmpty, StockShort, ProductUnavailable, PaymentUnavailable: as they say; no order is left.
            Conflict: the key was used for another request, or the cart changed meanwhile.
            PeerUnavailable: another part of the store does not answer; the checkout goes on in the background, and
                the same key may be tried again.
        """
        key = request.idempotency_key
        if not 1 <= len(key) <= MAX_KEY_LENGTH:
            raise BadUserInput(f"a key has 1 to {MAX_KEY_LENGTH} characters", field="idempotencyKey")
        address, note = clean_address(request.address), clean_note(request.note)
        fingerprint = sha256(msgspec.json.encode([asdict(address), note])).hexdigest()
        checkout = await self._checkouts.find_by_key(request.buyer_id, key)
        if checkout is None:
            checkout = await self._begin(request.buyer_id, key, fingerprint, address, note)
        if checkout["fingerprint"] != fingerprint:
            raise Conflict("this idempotency key was used for another checkout")
        return await self._answer(await self.finish(checkout))

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

    async def finish(self, checkout: Row) -> Row:
        """Take *checkout* through its remaining steps and return it in a final state."""
        while checkout["state"] not in FINAL_STATES:
            state = checkout["state"]
            await self._take_step(checkout)
            if checkout["state"] == state:
                # Recorded in a transaction, or by another worker, which was faster
                found = await self._checkouts.find_checkout(checkout["_id"])
                if found is None:
                    raise RuntimeError(f"checkout {checkout['_id']} is gone")
                checkout = found
        return checkout

    async def _begin(self, buyer_id: str, key: str, fingerprint: str, address: PostalAddress, note: str | None) -> Row:
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
            "state": FIRST_STATE,
            "cart": [{"product_id": line.product_id, "quantity": line.quantity} for line in cart.lines],
            "address": {name: value for name, value in asdict(address).items() if value is not None},
            "note": note,
            "created_at": now,
            "updated_at": now,
            "expires_at": now + self._time_to_pay,
            "due_at": now + TAKE_UP_AFTER,
            "attempts": 0,
        }
        if await self._checkouts.insert_checkout(row):
            return row
        checkout = await self._checkouts.find_by_key(buyer_id, key)
        if checkout is None:
            raise RuntimeError(f"checkout {key} of {buyer_id} is taken and not there")
        return checkout

    async def _answer(self, checkout: Row) -> CheckedOut:
        if checkout["state"] == "REFUSED":
            raise refusal_from_row(checkout["refusal"])
        order = await self._orders.find_order(checkout["_id"])
        if order is None:
            raise RuntimeError(f"order {checkout['_id']} is gone")
        return CheckedOut(order, checkout["pay_url"])

    async def _take_step(self, checkout: Row) -> None:
        state: CheckoutState = checkout["state"]
        is_late = self._clock.now() >= checkout["expires_at"]
        match state:
            case "STARTED" | "QUOTED" | "RESERVED" if is_late:
                await self._refuse(checkout, Conflict("the checkout took too long; nothing was ordered"))
            case "STARTED":
                await self._quote(checkout)
            case "QUOTED":
                await self._reserve(checkout)
            case "RESERVED":
                await self._place(checkout)
            case "PLACED":
                await self._open_payment(checkout, is_late=is_late)
            case "RELEASING":
                await self._release(checkout)

    async def _quote(self, checkout: Row) -> None:
        cart = _read_cart_lines(checkout)
        try:
            buyer, products = await asyncio.gather(
                self._neighbours.find_buyer(checkout["buyer_id"]),
                self._neighbours.find_products([line.product_id for line in cart]),
            )
        except PeerError as error:
            await self._refuse_if_final(checkout, error)
            return
        if buyer is None:
            await self._refuse(checkout, Conflict("this account does not exist any more"))
            return
        missing = tuple(
            line.product_id
            for line in cart
            if (product := products.get(line.product_id)) is None or not product.is_active
        )
        if missing:
            await self._refuse(checkout, ProductUnavailable(missing))
            return
        lines = [
            OrderLine(
                id=f"{checkout['_id']}-{number}",
                product_id=line.product_id,
                name=product.name,
                sku=product.sku,
                quantity=line.quantity,
                unit_price=product.price,
                weight_grams=product.weight_grams,
                category_path=product.category_path,
            )
            for number, line in enumerate(cart, start=1)
            for product in (products[line.product_id],)
        ]
        try:
            quoted = quote(lines)
        except BadUserInput as error:
            await self._refuse(checkout, error)
            return
        await self._move(checkout, "QUOTED", {"buyer": asdict(buyer), "quote": _write_quote(quoted)})

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
            await self._refuse_if_final(checkout, error)
            return
        if not is_reserved:
            await self._refuse(checkout, Conflict("the reservation is over; nothing was ordered"))
        elif not await self._move(checkout, "RESERVED", {}):
            now_there = await self._checkouts.find_checkout(order_id)
            if now_there is not None and now_there["state"] == "REFUSED":
                # Another worker was told that there is too little, before we were told that there is enough
                await self._neighbours.release_stock(order_id)

    async def _place(self, checkout: Row) -> None:
        while True:
            order = _write_order(checkout, now=self._clock.now())

            async def work(session: Session, order: OrderRow = order) -> bool:
                if not await self._move(checkout, "PLACED", {"number": order.number}, session=session):
                    return False
                cart = await self._carts.find_cart(checkout["buyer_id"], session=session)
                rest = take_out(cart, _read_cart_lines(checkout))
                if rest is None:
                    raise _CartChanged
                await self._carts.save_cart(rest, now=order.placed_at, session=session)
                await self._mover.place(order, session=session)
                return True

            try:
                if await in_transaction(self._client, work):
                    checkout.update(state="PLACED", number=order.number)
            except _CartChanged:
                changed = Conflict("the cart changed during the checkout; nothing was ordered")
                await self._refuse(checkout, changed)
            except DuplicateKeyError as error:
                if (error.details or {}).get("keyPattern") == {"number": 1}:
                    continue
                raise
            return

    async def _open_payment(self, checkout: Row, *, is_late: bool) -> None:
        try:
            pay_url = await self._neighbours.open_payment(
                order_id=checkout["_id"],
                order_number=checkout["number"],
                buyer=Buyer(**checkout["buyer"]),
                quote=_read_quote(checkout["quote"]),
                expires_at=checkout["expires_at"],
            )
        except PeerError as error:
            if may_pass(error) and not is_late:
                raise
            log.warning("payment cannot be opened", order_id=checkout["_id"], reason=error.message)
            await self._abort(checkout)
            return
        await self._move(checkout, "OPENED", {"pay_url": pay_url})

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

    async def _refuse_if_final(self, checkout: Row, error: PeerError) -> None:
        if may_pass(error):
            raise error
        log.error("checkout refused by another subgraph", order_id=checkout["_id"], exc_info=error)
        await self._refuse(checkout, Conflict("the store cannot take this order; nothing was ordered"))

    async def _refuse(self, checkout: Row, refusal: DomainError) -> None:
        # As soon as inventory may have been asked, the stock has to go back
        target: CheckoutState = "REFUSED" if checkout["state"] == "STARTED" else "RELEASING"
        await self._move(checkout, target, {"refusal": refusal_to_row(refusal)})

    async def _move(
        self,
        checkout: Row,
        target: CheckoutState,
        set_: Mapping[str, Any],
        *,
        session: Session | None = None,
    ) -> bool:
        """Record a step; return False when *checkout* has left its state. Without a session its row follows."""
        moved = await self._checkouts.move_checkout(
            checkout["_id"], checkout["state"], target, set_, now=self._clock.now(), session=session
        )
        if moved is not None and session is None:
            # A transaction may still be undone
            checkout.update(moved)
        return moved is not None


def _read_cart_lines(checkout: Row) -> tuple[CartLine, ...]:
    return tuple(CartLine(line["product_id"], line["quantity"]) for line in checkout["cart"])


def _write_quote(quoted: Quote) -> Row:
    return {
        "currency": quoted.total.currency,
        "shipping_amount": quoted.shipping.amount,
        "lines": [
            {
                "id": line.id,
                "product_id": line.product_id,
                "name": line.name,
                "sku": line.sku,
                "quantity": line.quantity,
                "unit_amount": line.unit_price.amount,
                "category_path": list(line.category_path),
            }
            for line in quoted.lines
        ],
    }


def _read_quote(row: Row) -> Quote:
    currency = row["currency"]
    lines = tuple(
        OrderLine(
            id=line["id"],
            product_id=line["product_id"],
            name=line["name"],
            sku=line["sku"],
            quantity=line["quantity"],
            unit_price=Money(line["unit_amount"], currency),
            # Absent from a checkout that began before there was one
            category_path=tuple(line.get("category_path", ())),
        )
        for line in row["lines"]
    )
    subtotal = sum((line.total for line in lines), start=Money(0, currency))
    return Quote(lines, subtotal, Money(row["shipping_amount"], currency))


def _write_order(checkout: Row, *, now: datetime) -> OrderRow:
    quoted, buyer = _read_quote(checkout["quote"]), Buyer(**checkout["buyer"])
    return OrderRow(
        id=checkout["_id"],
        number=new_order_number(now),
        buyer_id=buyer.id,
        buyer_email=buyer.email,
        buyer_name=buyer.name,
        status=OrderStatus.PENDING_PAYMENT,
        currency=quoted.total.currency,
        lines=[
            LineRow(
                id=line.id,
                product_id=line.product_id,
                name=line.name,
                sku=line.sku,
                quantity=line.quantity,
                unit_amount=line.unit_price.amount,
                total_amount=line.total.amount,
                category_path=list(line.category_path),
            )
            for line in quoted.lines
        ],
        quantity=quoted.quantity,
        subtotal_amount=quoted.subtotal.amount,
        shipping_amount=quoted.shipping.amount,
        total_amount=quoted.total.amount,
        shipping_address=AddressRow(**checkout["address"]),
        note=checkout["note"],
        placed_at=now,
        updated_at=now,
        expires_at=checkout["expires_at"],
        expire_due_at=checkout["expires_at"],
        history=[HistoryRow(status=OrderStatus.PENDING_PAYMENT, at=now, actor=buyer.id, kind=ActorKind.BUYER)],
    )
