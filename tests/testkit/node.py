"""Node programs that tests use as peers: run where Node and their packages are present, demanded in CI."""

import shutil
import subprocess
from pathlib import Path

from tests.testkit.presence import do_without

NODE_TESTS = Path(__file__).parent.parent / "node"


def run_node(folder: str, script: str, *arguments: str, stdin: str = "", timeout_s: float = 120) -> str:
    """Run *script* of tests/node/*folder* and return its standard output.

    Skips the test where Node or the folder's packages are missing, except in CI, where they must be there.
    """
    home = NODE_TESTS / folder
    node = shutil.which("node")
    needs_packages = (home / "package.json").exists()
    if node is None or (needs_packages and not (home / "node_modules").is_dir()):
        do_without(f"needs Node and its packages: run `npm ci` in tests/node/{folder}")
    result = subprocess.run(
        [node, script, *arguments],
        cwd=home,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    # Node's own test runner writes what failed to standard output
    assert result.returncode == 0, result.stderr or result.stdout
    return result.stdout
