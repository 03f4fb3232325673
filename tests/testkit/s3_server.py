"""A server that speaks S3, on a free port: s3rver, run by Node."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.testkit.node import NODE_TESTS
from tests.testkit.presence import do_without

# What s3rver takes
KEY_ID, SECRET_KEY = "S3RVER", "S3RVER"
BUCKET = "pictures"


@dataclass(frozen=True, slots=True)
class S3Server:
    """Where it is, and the folder in which it keeps its objects."""

    endpoint: str
    folder: Path

    def keys(self) -> list[str]:
        """Return the keys of all objects, sorted."""
        bucket = self.folder / BUCKET
        files = (str(file.relative_to(bucket)) for file in bucket.rglob("*._S3rver_object"))
        return sorted(file.removesuffix("._S3rver_object") for file in files)


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """Run a server with an empty bucket; skip the test where Node or s3rver is missing, except in CI."""
    node, home = shutil.which("node"), NODE_TESTS / "s3"
    if node is None or not (home / "node_modules").is_dir():
        do_without("needs Node and s3rver: run `npm ci` in tests/node/s3")
    child = subprocess.Popen(
        [node, "server.mjs", str(folder), BUCKET],
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        port = child.stdout.readline().strip()
        assert port.isdecimal(), "s3rver did not start"
        yield S3Server(f"http://127.0.0.1:{port}", folder)
    finally:
        child.stdin.close()
        child.wait(timeout=30)
        child.stdout.close()
