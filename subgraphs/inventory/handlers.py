"""Reactions to other subgraphs' events, each in one transaction with its inbox entry."""

from collections.abc import Mapping

from core.events import Event, EventHandler
from core.mongo import Session
from subgraphs.inventory.model import StockLine
from subgraphs.inventory.service import StockService
from subgraphs.inventory.waiting import Waiting


def build_handlers(service: StockService, waiting: Waiting) -> Mapping[str, EventHandler]:
    """Return what the stock does about which event."""

    async def open_stock(event: Event, session: Session) -> None:
        await service.open_stock_in(session, event.payload["product_id"])

    async def commit(event: Event, session: Session) -> None:
        await service.commit_in(session, event.payload["order_id"])

    async def release(event: Event, session: Session) -> None:
        # A paid order that staff cancelled gives its pieces back, too
        await service.release_in(session, event.payload["order_id"], give_back_paid=True)

    async def take_back(event: Event, session: Session) -> None:
        if event.payload["restock"]:
            lines = [StockLine(line["product_id"], line["quantity"]) for line in event.payload["lines"]]
            await service.take_back_in(session, event.payload["order_id"], lines)

    async def forget_user(event: Event, session: Session) -> None:
        await waiting.forget(event.payload["user_id"], session=session)

    return {
        "ProductCreated": open_stock,
        "OrderPaid": commit,
        "OrderCancelled": release,
        "OrderExpired": release,
        "OrderReturnReceived": take_back,
        "UserErased": forget_user,
    }
