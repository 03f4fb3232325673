"""Mutations on placed orders: parcels, returns, notes and exports."""

from typing import Annotated

import strawberry

from core.scopes import ORDERS_READ, ORDERS_WRITE
from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from schema.scalars import DateTime
from subgraphs.order.aftercare_types import OrderExportLink
from subgraphs.order.exporting import ExportFormat
from subgraphs.order.filters import OrdersFilter
from subgraphs.order.fulfilment import Pieces
from subgraphs.order.order_lists import OrderFilter
from subgraphs.order.shipments import NewParcel, TrackingReport
from subgraphs.order.types import BUYERS, Info, Order

OrderResult = Annotated[
    Order | NotFoundProblem | ConflictProblem | InvalidInputProblem,
    strawberry.union("OrderResult", description="The order as it is now, or why it was not changed."),
]
ExportOrdersResult = Annotated[
    OrderExportLink | InvalidInputProblem,
    strawberry.union("ExportOrdersResult", description="Where the file is, or why there is none."),
]
OrderId = Annotated[strawberry.ID, strawberry.argument(description="The order.")]
ReturnId = Annotated[strawberry.ID, strawberry.argument(description="The return.")]
ShipmentId = Annotated[strawberry.ID, strawberry.argument(description="The parcel.")]
_WRITERS = [[ORDERS_WRITE]]


@strawberry.input(description="Some pieces of a line of an order.")
class OrderPiecesInput:
    """Pieces as an input."""

    line_id: strawberry.ID = strawberry.field(description="Of which line.")
    quantity: int = strawberry.field(description="How many; at least one.")


@strawberry.input(description="A parcel that was handed to a carrier.")
class ShipOrderInput:
    """What shipping needs."""

    order_id: strawberry.ID = strawberry.field(description="The order.")
    carrier: str = strawberry.field(description="Who carries it.")
    tracking_number: str = strawberry.field(description="The carrier's number.")
    lines: list[OrderPiecesInput] | None = strawberry.field(
        default=None, description="What is in it; all that has not been shipped yet if not given."
    )


@strawberry.input(description="What a carrier reports about a parcel of an order.")
class TrackingEventInput:
    """What a tracking event needs."""

    order_id: strawberry.ID = strawberry.field(description="The order.")
    status: str = strawberry.field(description="In the carrier's words.")
    location: str | None = strawberry.field(default=None, description="Where it happened.")
    at: DateTime | None = strawberry.field(default=None, description="When it happened; now if not given.")
    shipment_id: strawberry.ID | None = strawberry.field(
        default=None, description="The parcel; the newest one if not given."
    )


@strawberry.input(description="Pieces that a buyer wants to give back.")
class RequestReturnInput:
    """What a return needs."""

    order_id: strawberry.ID = strawberry.field(description="The order.")
    lines: list[OrderPiecesInput] = strawberry.field(description="What comes back.")
    reason: str = strawberry.field(description="Why.")


@strawberry.input(description="Orders to be written to a file.")
class ExportOrdersInput:
    """What an export needs."""

    format: ExportFormat = strawberry.field(description="How they are written.")
    filter: OrdersFilter | None = strawberry.field(default=None, description="Which; all if not given.")


