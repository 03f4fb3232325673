"""The sandbox gateway: a payment gateway of our own that behaves like Midtrans Snap, for development and tests.

It is another company as far as the store can tell: reached over HTTP, with a key, and with its own records. Only the
money is missing. It speaks Snap's create and cancel, Core's status, cancel and expire, sends signed notifications from
a queue that outlives it, and has a pay page with three buttons.
"""

import hmac
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from core.clock import Clock, SystemClock
from core.errors import BadUserInput
from core.money import Money, parse_money
from core.mongo import Database, DuplicateKeyError, Row
from subgraphs.payment.gateways.midtrans_format import sign_notification, write_gross_amount, write_time
from subgraphs.payment.gateways.sandbox_notifications import NO_FAULTS, NotificationQueue, SandboxFaults
from subgraphs.payment.gateways.sandbox_page import CONTENT_SECURITY_POLICY, PageLine, PayPage, render_page
from subgraphs.payment.gateways.sandbox_refunds import book_refund, describe_refunds, read_refund

MERCHANT_ID = "G-PASAR-SANDBOX"
# They remember an idempotency key for so long
IDEMPOTENCY_TTL = timedelta(minutes=5)
# A page lives for a day unless the shop says otherwise, from 5 minutes to 7 days; here also for seconds, for trials
DEFAULT_LIFE = timedelta(days=1)
LONGEST_LIFE = timedelta(days=7)
MAX_BODY_BYTES = 256 * 1024

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
# transaction_status -> status_code of its notification and of Get Status
_CODES = {
    "pending": "201",
    "settlement": "200",
    "deny": "202",
    "expire": "202",
    "cancel": "202",
    "refund": "200",
    "partial_refund": "200",
}
_ACTIONS = {"pay": "settlement", "fail": "deny", "expire": "expire"}
_NOTICES = {
    None: "",
    "pending": "The payment has begun.",
    "settlement": "Paid. The store has been told.",
    "deny": "The payment failed. The store has been told.",
    "expire": "The time to pay is over.",
    "cancel": "The store has cancelled this payment.",
    "refund": "The money has been sent back.",
    "partial_refund": "Some of the money has been sent back.",
}


class _Refused(Exception):
    """A request is refused with *status* and *messages*."""

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__(status, messages)
        self.status = status
        self.messages = messages


@dataclass(frozen=True, slots=True)
class _Snap:
    """A create request that was checked."""

    order_id: str
    gross: Money
    items: list[Row]
    life: timedelta
    finish_url: str


