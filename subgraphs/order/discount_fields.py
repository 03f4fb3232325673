"""Root fields around discounts, for holders of discounts:write."""

from typing import Annotated

import strawberry

from core.paging import read_page_request
from core.scopes import DISCOUNTS_WRITE
from schema.pagination import After, Before, Connection, First, Last, connection_arguments
from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from subgraphs.order.discount_repository import read_discount
from subgraphs.order.discount_types import ChangeDiscountInput, CreateDiscountInput, Discount
from subgraphs.order.types import Info

_SCOPES = [[DISCOUNTS_WRITE]]

DiscountResult = Annotated[
    Discount | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union("DiscountResult", description="The discount as it is now, or why it was not changed."),
]

DiscountId = Annotated[strawberry.ID, strawberry.argument(description="The discount.")]


@strawberry.type
class DiscountQueries:
    """Root fields that show discounts."""

    @strawberry.federation.field(requires_scopes=_SCOPES, description="All discounts, newest first.")
    async def discounts(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Discount]:
        """Return a page of discounts."""
        page = await info.context.discounts.list_discounts(
            read_page_request(first, after, last, before), by=info.context.identity
        )
        return Connection[Discount](
            **connection_arguments(page, lambda row: Discount.from_discount(read_discount(row)))
        )

    @strawberry.federation.field(
        requires_scopes=_SCOPES, description="The discount that has this code; null if there is none."
    )
    async def discount(
        self, info: Info, code: Annotated[str, strawberry.argument(description="Its code.")]
    ) -> Discount | None:
        """Return a discount."""
        found = await info.context.discounts.find_discount(code, by=info.context.identity)
        return None if found is None else Discount.from_discount(found)


@strawberry.type
class DiscountMutations:
    """Root fields that change discounts."""

    @strawberry.federation.mutation(requires_scopes=_SCOPES, description="Add a discount.")
    async def create_discount(
        self, info: Info, input: Annotated[CreateDiscountInput, strawberry.argument(description="The discount.")]
    ) -> DiscountResult:
        """Add a discount."""
        created = await info.context.discounts.create_discount(input.to_new_discount(), by=info.context.identity)
        return Discount.from_discount(created)

    @strawberry.federation.mutation(
        requires_scopes=_SCOPES, description="Change a discount; orders that use it stay as they are."
    )
    async def change_discount(
        self, info: Info, input: Annotated[ChangeDiscountInput, strawberry.argument(description="What changes.")]
    ) -> DiscountResult:
        """Change a discount."""
        changed = await info.context.discounts.change_discount(input.id, input.to_changes(), by=info.context.identity)
        return Discount.from_discount(changed)

    @strawberry.federation.mutation(
        requires_scopes=_SCOPES, description="Let a discount end now; orders that use it stay as they are."
    )
    async def end_discount(self, info: Info, id: DiscountId) -> DiscountResult:
        """End a discount."""
        return Discount.from_discount(await info.context.discounts.end_discount(id, by=info.context.identity))
