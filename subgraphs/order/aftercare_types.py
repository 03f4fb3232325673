"""The GraphQL types of what happens to an order after it is placed, and the fields of an order that show it."""

from typing import Any

import strawberry

from core.money import Money
from core.mongo import Row
from core.scopes import ORDERS_READ
from schema.money import MoneyType
from schema.ownership import Owned
from schema.scalars import DateTime
from subgraphs.order.exporting import ExportFormat
from subgraphs.order.fulfilment import ReturnStatus
from subgraphs.order.model import ActorKind, HistoryEvent
from subgraphs.order.papers.links import SignedLink

_BUYERS = [Owned(by="buyer", or_scopes=[ORDERS_READ])]
_STAFFS = [Owned(by="staff", or_scopes=[ORDERS_READ])]

strawberry.enum(ActorKind, name="OrderActor", description="Who moved an order.")
strawberry.enum(ReturnStatus, name="OrderReturnStatus", description="Where a return stands.")
strawberry.enum(
    HistoryEvent,
    name="OrderEvent",
    description="What an entry of the history tells. MOVED: another status; all others left the status as it was.",
)
strawberry.enum(ExportFormat, name="OrderExportFormat", description="How orders are written to a file.")


@strawberry.type(description="Some pieces of a line of an order.")
class OrderPieces:
    line_id: strawberry.ID = strawberry.field(description="Of which line.")
    quantity: int = strawberry.field(description="How many.")

    @classmethod
    def from_row(cls, row: Row) -> "OrderPieces":
        return cls(line_id=strawberry.ID(row["line_id"]), quantity=row["quantity"])


@strawberry.type(description="Pieces that a buyer gives back.")
class OrderReturn:
    id: strawberry.ID = strawberry.field(description="Its id.")
    status: ReturnStatus = strawberry.field(description="Where it stands.")
    lines: list[OrderPieces] = strawberry.field(description="What comes back.")
    reason: str = strawberry.field(description="Why, as it was asked for.", directives=_BUYERS)
    requested_at: DateTime = strawberry.field(description="When it was asked for.")
    requested_by: ActorKind = strawberry.field(description="Who asked for it.")
    decided_at: DateTime | None = strawberry.field(description="When it was approved or rejected.")
    received_at: DateTime | None = strawberry.field(description="When the pieces came.")

    @classmethod
    def from_row(cls, row: Row) -> "OrderReturn":
        return cls(
            id=strawberry.ID(row["id"]),
            status=ReturnStatus(row["status"]),
            lines=[OrderPieces.from_row(each) for each in row["lines"]],
            reason=row["reason"],
            requested_at=row["requested_at"],
            requested_by=ActorKind(row["kind"]),
            decided_at=row.get("decided_at"),
            received_at=row.get("received_at"),
        )


@strawberry.type(description="Money that was sent back for an order.")
class OrderRefund:
    id: strawberry.ID = strawberry.field(description="The id of the payment's refund.")
    amount: MoneyType = strawberry.field(description="How much.", directives=_BUYERS)
    reason: str = strawberry.field(description="Why.", directives=_BUYERS)
    at: DateTime = strawberry.field(description="When it was sent.")


@strawberry.type(description="What somebody of the store has noted on an order.")
class StaffNote:
    id: strawberry.ID = strawberry.field(description="Its id.")
    at: DateTime = strawberry.field(description="When.")
    author_id: strawberry.ID = strawberry.field(description="The user who wrote it.", directives=_STAFFS)
    text: str = strawberry.field(description="The note.", directives=_STAFFS)


@strawberry.type(description="A file that can be fetched for some minutes by whoever has the link.")
class OrderExportLink:
    url: str = strawberry.field(description="Where it is.", directives=_STAFFS)
    expires_at: DateTime = strawberry.field(description="Until when.")

    @classmethod
    def from_link(cls, link: SignedLink) -> "OrderExportLink":
        return cls(url=link.url, expires_at=DateTime(link.expires_at))


@strawberry.type
class AftercareFields:
    """Fields of an order."""

    row: strawberry.Private[Row]

    @strawberry.field(description="What the buyer gives back, oldest first.", directives=_BUYERS)
    def returns(self) -> list[OrderReturn]:
        return [OrderReturn.from_row(row) for row in self.row.get("returns") or ()]

    @strawberry.field(description="Money that was sent back, oldest first.", directives=_BUYERS)
    def refunds(self) -> list[OrderRefund]:
        return [
            OrderRefund(
                id=strawberry.ID(row["id"]),
                amount=MoneyType.from_money(Money(row["amount"], self.row["currency"])),
                reason=row["reason"],
                at=row["at"],
            )
            for row in self.row.get("refunds") or ()
        ]

    @strawberry.field(description="What was sent back in all.", directives=_BUYERS)
    def refunded(self) -> MoneyType:
        return MoneyType.from_money(Money(self.row.get("refunded_amount") or 0, self.row["currency"]))

    @strawberry.field(description="The number of its invoice; null until that is first asked for.", directives=_BUYERS)
    def invoice_number(self) -> str | None:
        number: str | None = self.row.get("invoice_number")
        return number

    @strawberry.field(
        description="Its invoice as PDF: a link that works for some minutes. Null while it is not paid.",
        directives=_BUYERS,
    )
    def invoice_url(self, info: strawberry.Info[Any, None]) -> str | None:
        link: SignedLink | None = info.context.aftercare.papers.link_invoice(self.row)
        return None if link is None else link.url

    @strawberry.field(
        description="Its packing slip as PDF: a link that works for some minutes; null unless you hold orders:read.",
        directives=_STAFFS,
    )
    def packing_slip_url(self, info: strawberry.Info[Any, None]) -> str | None:
        if not _is_staff(info):
            return None
        link: SignedLink = info.context.aftercare.papers.link_packing_slip(self.row)
        return link.url

    @strawberry.field(
        description="The store's own notes, oldest first; null unless you hold orders:read.", directives=_STAFFS
    )
    def staff_notes(self, info: strawberry.Info[Any, None]) -> list[StaffNote] | None:
        if not _is_staff(info):
            return None
        return [
            StaffNote(
                id=strawberry.ID(row["id"]), at=row["at"], author_id=strawberry.ID(row["author"]), text=row["text"]
            )
            for row in self.row.get("staff_notes") or ()
        ]


def _is_staff(info: strawberry.Info[Any, None]) -> bool:
    caller = info.context.identity
    return bool(caller.is_service or caller.has_scopes(ORDERS_READ))