class SandboxServer:
    """The gateway's records and what can be done with them."""

    def __init__(
        self, database: Database, *, clock: Clock, public_url: str, server_key: str, notifications: NotificationQueue
    ) -> None:
        self._transactions = database["sandbox_transactions"]
        self._answers = database["sandbox_idempotency"]
        self._clock = clock
        self._public_url = public_url.rstrip("/")
        self._server_key = server_key
        self.notifications = notifications

    async def prepare(self) -> None:
        """Create indexes."""
        await self._transactions.create_index("order_id", unique=True)
        await self._transactions.create_index("transaction_id", unique=True)
        await self._answers.create_index("at", expireAfterSeconds=int(IDEMPOTENCY_TTL.total_seconds()))
        await self.notifications.prepare()

    def is_authorised(self, header: str) -> bool:
        """Tell whether an Authorization header carries the server key."""
        expected = "Basic " + b64encode(f"{self._server_key}:".encode()).decode()
        return hmac.compare_digest(expected.encode(), header.encode())

    async def create(self, body: Any, idempotency_key: str | None) -> tuple[int, Row]:
        """Create a Snap page; return the HTTP status and the answer."""
        snap = _read_snap(body)
        now = self._clock.now()
        if idempotency_key is not None:
            earlier = await self._answers.find_one({"_id": idempotency_key, "at": {"$gt": now - IDEMPOTENCY_TTL}})
            if earlier is not None:
                return 201, earlier["answer"]
        token = str(uuid4())
        answer = {"token": token, "redirect_url": f"{self._public_url}/pay/{token}"}
        try:
            await self._transactions.insert_one(
                {
                    "_id": token,
                    "transaction_id": str(uuid4()),
                    "order_id": snap.order_id,
                    "gross": snap.gross.amount,
                    "currency": snap.gross.currency,
                    "items": snap.items,
                    "finish_url": snap.finish_url,
                    # Until somebody begins to pay, Get Status knows nothing of it
                    "status": None,
                    "created_at": now,
                    "expires_at": now + snap.life,
                }
            )
        except DuplicateKeyError:
            raise _Refused(406, "transaction_details.order_id has already been taken") from None
        if idempotency_key is not None:
            await self._answers.replace_one({"_id": idempotency_key}, {"answer": answer, "at": now}, upsert=True)
        return 201, answer

    async def find(self, name: str) -> Row | None:
        """Return the transaction with this order_id or transaction_id, as it is by now."""
        row = await self._transactions.find_one({"$or": [{"order_id": name}, {"transaction_id": name}]})
        return None if row is None else await self._expire_if_over(row)

    async def find_page(self, token: str) -> Row | None:
        """Return the transaction of a page."""
        row = await self._transactions.find_one({"_id": token})
        return None if row is None else await self._expire_if_over(row)

    async def act(self, token: str, action: str) -> Row | None:
        """Press a button of the page: the payment begins and ends as the button says, unless its time is over."""
        row = await self.find_page(token)
        if row is None or action not in _ACTIONS:
            return None
        if row["status"] is None:
            row = await self.change(row, "pending", sources=(None,)) or row
        if row["status"] == "pending":
            await self.change(row, _ACTIONS[action], sources=("pending",))
        return await self.find_page(token)

    async def change(self, row: Row, status: str, *, sources: tuple[str | None, ...]) -> Row | None:
        """Move a transaction and notify the shop; return it, or None when it is in none of *sources*."""
        now = self._clock.now()
        set_: Row = {"status": status}
        if status == "pending":
            set_["transaction_time"] = now
        if status == "settlement":
            set_["settlement_time"] = now
        changed = await self._transactions.find_one_and_update(
            {"_id": row["_id"], "status": {"$in": list(sources)}},
            {"$set": set_, "$unset": {"is_silent": ""}},
            return_document=True,
        )
        if changed is not None:
            await self.notifications.queue(self.describe(changed))
        return changed

    async def settle_late(self, order_id: str) -> None:
        """Let a transfer arrive that was on its way when the payment ended, as banks do."""
        row = await self._transactions.find_one({"order_id": order_id})
        if row is None or await self.change(row, "settlement", sources=(None, "pending", "expire", "cancel")) is None:
            raise ValueError(f"no payment of {order_id} can be settled late")

    async def cancel(self, row: Row, status: str) -> str:
        """Cancel or expire a transaction that somebody has begun; return the body's status code."""
        if await self.change(row, status, sources=("pending",)) is not None or row["status"] == status:
            return "407" if status == "expire" else "200"
        # A payment whose time is over cannot be made, whatever one calls that
        return "407" if row["status"] == "expire" else "412"

    async def refund(self, row: Row, body: Any) -> tuple[str, str]:
        """Send money back; return the body's status code and message. A `refund_key` that is known changes nothing."""
        try:
            refund = read_refund(body, row["currency"])
        except (KeyError, TypeError, ValueError, BadUserInput) as error:
            return "400", f"the request cannot be read: {error}"
        booked, code, message = await book_refund(self._transactions, row, refund, now=self._clock.now())
        if booked is not None:
            # Theirs come in two: the refund was taken, and the bank has confirmed it
            await self.notifications.queue(self.describe(booked))
            await self.notifications.queue(
                {**self.describe(booked), "refunds": describe_refunds(booked, confirmed_at=self._clock.now())}
            )
        return code, message

    async def cancel_page(self, token: str) -> datetime | None:
        """Cancel a page on which nobody has begun to pay; return when, None when it is not such a page."""
        now = self._clock.now()
        result = await self._transactions.update_one(
            {"_id": token, "status": None}, {"$set": {"status": "cancel", "is_silent": True}}
        )
        return now if result.matched_count == 1 else None

    async def _expire_if_over(self, row: Row) -> Row:
        if self._clock.now() < row["expires_at"] or row["status"] not in (None, "pending"):
            return row
        if row["status"] is None:
            # They send nothing when a page expires that nobody used
            await self._transactions.update_one(
                {"_id": row["_id"], "status": None}, {"$set": {"status": "expire", "is_silent": True}}
            )
        else:
            await self.change(row, "expire", sources=("pending",))
        return await self._transactions.find_one({"_id": row["_id"]}) or row

    def describe(self, row: Row) -> Row:
        """Return a transaction as notifications and Get Status show it."""
        code = _CODES[row["status"]]
        gross = write_gross_amount(Money(row["gross"], row["currency"]))
        body: Row = {
            "transaction_time": write_time(row["transaction_time"] if "transaction_time" in row else row["created_at"]),
            "transaction_status": row["status"],
            "transaction_id": row["transaction_id"],
            "status_code": code,
            "status_message": "midtrans payment notification",
            "signature_key": sign_notification(row["order_id"], code, gross, self._server_key),
            "payment_type": "bank_transfer",
            "order_id": row["order_id"],
            "merchant_id": MERCHANT_ID,
            "gross_amount": gross,
            "fraud_status": "accept",
            "currency": row["currency"],
        }
        if "settlement_time" in row:
            body["settlement_time"] = write_time(row["settlement_time"])
        if "refunds" in row:
            body["refund_amount"] = write_gross_amount(Money(row["refunded"], row["currency"]))
            body["refunds"] = describe_refunds(row)
        return body


