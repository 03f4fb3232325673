"""Where links lead: a PDF or an export, for whoever has the link. Nothing else of an order can be reached here."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.clock import Clock
from core.errors import DomainError, NotFound
from core.mongo import Row
from subgraphs.order.exporting import ExportFormat, OrderExport
from subgraphs.order.papers.invoices import Invoices
from subgraphs.order.papers.links import PATH, FileKind, FileLinks, LinkExpired, LinkUnusable
from subgraphs.order.papers.seller import Seller
from subgraphs.order.repository import OrderRepository

log = structlog.get_logger(__name__)

# The link is a secret, and so is what it leads to
_HEADERS: Mapping[str, str] = {
    "cache-control": "private, no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-robots-tag": "noindex",
}
_EXPORT_TYPES = {ExportFormat.CSV: "text/csv; charset=utf-8", ExportFormat.JSONL: "application/x-ndjson"}


class OrderFiles:
    """Answers links."""

    def __init__(
        self,
        links: FileLinks,
        clock: Clock,
        *,
        orders: OrderRepository,
        invoices: Invoices,
        export: OrderExport,
        seller: Seller,
    ) -> None:
        self._links = links
        self._clock = clock
        self._orders = orders
        self._invoices = invoices
        self._export = export
        self._seller = seller

    def routes(self) -> tuple[Route, ...]:
        """Return the public routes."""
        return (Route(f"{PATH}/{{token}}", self.answer, methods=["GET"]),)

    async def answer(self, request: Request) -> Response:
        """Answer a request with the file of its link."""
        try:
            link = self._links.open(request.path_params["token"])
        except LinkUnusable as error:
            return _refuse(404, error.message)
        except LinkExpired as error:
            return _refuse(410, error.message)
        try:
            match link.kind:
                case FileKind.INVOICE:
                    return await self._send_invoice(link.content["order_id"])
                case FileKind.PACKING_SLIP:
                    return await self._send_packing_slip(link.content["order_id"])
                case FileKind.EXPORT:
                    return self._send_export(link.content)
        except DomainError as error:
            # The order has changed since the link was made
            return _refuse(409, error.message)

    async def _send_invoice(self, order_id: str) -> Response:
        order = await self._invoices.issue_invoice(order_id)
        return await self._send_pdf(order["invoice_number"], lambda: _print_invoice(order, self._seller))

    async def _send_packing_slip(self, order_id: str) -> Response:
        order, now = await self._orders.find_order(order_id), self._clock.now()
        if order is None:
            raise NotFound(f"there is no order {order_id}")
        return await self._send_pdf(
            f"packing-slip-{order['number']}", lambda: _print_packing_slip(order, self._seller, now=now)
        )

    async def _send_pdf(self, name: str, render: Callable[[], bytes]) -> Response:
        # Tens of milliseconds of work, in which others are answered
        content = await run_in_threadpool(render)
        return Response(content, headers=_headers(f"{name}.pdf", "inline"), media_type="application/pdf")

    def _send_export(self, content: Mapping[str, Any]) -> Response:
        format_, wanted = self._export.read_link(content)
        name = f"orders-{self._clock.now().astimezone(self._seller.zone):%Y-%m-%d}.{format_.value}"
        return StreamingResponse(
            self._encode(self._export.write(format_, wanted)),
            headers=_headers(name, "attachment"),
            media_type=_EXPORT_TYPES[format_],
        )

    async def _encode(self, texts: AsyncIterator[str]) -> AsyncIterator[bytes]:
        async for text in texts:
            yield text.encode()


# Whoever prints nothing needs no fonts, and starts half a second sooner
def _print_invoice(order: Row, seller: Seller) -> bytes:
    from subgraphs.order.papers.invoice import render_invoice

    return render_invoice(order, seller)


def _print_packing_slip(order: Row, seller: Seller, *, now: datetime) -> bytes:
    from subgraphs.order.papers.packing_slip import render_packing_slip

    return render_packing_slip(order, seller, now=now)


def _headers(filename: str, disposition: str) -> dict[str, str]:
    # Imported numbers may have any character
    safe = "".join(each if each.isascii() and (each.isalnum() or each in "-_.") else "_" for each in filename)
    return {**_HEADERS, "content-disposition": f'{disposition}; filename="{safe}"'}


def _refuse(status: int, message: str) -> Response:
    return PlainTextResponse(message, status, headers=_HEADERS)
