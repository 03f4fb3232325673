"""A real redis-server on a free port."""

import shutil
import subprocess
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from pasar.free_ports import pick_free_port
from tests.testkit.presence import do_without

START_TIMEOUT_S = 30.0


class RedisServer:
    """Starts and ends one redis-server on one port. Mutable: it owns a running program."""

    def __init__(self, folder: Path) -> None:
        binary = shutil.which("redis-server")
        if binary is None:
            do_without("needs redis-server on PATH: apt-get install redis-server")
        self._binary = binary
        self._folder = folder
        self._port = pick_free_port()
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it empty and wait until it answers."""
        arguments = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._child = subprocess.Popen(
            [self._binary, *arguments, "--dir", str(self._folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        with Redis(port=self._port) as client:
            while True:
                try:
                    client.ping()
                    return
                except RedisError:
                    if time.monotonic() > deadline or self._child.poll() is not None:
                        raise
                    time.sleep(0.02)

    def stop(self) -> None:
        """End it; what it held is lost."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
