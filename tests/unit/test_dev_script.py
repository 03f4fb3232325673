"""dev.py: the two commands of the README, on a machine with nothing but Python."""

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script as a module that works in a project of its own."""
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "ENVIRONMENT", tmp_path / ".venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "stamp")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return module


@pytest.fixture
def commands(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return what the script runs instead of running it; making the environment makes its interpreter."""
    ran: list[list[str]] = []

    def call(command: list[str], **_: object) -> int:
        ran.append(command)
        if command[1:3] == ["-m", "venv"]:
            dev.environment_python().parent.mkdir(parents=True)
            dev.environment_python().write_text("")
        return 0

    monkeypatch.setattr(dev.subprocess, "call", call)
    return ran


def test_it_needs_the_standard_library_alone() -> None:
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(ast.parse((ROOT / "dev.py").read_text("utf-8")))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported <= sys.stdlib_module_names


def test_the_first_call_makes_the_environment_and_the_second_finds_it(
    dev: ModuleType, commands: list[list[str]]
) -> None:
    assert dev.main(["setup"]) == 0
    assert [command[1:3] for command in commands] == [["-m", "venv"], ["-m", "pip"]]
    assert commands[1][-1] == f"{dev.ROOT}[embedded,dev]"
    commands.clear()
    assert dev.main(["setup"]) == 0
    assert commands == []


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_a_changed_requirement_installs_again_into_the_same_environment(
    dev: ModuleType, commands: list[list[str]], changed: str
) -> None:
    dev.main(["setup"])
    commands.clear()
    (dev.ROOT / changed).write_text("aiohttp==3.0\n")
    assert dev.main(["setup"]) == 0
    assert [command[1:3] for command in commands] == [["-m", "pip"]]
    assert ("-c" in commands[0]) is (changed == "constraints.txt")


def test_a_failed_installation_is_tried_again(
    dev: ModuleType, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    call = dev.subprocess.call
    monkeypatch.setattr(dev.subprocess, "call", lambda command, **options: call(command, **options) or "pip" in command)
    assert dev.main(["setup"]) == 1
    assert "error: pip could not install the dependencies" in capfd.readouterr().err
    assert not dev.STAMP.exists()


def test_without_ensurepip_it_says_which_package_to_install(
    dev: ModuleType, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(dev.shutil, "which", lambda name: None)
    assert dev.main(["up"]) == 1
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"apt-get install python{version}-venv (or install uv)" in capfd.readouterr().err
    assert commands == []


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["test", "-k", "money"], ["-m", "pytest", "-k", "money"]),
        (["up", "--split"], ["-m", "pasar", "up", "--split"]),
        (["--help"], ["-m", "pasar", "--help"]),
        (["python", "-V"], ["-V"]),
    ],
)
def test_words_become_commands_in_the_environment(
    dev: ModuleType,
    commands: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    command: list[str],
) -> None:
    # What replaces the script itself cannot be tested from inside: it is noted like the rest
    monkeypatch.setattr(dev.os, "execve", lambda path, line, environment: commands.append(line))
    dev.main(["setup"])
    commands.clear()
    dev.main(arguments)
    assert commands[0] == [str(dev.environment_python()), *command]


def test_the_constraints_name_versions_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert len(lines) > 50
    assert [
        line
        for line in lines
        if not line.replace("==", "", 1).replace("_", "").replace("-", "").replace(".", "").isalnum()
        or line.count("==") != 1
    ] == []
