"""The adapter to the sandbox gateway, over HTTP: what it sends and expects is Midtrans Snap's."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec

from core.errors import BadUserInput
from core.money import Money, parse_money
from subgraphs.payment.gateways.base import (
    BadNotification,
    ForgedNotification,
    GatewayError,
    GatewayPayment,
    GatewayUnavailable,
    NewPayment,
    NewRefund,
    Notification,
    OpenedPayment,
    ReferenceTaken,
)
from subgraphs.payment.gateways.midtrans_format import (
    read_status,
    read_time,
    sign_notification,
    write_amount,
    write_time,
)

# They answer within a second; a buyer waits for this call
TIMEOUT_S = 10.0
# Their limit for names of items
MAX_ITEM_NAME = 50


class SandboxGateway:
    """One sandbox gateway. Mutable: it owns connections, opened when first needed."""

    name = "sandbox"

    def __init__(self, url: str, *, server_key: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url.rstrip("/")
        self._server_key = server_key
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def create(self, payment: NewPayment) -> OpenedPayment:
        """Open a Snap page."""
        currency = payment.amount.currency
        minutes = max(1, int((payment.expires_at - payment.created_at).total_seconds() // 60))
        body = {
            "transaction_details": {
                "order_id": payment.reference,
                "gross_amount": write_amount(payment.amount.amount, currency),
                "currency": currency,
            },
            "item_details": [
                {
                    "id": str(number),
                    "name": line.name[:MAX_ITEM_NAME],
                    "quantity": line.quantity,
                    "price": write_amount(line.unit_price.amount, currency),
                }
                for number, line in enumerate(payment.lines, start=1)
            ],
            "customer_details": {"first_name": payment.buyer_name, "email": payment.buyer_email},
            "expiry": {"start_time": f"{write_time(payment.created_at)} +0700", "unit": "minute", "duration": minutes},
        }
        status, answer = await self._call(
            "POST", "/snap/v1/transactions", body, {"idempotency-key": payment.idempotency_key}
        )
        if status == 201 and isinstance(answer.get("token"), str) and isinstance(answer.get("redirect_url"), str):
            return OpenedPayment(answer["token"], answer["redirect_url"])
        if status == 202:
            raise GatewayUnavailable("the gateway is still busy with the same request")
        message = "; ".join(str(each) for each in answer.get("error_messages", ())) or f"HTTP {status}"
        if status == 406 or str(answer.get("status_code")) == "406":
            raise ReferenceTaken(f"the gateway knows {payment.reference} already: {message}")
        raise GatewayError(f"the gateway refused to open {payment.reference}: {message}")

    async def fetch_status(self, reference: str) -> GatewayPayment | None:
        """Get Status."""
        status, answer = await self._call("GET", f"/v2/{quote(reference, safe='')}/status")
        # The HTTP status beside a body code of 4xx is not documented: the body decides
        if status == 404 or str(answer.get("status_code")) == "404":
            return None
        try:
            return _read_payment(answer)
        except (KeyError, TypeError, ValueError, BadUserInput) as error:
            raise GatewayUnavailable(f"the gateway's status of {reference} cannot be read: {error!r}") from error

    async def cancel(self, reference: str, token: str) -> bool:
        """Cancel a payment that somebody has begun, or else its unopened page."""
        status, answer = await self._call("POST", f"/v2/{quote(reference, safe='')}/cancel")
        code = str(answer.get("status_code", status))
        if code in ("200", "407"):
            return True
        if code != "404":
            return False
        status, answer = await self._call("POST", f"/snap/v1/transactions/{quote(token, safe='')}/cancel")
        return status == 200 and "canceled_at" in answer

    async def refund(self, refund: NewRefund) -> None:
        """Refund: their `refund_key` makes a repetition the same refund."""
        body = {
            "refund_key": refund.key,
            "amount": write_amount(refund.amount.amount, refund.amount.currency),
            "reason": refund.reason,
        }
        status, answer = await self._call("POST", f"/v2/{quote(refund.reference, safe='')}/refund", body)
        code = str(answer.get("status_code", status))
        if code.startswith("5"):
            raise GatewayUnavailable(f"the gateway answered {code} to refund {refund.key}")
        if code != "200":
            raise GatewayError(f"the gateway refused: {answer.get('status_message') or code}")

    def read_notification(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Check signature_key and read what the notification says."""
        try:
            said = msgspec.json.decode(body, type=dict[str, Any])
            order_id, status_code, gross_amount, signature = (
                str(said[name]) for name in ("order_id", "status_code", "gross_amount", "signature_key")
            )
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError) as error:
            raise BadNotification("this is not a notification") from error
        expected = sign_notification(order_id, status_code, gross_amount, self._server_key)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise ForgedNotification("the signature is not the gateway's")
        status = read_status(str(said.get("transaction_status", "")), said.get("fraud_status"))
        if status is None:
            raise BadNotification(f"transaction_status {said.get('transaction_status')!r} is not known")
        # Not the whole body: a copy may gain fields that mean nothing, and refunds come in two notifications
        parts = [order_id, status_code, gross_amount, status, said.get("transaction_id"), said.get("refunds")]
        key = sha256(msgspec.json.encode([self.name, *parts])).hexdigest()
        return Notification(key, order_id, status)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                headers={"authorization": aiohttp.encode_basic_auth(self._server_key, "")},
                raise_for_status=False,
            )
        try:
            async with self._session.request(method, self._url + path, json=body, headers=headers) as response:
                text = await response.read()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise GatewayUnavailable(f"the gateway did not answer: {type(error).__name__}") from error
        if response.status >= 500 or response.status == 429:
            raise GatewayUnavailable(f"the gateway answered {response.status}")
        try:
            answer = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise GatewayUnavailable(f"the gateway answered {response.status} without JSON") from error
        if response.status == 401 or str(answer.get("status_code")) == "401":
            raise GatewayUnavailable("the gateway does not accept our server key: see PASAR_SANDBOX_SERVER_KEY")
        return response.status, answer


def _read_payment(answer: Mapping[str, Any]) -> GatewayPayment:
    raw_status = str(answer["transaction_status"])
    status = read_status(raw_status, answer.get("fraud_status"))
    if status is None:
        raise ValueError(f"transaction_status {raw_status!r} is not known")
    amount: Money = parse_money(str(answer["gross_amount"]), str(answer.get("currency", "IDR")))
    settled = answer.get("settlement_time")
    return GatewayPayment(
        reference=str(answer["order_id"]),
        status=status,
        raw_status=raw_status,
        amount=amount,
        paid_at=read_time(str(settled)) if settled else None,
    )
