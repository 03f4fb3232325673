"""Refunds as GraphQL shows them."""

import strawberry

from core.money import Money
from core.mongo import Row
from core.scopes import PAYMENTS_READ
from schema.money import MoneyType
from schema.ownership import Owned
from schema.scalars import DateTime
from subgraphs.payment.model import RefundStatus

_BUYERS = [Owned(by="buyer", or_scopes=[PAYMENTS_READ])]

strawberry.enum(RefundStatus, description="Where a refund stands. FAILED: the gateway refused, and none was sent.")


@strawberry.type(description="Money that is sent back, or was.")
class Refund:
    id: strawberry.ID = strawberry.field(description="Its id.")
    status: RefundStatus = strawberry.field(description="Where it stands.")
    amount: MoneyType = strawberry.field(description="How much.", directives=_BUYERS)
    reason: str = strawberry.field(description="Why.", directives=_BUYERS)
    requested_at: DateTime = strawberry.field(description="When it was asked for.")
    finished_at: DateTime | None = strawberry.field(description="When it was made, or refused.")

    @classmethod
    def from_row(cls, row: Row, currency: str) -> "Refund":
        return cls(
            id=strawberry.ID(row["_id"]),
            status=RefundStatus(row["status"]),
            amount=MoneyType.from_money(Money(row["amount"], currency)),
            reason=row["reason"],
            requested_at=row["requested_at"],
            finished_at=row.get("finished_at"),
        )
