"""taskiq's broker on Redis Streams, with a reader that survives what taskiq-redis 1.2's does not.

Its reader takes the lock around abandoned messages inside the same pipeline, where it locks nothing, and leaves the
pipeline with its connection behind when Redis goes away meanwhile: after enough outages the pool has none left.
XAUTOCLAIM is atomic by itself and needs no lock.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from redis.asyncio import Redis
from taskiq import AckableMessage
from taskiq_redis import RedisStreamBroker


class StreamBroker(RedisStreamBroker):
    """Reads new messages and those that a dead worker left, and removes what was done."""

    async def listen(self) -> AsyncGenerator[AckableMessage, None]:
        """Yield messages until the reading task is cancelled; raise RedisError when Redis is out of reach."""
        async with Redis(connection_pool=self.connection_pool) as client:
            while not _is_being_cancelled():
                fresh: Any = await client.xreadgroup(
                    self.consumer_group_name,
                    self.consumer_name,
                    {self.queue_name: ">"},
                    block=self.block,
                    count=self.count,
                )
                for _, messages in fresh or ():
                    for message_id, fields in messages:
                        yield self._message(message_id, fields)
                abandoned: Any = await client.xautoclaim(
                    self.queue_name,
                    self.consumer_group_name,
                    self.consumer_name,
                    min_idle_time=self.idle_timeout,
                    count=self.unacknowledged_batch_size,
                )
                for message_id, fields in abandoned[1]:
                    yield self._message(message_id, fields)

    def _message(self, message_id: bytes, fields: dict[bytes, bytes]) -> AckableMessage:
        return AckableMessage(data=fields[b"data"], ack=self._remove(message_id))

    def _remove(self, message_id: bytes) -> Callable[[], Awaitable[None]]:
        async def remove() -> None:
            async with Redis(connection_pool=self.connection_pool) as client:
                await client.xack(self.queue_name, self.consumer_group_name, message_id)
                # Redis keeps what was acknowledged; nobody reads it again
                await client.xdel(self.queue_name, message_id)

        return remove


def _is_being_cancelled() -> bool:
    # redis-py can lose a cancellation that comes with the answer (asyncio's wait_for does in Python 3.11), and whoever
    # stops the receiver would wait for this task for ever
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
