"""Running one coroutine as the whole program."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_async(main: Coroutine[Any, Any, T], *, plain: bool = False) -> T:
    """Run *main* to its end on uvloop where it is installed; *plain* is asyncio's own loop."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if not plain:
        try:
            import uvloop

            factory = uvloop.new_event_loop
        except ImportError:
            pass
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def stop_like_ctrl_c() -> None:
    """Let SIGTERM unwind the program as Ctrl-C does, so that a child of ours is stopped whenever it comes."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
