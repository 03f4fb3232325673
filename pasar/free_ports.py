"""Ports that are free now and stay free until a program of ours takes them.

Port 0 means any to a system, and it gives one of those from which it also makes the ends of outgoing connections. Until
the program that is told of it has started, such a connection may have it. Ours lie below: Linux begins at 32768, macOS
and Windows at 49152.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from random import SystemRandom

PORTS = range(20_000, 32_768)
# Most are free; who finds none among so many gets what the system gives
TRIES = 50
_HOST = "127.0.0.1"

# Programs that are started together must not all try the same ones
_random = SystemRandom()


def pick_free_port() -> int:
    """Return a port on 127.0.0.1 that was free a moment ago."""
    with _bind_free_port() as held:
        return _port_of(held)


@contextmanager
def hold_free_ports(count: int) -> Iterator[tuple[int, ...]]:
    """Yield different ports on 127.0.0.1 for programs that are started now, or again later.

    As long as they are held, nobody picks one of them for another program. Only Linux can hold a port and let a program
    listen at it; elsewhere they were free a moment ago.
    """
    with ExitStack() as all_held:
        held = [all_held.enter_context(_bind_free_port()) for _ in range(count)]
        ports = tuple(map(_port_of, held))
        for each in held:
            if sys.platform == "linux":
                # Whoever says the same may have the port, too, as long as we do not listen
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            else:
                each.close()
        yield ports


def is_free(port: int) -> bool:
    """Tell whether nobody listens at *port* of 127.0.0.1; connections of before that linger do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
            # Bound twice is possible with SO_REUSEADDR, listening twice is not
            probe.listen(1)
        except OSError:
            return False
        return True


def _bind_free_port() -> socket.socket:
    """Return a socket that nobody else's can be bound beside: two programs that pick at once pick different ports."""
    for port in (*_random.sample(PORTS, TRIES), 0):
        held = socket.socket()
        with suppress(OSError):
            held.bind((_HOST, port))
            return held
        held.close()
    raise OSError("this system has no free port")


def _port_of(held: socket.socket) -> int:
    port: int = held.getsockname()[1]
    return port
