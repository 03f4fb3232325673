"""What staff does with shipping methods and taxes. Each use case is one transaction, with its note for the audit."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias, TypeVar

from core.audit import announce_privileged
from core.clock import Clock
from core.errors import Conflict, NotFound
from core.identity import Identity
from core.ids import new_id
from core.mongo import Client, Database, Session, in_transaction
from core.scopes import TARIFFS_WRITE
from core.subgraph import require_scopes
from subgraphs.order.recent_tariffs import RecentTariffs
from subgraphs.order.shipping_methods import MAX_METHODS, ShippingMethod, check_method
from subgraphs.order.tariff_repository import TariffRepository
from subgraphs.order.taxes import TaxZone, check_zone

T = TypeVar("T")

Details: TypeAlias = Mapping[str, str | int | bool]


class Tariffs:
    """The use cases. *by* is the verified identity behind the request."""

    def __init__(
        self, client: Client, database: Database, clock: Clock, tariffs: TariffRepository, recent: RecentTariffs
    ) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self._tariffs = tariffs
        self._recent = recent

    async def list_methods(self, *, by: Identity) -> tuple[ShippingMethod, ...]:
        """Return all shipping methods, those that are not active included."""
        require_scopes(by, TARIFFS_WRITE)
        return await self._tariffs.find_methods()

    async def save_method(self, method: ShippingMethod, *, by: Identity) -> ShippingMethod:
        """Store a shipping method in place of the one that has its id; with an empty id, a new one.

        Raises:
            BadUserInput: a field is not valid.
            NotFound: there is no such method.
            Conflict: there are as many as there can be.
        """
        require_scopes(by, TARIFFS_WRITE)
        is_new = not method.id
        method = replace(method, id=method.id or new_id("shm"), name=" ".join(method.name.split()))
        check_method(method)
        now = self._clock.now()

        async def work(session: Session) -> None:
            if is_new and await self._tariffs.count_methods(session=session) >= MAX_METHODS:
                raise Conflict(f"a store has at most {MAX_METHODS} shipping methods")
            if not is_new and await self._tariffs.find_method(method.id, session=session) is None:
                raise NotFound(f"there is no shipping method {method.id}")
            await self._tariffs.save_method(method, now=now, session=session)
            details: Details = {"name": method.name, "active": method.is_active}
            await self._note("SHIPPING_METHOD_SAVED", method.id, details, by=by, now=now, session=session)

        await self._change(work)
        return method

    async def list_zones(self, *, by: Identity) -> tuple[TaxZone, ...]:
        """Return all tax zones."""
        require_scopes(by, TARIFFS_WRITE)
        return await self._tariffs.find_zones()

    async def save_zone(self, zone: TaxZone, *, by: Identity) -> TaxZone:
        """Store a tax zone in place of the one for the same country and region.

        Raises:
            BadUserInput: a field is not valid.
        """
        require_scopes(by, TARIFFS_WRITE)
        zone = replace(
            zone, country=zone.country.strip().upper(), region=_clean_region(zone.region), name=zone.name.strip()
        )
        check_zone(zone)
        now = self._clock.now()

        async def work(session: Session) -> None:
            await self._tariffs.save_zone(zone, now=now, session=session)
            details: Details = {"name": zone.name, "rate": zone.rate, "inclusive": zone.is_inclusive}
            await self._note("TAX_ZONE_SAVED", zone.id, details, by=by, now=now, session=session)

        await self._change(work)
        return zone

    async def remove_zone(self, country: str, region: str | None, *, by: Identity) -> TaxZone:
        """Tax nothing any more in a zone, but for what the country's zone says of its region.

        Raises:
            NotFound: there is no such zone.
        """
        require_scopes(by, TARIFFS_WRITE)
        country, region, now = country.strip().upper(), _clean_region(region), self._clock.now()

        async def work(session: Session) -> TaxZone:
            zone = await self._tariffs.delete_zone(country, region, session=session)
            if zone is None:
                raise NotFound(f"there is no tax zone for {country}" + (f", {region}" if region else ""))
            await self._note("TAX_ZONE_REMOVED", zone.id, {"name": zone.name}, by=by, now=now, session=session)
            return zone

        return await self._change(work)

    async def _change(self, work: Callable[[Session], Awaitable[T]]) -> T:
        try:
            return await in_transaction(self._client, work)
        finally:
            # Also when nobody knows whether it was committed
            self._recent.forget()

    async def _note(
        self,
        action: str,
        target: str,
        details: Details,
        *,
        by: Identity,
        now: datetime,
        session: Session,
    ) -> None:
        await announce_privileged(
            self._database, action, target, actor_id=by.subject, now=now, session=session, details=details
        )


def _clean_region(region: str | None) -> str | None:
    return " ".join((region or "").split()) or None
