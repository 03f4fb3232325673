"""What a payment does when its order moves: stop it where the order is over, and tell the buyer."""

from collections.abc import Mapping

from core.clock import Clock
from core.events import Event, EventHandler
from core.mongo import Session
from subgraphs.payment.letters import write_letter
from subgraphs.payment.repository import PaymentRepository


def build_handlers(repository: PaymentRepository, clock: Clock) -> Mapping[str, EventHandler]:
    """Return the reactions to the events of order and user.

    A handler only writes: the gateway and the mail server are called by jobs, which may take their time.
    """

    async def tell_buyer(event: Event, session: Session) -> None:
        letter = write_letter(event.id, event.type, event.payload)
        if letter is not None:
            await repository.queue_mail(letter, now=clock.now(), session=session)

    async def close(event: Event, session: Session) -> None:
        order_id, now = event.payload["order_id"], clock.now()
        await repository.close_order(order_id, now=now, session=session)
        await repository.request_stop(order_id, now=now, session=session)
        await tell_buyer(event, session)

    async def forget_buyer(event: Event, session: Session) -> None:
        # Letters that are out are deleted a month after; one that waits to be sent is about something that matters
        await repository.forget_buyer(event.payload["user_id"], session=session)

    return {"OrderPaid": tell_buyer, "OrderCancelled": close, "OrderExpired": close, "UserErased": forget_buyer}
