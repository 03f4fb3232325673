"""Ports that are free now and stay free until a program of ours takes them.

Port 0 means any to a system, and it gives one of those from which it also makes the ends of outgoing connections. Until
the program that is told of it has started, such a connection may have it. Ours lie below: Linux begins at 32768, macOS
and Windows at 49152.
"""

import socket
from random import SystemRandom

PORTS = range(20_000, 32_768)
# Most are free; who finds none among so many gets what the system gives
TRIES = 50

# Programs that are started together must not all try the same ones
_random = SystemRandom()


def pick_free_port() -> int:
    """Return a port on 127.0.0.1 that was free a moment ago."""
    for port in _random.sample(PORTS, TRIES):
        if is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        given: int = probe.getsockname()[1]
        return given


def is_free(port: int) -> bool:
    """Tell whether nobody listens at *port* of 127.0.0.1; connections of before that linger do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            # Bound twice is possible with SO_REUSEADDR, listening twice is not
            probe.listen(1)
        except OSError:
            return False
        return True
