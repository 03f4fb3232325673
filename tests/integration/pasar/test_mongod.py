"""The embedded mongod, started for real."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from pasar.free_ports import pick_free_port
from pasar.mongod import (
    DataFolderLocked,
    DataFolderUnusable,
    EmbeddedMongod,
    MongodUnavailable,
    read_running_uri,
)
from pasar.mongod_binary import find_mongod


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    # An orphan that nobody has asked about yet is a zombie: it has ended
    return state != "Z"


def connect_to(mongod: EmbeddedMongod) -> MongoClient[dict[str, Any]]:
    return MongoClient(mongod.uri, w="majority", serverSelectionTimeoutMS=10_000)


def test_it_is_a_replica_set_that_accepts_transactions_and_stops_cleanly(tmp_path: Path) -> None:
    with EmbeddedMongod(tmp_path) as mongod:
        pid = mongod.pid
        assert pid is not None
        with connect_to(mongod) as client, client.start_session() as session, session.start_transaction():
            client["shop"]["orders"].insert_one({"_id": 1}, session=session)
    assert mongod.pid is None
    assert not is_running(pid)
    assert not (tmp_path / "mongod.uri").exists()


def test_it_listens_on_loopback_only_and_speaks_no_zlib(tmp_path: Path) -> None:
    with EmbeddedMongod(tmp_path) as mongod, connect_to(mongod) as client:
        options = client.admin.command("getCmdLineOpts")["parsed"]["net"]
    assert options["bindIp"] == "127.0.0.1"
    assert options["compression"] == {"compressors": "snappy,zstd"}


def test_an_empty_folder_stays_small(tmp_path: Path) -> None:
    with EmbeddedMongod(tmp_path):
        size_bytes = sum(file.stat().st_size for file in (tmp_path / "mongod").rglob("*") if file.is_file())
    assert size_bytes < 40_000_000


def test_reopened_on_another_port_it_is_writable_and_has_its_rows(tmp_path: Path) -> None:
    with EmbeddedMongod(tmp_path) as first, connect_to(first) as client:
        client["shop"]["orders"].insert_one({"_id": 1})
    first_uri = first.uri
    (tmp_path / "mongod.port").write_text(f"{pick_free_port()}\n")
    with EmbeddedMongod(tmp_path) as second, connect_to(second) as client:
        assert second.uri != first_uri
        client["shop"]["orders"].insert_one({"_id": 2})
        assert [row["_id"] for row in client["shop"]["orders"].find().sort("_id")] == [1, 2]


def test_a_port_that_is_taken_is_replaced(tmp_path: Path) -> None:
    with EmbeddedMongod(tmp_path / "a") as first:
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "mongod.port").write_text((tmp_path / "a" / "mongod.port").read_text())
        with EmbeddedMongod(tmp_path / "b") as second, connect_to(second) as client:
            assert second.uri != first.uri
            client["shop"]["orders"].insert_one({"_id": 1})


def test_after_kill_9_every_acknowledged_write_is_there(tmp_path: Path) -> None:
    with EmbeddedMongod(tmp_path) as mongod:
        with connect_to(mongod) as client:
            for number in range(200):
                client["shop"]["orders"].insert_one({"_id": number})
            pid = mongod.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
        uri = mongod.uri
        mongod.relaunch()
        mongod.wait_until_writable()
        assert mongod.uri == uri
        with connect_to(mongod) as client:
            assert client["shop"]["orders"].count_documents({}) == 200


def test_a_second_store_on_the_same_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with EmbeddedMongod(tmp_path) as first:
        with pytest.raises(DataFolderLocked, match=f"in use by another store \\(pid {os.getpid()}\\)"):
            EmbeddedMongod(tmp_path).start()
        with connect_to(first) as client:
            client["shop"]["orders"].insert_one({"_id": 1})


def test_a_command_beside_a_running_store_finds_its_mongod(tmp_path: Path) -> None:
    assert read_running_uri(tmp_path) is None
    with EmbeddedMongod(tmp_path) as mongod:
        assert read_running_uri(tmp_path) == mongod.uri
    assert read_running_uri(tmp_path) is None


def test_when_its_parent_is_killed_it_ends_and_frees_the_folder(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from pasar.mongod import EmbeddedMongod\n"
        "mongod = EmbeddedMongod(Path(sys.argv[1])); mongod.start(); print(mongod.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    # Waits for the old one to let go of the folder
    with EmbeddedMongod(tmp_path) as mongod:
        assert mongod.pid not in (None, pid)
        assert not is_running(pid)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderUnusable, match=r"data folder .*file/data cannot be written: Not a directory"):
        EmbeddedMongod(tmp_path / "file" / "data").start()


def test_a_mongod_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    broken = write_script(tmp_path / "broken", "echo 'no space left' >&2; exit 3")
    with pytest.raises(MongodUnavailable, match="mongod ended with exit code 3: no space left"):
        EmbeddedMongod(tmp_path / "data", binary=str(broken)).start()
    # The folder is free again
    with EmbeddedMongod(tmp_path / "data"):
        pass


def test_errors_of_an_earlier_run_are_not_taken_for_this_ones(tmp_path: Path) -> None:
    runs, data = tmp_path / "runs", tmp_path / "data"
    data.mkdir()
    (data / "mongod.log").write_text('{"s":"E","msg":"Address already in use"}\n')
    broken = write_script(tmp_path / "broken", f"echo run >> {runs}; exit 3")
    with pytest.raises(MongodUnavailable, match=r"mongod ended with exit code 3: $"):
        EmbeddedMongod(data, binary=str(broken)).start()
    assert runs.read_text() == "run\n"


def test_where_libcurl_is_missing_the_one_of_pycurl_is_lent(tmp_path: Path) -> None:
    real = find_mongod().path
    # Fails as the loader does on a machine without libcurl, until ours is on the loader's path
    loader = write_script(
        tmp_path / "mongod",
        'for folder in $(echo "$LD_LIBRARY_PATH" | tr : " "); do\n'
        f'  if [ -e "$folder/libcurl.so.4" ]; then exec {real} "$@"; fi\n'
        "done\n"
        "echo 'mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file' >&2\n"
        "exit 127",
    )
    with EmbeddedMongod(tmp_path / "data", binary=str(loader)) as mongod, connect_to(mongod) as client:
        client["shop"]["orders"].insert_one({"_id": 1})
        assert mongod.pid is not None
        maps = Path(f"/proc/{mongod.pid}/maps").read_text()
    assert "pycurl.libs/libcurl-" in maps


def write_script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