def _read_snap(body: Any) -> _Snap:
    try:
        details = body["transaction_details"]
        order_id, currency = str(details["order_id"]), str(details.get("currency", "IDR"))
        if not 1 <= len(order_id) <= 50 or not all(c.isascii() and (c.isalnum() or c in "-_~.") for c in order_id):
            raise _Refused(400, "transaction_details.order_id format is invalid")
        gross = _read_amount(details["gross_amount"], currency)
        items: list[Row] = [
            {
                "name": str(item["name"]),
                "quantity": int(item["quantity"]),
                "price": _read_amount(item["price"], currency).amount,
            }
            for item in body.get("item_details", ())
        ]
        expiry = body.get("expiry") or {}
        life = timedelta(seconds=_UNITS[expiry["unit"]] * int(expiry["duration"])) if expiry else DEFAULT_LIFE
        finish_url = str((body.get("callbacks") or {}).get("finish", ""))
    except (KeyError, TypeError, ValueError, AttributeError, BadUserInput) as error:
        raise _Refused(400, f"the request cannot be read: {error}") from None
    if gross.amount <= 0:
        raise _Refused(400, "transaction_details.gross_amount must be greater than or equal to 0.01")
    if items and sum(item["price"] * item["quantity"] for item in items) != gross.amount:
        raise _Refused(400, "transaction_details.gross_amount is not equal to the sum of item_details")
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise _Refused(400, "expiry.duration is out of range")
    # A link that the page shows: nothing but the web, or a shop could be made to run scripts on it
    if finish_url and urlsplit(finish_url).scheme not in ("http", "https"):
        raise _Refused(400, "callbacks.finish is not a valid URL")
    return _Snap(order_id, gross, items, life, finish_url)


def _read_amount(value: Any, currency: str) -> Money:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"{value!r} is not an amount")
    return parse_money(str(value), currency)


def _show(row: Row) -> PayPage:
    currency, is_open = row["currency"], row["status"] is None
    return PayPage(
        title="Pay your order" if is_open else "Your payment",
        order_id=row["order_id"],
        lines=tuple(
            PageLine(item["name"], item["quantity"], str(Money(item["price"], currency))) for item in row["items"]
        ),
        total=str(Money(row["gross"], currency)),
        notice=_NOTICES[row["status"]],
        is_open=is_open,
        finish_url=row["finish_url"],
    )