@strawberry.type
class AftercareMutations:
    """Root fields."""

    @strawberry.federation.mutation(requires_scopes=_WRITERS, description="A paid order is packed.")
    async def pack_order(self, info: Info, id: OrderId) -> OrderResult:
        """Move a paid order to PACKED."""
        context = info.context
        return Order.from_row(await context.aftercare.shipments.pack_order(id, context.identity))

    @strawberry.federation.mutation(
        requires_scopes=_WRITERS,
        description="A packed order, or some pieces of it, are on their way; with the last piece it is SHIPPED.",
    )
    async def ship_order(
        self, info: Info, input: Annotated[ShipOrderInput, strawberry.argument(description="The parcel.")]
    ) -> OrderResult:
        """Ship a parcel."""
        parcel = NewParcel(input.order_id, input.carrier, input.tracking_number, _pieces(input.lines))
        return Order.from_row(await info.context.aftercare.shipments.ship_order(parcel, info.context.identity))

    @strawberry.federation.mutation(requires_scopes=_WRITERS, description="A carrier reports.")
    async def add_tracking_event(
        self, info: Info, input: Annotated[TrackingEventInput, strawberry.argument(description="The report.")]
    ) -> OrderResult:
        """Add to a parcel of an order."""
        report = TrackingReport(input.order_id, input.status, input.location, input.at, input.shipment_id)
        return Order.from_row(await info.context.aftercare.shipments.add_tracking_event(report, info.context.identity))

    @strawberry.federation.mutation(
        requires_scopes=_WRITERS, description="One parcel has arrived; with the last one the order is DELIVERED."
    )
    async def deliver_shipment(self, info: Info, order_id: OrderId, shipment_id: ShipmentId) -> OrderResult:
        """Note that a parcel has arrived."""
        context = info.context
        return Order.from_row(
            await context.aftercare.shipments.deliver_shipment(order_id, shipment_id, context.identity)
        )

    @strawberry.federation.mutation(requires_scopes=_WRITERS, description="All of a shipped order has arrived.")
    async def deliver_order(self, info: Info, id: OrderId) -> OrderResult:
        """Move a shipped order to DELIVERED."""
        context = info.context
        return Order.from_row(await context.aftercare.shipments.deliver_order(id, context.identity))

    @strawberry.federation.mutation(
        authenticated=True,
        description="Ask to give pieces back: yours; with orders:write those of any order. Within the store's time.",
        directives=BUYERS,
    )
    async def request_return(
        self, info: Info, input: Annotated[RequestReturnInput, strawberry.argument(description="The return.")]
    ) -> OrderResult:
        """Request a return."""
        pieces = _pieces(input.lines) or ()
        return Order.from_row(
            await info.context.aftercare.returns.request_return(
                input.order_id, pieces, input.reason, info.context.identity
            )
        )

    @strawberry.federation.mutation(requires_scopes=_WRITERS, description="The buyer may send the pieces back.")
    async def approve_return(self, info: Info, order_id: OrderId, return_id: ReturnId) -> OrderResult:
        """Approve a return."""
        context = info.context
        return Order.from_row(await context.aftercare.returns.approve_return(order_id, return_id, context.identity))

    @strawberry.federation.mutation(
        requires_scopes=_WRITERS, description="Refuse a return, also one that was approved and never came."
    )
    async def reject_return(
        self,
        info: Info,
        order_id: OrderId,
        return_id: ReturnId,
        reason: Annotated[str, strawberry.argument(description="Why; its buyer can read it.")],
    ) -> OrderResult:
        """Reject a return."""
        context = info.context
        return Order.from_row(
            await context.aftercare.returns.reject_return(order_id, return_id, reason, context.identity)
        )

    @strawberry.federation.mutation(requires_scopes=_WRITERS, description="The pieces of an approved return have come.")
    async def receive_return(
        self,
        info: Info,
        order_id: OrderId,
        return_id: ReturnId,
        restock: Annotated[bool, strawberry.argument(description="Whether they are sold again.")],
        reason: Annotated[str | None, strawberry.argument(description="What there is to say about them.")] = None,
    ) -> OrderResult:
        """Receive a return."""
        context = info.context
        return Order.from_row(
            await context.aftercare.returns.receive_return(
                order_id, return_id, restock=restock, reason=reason, caller=context.identity
            )
        )

    @strawberry.federation.mutation(
        requires_scopes=_WRITERS, description="Note something on an order, for the store; notes are never changed."
    )
    async def add_order_note(
        self, info: Info, id: OrderId, text: Annotated[str, strawberry.argument(description="The note.")]
    ) -> OrderResult:
        """Add a staff note."""
        return Order.from_row(await info.context.aftercare.notes.add_note(id, text, info.context.identity))

    @strawberry.federation.mutation(
        requires_scopes=[[ORDERS_READ]],
        description="A file of orders, one per line: a link that works for some minutes. It is noted who took it.",
    )
    async def export_orders(
        self, info: Info, input: Annotated[ExportOrdersInput, strawberry.argument(description="The export.")]
    ) -> ExportOrdersResult:
        """Export orders."""
        wanted = OrderFilter() if input.filter is None else input.filter.to_filter()
        papers = info.context.aftercare.papers
        return OrderExportLink.from_link(await papers.export_orders(input.format, wanted, info.context.identity))


def _pieces(lines: list[OrderPiecesInput] | None) -> tuple[Pieces, ...] | None:
    return None if lines is None else tuple(Pieces(line.line_id, line.quantity) for line in lines)
