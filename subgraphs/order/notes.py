"""Notes that the store keeps on an order: for the store, and never changed once written."""

from core.errors import BadUserInput, Conflict
from core.identity import Identity
from core.ids import new_id
from core.mongo import Row
from core.scopes import ORDERS_WRITE
from core.subgraph import require_scopes
from subgraphs.order.desk import OrderDesk, Turn

MAX_NOTE = 2000
MAX_NOTES = 200


class StaffNotes:
    """The use case."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk

    async def add_note(self, order_id: str, text: str, caller: Identity) -> Row:
        """Add a note to an order; raise BadUserInput when it says nothing or too much, Conflict for one too many."""
        require_scopes(caller, ORDERS_WRITE)
        cleaned = text.strip()
        if not 1 <= len(cleaned) <= MAX_NOTE:
            raise BadUserInput(f"a note has 1 to {MAX_NOTE} characters", field="text")

        async def add(turn: Turn) -> Row:
            notes = turn.order.get("staff_notes") or []
            if len(notes) >= MAX_NOTES:
                raise Conflict(f"order {turn.order['number']} has {MAX_NOTES} notes already")
            note: Row = {"id": new_id("nte"), "at": turn.now, "author": turn.by.id, "text": cleaned}
            set_ = {"staff_notes": [*notes, note]}
            noted = await self._desk.mover.change(turn.order, set_, now=turn.now, session=turn.session)
            await self._desk.mover.note(
                "ORDER_NOTE_ADDED", noted, actor_id=turn.by.id, now=turn.now, session=turn.session, note=note["id"]
            )
            return noted

        return await self._desk.change(order_id, caller, add)
