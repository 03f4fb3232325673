"""Which orders: the inputs of lists, exports and a buyer's own orders."""

import strawberry

from schema.scalars import DateTime
from subgraphs.order.model import Attention, OrderStatus
from subgraphs.order.order_lists import OrderFilter

strawberry.enum(OrderStatus, description="Where an order stands.")
strawberry.enum(Attention, name="OrderAttention", description="Why a person has to look at an order.")


@strawberry.input(description="Which orders; all conditions hold at once.")
class OrdersFilter:
    """OrderFilter as an input."""

    status: list[OrderStatus] | None = strawberry.field(default=None, description="In one of these states.")
    placed_from: DateTime | None = strawberry.field(default=None, description="Placed then or later.")
    placed_to: DateTime | None = strawberry.field(default=None, description="Placed before then.")
    buyer_id: strawberry.ID | None = strawberry.field(default=None, description="Of this user.")
    needs_attention: bool = strawberry.field(default=False, description="Only those that a person has to look at.")
    attention: list[Attention] | None = strawberry.field(
        default=None, description="Only those that a person has to look at for one of these reasons."
    )
    number: str | None = strawberry.field(
        default=None,
        description="The number begins with this; the list is by number then. With buyerId: any part of it.",
    )
    product_id: strawberry.ID | None = strawberry.field(default=None, description="With this product.")

    def to_filter(self) -> OrderFilter:
        """Return the service's filter."""
        return OrderFilter(
            statuses=tuple(self.status or ()),
            placed_from=self.placed_from,
            placed_to=self.placed_to,
            buyer_id=self.buyer_id,
            needs_attention=self.needs_attention,
            attentions=tuple(self.attention or ()),
            number=self.number,
            product_id=self.product_id,
        )


@strawberry.input(description="Which of a user's orders; all conditions hold at once.")
class UserOrdersFilter:
    """OrderFilter as an input for buyers."""

    status: list[OrderStatus] | None = strawberry.field(default=None, description="In one of these states.")
    placed_from: DateTime | None = strawberry.field(default=None, description="Placed then or later.")
    placed_to: DateTime | None = strawberry.field(default=None, description="Placed before then.")
    number: str | None = strawberry.field(default=None, description="The number has this in it.")

    def to_filter(self, buyer_id: str) -> OrderFilter:
        """Return the service's filter."""
        return OrderFilter(
            statuses=tuple(self.status or ()),
            placed_from=self.placed_from,
            placed_to=self.placed_to,
            buyer_id=buyer_id,
            number=self.number,
        )
