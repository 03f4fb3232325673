"""One delivery of an event: to each subscriber that has not got it yet, and the record of it in the outbox."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from core.clock import Clock
from core.events import OUTBOX, Event, event_from_row, handle_once
from core.loops import warn
from core.mongo import Row
from core.subgraph import Subgraph

# A failed delivery is tried again after 1, 2, 4 ... seconds, at most an hour
LONGEST_RETRY = timedelta(hours=1)


def subscribers_without(row: Row, subgraphs: Sequence[Subgraph]) -> tuple[Subgraph, ...]:
    """Return those of *subgraphs* that want the event of an outbox row and have not got it yet."""
    return tuple(each for each in subgraphs if row["type"] in each.handlers and each.name not in row["delivered_to"])


async def deliver(event_id: str, source: Subgraph, subgraphs: Sequence[Subgraph], clock: Clock) -> None:
    """Hand an event of *source* to those of *subgraphs* that have not got it, and record who has it now.

    A subscriber that fails holds up no other one; the event is due again for those that failed.
    """
    outbox = source.runtime.database[OUTBOX]
    # Read again: a broker may give this task to us long after its claim has ended, when the event is delivered
    row = await outbox.find_one({"_id": event_id})
    if row is None or "due_at" not in row:
        return
    event, attempts = event_from_row(row), row["attempts"] + 1
    waiting = subscribers_without(row, subgraphs)
    reached = [each.name for each in waiting if await _hand_over(event, each, attempts)]
    # Recorded together: after a crash before this the inboxes know who has it, and hand it to nobody twice
    outcome = _outcome(clock.now(), attempts, reached, failed=len(reached) < len(waiting))
    await outbox.update_one({"_id": event_id}, outcome)


async def _hand_over(event: Event, subscriber: Subgraph, attempts: int) -> bool:
    runtime = subscriber.runtime
    try:
        await handle_once(runtime.client, runtime.database, event, subscriber.handlers[event.type])
    except Exception as error:
        warn(
            "event not handled yet",
            error,
            event_type=event.type,
            event_id=event.id,
            subscriber=subscriber.name,
            attempts=attempts,
        )
        return False
    return True


def _outcome(now: datetime, attempts: int, reached: Sequence[str], *, failed: bool) -> Mapping[str, Any]:
    """Return the update of an outbox row after a delivery that *reached* some of its subscribers."""
    record = {"$addToSet": {"delivered_to": {"$each": reached}}}
    if not failed:
        return record | {"$set": {"delivered_at": now}, "$unset": {"due_at": "", "claimed": "", "claimed_by": ""}}
    # The exponent is bounded before the power: the hundredth attempt must not compute 2**100 seconds
    delay = min(timedelta(seconds=2 ** min(attempts - 1, 12)), LONGEST_RETRY)
    again = {"due_at": now + delay, "attempts": attempts}
    return record | {"$set": again, "$unset": {"claimed": "", "claimed_by": ""}}
