"""Root fields around shipping methods and taxes, for holders of tariffs:write."""

from typing import Annotated

import strawberry

from core.scopes import TARIFFS_WRITE
from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from subgraphs.order.tariff_types import (
    SaveShippingMethodInput,
    SaveTaxZoneInput,
    ShippingMethod,
    TaxZone,
    TaxZoneRemoved,
)
from subgraphs.order.types import Info

_SCOPES = [[TARIFFS_WRITE]]

SaveShippingMethodResult = Annotated[
    ShippingMethod | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union("SaveShippingMethodResult", description="The method as it is now, or why it was not saved."),
]
SaveTaxZoneResult = Annotated[
    TaxZone | InvalidInputProblem,
    strawberry.union("SaveTaxZoneResult", description="The zone as it is now, or why it was not saved."),
]
RemoveTaxZoneResult = Annotated[
    TaxZoneRemoved | NotFoundProblem,
    strawberry.union("RemoveTaxZoneResult", description="What was removed, or why nothing was."),
]


@strawberry.type
class TariffQueries:
    """Root fields that show tariffs."""

    @strawberry.federation.field(requires_scopes=_SCOPES, description="All shipping methods.")
    async def shipping_methods(self, info: Info) -> list[ShippingMethod]:
        """Return the shipping methods."""
        methods = await info.context.tariffs.list_methods(by=info.context.identity)
        return [ShippingMethod.from_method(method) for method in methods]

    @strawberry.federation.field(requires_scopes=_SCOPES, description="All tax zones.")
    async def tax_zones(self, info: Info) -> list[TaxZone]:
        """Return the tax zones."""
        return [TaxZone.from_zone(zone) for zone in await info.context.tariffs.list_zones(by=info.context.identity)]


@strawberry.type
class TariffMutations:
    """Root fields that change tariffs."""

    @strawberry.federation.mutation(
        requires_scopes=_SCOPES, description="Add a shipping method, or replace one. Orders that use it stay."
    )
    async def save_shipping_method(
        self, info: Info, input: Annotated[SaveShippingMethodInput, strawberry.argument(description="The method.")]
    ) -> SaveShippingMethodResult:
        """Save a shipping method."""
        return ShippingMethod.from_method(
            await info.context.tariffs.save_method(input.to_method(), by=info.context.identity)
        )

    @strawberry.federation.mutation(
        requires_scopes=_SCOPES, description="Say what is taxed in a country, or in a region of one."
    )
    async def save_tax_zone(
        self, info: Info, input: Annotated[SaveTaxZoneInput, strawberry.argument(description="The zone.")]
    ) -> SaveTaxZoneResult:
        """Save a tax zone."""
        return TaxZone.from_zone(await info.context.tariffs.save_zone(input.to_zone(), by=info.context.identity))

    @strawberry.federation.mutation(requires_scopes=_SCOPES, description="Have no tax zone for a place any more.")
    async def remove_tax_zone(
        self,
        info: Info,
        country: Annotated[str, strawberry.argument(description="A code such as ID.")],
        region: Annotated[
            str | None, strawberry.argument(description="Province or state; the country's own zone if not given.")
        ] = None,
    ) -> RemoveTaxZoneResult:
        """Remove a tax zone."""
        zone = await info.context.tariffs.remove_zone(country, region, by=info.context.identity)
        return TaxZoneRemoved(id=strawberry.ID(zone.id))
