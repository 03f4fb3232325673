"""Reactions to other subgraphs' events, each in one transaction with its inbox entry."""

from collections.abc import Mapping

from core.events import Event, EventHandler
from core.mongo import Session
from subgraphs.product.service import CatalogueService


def build_handlers(service: CatalogueService) -> Mapping[str, EventHandler]:
    """Return what the catalogue does about which event.

    `StockAvailabilityChanged` says of a product whether any can be bought: `{product_id, available, revision}`.
    """

    async def note_stock(event: Event, session: Session) -> None:
        told = event.payload
        await service.note_stock_in(session, told["product_id"], in_stock=told["available"], revision=told["revision"])

    return {"StockAvailabilityChanged": note_stock}
