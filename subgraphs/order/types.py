"""The GraphQL types of the order subgraph."""

from dataclasses import dataclass
from typing import Annotated

import strawberry
from strawberry.dataloader import DataLoader

from core.identity import Identity
from core.money import Money
from core.mongo import Row
from core.paging import Page, PageRequest, read_page_request
from core.scopes import ORDERS_READ
from core.settings import Settings
from core.subgraph import Call
from schema.money import MoneyType
from schema.ownership import Owned
from schema.pagination import After, Before, Connection, First, Last, connection_arguments
from schema.scalars import BigInt, DateTime
from subgraphs.order.aftercare import Aftercare
from subgraphs.order.aftercare_types import AftercareFields, OrderPieces
from subgraphs.order.cart_changes import Offer
from subgraphs.order.cart_codes import CartCodes
from subgraphs.order.cart_service import CartService
from subgraphs.order.discount_service import DiscountService
from subgraphs.order.erased_buyers import ErasedBuyers
from subgraphs.order.filters import UserOrdersFilter
from subgraphs.order.fulfilment import ReturnStatus, delivered_of, returning_of, shipped_of
from subgraphs.order.model import ActorKind, Attention, HistoryEvent, OrderStatus
from subgraphs.order.order_lists import OrderFilter
from subgraphs.order.price_types import OrderPrices
from subgraphs.order.service import OrderService, can_read
from subgraphs.order.tariffs import Tariffs


@dataclass(slots=True)
class OrderContext:
    """What resolvers get, one per request. The loaders remember what they loaded within it."""

    call: Call
    service: OrderService
    carts: CartService
    cart_codes: CartCodes
    discounts: DiscountService
    tariffs: Tariffs
    erased_buyers: ErasedBuyers
    aftercare: Aftercare
    settings: Settings
    orders_by_id: DataLoader[str, Row | None]
    orders_by_number: DataLoader[str, Row | None]
    orders_of_buyer: DataLoader[tuple[OrderFilter, PageRequest], Page[Row]]
    units_sold: DataLoader[str, Row | None]
    offers: DataLoader[str, Offer]

    @property
    def identity(self) -> Identity:
        return self.call.identity


Info = strawberry.Info[OrderContext, None]


# Of an order, for its buyer and for those who look after orders
BUYERS = [Owned(by="buyer", or_scopes=[ORDERS_READ])]
_STAFFS = [Owned(by="staff", or_scopes=[ORDERS_READ])]
CART_OWNERS = [Owned(by="owner")]


# Described by the subgraphs that they belong to: a second description would compete with theirs
@strawberry.federation.type(keys=["id"])
class Product:
    id: strawberry.ID

    @strawberry.field(description="How many paid pieces were sold.")
    async def units_sold(self, info: Info) -> BigInt:
        row = await info.context.units_sold.load(self.id)
        return BigInt(row["units"] if row else 0)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Product":
        return cls(id=id)


@strawberry.type(description="A line of an order: the product as it was when the order was placed.")
class OrderLine:
    id: strawberry.ID = strawberry.field(description="Its id.")
    product: Product | None = strawberry.field(description="The product as it is today.")
    name: str = strawberry.field(description="Its name when ordered.")
    sku: str = strawberry.field(description="Its stock keeping unit when ordered.")
    quantity: int = strawberry.field(description="How many pieces.")
    unit_price: MoneyType = strawberry.field(description="The price of one piece when ordered.", directives=BUYERS)
    discount: MoneyType = strawberry.field(description="What discounts took off.", directives=BUYERS)
    total: MoneyType = strawberry.field(
        description="Price times quantity, less the discount; without a tax that comes on top.", directives=BUYERS
    )
    tax: MoneyType = strawberry.field(
        description="Its tax: in its total, or on top, as the order's tax says.", directives=BUYERS
    )
    shipped_quantity: int = strawberry.field(description="How many pieces have left the house.")
    delivered_quantity: int = strawberry.field(description="How many of them have arrived.")
    returned_quantity: int = strawberry.field(description="How many of them were given back and have come.")


@strawberry.type(description="Where a parcel goes.")
class ShippingAddress:
    recipient: str = strawberry.field(description="Who receives it.", directives=BUYERS)
    phone: str | None = strawberry.field(description="For the carrier.", directives=BUYERS)
    line1: str = strawberry.field(description="Street and number.", directives=BUYERS)
    line2: str | None = strawberry.field(description="What else helps to find it.", directives=BUYERS)
    city: str = strawberry.field(description="City or town.", directives=BUYERS)
    region: str | None = strawberry.field(description="Province or state.", directives=BUYERS)
    postal_code: str = strawberry.field(description="Postal code.", directives=BUYERS)
    country: str = strawberry.field(description="ISO 3166 code of two letters, such as ID.", directives=BUYERS)


