"""What staff does with the stock. Each use case is one transaction, with its ledger rows and its note for the audit."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.audit import announce_privileged
from core.clock import Clock
from core.errors import Conflict, NotFound
from core.identity import Identity
from core.mongo import Client, Database, DuplicateKeyError, Row, Session, in_transaction
from core.paging import Page, PageRequest
from core.peers import Peers
from core.scopes import INVENTORY_READ, INVENTORY_WRITE
from core.subgraph import require_scopes
from loaders.remote import remote_entity_loader
from subgraphs.inventory import model
from subgraphs.inventory.alert_repository import AlertRepository
from subgraphs.inventory.model import MAIN_WAREHOUSE, MovementKind, StockAlert, StockLevel, StockPolicy
from subgraphs.inventory.repository import movement_row
from subgraphs.inventory.service import StockService
from subgraphs.inventory.warehouses import Warehouses

# What tells a repetition from another use of the same idempotency key
_SAME = ("product_id", "kind", "on_hand", "warehouse_id", "counterpart_id")


@dataclass(frozen=True, slots=True)
class Adjustment:
    """*delta* pieces more of a product in a warehouse; fewer if it is negative."""

    product_id: str
    delta: int
    reason: str
    idempotency_key: str
    warehouse_id: str = MAIN_WAREHOUSE


@dataclass(frozen=True, slots=True)
class Transfer:
    """*quantity* pieces of a product go from one warehouse to another."""

    product_id: str
    quantity: int
    from_id: str
    to_id: str
    reason: str
    idempotency_key: str


class StockKeeper:
    """The use cases on one database."""

    def __init__(
        self,
        client: Client,
        database: Database,
        clock: Clock,
        peers: Peers,
        *,
        stock: StockService,
        warehouses: Warehouses,
    ) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self._peers = peers
        self._stock = stock
        self._warehouses = warehouses
        self._repository = stock.repository
        self._alerts = AlertRepository(database)

    async def adjust_stock(self, adjustment: Adjustment, *, by: Identity) -> StockLevel:
        """Add pieces or take them away, once per idempotency key; return the counters afterwards.

        Raises:
            BadUserInput: a value says nothing or too much.
            NotFound: the catalogue has no such product, or the store no such warehouse.
            Conflict: fewer pieces are available than would be taken, or the key was used for something else.
        """
        require_scopes(by, INVENTORY_WRITE)
        product_id, delta = adjustment.product_id, adjustment.delta
        model.check_adjustment(delta, adjustment.reason, adjustment.idempotency_key)
        await self._warehouses.require_warehouses(adjustment.warehouse_id)
        await self._ensure_level(product_id)
        if delta < 0:
            await self._stock.lapse_overdue_of([product_id])
        now = self._clock.now()
        row = movement_row(
            product_id,
            MovementKind.ADJUSTED,
            now,
            on_hand=delta,
            reason=adjustment.reason.strip(),
            by=by.subject,
            idempotency_key=adjustment.idempotency_key,
            warehouse_id=adjustment.warehouse_id,
        )

        async def work(session: Session) -> StockLevel:
            await self._repository.insert_movements([row], session=session)
            level = await self._repository.adjust_level(
                product_id, adjustment.warehouse_id, delta, now=now, session=session
            )
            if level is None:
                raise Conflict(f"the stock of {product_id} cannot change by {delta}: not enough is available")
            await self._stock.watch.look_at(level, change=delta, now=now, session=session)
            await self._note("STOCK_ADJUSTED", product_id, by, session, delta=delta)
            return level

        return await self._do_once(row, work)

    async def transfer_stock(self, transfer: Transfer, *, by: Identity) -> StockLevel:
        """Move pieces between warehouses, once per idempotency key; return the counters afterwards.

        They are on hand at the second one at once: what is on its way is not counted apart.

        Raises:
            BadUserInput: a value says nothing or too much.
            NotFound: there is no such warehouse, or the product never had stock.
            Conflict: the first warehouse has fewer pieces available, or the key was used for something else.
        """
        require_scopes(by, INVENTORY_WRITE)
        product_id, quantity = transfer.product_id, transfer.quantity
        model.check_transfer(transfer.from_id, transfer.to_id, quantity, transfer.reason, transfer.idempotency_key)
        await self._warehouses.require_warehouses(transfer.from_id, transfer.to_id)
        if not await self._repository.find_levels([product_id]):
            raise NotFound(f"there is no stock of {product_id}")
        await self._stock.lapse_overdue_of([product_id])
        now = self._clock.now()
        out, into = (
            movement_row(
                product_id,
                MovementKind.TRANSFERRED,
                now,
                on_hand=amount,
                reason=transfer.reason.strip(),
                by=by.subject,
                idempotency_key=key,
                warehouse_id=here,
                counterpart_id=there,
            )
            for amount, here, there, key in (
                (-quantity, transfer.from_id, transfer.to_id, transfer.idempotency_key),
                (quantity, transfer.to_id, transfer.from_id, None),
            )
        )

        async def work(session: Session) -> StockLevel:
            await self._repository.insert_movements([out, into], session=session)
            level = await self._repository.transfer_level(
                product_id, transfer.from_id, transfer.to_id, quantity, now=now, session=session
            )
            if level is None:
                raise Conflict(f"{quantity} pieces of {product_id} are not available at {transfer.from_id}")
            await self._note("STOCK_TRANSFERRED", product_id, by, session, quantity=quantity, to=transfer.to_id)
            return level

        return await self._do_once(out, work)

    async def set_policy(self, product_id: str, policy: StockPolicy, *, by: Identity) -> StockLevel:
        """Say how many pieces of a product may be owed, and from how few on staff is alerted.

        What is owed already stays owed when the limit is lowered below it; nothing more is sold until it is covered.

        Raises:
            BadUserInput: a value is out of range.
            NotFound: the catalogue has no such product.
        """
        require_scopes(by, INVENTORY_WRITE)
        model.check_policy(policy)
        await self._ensure_level(product_id)
        now = self._clock.now()

        async def work(session: Session) -> StockLevel:
            level = await self._repository.set_policy(product_id, policy, now=now, session=session)
            if level is None:
                raise NotFound(f"there is no stock of {product_id}")
            await self._stock.watch.look_at(level, change=0, now=now, session=session)
            await self._note(
                "STOCK_POLICY_SET",
                product_id,
                by,
                session,
                backorder_limit=policy.backorder_limit,
                low_stock_threshold=-1 if policy.low_stock_threshold is None else policy.low_stock_threshold,
            )
            return replace(level, is_low=level.should_be_low)

        return await in_transaction(self._client, work)

    async def list_alerts(self, page: PageRequest, *, by: Identity) -> Page[StockAlert]:
        """Return a page of products that are low now, the newest alert first."""
        require_scopes(by, INVENTORY_READ)
        return await self._alerts.find_open_page(page)

    async def _do_once(self, row: Row, work: Callable[[Session], Coroutine[Any, Any, StockLevel]]) -> StockLevel:
        product_id: str = row["product_id"]
        try:
            async with self._stock.turns.take([product_id]):
                return await in_transaction(self._client, work)
        except DuplicateKeyError:
            before = await self._repository.find_by_key(row["idempotency_key"])
            if before is None or _identity_of(before) != _identity_of(row):
                raise Conflict("the idempotency key was used for something else") from None
            [level] = await self._repository.find_levels([product_id])
            return level

    async def _ensure_level(self, product_id: str) -> None:
        if await self._repository.find_levels([product_id]):
            return
        if await remote_entity_loader(self._peers, "product", "Product", "id").load(product_id) is None:
            raise NotFound(f"there is no product {product_id}")
        await self._repository.ensure_level(product_id, now=self._clock.now())

    async def _note(self, action: str, product_id: str, by: Identity, session: Session, **details: Any) -> None:
        # The reason is in the stock's own ledger
        await announce_privileged(
            self._database,
            action,
            product_id,
            actor_id=by.subject,
            now=self._clock.now(),
            session=session,
            details=details,
        )


def _identity_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    values = {"warehouse_id": MAIN_WAREHOUSE, "counterpart_id": None, **row}
    return tuple(values[name] for name in _SAME)
