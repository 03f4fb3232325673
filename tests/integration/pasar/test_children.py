"""Programs under our care."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from pasar.children import Children, Program


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a package `pasar` in front that notes its start and its orderly end, and return the notes' file."""
    notes = tmp_path / "notes"
    (tmp_path / "pasar").mkdir()
    (tmp_path / "pasar" / "__init__.py").write_text("")
    (tmp_path / "pasar" / "__main__.py").write_text(
        "import os, signal, sys\n"
        "def note(text):\n"
        f"    with open({str(notes)!r}, 'a') as file: file.write(f'{{sys.argv[1]}} {{text}} {{os.getpid()}}\\n')\n"
        "def stop(*_):\n"
        "    note('stopped'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "note('started')\n"
        "while True: signal.pause()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return notes


def _read_lines(notes: Path) -> list[str]:
    return notes.read_text().splitlines() if notes.exists() else []


async def read_notes(notes: Path, count: int) -> list[list[str]]:
    async with asyncio.timeout(60):
        while True:
            lines = _read_lines(notes)
            if len(lines) >= count:
                return [line.split() for line in lines]
            await asyncio.sleep(0.01)


async def test_programs_are_restarted_when_they_end_and_stopped_stage_by_stage(stand_in: Path) -> None:
    children = Children()
    await children.start(Program("back", ("back",), dict(os.environ), stage=1))
    await children.start(Program("front", ("front",), dict(os.environ), stage=0))
    await read_notes(stand_in, 2)
    os.kill(children.pids["back"], signal.SIGKILL)
    notes = await read_notes(stand_in, 3)
    assert notes[2][:2] == ["back", "started"]
    assert children.ended_early("back")
    assert not children.ended_early("front")
    await children.stop()
    assert [note[:2] for note in (await read_notes(stand_in, 5))[3:]] == [["front", "stopped"], ["back", "stopped"]]
    # A second stop finds nothing to do
    await children.stop()


async def test_a_program_ends_with_whoever_started_it(stand_in: Path) -> None:
    script = (
        "import asyncio, os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from pasar.children import Children, Program\n"
        "async def main():\n"
        "    await Children().start(Program('child', ('child',), dict(os.environ)))\n"
        "    await asyncio.sleep(3600)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[3]
    # The parent runs our code, its child the stand-in
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(root), cwd=stand_in.parent)
    ((_, _, child),) = await read_notes(stand_in, 1)
    ended = asyncio.Event()
    descriptor = os.pidfd_open(int(child))
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    try:
        parent.kill()
        await parent.wait()
        async with asyncio.timeout(60):
            await ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
    # Killed, for an orderly stop could wait for a database that ended at the same moment
    assert [note[:2] for note in await read_notes(stand_in, 1)] == [["child", "started"]]
