"""Long-lived results end with the token that they were asked for with."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, nullcontext
from typing import TypeVar

from router.auth import Admitted, Authenticator
from router.errors import Unauthenticated

R = TypeVar("R")


async def until_token_ends(
    results: AsyncIterator[R], admitted: Admitted, authenticator: Authenticator
) -> AsyncGenerator[R, None]:
    """Yield *results*, which are closed in any case, for as long as the token of *admitted* counts.

    Raises:
        Unauthenticated: it has expired or been revoked.
    """
    if admitted.expires_at_s is None:
        async with aclosing(results) as open_results:  # type: ignore[type-var]
            async for result in open_results:
                yield result
        return
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + authenticator.seconds_left(admitted.expires_at_s)
    waiting: asyncio.Timeout | None = None

    def end_if_revoked() -> None:
        nonlocal ends_at
        if authenticator.refuses(admitted):
            ends_at = loop.time()
            if waiting is not None and not waiting.expired():
                waiting.reschedule(ends_at)

    revocations, family = authenticator.revocations, admitted.family
    watching = revocations.watching(family, end_if_revoked) if revocations is not None and family else nullcontext()
    with watching:
        async with aclosing(results) as open_results:  # type: ignore[type-var]
            while True:
                try:
                    # One limit for each result: whoever takes them must not run under it. What it interrupts has ended,
                    # and closed whatever it had opened
                    async with asyncio.timeout_at(ends_at) as waiting:
                        result = await anext(open_results)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    if waiting is None or not waiting.expired():
                        raise
                    break
                yield result
    authenticator.check(admitted)
    raise Unauthenticated("the access token has expired")
