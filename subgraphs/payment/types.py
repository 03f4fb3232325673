"""The GraphQL types of the payment subgraph."""

from dataclasses import dataclass

import strawberry
from strawberry.dataloader import DataLoader

from core.identity import Identity
from core.money import Money
from core.mongo import Row
from core.scopes import PAYMENTS_READ
from core.subgraph import Call
from schema.money import MoneyType
from schema.ownership import Owned
from schema.scalars import DateTime
from subgraphs.payment.model import OPEN_STATUSES, PaymentStatus
from subgraphs.payment.refund_types import Refund
from subgraphs.payment.refunds import Refunds
from subgraphs.payment.service import PaymentService, can_read, check_readable


@dataclass(slots=True)
class PaymentContext:
    """What resolvers get, one per request. The loaders remember what they loaded within it."""

    call: Call
    service: PaymentService
    refunds: Refunds
    refunds_of: DataLoader[str, list[Row]]
    payments_by_id: DataLoader[str, Row | None]
    payments_by_order: DataLoader[str, Row | None]

    @property
    def identity(self) -> Identity:
        return self.call.identity


Info = strawberry.Info[PaymentContext, None]

strawberry.enum(PaymentStatus, description="Where a payment stands.")


# Of a payment, for whoever pays and for those who look after payments
BUYERS = [Owned(by="buyer", or_scopes=[PAYMENTS_READ])]


@strawberry.federation.type(
    keys=["id"], description="The payment of an order. Its buyer and holders of payments:read can see it."
)
class Payment:
    id: strawberry.ID = strawberry.field(description="Its id.")
    status: PaymentStatus = strawberry.field(description="Where it stands.")
    amount: MoneyType = strawberry.field(description="What is to be paid.", directives=BUYERS)
    gateway: str = strawberry.field(description="Through which gateway it is made.")
    pay_url: str | None = strawberry.field(
        description="The page on which to pay; null once that is over.", directives=BUYERS
    )
    created_at: DateTime = strawberry.field(description="When it was opened.")
    expires_at: DateTime = strawberry.field(description="Until when it can be paid.")
    paid_at: DateTime | None = strawberry.field(description="When the money came in.")
    refunded: MoneyType = strawberry.field(description="What was sent back of it in all.", directives=BUYERS)

    @strawberry.field(description="Its refunds, oldest first.", directives=BUYERS)
    async def refunds(self, info: Info) -> list[Refund]:
        rows = await info.context.refunds_of.load(self.id)
        return [Refund.from_row(row, self.amount.currency) for row in rows]

    @classmethod
    def from_row(cls, row: Row) -> "Payment":
        status = PaymentStatus(row["status"])
        return cls(
            id=strawberry.ID(row["_id"]),
            status=status,
            amount=MoneyType.from_money(Money(row["amount"], row["currency"])),
            gateway=row["gateway"],
            pay_url=row.get("pay_url") if status in OPEN_STATUSES else None,
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            paid_at=row.get("paid_at"),
            refunded=MoneyType.from_money(Money(row.get("refunded_amount") or 0, row["currency"])),
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Payment | None":
        return await find_payment(info.context, id)


async def find_payment(context: PaymentContext, id: str) -> Payment | None:
    """Return a payment, if the caller may see it: to others it does not exist."""
    row = await context.payments_by_id.load(id)
    return Payment.from_row(row) if row is not None and can_read(row, context.identity) else None


# Described by the order subgraph: a second description would compete with its own
@strawberry.federation.type(keys=["id"])
class Order:
    id: strawberry.ID

    @strawberry.federation.field(
        authenticated=True,
        description="Its payment: for its buyer and holders of payments:read. Null when none was opened.",
        directives=BUYERS,
    )
    async def payment(self, info: Info) -> Payment | None:
        row = await info.context.payments_by_order.load(self.id)
        if row is None:
            return None
        check_readable(row, info.context.identity)
        return Payment.from_row(row)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Order":
        return cls(id=id)
