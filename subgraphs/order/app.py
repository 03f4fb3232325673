"""The order subgraph: carts, checkout, orders and reports on them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from strawberry.dataloader import DataLoader

from core.events import OUTBOX
from core.jobs import Job
from core.mongo import Row
from core.paging import Page, PageRequest
from core.subgraph import Call, Runtime, Subgraph
from loaders.entity import entity_loader
from subgraphs.order.abandoned_carts import AbandonedCarts
from subgraphs.order.aftercare import build_aftercare
from subgraphs.order.cart_changes import Offer
from subgraphs.order.cart_codes import CartCodes
from subgraphs.order.cart_repository import CartRepository
from subgraphs.order.cart_service import CartService
from subgraphs.order.checkout import Checkout
from subgraphs.order.checkout_repository import CheckoutRepository
from subgraphs.order.discount_repository import DiscountRepository
from subgraphs.order.discount_service import DiscountService
from subgraphs.order.documents import documents_of
from subgraphs.order.erased_buyers import ErasedBuyers
from subgraphs.order.handlers import build_handlers
from subgraphs.order.live_totals import ChangeFeed, LiveTotalsFeed
from subgraphs.order.moves import OrderMover
from subgraphs.order.neighbours import Neighbours
from subgraphs.order.order_lists import OrderFilter, condition_of
from subgraphs.order.quoting import Quoter
from subgraphs.order.recent_tariffs import RecentTariffs
from subgraphs.order.repository import OrderRepository
from subgraphs.order.rollup_repair import RollupRepair
from subgraphs.order.rollup_repository import CHANGE_INDEXES, RollupRepository
from subgraphs.order.schema import build_order_schema
from subgraphs.order.service import OrderService
from subgraphs.order.tariff_repository import TariffRepository
from subgraphs.order.tariffs import Tariffs
from subgraphs.order.totals import TotalsReader
from subgraphs.order.types import OrderContext

NAME = "order"

# A checkout is taken up 30 s after its request went silent, so looking this often is soon enough
RESUME_EVERY_S = 5.0
EXPIRE_EVERY_S = 5.0
# Reports add up what is not folded yet: this keeps it few
FOLD_EVERY_S = 1.0
REBUILD_EVERY_S, REBUILD_SLICE_S = 5.0, 4.0
RECONCILE_EVERY_S = 86_400.0
ANONYMISE_EVERY_S = 10.0
ABANDON_EVERY_S = 60.0


def build(runtime: Runtime) -> Subgraph:
    """Return the subgraph on *runtime*."""
    settings = runtime.settings
    orders = OrderRepository(runtime.database)
    carts = CartRepository(runtime.database, abandoned_after=timedelta(seconds=settings.abandoned_cart_after_s))
    discounts, tariffs = DiscountRepository(runtime.database), TariffRepository(runtime.database)
    rollup, repair = (
        RollupRepository(runtime.client, runtime.database),
        RollupRepair(runtime.client, runtime.database),
    )
    mover = OrderMover(runtime.database, orders, rollup)
    neighbours = Neighbours(runtime.peers)
    aftercare = build_aftercare(runtime, orders, mover)
    erased_buyers = ErasedBuyers(runtime.database, runtime.clock)
    recent_tariffs = RecentTariffs(tariffs, runtime.clock)
    quoter = Quoter(neighbours, discounts, recent_tariffs, runtime.clock)
    checkout = Checkout(
        runtime.client,
        runtime.clock,
        orders=orders,
        carts=carts,
        checkouts=CheckoutRepository(runtime.database),
        mover=mover,
        neighbours=neighbours,
        quoter=quoter,
        discounts=discounts,
        reservation_ttl_s=settings.reservation_ttl_s,
    )
    cart_service = CartService(
        runtime.client,
        runtime.clock,
        carts=carts,
        neighbours=neighbours,
        quoter=quoter,
        guest_cart_ttl_s=settings.guest_cart_ttl_s,
    )
    cart_codes = CartCodes(cart_service, discounts, quoter, neighbours, runtime.clock)
    discount_service = DiscountService(runtime.client, runtime.database, runtime.clock, discounts)
    tariff_service = Tariffs(runtime.client, runtime.database, runtime.clock, tariffs, recent_tariffs)
    abandoned_carts = AbandonedCarts(runtime.client, runtime.database, carts)
    totals = TotalsReader(orders, rollup, runtime.cache, runtime.clock, namespace=runtime.database.name)
    changes = ChangeFeed(runtime.database)
    service = OrderService(
        runtime.client,
        runtime.clock,
        orders=orders,
        mover=mover,
        checkout=checkout,
        totals=totals,
        live_totals=LiveTotalsFeed(totals, changes, runtime.clock),
        neighbours=neighbours,
    )

    async def prepare() -> None:
        recent_tariffs.forget()
        await repair.prepare()

    async def close() -> None:
        await changes.aclose()
        await aftercare.feed.aclose()
        await totals.aclose()

    def make_context(call: Call) -> OrderContext:
        return OrderContext(
            call=call,
            service=service,
            carts=cart_service,
            cart_codes=cart_codes,
            discounts=discount_service,
            tariffs=tariff_service,
            erased_buyers=erased_buyers,
            aftercare=aftercare,
            settings=runtime.settings,
            orders_by_id=entity_loader(lambda ids: orders.find_orders("_id", ids), lambda row: str(row["_id"])),
            orders_by_number=entity_loader(
                lambda numbers: orders.find_orders("number", numbers), lambda row: str(row["number"])
            ),
            orders_of_buyer=_buyers_pages_loader(orders),
            units_sold=entity_loader(orders.find_units_sold, lambda row: str(row["_id"])),
            offers=_offers_loader(neighbours),
        )

    return Subgraph(
        name=NAME,
        schema=build_order_schema(),
        runtime=runtime,
        documents=documents_of(is_sharded=runtime.settings.orders_sharded),
        context=make_context,
        handlers=build_handlers(orders, mover, erased_buyers, runtime.clock),
        more_indexes={OUTBOX: CHANGE_INDEXES},
        prepare=prepare,
        close=close,
        routes=tuple(aftercare.routes),
        jobs=(
            Job("resume_checkouts", RESUME_EVERY_S, checkout.resume_unfinished),
            Job("expire_orders", EXPIRE_EVERY_S, service.expire_unpaid_orders),
            Job("anonymise_buyers", ANONYMISE_EVERY_S, erased_buyers.anonymise_due),
            Job("announce_abandoned_carts", ABANDON_EVERY_S, abandoned_carts.announce_due),
            Job("fold_totals", FOLD_EVERY_S, lambda _: rollup.fold_all()),
            Job("rebuild_totals", REBUILD_EVERY_S, lambda now: repair.run_rebuild(now, slice_s=REBUILD_SLICE_S)),
            Job("reconcile_totals", RECONCILE_EVERY_S, repair.run_reconciliation),
        ),
    )


def _buyers_pages_loader(orders: OrderRepository) -> DataLoader[tuple[OrderFilter, PageRequest], Page[Row]]:
    async def load(keys: list[tuple[OrderFilter, PageRequest]]) -> list[Page[Row]]:
        # One query per distinct list: one, unless a document asks for lists that are filtered or cut differently
        lists: dict[tuple[OrderFilter, PageRequest], list[tuple[OrderFilter, PageRequest]]] = {}
        for wanted, request in dict.fromkeys(keys):
            lists.setdefault((replace(wanted, buyer_id=""), request), []).append((wanted, request))
        pages: dict[tuple[OrderFilter, PageRequest], Page[Row]] = {}
        for (_, request), same in lists.items():
            buyer_ids = [wanted.buyer_id or "" for wanted, _ in same]
            found = await orders.find_buyers_pages(buyer_ids, request, condition_of(same[0][0]))
            pages.update(zip(same, found, strict=True))
        return [pages[key] for key in keys]

    return DataLoader(load_fn=load)


def _offers_loader(neighbours: Neighbours) -> DataLoader[str, Offer]:
    async def load(product_ids: list[str]) -> list[Offer]:
        products, stock = await asyncio.gather(
            neighbours.find_products(product_ids), neighbours.find_stock(product_ids)
        )
        return [Offer(products.get(product_id), stock.get(product_id)) for product_id in product_ids]

    return DataLoader(load_fn=load)