@strawberry.type(description="What a carrier reported.")
class TrackingEvent:
    at: DateTime = strawberry.field(description="When it happened.")
    status: str = strawberry.field(description="In the carrier's words.")
    location: str | None = strawberry.field(description="Where it happened.", directives=BUYERS)


@strawberry.type(description="A parcel.")
class Shipment:
    id: strawberry.ID = strawberry.field(description="Its id.")
    carrier: str = strawberry.field(description="Who carries it.")
    tracking_number: str = strawberry.field(description="The carrier's number.", directives=BUYERS)
    shipped_at: DateTime = strawberry.field(description="When the carrier got it.")
    delivered_at: DateTime | None = strawberry.field(description="When it arrived.")
    events: list[TrackingEvent] = strawberry.field(
        description="What the carrier reported, oldest first.", directives=BUYERS
    )
    lines: list[OrderPieces] = strawberry.field(description="What is in it.")


@strawberry.type(description="One move of an order, or what happened to a parcel, a return or a refund of it.")
class OrderHistoryEntry:
    status: OrderStatus = strawberry.field(description="What it became, or was.")
    event: HistoryEvent = strawberry.field(description="What happened.")
    subject_id: strawberry.ID | None = strawberry.field(
        description="The id of the parcel, return or refund; null for a move."
    )
    at: DateTime = strawberry.field(description="When.")
    by: ActorKind = strawberry.field(description="Who moved it.")
    reason: str | None = strawberry.field(description="Why, if somebody said so.", directives=BUYERS)
    row: strawberry.Private[Row]

    @strawberry.field(
        description="The user or service behind it; null unless you hold orders:read.", directives=_STAFFS
    )
    def actor_id(self, info: Info) -> strawberry.ID | None:
        caller = info.context.identity
        return strawberry.ID(self.row["actor"]) if caller.is_service or caller.has_scopes(ORDERS_READ) else None


@strawberry.federation.type(
    keys=["id", "number"], description="An order. Its buyer and holders of orders:read can see it."
)
class Order(AftercareFields, OrderPrices):
    id: strawberry.ID = strawberry.field(description="Its id.")
    number: str = strawberry.field(description="For people: ORD-261124-7K3QX9TM0A.")
    status: OrderStatus = strawberry.field(description="Where it stands.")
    quantity: int = strawberry.field(description="How many pieces there are in all.")
    placed_at: DateTime = strawberry.field(description="When it was ordered.")
    paid_at: DateTime | None = strawberry.field(description="When the money came in.")
    updated_at: DateTime = strawberry.field(description="When it last changed.")
    expires_at: DateTime | None = strawberry.field(description="Until when it has to be paid.")
    note: str | None = strawberry.field(description="The buyer's note.", directives=BUYERS)
    row: strawberry.Private[Row]

    @strawberry.field(description="Who ordered it.", directives=BUYERS)
    def buyer(self) -> "User | None":
        return User(id=strawberry.ID(self.row["buyer_id"]))

    @strawberry.field(description="What was ordered.", directives=BUYERS)
    def lines(self) -> list[OrderLine]:
        shipped, delivered = shipped_of(self.row), delivered_of(self.row)
        returned = returning_of(self.row, ReturnStatus.RECEIVED)
        return [
            OrderLine(
                id=strawberry.ID(line["id"]),
                product=Product(id=strawberry.ID(line["product_id"])),
                name=line["name"],
                sku=line["sku"],
                quantity=line["quantity"],
                unit_price=self._money(line["unit_amount"]),
                discount=self._money(line.get("discount_amount", 0)),
                total=self._money(line["total_amount"]),
                shipped_quantity=shipped[line["id"]],
                delivered_quantity=delivered[line["id"]],
                returned_quantity=returned[line["id"]],
                tax=self._money(line.get("tax_amount", 0)),
            )
            for line in self.row["lines"]
        ]

    @strawberry.field(description="Price times quantity of all lines, before discounts.", directives=BUYERS)
    def subtotal(self) -> MoneyType:
        return self._money(self.row["subtotal_amount"])

    @strawberry.field(description="The fee for shipping, before discounts.", directives=BUYERS)
    def shipping(self) -> MoneyType:
        return self._money(self.row["shipping_amount"])

    @strawberry.field(
        description="What the buyer pays: subtotal - discountTotal + shipping + the tax that is not in the prices.",
        directives=BUYERS,
    )
    def total(self) -> MoneyType:
        return self._money(self.row["total_amount"])

    @strawberry.field(description="Where it goes; null for imported orders.", directives=BUYERS)
    def shipping_address(self) -> ShippingAddress | None:
        address = self.row.get("shipping_address")
        if address is None:
            return None
        names = ("recipient", "phone", "line1", "line2", "city", "region", "postal_code", "country")
        return ShippingAddress(**{name: address.get(name) for name in names})

    @strawberry.field(description="Its parcels, oldest first.", directives=BUYERS)
    def shipments(self) -> list[Shipment]:
        return [_shipment(row, self.row) for row in self.row["shipments"]]

    @strawberry.field(description="All that happened to it, oldest first.", directives=BUYERS)
    def history(self) -> list[OrderHistoryEntry]:
        return [
            OrderHistoryEntry(
                status=OrderStatus(row["status"]),
                event=HistoryEvent(row.get("event", HistoryEvent.MOVED)),
                subject_id=strawberry.ID(row["subject"]) if "subject" in row else None,
                at=DateTime(row["at"]),
                by=ActorKind(row["kind"]),
                reason=row.get("reason"),
                row=row,
            )
            for row in self.row["history"]
        ]

    @strawberry.field(
        description="Why a person has to look at it; null unless you hold orders:read.", directives=_STAFFS
    )
    def attention(self, info: Info) -> Attention | None:
        caller = info.context.identity
        value = self.row.get("attention")
        return Attention(value) if value and (caller.is_service or caller.has_scopes(ORDERS_READ)) else None

    def _money(self, amount: int) -> MoneyType:
        return MoneyType.from_money(Money(amount, self.row["currency"]))

    @classmethod
    def from_row(cls, row: Row) -> "Order":
        return cls(
            id=strawberry.ID(row["_id"]),
            number=row["number"],
            status=OrderStatus(row["status"]),
            quantity=row["quantity"],
            placed_at=row["placed_at"],
            paid_at=row.get("paid_at"),
            updated_at=row["updated_at"],
            expires_at=row.get("expires_at"),
            note=row.get("note"),
            row=row,
        )

    @classmethod
    async def resolve_reference(
        cls, info: Info, id: strawberry.ID | None = None, number: str | None = None
    ) -> "Order | None":
        return await find_order(info.context, id=id, number=number)


