"""Queries of the payment subgraph."""

from typing import Annotated

import strawberry

from core.paging import read_page_request
from schema.pagination import After, Before, Connection, First, Last, connection_arguments
from subgraphs.payment.model import PaymentStatus
from subgraphs.payment.types import BUYERS, Info, Payment, find_payment


@strawberry.input(description="Which payments.")
class PaymentsFilter:
    """Which payments staff wants to see."""

    status: list[PaymentStatus] | None = strawberry.field(default=None, description="In one of these states.")


@strawberry.type
class Query:
    """Root fields."""

    @strawberry.field(description="A payment; null if there is none that you may see.", directives=BUYERS)
    async def payment(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Payment | None:
        """Return one payment."""
        return await find_payment(info.context, id)

    @strawberry.federation.field(requires_scopes=[["payments:read"]], description="All payments, newest first.")
    async def payments(
        self,
        info: Info,
        filter: Annotated[PaymentsFilter | None, strawberry.argument(description="Which; all if not given.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Payment]:
        """Return a page of all payments."""
        statuses = tuple(filter.status or ()) if filter is not None else ()
        page = await info.context.service.list_payments(
            statuses, read_page_request(first, after, last, before), info.context.identity
        )
        return Connection[Payment](**connection_arguments(page, Payment.from_row))
