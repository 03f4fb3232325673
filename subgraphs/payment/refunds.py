"""Sending captured money back: at most what came in, once per request, and to its end whatever happens on the way.

1. A request sets its amount aside on the payment and writes the refund, in one transaction: two requests cannot both
   have the same money.
2. The gateway is asked, under the refund's id: whoever asks again, after a crash or a lost answer, asks for the same.
3. What it said is written with the event that tells of it. A refusal frees the amount again; no answer does not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from core.audit import announce_privileged
from core.clock import Clock
from core.errors import BadUserInput, Conflict, NotFound, Unavailable
from core.events import announce
from core.identity import Identity
from core.ids import new_id
from core.money import Money
from core.mongo import Client, Database, DuplicateKeyError, Row, Session, in_transaction
from core.scopes import PAYMENTS_REFUND
from core.subgraph import require_person, require_scopes
from subgraphs.payment.events import PAYMENT_REFUND_FAILED, PAYMENT_REFUNDED, refund_payload
from subgraphs.payment.gateways.base import Gateway, GatewayError, NewRefund
from subgraphs.payment.letters import write_refund_letter
from subgraphs.payment.model import (
    REFUNDABLE_STATUSES,
    PaymentStatus,
    RefundStatus,
    can_become,
    status_after_refund,
)
from subgraphs.payment.refund_repository import RefundRepository
from subgraphs.payment.repository import PaymentRepository

log = structlog.get_logger(__name__)

MAX_REASON = 200
MAX_KEY = 100
BATCH = 100
# Longer than the gateway's time-out: whoever has begun is asked no second time meanwhile
LEASE = timedelta(seconds=60)
LONGEST_RETRY = timedelta(hours=1)
# Gateways know a refund by its key for seven days. After that another try might send the money twice
RETRY_FOR = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Money to send back; *amount* None means all that is left."""

    payment_id: str
    amount: Money | None
    reason: str
    idempotency_key: str


