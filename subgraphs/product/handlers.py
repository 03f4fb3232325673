"""Reactions to other subgraphs' events, each in one transaction with its inbox entry."""

from collections.abc import Mapping

from core.events import Event, EventHandler
from core.mongo import Session
from subgraphs.product.service import CatalogueService


def build_handlers(service: CatalogueService) -> Mapping[str, EventHandler]:
    """Return what the catalogue does about which event.

    `StockAvailabilityChanged` says of a product whether any can be bought: `{product_id, available}`.
    """

    async def note_stock(event: Event, session: Session) -> None:
        await service.note_stock_in(session, event.payload["product_id"], in_stock=event.payload["available"])

    return {"StockAvailabilityChanged": note_stock}
