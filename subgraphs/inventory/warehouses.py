"""Use cases of the warehouses. One that was opened stays: its ledger names it. One that is not used is empty."""

from dataclasses import dataclass
from typing import Any

from core.audit import announce_privileged
from core.clock import Clock
from core.errors import BadUserInput, Conflict, NotFound
from core.identity import Identity
from core.ids import new_id
from core.mongo import Client, Database, DuplicateKeyError, Session, in_transaction
from core.scopes import INVENTORY_READ, INVENTORY_WRITE
from core.subgraph import require_scopes
from subgraphs.inventory import model
from subgraphs.inventory.model import Warehouse
from subgraphs.inventory.warehouse_repository import WarehouseRepository


@dataclass(frozen=True, slots=True)
class WarehouseChanges:
    """What to change about a warehouse; None stays as it is."""

    name: str | None = None
    priority: int | None = None


class Warehouses:
    """The use cases on one database."""

    def __init__(self, client: Client, database: Database, clock: Clock) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self.repository = WarehouseRepository(database)

    async def list_warehouses(self, *, by: Identity) -> list[Warehouse]:
        """Return all warehouses, in the order in which orders take from them."""
        require_scopes(by, INVENTORY_READ)
        return await self.repository.find_all()

    async def create_warehouse(self, code: str, name: str, priority: int, *, by: Identity) -> Warehouse:
        """Open a warehouse.

        Raises:
            BadUserInput: code, name or priority are not acceptable.
            Conflict: the code is taken, or there are too many.
        """
        require_scopes(by, INVENTORY_WRITE)
        model.check_warehouse(code, name, priority)
        warehouse = Warehouse(new_id("whs"), code, name.strip(), priority, self._clock.now())

        async def work(session: Session) -> Warehouse:
            if len(await self.repository.find_all(session=session)) >= model.MAX_WAREHOUSES:
                raise Conflict(f"there are {model.MAX_WAREHOUSES} warehouses already")
            await self.repository.insert(warehouse, session=session)
            await self._note("WAREHOUSE_CREATED", warehouse, by, session, code=code, priority=priority)
            return warehouse

        try:
            return await in_transaction(self._client, work)
        except DuplicateKeyError:
            raise Conflict(f"there is a warehouse {code} already") from None

    async def update_warehouse(self, warehouse_id: str, changes: WarehouseChanges, *, by: Identity) -> Warehouse:
        """Rename a warehouse, or have orders take from it earlier or later.

        Raises:
            BadUserInput: a value is not acceptable, or nothing is to change.
            NotFound: there is no such warehouse.
        """
        require_scopes(by, INVENTORY_WRITE)
        name, priority = changes.name, changes.priority
        if name is None and priority is None:
            raise BadUserInput("say what to change", field="name")
        model.check_warehouse_changes(name, priority)

        async def work(session: Session) -> Warehouse:
            warehouse = await self.repository.update(
                warehouse_id, name=name.strip() if name else None, priority=priority, session=session
            )
            if warehouse is None:
                raise NotFound(f"there is no warehouse {warehouse_id}")
            await self._note("WAREHOUSE_UPDATED", warehouse, by, session, priority=warehouse.priority)
            return warehouse

        return await in_transaction(self._client, work)

    async def require_warehouses(self, *warehouse_ids: str) -> None:
        """Raise NotFound for the first one that does not exist."""
        found = {warehouse.id for warehouse in await self.repository.find_warehouses(list(warehouse_ids))}
        for warehouse_id in warehouse_ids:
            if warehouse_id not in found:
                raise NotFound(f"there is no warehouse {warehouse_id}")

    async def find_priorities(self, *, session: Session | None = None) -> dict[str, int]:
        """Return the priority of each warehouse."""
        return {warehouse.id: warehouse.priority for warehouse in await self.repository.find_all(session=session)}

    async def _note(self, action: str, warehouse: Warehouse, by: Identity, session: Session, **details: Any) -> None:
        await announce_privileged(
            self._database,
            action,
            warehouse.id,
            actor_id=by.subject,
            now=self._clock.now(),
            session=session,
            details=details,
        )
