"""Use cases of the payment subgraph: open, follow and stop payments, and tell the others what became of them.

The gateway is the authority on whether money came in; a notification is only a reason to ask it. Every change is a
guarded move together with its event, so that a payment is captured, and announced, once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from core.clock import Clock
from core.errors import BadUserInput, Conflict, Forbidden, NotFound, PasarError, Unauthenticated, Unavailable
from core.events import announce
from core.identity import Identity
from core.ids import new_id
from core.mail import Mail, Mailer
from core.money import Money
from core.mongo import Client, Database, Row, Session, in_transaction
from core.paging import Page, PageRequest
from core.scopes import PAYMENTS_READ, PAYMENTS_REFUND
from core.service_calls import require_caller
from core.subgraph import require_scopes
from subgraphs.payment.documents import PaymentHistoryRow, PaymentLineRow, PaymentRow
from subgraphs.payment.events import EVENT_OF_STATUS, payment_payload
from subgraphs.payment.gateways.base import (
    Gateway,
    GatewayError,
    GatewayPayment,
    GatewayUnavailable,
    NewPayment,
    Notification,
    PaymentLine,
    ReferenceTaken,
)
from subgraphs.payment.model import OPEN_STATUSES, PaymentStatus, can_become, reverses_capture
from subgraphs.payment.repository import PaymentRepository

log = structlog.get_logger(__name__)

# A webhook usually comes within seconds of the payment: asking earlier is asking for nothing
FIRST_CHECK_AFTER = timedelta(seconds=60)
LONGEST_CHECK_INTERVAL = timedelta(minutes=10)
# When a notification and the status disagree, the gateway is about to catch up with itself
RECHECK_AFTER = timedelta(seconds=5)
# The gateway's clock may be behind ours: before this, an expired payment may still be paid there
EXPIRY_GRACE = timedelta(seconds=5)
CHECK_BATCH = 100
MAIL_BATCH = 200
LONGEST_MAIL_RETRY = timedelta(hours=1)
# Their names for a payment must be new once in a while; more often than this something is wrong
REFERENCE_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A payment that the order subgraph wants opened. The lines add up to *amount*."""

    order_id: str
    order_number: str
    buyer_id: str
    buyer_email: str | None
    buyer_name: str | None
    amount: Money
    lines: tuple[PaymentLine, ...]
    expires_at: datetime


def can_read(payment: Row, caller: Identity) -> bool:
    """Tell whether *caller* may see *payment*: its buyer, holders of payments:read, and the store's own services."""
    return caller.is_service or caller.has_scopes(PAYMENTS_READ) or payment["buyer_id"] == caller.subject


def check_readable(payment: Row, caller: Identity) -> None:
    """Refuse a caller who may not see *payment*."""
    if can_read(payment, caller):
        return
    if caller.subject is None:
        raise Unauthenticated("log in first")
    raise Forbidden("this is the payment of somebody else")


