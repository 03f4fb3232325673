"""Programs that belong to this one: started together, restarted when they end by themselves, stopped together."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from core.errors import PasarError

log = structlog.get_logger(__name__)

# A child that cannot start is tried again after 1, 2, 4 ... seconds
LONGEST_PAUSE_S = 30.0
# One that ran for so long was in order: its next end is a new trouble
HEALTHY_AFTER_S = 30.0
# After a stop was asked for; requests under way get half of it
STOP_TIMEOUT_S = 30.0

_PR_SET_PDEATHSIG = 1


class ChildFailed(PasarError):
    """A program of ours ended before it was ready."""

    code = "START_FAILED"


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: *arguments* of `pasar`, and the environment in full. *stage* orders stopping: 0 is stopped first."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    stage: int = 0


@dataclass(slots=True)
class _Child:
    """A running program. Mutable: it is replaced when it ends."""

    program: Program
    process: asyncio.subprocess.Process
    started_at_s: float
    failures: int = 0
    watcher: "asyncio.Task[None] | None" = field(default=None)


class Children:
    """The programs under our care. Mutable: it owns running programs. Use it from the main thread's loop."""

    def __init__(self) -> None:
        self._children: dict[str, _Child] = {}
        self._stopping = False

    @property
    def pids(self) -> dict[str, int]:
        """Return the process ids by name."""
        return {name: child.process.pid for name, child in self._children.items()}

    async def start(self, program: Program) -> None:
        """Run *program* and keep it running until `stop`."""
        child = _Child(program, await _launch(program), asyncio.get_running_loop().time())
        self._children[program.name] = child
        child.watcher = asyncio.create_task(self._watch(child), name=f"watch {program.name}")

    async def stop(self) -> None:
        """End all programs, stage by stage; those that take too long are killed."""
        self._stopping = True
        for stage in sorted({child.program.stage for child in self._children.values()}):
            await asyncio.gather(
                *(_end(child.process) for child in self._children.values() if child.program.stage == stage)
            )
        for child in self._children.values():
            if child.watcher is not None:
                child.watcher.cancel()
        await asyncio.gather(
            *(child.watcher for child in self._children.values() if child.watcher is not None), return_exceptions=True
        )

    def ended_early(self, name: str) -> bool:
        """Tell whether the program *name* has failed at least once."""
        return self._children[name].failures > 0

    async def _watch(self, child: _Child) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            exit_code = await child.process.wait()
            if self._stopping:
                return
            ran_s = clock() - child.started_at_s
            child.failures = 1 if ran_s > HEALTHY_AFTER_S else child.failures + 1
            pause_s = 0.0 if ran_s > HEALTHY_AFTER_S else min(2.0 ** (child.failures - 1), LONGEST_PAUSE_S)
            log.warning(
                "a program ended by itself and is started again",
                program=child.program.name,
                exit_code=exit_code,
                pause_s=pause_s,
            )
            await asyncio.sleep(pause_s)
            child.process = await _launch(child.program)
            child.started_at_s = clock()


async def _launch(program: Program) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pasar",
        *program.arguments,
        stdin=asyncio.subprocess.DEVNULL,
        env=dict(program.environment),
        # Ctrl-C goes to a terminal's whole group; the order of stopping is ours
        start_new_session=True,
        # What must survive is in MongoDB, which ends at the same moment: an orderly stop could wait for it for minutes
        preexec_fn=end_with_parent(signal.SIGKILL),
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    try:
        process.terminate()
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    except ProcessLookupError:
        return
    except TimeoutError:
        process.kill()
        await process.wait()


def end_with_parent(by: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """Return what a child does before it becomes its program: ask Linux for a signal when its parent ends."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, by)
        # The parent may have ended before the request was made
        if os.getppid() != parent:
            os._exit(1)

    return ask
