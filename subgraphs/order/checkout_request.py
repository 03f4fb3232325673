"""What a buyer sends to check out, tidied, and the mark by which another request under the same key is told apart."""

from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

import msgspec

from core.addresses import PostalAddress, clean_address
from core.errors import BadUserInput
from core.money import Money
from subgraphs.order.model import clean_note

MAX_KEY_LENGTH = 128


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What a buyer sends. The key is the client's: the same key is the same checkout.

    Without *shipping_method_id* the cheapest way is taken. With *expected_total*, nothing is ordered at another price.
    """

    buyer_id: str
    idempotency_key: str
    address: PostalAddress
    note: str | None = None
    shipping_method_id: str | None = None
    expected_total: Money | None = None


def clean_request(request: CheckoutRequest) -> CheckoutRequest:
    """Return *request* with address and note tidied; raise BadUserInput naming what is not acceptable."""
    if not 1 <= len(request.idempotency_key) <= MAX_KEY_LENGTH:
        raise BadUserInput(f"a key has 1 to {MAX_KEY_LENGTH} characters", field="idempotencyKey")
    return replace(request, address=clean_address(request.address), note=clean_note(request.note))


def fingerprint_of(request: CheckoutRequest) -> str:
    """Return a digest of all that is asked for in a clean *request*."""
    asked: list[Any] = [asdict(request.address), request.note]
    # Left out where they are not given, as before they existed
    if request.shipping_method_id is not None:
        asked.append({"shipping_method_id": request.shipping_method_id})
    if request.expected_total is not None:
        asked.append({"expected_total": asdict(request.expected_total)})
    return sha256(msgspec.json.encode(asked)).hexdigest()
