"""The import rules of the design: who may know whom."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("core", "loaders", "pasar", "router", "schema", "subgraphs", "tests", "benchmarks")

# What works without I/O: neither sockets nor files, neither clocks nor an event loop
IO_MODULES = frozenset(
    {
        *("aiohttp", "asyncio", "http", "io", "os", "pathlib", "pymongo", "random", "redis", "secrets", "shutil"),
        *("socket", "ssl", "starlette", "subprocess", "tempfile", "threading", "time", "urllib.request", "uvicorn"),
    }
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: *package* may import, of ours, itself and what begins with *allowed*. A *pure* one does no I/O."""

    package: str
    allowed: tuple[str, ...]
    pure: bool = False


RULES = (
    Rule("core", ()),
    Rule("schema", ("core",)),
    Rule("loaders", ("core",)),
    *(
        Rule(f"subgraphs.{folder.name}", ("core", "schema", "loaders"))
        for folder in sorted((ROOT / "subgraphs").iterdir())
        if (folder / "__init__.py").exists()
    ),
    Rule("router.composition", (), pure=True),
    Rule("router.supergraph", (), pure=True),
    Rule("router.planner", ("router.supergraph",), pure=True),
    Rule(
        "router.executor",
        ("router.planner.plan", "router.supergraph", "router.transports.base", "router.transports.json_values"),
    ),
    Rule("router.transports", ("core.identity",)),
    # What it needs of the pipeline's words: configuration and errors
    Rule("router.server", ("router.pipeline", "router.exchange", "router.config", "router.errors")),
    # The router knows nothing of stores: of ours, the words for who is asking
    Rule("router", ("core.identity", "core.key_ring", "core.tokens", "core.peers")),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.package)
def test_a_package_imports_only_what_the_design_allows(rule: Rule) -> None:
    broken = [
        f"{file.relative_to(ROOT)} imports {imported}"
        for file, imported in imports_of(rule.package)
        if imported.split(".")[0] in OURS
        and not is_within(imported, rule.package)
        and not any(is_within(imported, allowed) for allowed in rule.allowed)
    ]
    assert broken == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.pure], ids=lambda rule: rule.package)
def test_a_pure_package_imports_nothing_that_does_io(rule: Rule) -> None:
    broken = [
        f"{file.relative_to(ROOT)} imports {imported}"
        for file, imported in imports_of(rule.package)
        if imported in IO_MODULES or imported.split(".")[0] in IO_MODULES
    ]
    assert broken == []


def test_only_authentication_reads_tokens() -> None:
    readers = {
        str(file.relative_to(ROOT)) for file, imported in imports_of("router") if is_within(imported, "core.tokens")
    }
    assert readers <= {"router/auth.py", "router/keys.py", "router/revocations.py"}


def test_composition_uses_graphql_core_and_the_standard_library_alone() -> None:
    foreign = {
        imported.split(".")[0]
        for package in ("router.composition", "router.supergraph", "router.planner")
        for _, imported in imports_of(package)
    }
    assert foreign - sys.stdlib_module_names <= {"graphql", "router"}


def imports_of(package: str) -> Iterator[tuple[Path, str]]:
    """Yield each file of *package* with every module that it imports, also inside functions."""
    folder = ROOT / Path(*package.split("."))
    files = sorted(folder.rglob("*.py"))
    assert files, f"package {package} has no files"
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"), str(file))):
            if isinstance(node, ast.Import):
                yield from ((file, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file} has a relative import"
                yield from ((file, name) for name in _imported_names(node))


def _imported_names(node: ast.ImportFrom) -> Iterator[str]:
    module = node.module or ""
    for alias in node.names:
        # `from router import pipeline` imports a module, `from router.config import load_config` a name of one
        nested = ROOT / Path(*module.split("."), alias.name)
        is_module = nested.with_suffix(".py").exists() or nested.is_dir()
        yield f"{module}.{alias.name}" if is_module else module


def is_within(imported: str, package: str) -> bool:
    """Tell whether the module *imported* is *package* or inside it."""
    return imported == package or imported.startswith(f"{package}.")
