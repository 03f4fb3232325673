#!/usr/bin/env python3
"""Set the project up on a machine with nothing but Python 3.11 or newer, then run it.

    python3 dev.py up [options]      start the store: http://127.0.0.1:4000/graphql
    python3 dev.py test              run all tests, in a process per core, four at most
    python3 dev.py test OPTIONS      run pytest with these options
    python3 dev.py setup             make or update the environment, nothing else
    python3 dev.py lint              ruff and mypy
    python3 dev.py python ARGS       the environment's Python
    python3 dev.py COMMAND ...       any other command of `pasar`, see `python3 dev.py --help`

The environment is in .venv. It is made on the first call and brought up to date when pyproject.toml or
constraints.txt has changed. Only the standard library is used here.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / ".pasar-stamp"
OLDEST = (3, 11)


def main(arguments: list[str]) -> int:
    """Bring the environment up to date and run what *arguments* ask for; return its exit code."""
    if sys.version_info < OLDEST:
        return fail(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {sys.version.split()[0]}")
    if not arguments:
        say((__doc__ or "").strip())
        return 2
    problem = update_environment()
    if problem:
        return fail(problem)
    python = str(environment_python())
    match arguments:
        case ["setup"]:
            return 0
        case ["test"]:
            return test(python, ["-n", "auto", "--maxprocesses", "4"])
        case ["test", *options]:
            return test(python, options)
        case ["lint"]:
            checks = [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]]
            return max(run([python, "-m", *check]) for check in checks)
        case ["python", *options]:
            return run([python, *options])
        case _:
            return run([python, "-m", "pasar", *arguments])


def update_environment() -> str:
    """Create .venv or update it when what it was made from has changed; return what went wrong, or nothing."""
    wanted = fingerprint()
    if environment_python().exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return ""
    if not environment_python().exists():
        say(f"Creating {ENVIRONMENT.name} with Python {sys.version.split()[0]} ...")
        problem = create_environment()
        if problem:
            return problem
    say("Installing what Pasar needs (the first time downloads about 150 MB, most of it MongoDB) ...")
    constraints = ROOT / "constraints.txt"
    pinned = ["-c", str(constraints)] if constraints.exists() else []
    install = [str(environment_python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.call([*install, *pinned, "-e", f"{ROOT}[embedded,dev]"], cwd=ROOT):
        return (
            "pip could not install the dependencies (its message is above). Without access to PyPI, set PIP_INDEX_URL"
            " to a mirror"
        )
    STAMP.write_text(wanted)
    return ""


def create_environment() -> str:
    """Make .venv; return what went wrong, or nothing."""
    # Debian and Ubuntu ship venv without it
    if importlib.util.find_spec("ensurepip") is None:
        # uv brings what the system's Python lacks
        make = ["uv", "venv", "--quiet", "--seed", "--python", sys.executable, str(ENVIRONMENT)]
        if shutil.which("uv") and subprocess.call(make) == 0:
            return ""
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return (
            "this Python cannot make virtual environments with pip, because ensurepip is missing. On Debian and Ubuntu:"
            f" apt-get install python{version}-venv (or install uv)"
        )
    if subprocess.call([sys.executable, "-m", "venv", str(ENVIRONMENT)]):
        return f"python -m venv could not create {ENVIRONMENT}"
    return ""


def environment_python() -> Path:
    """Return the environment's interpreter."""
    if os.name == "nt":
        return ENVIRONMENT / "Scripts" / "python.exe"
    return ENVIRONMENT / "bin" / "python"


def fingerprint() -> str:
    """Return a text that changes when the environment must."""
    digest = hashlib.sha256(f"{ROOT}:{sys.version_info[:2]}".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        file = ROOT / name
        digest.update(file.read_bytes() if file.exists() else b"-")
    return digest.hexdigest()


def test(python: str, options: list[str]) -> int:
    """Run pytest with *options* and return its exit code."""
    # The tests start hundreds of programs; without bytecode each compiles the whole store for itself
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return run([python, "-m", "pytest", *options])


def run(command: list[str]) -> int:
    """Run *command* in the project's folder and return its exit code."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    if os.name != "nt" and command[1:3] == ["-m", "pasar"]:
        # Becomes the store, so that a signal to this process reaches it
        os.execve(command[0], command, environment)
    try:
        return subprocess.call(command, cwd=ROOT, env=environment)
    except KeyboardInterrupt:
        return 130


def say(text: str) -> None:
    """Tell the user, beside the output of what is run."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def fail(problem: str) -> int:
    """Tell what went wrong and return the exit code for it."""
    say(f"error: {problem}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
