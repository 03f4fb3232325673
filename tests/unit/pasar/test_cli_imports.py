"""What a command imports before it runs."""

import subprocess
import sys

# Each of these costs a tenth of a second or more
HEAVY = ("aiohttp", "beanie", "fpdf", "graphql", "pymongo", "redis", "strawberry", "subgraphs", "router")


def imported_by(statement: str) -> list[str]:
    """Return which of HEAVY a fresh interpreter has after *statement*."""
    show = f"import sys; {statement}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    return subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True).stdout.split()


def test_the_command_line_itself_imports_no_store() -> None:
    assert imported_by("import pasar.cli") == []


def test_the_order_subgraph_can_print_only_once_it_has_to() -> None:
    assert "fpdf" not in imported_by("import subgraphs.order.app")