class PaymentService:
    """The use cases."""

    def __init__(
        self,
        client: Client,
        database: Database,
        clock: Clock,
        *,
        repository: PaymentRepository,
        gateway: Gateway,
        mailer: Mailer,
    ) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self._repository = repository
        self._gateway = gateway
        self._mailer = mailer

    async def list_payments(
        self, statuses: tuple[PaymentStatus, ...], page: PageRequest, caller: Identity
    ) -> Page[Row]:
        """Return a page of all payments, newest first."""
        require_scopes(caller, PAYMENTS_READ)
        query = {"status": {"$in": [status.value for status in statuses]}} if statuses else {}
        return await self._repository.find_payments_page(query, page)

    async def get_payment(self, payment_id: str, caller: Identity) -> Row:
        """Return a payment that the caller may see; raise NotFound for any other."""
        payment = await self._repository.find_payment(payment_id)
        if payment is None or not (can_read(payment, caller) or caller.has_scopes(PAYMENTS_REFUND)):
            raise NotFound(f"there is no payment {payment_id}")
        return payment

    async def open_payment(self, request: PaymentRequest, caller: Identity) -> Row:
        """Open the payment of an order, or return the one that it has.

        Raises:
            BadUserInput: the lines do not add up, there is nothing to pay, or the time is over.
            Conflict: the order must not be paid any more, or has a payment over another amount.
            GatewayUnavailable: try again; it will be the same payment.
            GatewayError: the gateway refused for good.
        """
        require_caller(caller, "openPayment")
        payment = await self._write_payment(request)
        if (payment["amount"], payment["currency"]) != (request.amount.amount, request.amount.currency):
            raise Conflict(f"order {request.order_number} has a payment over another amount")
        if await self._repository.is_order_closed(request.order_id):
            await self._stop(payment)
            raise Conflict(f"order {request.order_number} must not be paid any more")
        if payment["status"] == PaymentStatus.PENDING and "pay_url" not in payment:
            payment = await self._open_at_gateway(payment)
        return payment

    async def cancel_payment(self, order_id: str, caller: Identity) -> Row | None:
        """See to it that an order cannot be paid any more; return its payment as it is then, None if it has none.

        PAID means that the buyer was faster. GatewayUnavailable means that nobody knows yet.
        """
        require_caller(caller, "cancelPayment")
        await self._repository.close_order(order_id, now=self._clock.now())
        payment = await self._repository.find_by_order(order_id)
        return None if payment is None else await self._stop(payment)

    async def receive_notification(self, notification: Notification) -> None:
        """Act on a gateway's notification: ask for the payment's status and follow that.

        Raises:
            NotFound: no payment of ours has this reference.
            GatewayUnavailable: the status cannot be had; the gateway should send the notification again.
        """
        payment = await self._repository.find_by_reference(notification.reference)
        if payment is None:
            raise NotFound(f"no payment is called {notification.reference}")
        if await self._repository.is_notification_known(notification.key):
            return
        seen = await self._gateway.fetch_status(notification.reference)
        now = self._clock.now()
        if seen is not None:
            await self._follow(payment, seen)
        if seen is None or seen.status is not notification.status:
            # Old, early or changed on the way: it is not remembered, and the payment is looked at again soon
            log.warning(
                "notification and status differ",
                payment_id=payment["_id"],
                notified=notification.status,
                status=None if seen is None else seen.raw_status,
            )
            await self._repository.postpone_check(payment["_id"], now + RECHECK_AFTER)
            return
        await self._repository.remember_notification(notification.key, payment["_id"], now=now)

    async def check_open_payments(self, now: datetime) -> None:
        """Ask the gateway about payments that are open for long, whose time is over, or that have to be stopped.

        This is what finds a payment whose notification was lost, and ends those that the gateway forgets silently.
        """
        for _ in range(CHECK_BATCH):
            payment = await self._repository.claim_check(now, now + FIRST_CHECK_AFTER)
            if payment is None:
                return
            try:
                if payment.get("stop_requested") or now >= payment["expires_at"] + EXPIRY_GRACE:
                    await self._stop(payment)
                    continue
                seen = await self._gateway.fetch_status(payment["reference"])
                if seen is not None:
                    await self._follow(payment, seen)
            except PasarError as error:
                log.warning("payment cannot be checked", payment_id=payment["_id"], reason=error.message)
            interval = min(FIRST_CHECK_AFTER * 2 ** min(payment["checks"], 10), LONGEST_CHECK_INTERVAL)
            due_at = now + interval
            if now < payment["expires_at"]:
                due_at = min(due_at, payment["expires_at"] + EXPIRY_GRACE)
            await self._repository.postpone_check(payment["_id"], due_at)

    async def send_mails(self, now: datetime) -> None:
        """Send mail that is due; one that cannot be sent is tried again later and holds up nothing."""
        for _ in range(MAIL_BATCH):
            row = await self._repository.claim_mail(now, now + timedelta(seconds=60))
            if row is None:
                return
            try:
                await self._mailer.send(Mail(row["_id"], row["to"], row["subject"], row["text"]), now=now)
            except Unavailable as error:
                log.warning("mail not sent yet", mail_id=row["_id"], attempts=row["attempts"], reason=error.message)
                continue
            await self._repository.mark_mail_sent(row["_id"], now=now)

    async def _write_payment(self, request: PaymentRequest) -> Row:
        # Written without a look: hardly any order is asked for twice
        now = self._clock.now()
        problem = _find_problem(request, now)
        row = None if problem else await self._repository.insert_payment(_new_payment(request, self._gateway.name, now))
        if row is None:
            row = await self._repository.find_by_order(request.order_id)
        if row is None:
            raise problem or Conflict(f"a payment called {request.order_number} belongs to another order")
        return row

    async def _open_at_gateway(self, payment: Row) -> Row:
        for _ in range(REFERENCE_ATTEMPTS):
            try:
                opened = await self._gateway.create(_for_gateway(payment))
            except ReferenceTaken as error:
                # An answer was lost, and with it the only link to that page: nobody can pay there
                log.warning("payment gets another reference", payment_id=payment["_id"], reason=error.message)
                await self._repository.take_next_reference(payment, now=self._clock.now())
                payment = await self._get(payment["_id"])
                if "pay_url" in payment:
                    return payment
                continue
            recorded = await self._repository.record_opening(
                payment, token=opened.token, pay_url=opened.pay_url, now=self._clock.now()
            )
            if recorded is not None:
                return recorded
            payment = await self._get(payment["_id"])
            if payment.get("token") != opened.token:
                # It ended, or was opened by somebody else under another reference: this page is nobody's
                await self._gateway.cancel(payment["reference"], opened.token)
            return payment
        raise GatewayError(f"no reference for order {payment['order_number']} is free")

    async def _stop(self, payment: Row) -> Row:
        if PaymentStatus(payment["status"]) not in OPEN_STATUSES:
            return payment
        now = self._clock.now()
        is_over = now >= payment["expires_at"]
        if "token" in payment:
            is_stopped = await self._gateway.cancel(payment["reference"], payment["token"])
            seen = await self._gateway.fetch_status(payment["reference"])
            if seen is not None:
                payment = await self._follow(payment, seen)
                if PaymentStatus(payment["status"]) not in OPEN_STATUSES:
                    return payment
            if not is_stopped and not (seen is None and is_over):
                raise GatewayUnavailable(f"the gateway did not stop payment {payment['_id']}")
        end = PaymentStatus.EXPIRED if is_over else PaymentStatus.CANCELLED
        moved = await self._move(
            payment, end, raw_status=None, amount=payment["amount"], at=now, only_unopened="token" not in payment
        )
        # It was opened since we looked: its page has to be closed first
        return moved if PaymentStatus(moved["status"]) not in OPEN_STATUSES else await self._stop(moved)

    async def _follow(self, payment: Row, seen: GatewayPayment) -> Row:
        if seen.amount.currency != payment["currency"]:
            log.error("gateway names another currency", payment_id=payment["_id"], currency=seen.amount.currency)
            return payment
        at = seen.paid_at or self._clock.now()
        return await self._move(payment, seen.status, raw_status=seen.raw_status, amount=seen.amount.amount, at=at)

    async def _move(
        self,
        payment: Row,
        target: PaymentStatus,
        *,
        raw_status: str | None,
        amount: int,
        at: datetime,
        only_unopened: bool = False,
    ) -> Row:
        # Move to *target* from wherever it is by then, and announce it; stay where that is not a way forward

        async def work(session: Session) -> Row | None:
            current = await self._repository.find_payment(payment["_id"], session=session)
            if current is None:
                raise NotFound(f"there is no payment {payment['_id']}")
            status, now = PaymentStatus(current["status"]), self._clock.now()
            if not can_become(status, target) or (only_unopened and "token" in current):
                return current
            set_: dict[str, Any] = {"updated_at": now}
            entry: Row = {"status": target.value, "at": now}
            if raw_status is not None:
                set_["gateway_status"] = entry["gateway_status"] = raw_status
            if target is PaymentStatus.PAID:
                # What came in is what counts; the order subgraph compares it with what was due
                set_ |= {"paid_at": at, "captured_amount": amount}
            moved = await self._repository.move_payment(current, target, set_=set_, entry=entry, session=session)
            event = EVENT_OF_STATUS.get(target)
            if moved is not None and event is not None:
                payload = payment_payload(
                    moved,
                    amount=amount,
                    at=at if target is PaymentStatus.PAID else now,
                    reverses_capture=reverses_capture(status, target),
                )
                await announce(self._database, event, moved["_id"], payload, now=now, session=session)
            return moved

        while True:
            moved = await in_transaction(self._client, work)
            if moved is not None:
                return moved

    async def _get(self, payment_id: str) -> Row:
        payment = await self._repository.find_payment(payment_id)
        if payment is None:
            raise NotFound(f"there is no payment {payment_id}")
        return payment