def build_sandbox_app(
    database: Database,
    *,
    server_key: str,
    notify_url: str,
    public_url: str,
    clock: Clock | None = None,
    faults: SandboxFaults = NO_FAULTS,
) -> Starlette:
    """Return the gateway as an application of its own, with `state.server` for trials.

    Its lifespan sends the notifications to *notify_url*. Where it is mounted in another application, that one has to
    enter `app.router.lifespan_context(app)`, for Starlette does not. *public_url* is where browsers reach it.
    """
    clock = clock or SystemClock()
    notifications = NotificationQueue(database, clock, notify_url=notify_url, faults=faults)
    server = SandboxServer(
        database, clock=clock, public_url=public_url, server_key=server_key, notifications=notifications
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await server.prepare()
        await notifications.start()
        try:
            yield
        finally:
            await notifications.stop()

    app = Starlette(routes=_build_routes(server), lifespan=lifespan)
    app.state.server = server
    return app


def _build_routes(server: SandboxServer) -> list[Route]:
    def refuse_strangers(request: Request) -> None:
        if not server.is_authorised(request.headers.get("authorization", "")):
            raise _Refused(401, "Access denied due to unauthorized transaction, please check client or server key")

    async def create(request: Request) -> Response:
        try:
            refuse_strangers(request)
            status, answer = await server.create(await _read_json(request), request.headers.get("idempotency-key"))
        except _Refused as refused:
            return JSONResponse({"error_messages": list(refused.messages)}, status_code=refused.status)
        return JSONResponse(answer, status_code=status)

    async def cancel_page(request: Request) -> Response:
        try:
            refuse_strangers(request)
        except _Refused as refused:
            return JSONResponse({"error_messages": list(refused.messages)}, status_code=refused.status)
        canceled_at = await server.cancel_page(request.path_params["token"])
        if canceled_at is None:
            return JSONResponse({"error_messages": ["transaction cannot be canceled"]}, status_code=400)
        return JSONResponse({"canceled_at": write_time(canceled_at)})

    async def core(request: Request, action: str) -> Response:
        # Core answers with HTTP 200 and says in the body how it went
        try:
            refuse_strangers(request)
        except _Refused as refused:
            return JSONResponse({"status_code": "401", "status_message": refused.messages[0]}, status_code=401)
        row = await server.find(request.path_params["id"])
        if row is None or row["status"] is None or row.get("is_silent"):
            return JSONResponse({"status_code": "404", "status_message": "Transaction doesn't exist."})
        if action == "status":
            return JSONResponse(server.describe(row))
        code = await server.cancel(row, action)
        if code == "412":
            message = "Merchant cannot modify the status of the transaction"
            return JSONResponse({"status_code": code, "status_message": message})
        changed = await server.find(row["order_id"]) or row
        return JSONResponse({**server.describe(changed), "status_code": code})

    async def get_status(request: Request) -> Response:
        return await core(request, "status")

    async def cancel(request: Request) -> Response:
        return await core(request, "cancel")

    async def expire(request: Request) -> Response:
        return await core(request, "expire")

    async def refund(request: Request) -> Response:
        try:
            refuse_strangers(request)
            body = await _read_json(request)
        except _Refused as refused:
            answer = {"status_code": str(refused.status), "status_message": refused.messages[0]}
            return JSONResponse(answer, status_code=refused.status)
        row = await server.find(request.path_params["id"])
        if row is None or row["status"] is None or row.get("is_silent"):
            return JSONResponse({"status_code": "404", "status_message": "Transaction doesn't exist."})
        code, message = await server.refund(row, body)
        changed = await server.find(row["order_id"]) or row
        described = server.describe(changed) if code == "200" else {}
        return JSONResponse({**described, "status_code": code, "status_message": message})

    async def page(request: Request) -> Response:
        token = request.path_params["token"]
        if request.method == "POST":
            form = await request.form(max_files=0, max_fields=10)
            row = await server.act(token, str(form.get("action", "")))
        else:
            row = await server.find_page(token)
        shown = PayPage(title="There is no such payment") if row is None else _show(row)
        return HTMLResponse(
            render_page(shown),
            status_code=404 if row is None else 200,
            headers={"content-security-policy": CONTENT_SECURITY_POLICY, "cache-control": "no-store"},
        )

    return [
        Route("/snap/v1/transactions", create, methods=["POST"]),
        Route("/snap/v1/transactions/{token}/cancel", cancel_page, methods=["POST"]),
        Route("/v2/{id}/status", get_status, methods=["GET"]),
        Route("/v2/{id}/cancel", cancel, methods=["POST"]),
        Route("/v2/{id}/expire", expire, methods=["POST"]),
        Route("/v2/{id}/refund", refund, methods=["POST"]),
        Route("/pay/{token}", page, methods=["GET", "POST"]),
    ]


async def _read_json(request: Request) -> Any:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _Refused(413, "the request is too large")
    try:
        return msgspec.json.decode(bytes(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _Refused(400, "the request is not JSON") from None
