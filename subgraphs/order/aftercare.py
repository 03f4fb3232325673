"""What happens to orders after they are placed, put together: parcels, returns, notes, papers, exports, live orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from starlette.routing import BaseRoute

from core.audit import announce_privileged
from core.clock import Clock
from core.identity import Identity
from core.mongo import Client, Database, Row, Session, in_transaction
from core.scopes import ORDERS_READ
from core.subgraph import Runtime, require_person, require_scopes
from subgraphs.order.desk import OrderDesk
from subgraphs.order.exporting import ExportFormat, OrderExport
from subgraphs.order.moves import OrderMover
from subgraphs.order.notes import StaffNotes
from subgraphs.order.order_feed import LiveOrders, OrderFeed
from subgraphs.order.order_lists import OrderFilter
from subgraphs.order.papers.invoices import Invoices, has_invoice
from subgraphs.order.papers.links import FileKind, FileLinks, SignedLink, open_links
from subgraphs.order.papers.routes import OrderFiles
from subgraphs.order.papers.seller import Seller
from subgraphs.order.repository import OrderRepository
from subgraphs.order.returns import Returns
from subgraphs.order.shipments import Shipments


@dataclass(frozen=True, slots=True)
class Papers:
    """Links to files of orders."""

    client: Client
    database: Database
    clock: Clock
    links: FileLinks
    export: OrderExport

    def link_invoice(self, order: Row) -> SignedLink | None:
        """Return a link to the invoice of an order that the caller may see; None while it is not paid."""
        return self.links.make(FileKind.INVOICE, {"order_id": order["_id"]}) if has_invoice(order) else None

    def link_packing_slip(self, order: Row) -> SignedLink:
        """Return a link to the packing slip of an order, for the store."""
        return self.links.make(FileKind.PACKING_SLIP, {"order_id": order["_id"]})

    async def export_orders(self, format_: ExportFormat, wanted: OrderFilter, caller: Identity) -> SignedLink:
        """Return a link to a file of orders, for staff; the audit log is told who took it.

        Raises:
            BadUserInput: the filter cannot be used.
        """
        require_scopes(caller, ORDERS_READ)
        actor = require_person(caller)
        content = self.export.make_link(format_, wanted)

        async def work(session: Session) -> None:
            await announce_privileged(
                self.database,
                "ORDERS_EXPORTED",
                "orders",
                actor_id=actor,
                now=self.clock.now(),
                session=session,
                details={"format": format_.value, "of_one_buyer": wanted.buyer_id is not None},
            )

        await in_transaction(self.client, work)
        return self.links.make(FileKind.EXPORT, content)


@dataclass(frozen=True, slots=True)
class Aftercare:
    """The use cases on placed orders, for resolvers; *routes* serve the files, *feed* is closed at the end."""

    shipments: Shipments
    returns: Returns
    notes: StaffNotes
    papers: Papers
    live_orders: LiveOrders
    feed: OrderFeed
    routes: Sequence[BaseRoute]


def build_aftercare(runtime: Runtime, orders: OrderRepository, mover: OrderMover) -> Aftercare:
    """Return the use cases on *runtime*."""
    settings = runtime.settings
    desk = OrderDesk(runtime.client, runtime.clock, orders=orders, mover=mover)
    seller = Seller(
        settings.store_name,
        tuple(line.strip() for line in settings.store_address.split(";") if line.strip()),
        ZoneInfo(settings.timezone),
    )
    links, export, feed = open_links(settings, runtime.clock), OrderExport(orders), OrderFeed(runtime.database)
    invoices = Invoices(runtime.client, runtime.database, runtime.clock, orders=orders, zone=seller.zone)
    files = OrderFiles(links, runtime.clock, orders=orders, invoices=invoices, export=export, seller=seller)
    return Aftercare(
        shipments=Shipments(desk),
        returns=Returns(desk, window=timedelta(days=settings.return_window_days)),
        notes=StaffNotes(desk),
        papers=Papers(runtime.client, runtime.database, runtime.clock, links, export),
        live_orders=LiveOrders(feed, orders),
        feed=feed,
        routes=files.routes(),
    )