class Refunds:
    """The use cases on one database."""

    def __init__(
        self,
        client: Client,
        database: Database,
        clock: Clock,
        *,
        payments: PaymentRepository,
        refunds: RefundRepository,
        gateway: Gateway,
    ) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self._payments = payments
        self._refunds = refunds
        self._gateway = gateway

    async def refund_payment(self, request: RefundRequest, caller: Identity) -> Row:
        """Refund a payment, or part of it; return the refund, which is REQUESTED while the gateway does not answer.

        The same key again returns the same refund.

        Raises:
            NotFound: there is no such payment.
            BadUserInput: a text says nothing or too much, or the amount is not between 1 and what is left.
            Conflict: no money came in, nothing of it is left, or the key was used for something else.
        """
        require_scopes(caller, PAYMENTS_REFUND)
        actor = require_person(caller)
        reason, key = " ".join(request.reason.split()), request.idempotency_key
        if not 1 <= len(reason) <= MAX_REASON:
            raise BadUserInput(f"a reason has 1 to {MAX_REASON} characters", field="reason")
        if not 1 <= len(key) <= MAX_KEY:
            raise BadUserInput(f"a key has 1 to {MAX_KEY} characters", field="idempotencyKey")

        async def work(session: Session) -> tuple[Row, bool]:
            earlier = await self._refunds.find_by_key(request.payment_id, key, session=session)
            if earlier is not None:
                return _check_same(earlier, request.amount), False
            now = self._clock.now()
            payment = await self._payments.find_payment(request.payment_id, session=session)
            if payment is None:
                raise NotFound(f"there is no payment {request.payment_id}")
            amount = _check_amount(payment, request.amount)
            refund: Row = {
                "_id": new_id("ref"),
                "payment_id": payment["_id"],
                "idempotency_key": key,
                "amount": amount,
                "reason": reason,
                "requested_by": actor,
                "requested_at": now,
                "status": RefundStatus.REQUESTED.value,
                "attempts": 1,
                # Ours for so long; if we die, the job's
                "due_at": now + LEASE,
            }
            if not await self._refunds.reserve_amount(payment, amount, now=now, session=session):
                raise RuntimeError(f"payment {payment['_id']} changed within a transaction")
            await self._refunds.insert_refund(refund, session=session)
            await announce_privileged(
                self._database,
                "PAYMENT_REFUND_REQUESTED",
                payment["_id"],
                actor_id=actor,
                now=now,
                session=session,
                details={"refund": refund["_id"], "amount": amount, "currency": payment["currency"]},
            )
            return refund, True

        try:
            refund, is_new = await in_transaction(self._client, work)
        except DuplicateKeyError:
            # The same request, at the same time, was faster
            found = await self._refunds.find_by_key(request.payment_id, key)
            if found is None:
                raise
            return _check_same(found, request.amount)
        return await self._carry_out(refund) if is_new else refund

    async def carry_out_due(self, now: datetime) -> None:
        """Ask the gateway again for refunds whose outcome is not known. Safe to repeat."""
        for _ in range(BATCH):
            refund = await self._refunds.claim_due(now, now + LEASE)
            if refund is None:
                return
            await self._carry_out(refund)

    async def _carry_out(self, refund: Row) -> Row:
        payment = await self._payments.find_payment(refund["payment_id"])
        if payment is None:
            raise NotFound(f"there is no payment {refund['payment_id']}")
        new = NewRefund(
            payment["reference"], refund["_id"], Money(refund["amount"], payment["currency"]), refund["reason"]
        )
        try:
            await self._gateway.refund(new)
        except Unavailable as error:
            return await self._try_later(refund, error.message)
        except GatewayError as error:
            log.warning("refund refused", refund_id=refund["_id"], reason=error.message)
            return await self._finish(refund, RefundStatus.FAILED, failure=error.message[:MAX_REASON])
        return await self._finish(refund, RefundStatus.DONE)

    async def _try_later(self, refund: Row, reason: str) -> Row:
        now = self._clock.now()
        if now >= refund["requested_at"] + RETRY_FOR:
            log.error("nobody knows whether a refund was made: ask the gateway", refund_id=refund["_id"])
            await self._refunds.postpone(refund["_id"], None)
        else:
            log.warning("refund not made yet", refund_id=refund["_id"], reason=reason)
            delay = min(timedelta(seconds=15) * 2 ** min(refund["attempts"], 10), LONGEST_RETRY)
            await self._refunds.postpone(refund["_id"], now + delay)
        return await self._refunds.find_refund(refund["_id"]) or refund

    async def _finish(self, refund: Row, status: RefundStatus, *, failure: str | None = None) -> Row:
        async def work(session: Session) -> None:
            now = self._clock.now()
            ended = await self._refunds.finish(refund["_id"], status, now=now, failure=failure, session=session)
            if ended is None:
                return
            is_done, amount = status is RefundStatus.DONE, refund["amount"]
            payment = await self._refunds.count_ended(
                refund["payment_id"],
                reserved=0 if is_done else -amount,
                refunded=amount if is_done else 0,
                now=now,
                session=session,
            )
            payload = refund_payload(ended, payment, at=now)
            event = PAYMENT_REFUNDED if is_done else PAYMENT_REFUND_FAILED
            announced = await announce(self._database, event, payment["_id"], payload, now=now, session=session)
            if is_done:
                await self._move_payment(payment, now, session)
                letter = write_refund_letter(announced.id, payment, Money(amount, payment["currency"]))
                if letter is not None:
                    await self._payments.queue_mail(letter, now=now, session=session)

        await in_transaction(self._client, work)
        return await self._refunds.find_refund(refund["_id"]) or refund

    async def _move_payment(self, payment: Row, now: datetime, session: Session) -> None:
        target = status_after_refund(captured=payment["captured_amount"], refunded=payment["refunded_amount"])
        # The gateway's own notification may have been faster
        if can_become(PaymentStatus(payment["status"]), target):
            entry: Row = {"status": target.value, "at": now}
            await self._payments.move_payment(payment, target, set_={}, entry=entry, session=session)


def _check_same(earlier: Row, amount: Money | None) -> Row:
    if amount is not None and amount.amount != earlier["amount"]:
        raise Conflict("the idempotency key was used for a refund over another amount")
    return earlier


def _check_amount(payment: Row, asked: Money | None) -> int:
    status = PaymentStatus(payment["status"])
    if status not in REFUNDABLE_STATUSES:
        raise Conflict(f"payment {payment['_id']} is {status} and cannot be refunded")
    left = Money(payment["captured_amount"] - (payment.get("refund_amount") or 0), payment["currency"])
    if left.amount <= 0:
        raise Conflict(f"nothing is left of payment {payment['_id']}")
    if asked is None:
        return left.amount
    if asked.currency != left.currency:
        raise BadUserInput(f"the payment was made in {left.currency}", field="amount.currency")
    if not 1 <= asked.amount <= left.amount:
        raise BadUserInput(f"at most {left} can be refunded, and not less than one minor unit", field="amount")
    return asked.amount
