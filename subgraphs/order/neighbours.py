"""What the order subgraph asks of the others: one request each per checkout, however many lines there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.money import Money
from core.peers import PeerError, Peers, PeerUnavailable
from loaders.remote import remote_entity_loader
from subgraphs.order.carts import CartLine
from subgraphs.order.payment_lines import payment_lines
from subgraphs.order.pricing import Quote
from subgraphs.order.problems import Shortage, StockShort

_RESERVE = """
mutation Reserve($input: ReserveStockInput!) {
  reserveStock(input: $input) {
    __typename
    ... on StockReservation { orderId status }
    ... on OutOfStockProblem { shortages { productId requested available } }
  }
}"""

_RELEASE = "mutation Release($orderId: ID!) { releaseStock(orderId: $orderId) { orderId status } }"

_OPEN_PAYMENT = "mutation OpenPayment($input: OpenPaymentInput!) { openPayment(input: $input) { id status payUrl } }"

_CANCEL_PAYMENT = "mutation CancelPayment($orderId: ID!) { cancelPayment(orderId: $orderId) { id status } }"

# A peer's own failures; all other codes are a refusal that another try would meet again
_PASSING_CODES = frozenset({"UNAVAILABLE", "INTERNAL_SERVER_ERROR", "RATE_LIMITED", ""})


def may_pass(error: PeerError) -> bool:
    """Tell whether another try may succeed."""
    return isinstance(error, PeerUnavailable) or not error.codes or bool(_PASSING_CODES.intersection(error.codes))


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who orders, as the user subgraph knows them."""

    id: str
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class ProductForSale:
    """What an order keeps of a product."""

    id: str
    sku: str
    name: str
    is_active: bool
    price: Money
    weight_grams: int
    category_path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stock:
    """How much of a product can be bought now; *can_backorder* tells that more may be ordered than that."""

    available: int
    can_backorder: bool


class Neighbours:
    """Typed calls to the other subgraphs. Each raises PeerError when the other one refuses or does not answer."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def find_buyer(self, user_id: str) -> Buyer | None:
        """Return the user, or None if there is no such user."""
        loader = remote_entity_loader(self._peers, "user", "User", "id name email")
        user = await loader.load(user_id)
        return Buyer(user["id"], user["name"], user.get("email")) if user else None

    async def find_products(self, product_ids: Sequence[str]) -> dict[str, ProductForSale]:
        """Return the products that exist, by id; one request."""
        loader = remote_entity_loader(
            self._peers,
            "product",
            "Product",
            "id sku name sellable price { amount currency } weightGrams category { path }",
        )
        products = await loader.load_many(list(product_ids))
        return {product["id"]: _read_product(product) for product in products if product}

    async def find_stock(self, product_ids: Sequence[str]) -> dict[str, Stock]:
        """Return how much of each product there is, by id; one request."""
        loader = remote_entity_loader(self._peers, "inventory", "Product", "id availability { available canBackorder }")
        products = await loader.load_many(list(product_ids))
        return {
            product["id"]: Stock(product["availability"]["available"], product["availability"]["canBackorder"])
            for product in products
            if product and product["availability"]
        }

    async def reserve_stock(self, order_id: str, lines: Sequence[CartLine], *, expires_at: datetime) -> bool:
        """Reserve stock for an order, all or nothing; return False when this order's reservation is over already.

        Raises:
            StockShort: too little is left; nothing is reserved.
        """
        answer = await self._peers.query(
            "inventory",
            _RESERVE,
            {
                "input": {
                    "orderId": order_id,
                    "lines": [{"productId": line.product_id, "quantity": line.quantity} for line in lines],
                    "expiresAt": expires_at.isoformat(),
                }
            },
        )
        result = answer["reserveStock"]
        if result["__typename"] == "OutOfStockProblem":
            raise StockShort(
                tuple(Shortage(each["productId"], each["requested"], each["available"]) for each in result["shortages"])
            )
        return result["status"] in ("HELD", "COMMITTED")

    async def release_stock(self, order_id: str) -> None:
        """Give back what is reserved for an order."""
        await self._peers.query("inventory", _RELEASE, {"orderId": order_id})

    async def open_payment(
        self,
        *,
        order_id: str,
        order_number: str,
        buyer: Buyer,
        quote: Quote,
        expires_at: datetime,
    ) -> str:
        """Open the payment of an order, or find it open; return the address of its pay page."""
        lines = [
            {"name": line.name, "quantity": line.quantity, "unitAmount": line.unit_amount}
            for line in payment_lines(quote)
        ]
        answer = await self._peers.query(
            "payment",
            _OPEN_PAYMENT,
            {
                "input": {
                    "orderId": order_id,
                    "orderNumber": order_number,
                    "buyerId": buyer.id,
                    "buyerEmail": buyer.email,
                    "buyerName": buyer.name,
                    "amount": {"amount": quote.total.amount, "currency": quote.total.currency},
                    "lines": lines,
                    "expiresAt": expires_at.isoformat(),
                }
            },
        )
        pay_url = answer["openPayment"]["payUrl"]
        if not isinstance(pay_url, str):
            # Paid or over already: there is no page to send the buyer to
            raise PeerError(f"the payment is {answer['openPayment']['status']}", codes=("CONFLICT",))
        return pay_url

    async def cancel_payment(self, order_id: str) -> str | None:
        """Make sure that an order cannot be paid any more; return its payment's status, None if it never had one.

        PAID means that the buyer was faster.
        """
        answer = await self._peers.query("payment", _CANCEL_PAYMENT, {"orderId": order_id})
        payment = answer["cancelPayment"]
        return None if payment is None else str(payment["status"])


def _read_product(product: dict[str, Any]) -> ProductForSale:
    price = product["price"]
    return ProductForSale(
        id=product["id"],
        sku=product["sku"],
        name=product["name"],
        is_active=product["sellable"],
        price=Money(price["amount"], price["currency"]),
        weight_grams=product.get("weightGrams") or 0,
        category_path=tuple((product.get("category") or {}).get("path") or ()),
    )