def _shipment(row: Row, order: Row) -> Shipment:
    # A parcel from before there could be several has the whole order
    whole = [{"line_id": line["id"], "quantity": line["quantity"]} for line in order["lines"]]
    return Shipment(
        id=strawberry.ID(row["id"]),
        carrier=row["carrier"],
        tracking_number=row["tracking_number"],
        shipped_at=row["shipped_at"],
        delivered_at=row.get("delivered_at"),
        events=[
            TrackingEvent(at=event["at"], status=event["status"], location=event.get("location"))
            for event in row["events"]
        ],
        lines=[OrderPieces.from_row(pieces) for pieces in row.get("lines", whole)],
    )


async def find_order(context: OrderContext, *, id: str | None, number: str | None) -> Order | None:
    """Return the order with this id, or else this number, if the caller may see it."""
    row = None
    if id is not None:
        row = await context.orders_by_id.load(id)
    elif number is not None:
        row = await context.orders_by_number.load(number)
    # To others it does not exist: an error would tell that it does
    return Order.from_row(row) if row is not None and can_read(row, context.identity) else None


@strawberry.federation.type(keys=["id"])
class User:
    id: strawberry.ID

    @strawberry.federation.field(
        authenticated=True,
        description="The user's orders, newest first: for the user and holders of orders:read.",
        directives=BUYERS,
    )
    async def orders(
        self,
        info: Info,
        filter: Annotated[UserOrdersFilter | None, strawberry.argument(description="Which; all if not given.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Order] | None:
        info.context.service.check_may_list_orders_of(self.id, info.context.identity)
        request = read_page_request(first, after, last, before)
        wanted = OrderFilter(buyer_id=self.id) if filter is None else filter.to_filter(self.id)
        page = await info.context.orders_of_buyer.load((wanted, request))
        info.context.call.rows.take(len(page.rows))
        return order_connection(page)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "User":
        return cls(id=id)


def order_connection(page: Page[Row]) -> Connection[Order]:
    """Show a page of orders."""
    return Connection[Order](**connection_arguments(page, Order.from_row))


@strawberry.federation.type(inaccessible=True, description="Orders changed in a stretch of time, for other services.")
class ChangedOrders:
    orders: list[Order] = strawberry.field(description="Oldest change first.")
    end_cursor: str | None = strawberry.field(description="Where the next page starts.")
    has_next_page: bool = strawberry.field(description="Whether more follow.")
