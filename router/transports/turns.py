"""Turns: large answers that have come are worked on one after the other, not all at once.

Under load the answers of many operations lie ready. If all of them were decoded, each would be ten times its own
size in objects that wait for the others, and every step would find them fallen out of the processor's caches. So an
answer stays bytes until the operations before it have had a chance to get through. Nothing waits while the event loop
has nothing else to do.
"""

import asyncio
from collections import deque

#: Smaller answers have no turns: they are no burden, and are often the last that an operation with a large one needs.
LARGE_ANSWER_BYTES = 8 * 1024
# How often the event loop goes round between two turns: an answer is seen in one round and handed to its task in the
# next, and the request that follows may be answered meanwhile. Measured: 0 gives half of the gain, 6 no more than 3
ROUNDS = 3


class Turns:
    """Lets one task at a time go on, first come, first served. Belongs to one event loop. Mutable: it keeps who waits.

    Args:
        rounds: how often the loop goes round before the next one's turn.
    """

    def __init__(self, *, rounds: int = ROUNDS) -> None:
        self._rounds = rounds
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_taken = False

    async def take(self) -> None:
        """Return when it is the caller's turn: at once, if nobody has had one in the last rounds."""
        loop = asyncio.get_running_loop()
        if self._is_taken:
            turn = loop.create_future()
            self._waiting.append(turn)
            # When the caller is cancelled, the turn goes to the next
            await turn
        else:
            self._is_taken = True
            self._after_rounds(loop, self._rounds)

    def _after_rounds(self, loop: asyncio.AbstractEventLoop, left: int) -> None:
        if left:
            loop.call_soon(self._after_rounds, loop, left - 1)
        else:
            loop.call_soon(self._pass_on, loop)

    def _pass_on(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._after_rounds(loop, self._rounds)
                return
        self._is_taken = False
