"""Tariffs as quotes read them, at most a moment old (core/short_memory.py): every cart asks for them."""

from core.clock import Clock
from core.short_memory import ShortMemory
from subgraphs.order.shipping_methods import ShippingMethod
from subgraphs.order.tariff_repository import TariffRepository
from subgraphs.order.taxes import TaxZone


class RecentTariffs:
    """Remembers what it has read. Mutable."""

    def __init__(self, tariffs: TariffRepository, clock: Clock) -> None:
        self._tariffs = tariffs
        self._methods: ShortMemory[None, tuple[ShippingMethod, ...]] = ShortMemory(clock)
        self._zones: ShortMemory[tuple[str, str | None], TaxZone | None] = ShortMemory(clock)

    async def find_methods(self) -> tuple[ShippingMethod, ...]:
        """Return all shipping methods by id."""
        known = self._methods.recall()
        if None not in known:
            known[None] = await self._tariffs.find_methods()
        return known[None]

    async def find_zone(self, country: str, region: str | None) -> TaxZone | None:
        """Return the zone of an address, None if nothing is taxed there."""
        known, place = self._zones.recall(), (country, region)
        if place not in known:
            known[place] = await self._tariffs.find_zone(country, region)
        return known[place]

    def forget(self) -> None:
        """Read anew from now on; to be called after a change."""
        self._methods.forget()
        self._zones.forget()