def _for_gateway(payment: Row) -> NewPayment:
    currency = payment["currency"]
    return NewPayment(
        reference=payment["reference"],
        # 30 characters and the attempt: theirs may have 46
        idempotency_key=f"{payment['_id']}-{len(payment['references'])}",
        amount=Money(payment["amount"], currency),
        lines=tuple(
            PaymentLine(line["name"], line["quantity"], Money(line["unit_amount"], currency))
            for line in payment["lines"]
        ),
        buyer_name=payment.get("buyer_name"),
        buyer_email=payment.get("buyer_email"),
        created_at=payment["created_at"],
        expires_at=payment["expires_at"],
    )


def _find_problem(request: PaymentRequest, now: datetime) -> BadUserInput | None:
    """Return why no payment can be made of *request*, None if one can."""
    if request.amount.amount <= 0:
        return BadUserInput("there is nothing to pay", field="amount")
    total = sum(line.unit_price.amount * line.quantity for line in request.lines)
    if total != request.amount.amount:
        return BadUserInput(f"the lines add up to {total}, not to {request.amount.amount}", field="lines")
    if request.expires_at <= now:
        return BadUserInput("the time to pay is over", field="expiresAt")
    return None


def _new_payment(request: PaymentRequest, gateway: str, now: datetime) -> PaymentRow:
    return PaymentRow(
        id=new_id("pay"),
        order_id=request.order_id,
        order_number=request.order_number,
        buyer_id=request.buyer_id,
        buyer_email=request.buyer_email,
        buyer_name=request.buyer_name,
        status=PaymentStatus.PENDING,
        amount=request.amount.amount,
        currency=request.amount.currency,
        lines=[
            PaymentLineRow(name=line.name, quantity=line.quantity, unit_amount=line.unit_price.amount)
            for line in request.lines
        ],
        gateway=gateway,
        reference=request.order_number,
        references=[request.order_number],
        created_at=now,
        updated_at=now,
        expires_at=request.expires_at,
        check_due_at=now + FIRST_CHECK_AFTER,
        history=[PaymentHistoryRow(status=PaymentStatus.PENDING, at=now)],
    )
