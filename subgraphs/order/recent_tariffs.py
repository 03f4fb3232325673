"""Tariffs as quotes read them: at most FRESH old, for every cart asks for them and they hardly ever change.

What this process changes, it sees at once; what another one does, a moment later, as if the quote had come before.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.clock import Clock
from subgraphs.order.shipping_methods import ShippingMethod
from subgraphs.order.tariff_repository import TariffRepository
from subgraphs.order.taxes import TaxZone

FRESH = timedelta(seconds=2)


@dataclass(slots=True)
class _Memory:
    """What was read of late. Mutable; what a read brings that began before a change ends in the memory of then."""

    fresh_until: datetime
    methods: tuple[ShippingMethod, ...] | None = None
    zones: dict[tuple[str, str | None], TaxZone | None] = field(default_factory=dict)


class RecentTariffs:
    """Remembers what it has read. Mutable."""

    def __init__(self, tariffs: TariffRepository, clock: Clock) -> None:
        self._tariffs = tariffs
        self._clock = clock
        self._memory: _Memory | None = None

    async def find_methods(self) -> tuple[ShippingMethod, ...]:
        """Return all shipping methods by id."""
        memory = self._recall()
        if memory.methods is None:
            memory.methods = await self._tariffs.find_methods()
        return memory.methods

    async def find_zone(self, country: str, region: str | None) -> TaxZone | None:
        """Return the zone of an address, None if nothing is taxed there."""
        memory, place = self._recall(), (country, region)
        if place not in memory.zones:
            memory.zones[place] = await self._tariffs.find_zone(country, region)
        return memory.zones[place]

    def forget(self) -> None:
        """Read anew from now on; to be called after a change."""
        self._memory = None

    def _recall(self) -> _Memory:
        now = self._clock.now()
        if self._memory is None or now >= self._memory.fresh_until:
            self._memory = _Memory(now + FRESH)
        return self._memory
