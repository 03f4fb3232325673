"""A real mongod as a child: one-node replica set, loopback only, its folder locked, gone when its parent is gone."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from core.errors import PasarError
from pasar.children import end_with_parent
from pasar.free_ports import is_free, pick_free_port
from pasar.mongod_binary import LIBCURL_REMEDY, MongodUnavailable, find_mongod, lend_libcurl

if sys.platform != "win32":
    import fcntl

__all__ = ["DataFolderLocked", "DataFolderUnusable", "EmbeddedMongod", "MongodUnavailable"]

REPLICA_SET = "rs0"
# An empty folder needs 0.4 s; one that recovers a long journal on a slow disk needs far longer
START_TIMEOUT_S = 120.0
# A stop that flushes a large cache; after it mongod is killed, and the journal has what it acknowledged
STOP_TIMEOUT_S = 30.0
# After a kill -9 of its parent, the old mongod still needs a moment before it lets go of the folder
LOCK_TIMEOUT_S = 15.0
POLL_S = 0.02
# The loader may miss a library, and another program may take the free port between our looking and mongod's binding
START_ATTEMPTS = 5
# The log is for a look at the last runs
MAX_LOG_BYTES = 10 * 1024 * 1024

_NOT_YET_INITIALIZED = 94


class DataFolderUnusable(PasarError):
    """The data folder cannot be created or written."""

    code = "DATA_FOLDER_NOT_WRITABLE"


class DataFolderLocked(PasarError):
    """Another store is running on the data folder."""

    code = "DATA_FOLDER_LOCKED"


class EmbeddedMongod:
    """A mongod of our own on *folder*, created if need be. Mutable: it owns a running program.

    Use it as a context manager, or call `start` and `stop`. Start it from the main thread: Linux ends the child when
    the thread that started it ends.

    With *is_replicated* false it keeps no oplog, which makes a load twice as fast, and has no transactions. It is then
    for one program, so others are not told where it listens; opened with an oplog again, the folder has all that was
    written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        binary: str = "",
        cache_size_gb: float | None = None,
        options: Sequence[str] = (),
        is_replicated: bool = True,
    ) -> None:
        self.folder = folder.resolve()
        self._configured_binary = binary
        self._cache_size_gb = cache_size_gb
        self._options = tuple(options)
        self._is_replicated = is_replicated
        self._child: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self._port = 0
        self._environment: dict[str, str] | None = None
        self._log = self.folder / "mongod.log"
        # Where in its log the present run begins
        self._log_start = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def uri(self) -> str:
        """Return the URI under which drivers reach it; valid once started."""
        choice = f"replicaSet={REPLICA_SET}" if self._is_replicated else "directConnection=true"
        return f"mongodb://127.0.0.1:{self._port}/?{choice}"

    @property
    def pid(self) -> int | None:
        """Return the program's id, None while none runs."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def start(self) -> None:
        """Start mongod and wait until it accepts writes.

        Raises:
            MongodUnavailable: there is no mongod, or it ended; the message has the reason.
            DataFolderUnusable: the folder cannot be written.
            DataFolderLocked: another store is running on it.
        """
        binary = find_mongod(self._configured_binary)
        self._prepare_folder()
        self._lock = _lock_folder(self.folder)
        try:
            if self._log_size() > MAX_LOG_BYTES:
                self._log.unlink()
            self._launch(binary.path)
        except BaseException:
            self.stop()
            raise

    @property
    def exit_code(self) -> int | None:
        """Return how the program ended, None while it runs or when it never did."""
        return None if self._child is None else self._child.poll()

    def relaunch(self) -> None:
        """Launch again on the same port after mongod ended by itself; follow up with `wait_until_writable`."""
        if self._child is not None:
            self._child.wait()
        self._run(find_mongod(self._configured_binary).path, self._port)

    def stop(self) -> None:
        """End mongod cleanly and unlock the folder; do nothing when it does not run."""
        child, self._child = self._child, None
        if child is not None and child.poll() is None:
            child.terminate()
            try:
                child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._lock is not None:
            (self.folder / "mongod.uri").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def _prepare_folder(self) -> None:
        try:
            (self.folder / "mongod").mkdir(parents=True, exist_ok=True)
            probe = self.folder / "mongod" / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise DataFolderUnusable(f"data folder {self.folder} cannot be written: {error.strerror}") from error

    def _launch(self, binary: Path) -> None:
        remembered = self.folder / "mongod.port"
        # The port of last time needs no change of the replica set's configuration
        port = _read_port(remembered)
        if port is None or not is_free(port):
            port = pick_free_port()
        for attempt in range(START_ATTEMPTS):
            self._run(binary, port)
            try:
                self.wait_until_writable()
                break
            except MongodUnavailable as error:
                if attempt == START_ATTEMPTS - 1:
                    raise
                if "libcurl" in str(error) and self._environment is None:
                    self._environment = lend_libcurl(self.folder / "lib")
                    if self._environment is None:
                        raise MongodUnavailable(f"{binary} lacks libcurl on this machine: {LIBCURL_REMEDY}") from error
                elif "already in use" in str(error):
                    port = pick_free_port()
                else:
                    raise
        remembered.write_text(f"{port}\n")
        if self._is_replicated:
            (self.folder / "mongod.uri").write_text(f"{self.uri}\n")
        else:
            # Of a run that was killed
            (self.folder / "mongod.uri").unlink(missing_ok=True)

    def _run(self, binary: Path, port: int) -> None:
        assert self._lock is not None
        self._port = port
        self._log_start = self._log_size()
        arguments = [
            str(binary),
            *("--dbpath", str(self.folder / "mongod")),
            *("--bind_ip", "127.0.0.1", "--port", str(port)),
            *(("--replSet", REPLICA_SET, "--oplogSize", "256") if self._is_replicated else ()),
            # mongod 6.0.5 predates the fix of the zlib compressor (CVE-2025-14847)
            *("--networkMessageCompressors", "snappy,zstd"),
            *self._journal_options(),
            *("--logpath", str(self._log), "--logappend", "--quiet"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            # A set of one has nobody to hand over to: without these a stop waits for 15 s
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
        ]
        if sys.platform != "win32":
            arguments.append("--nounixsocket")
        if self._cache_size_gb is not None:
            arguments += ["--wiredTigerCacheSizeGB", str(self._cache_size_gb)]
        if not self._is_replicated:
            arguments += ["--setParameter", f"maxIndexBuildMemoryUsageMegabytes={_index_build_mib()}"]
        arguments += self._options
        with (self.folder / "mongod.stderr").open("wb") as stderr:
            self._child = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                env=self._environment,
                # Ctrl-C in a terminal goes to the whole group; mongod must outlive the store's own stopping
                start_new_session=True,
                # The lock is on the open file: whoever holds it, parent or child, holds the folder
                pass_fds=(self._lock.fileno(),) if sys.platform != "win32" else (),
                preexec_fn=end_with_parent(),
            )

    def _journal_options(self) -> tuple[str, ...]:
        engine = "--wiredTigerEngineConfigString"
        if self._is_replicated:
            # An empty folder has 11 MiB instead of 301; a kill -9 still loses nothing
            return engine, "log=(prealloc=false,file_max=10MB)"
        # Gigabytes go through it: compressing them costs more than writing them, and so do thousands of files
        return engine, "log=(prealloc=false,file_max=100MB)", "--wiredTigerJournalCompressor", "none"

    def wait_until_writable(self) -> None:
        """Wait until mongod is a primary; raise MongodUnavailable when it ends or takes too long."""
        deadline = time.monotonic() + START_TIMEOUT_S
        with MongoClient[dict[str, Any]](
            "127.0.0.1", self._port, directConnection=True, serverSelectionTimeoutMS=500
        ) as client:
            for _ in self._until(deadline, "did not answer"):
                try:
                    if not self._is_replicated:
                        client.admin.command("ping")
                        return
                    status = client.admin.command("replSetGetStatus")
                except OperationFailure as failure:
                    if failure.code == _NOT_YET_INITIALIZED:
                        _initiate(client, self._port)
                    else:
                        # The configuration names a port that is no longer ours
                        _readdress(client, self._port)
                except PyMongoError:
                    continue
                else:
                    if status["members"][0]["name"] != f"127.0.0.1:{self._port}":
                        _readdress(client, self._port)
                    break
            for _ in self._until(deadline, "did not become primary"):
                if client.admin.command("hello")["isWritablePrimary"]:
                    break

    def _until(self, deadline: float, complaint: str) -> Iterator[None]:
        while time.monotonic() < deadline:
            assert self._child is not None
            exit_code = self._child.poll()
            if exit_code is not None:
                raise MongodUnavailable(f"mongod ended with exit code {exit_code}: {self._last_words()}")
            yield
            time.sleep(POLL_S)
        raise MongodUnavailable(f"mongod {complaint} within {START_TIMEOUT_S:.0f} s: {self._last_words()}")

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def _last_words(self) -> str:
        """Return what this run of mongod said last: the loader's complaint, or the error lines of its log."""
        spoken = (self.folder / "mongod.stderr").read_text("utf-8", "replace").strip()
        if self._log_size() <= self._log_start:
            return spoken
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode("utf-8", "replace").splitlines()
        errors = [line for line in lines if '"s":"E"' in line or '"s":"F"' in line]
        return "\n".join([*([spoken] if spoken else []), *errors[-3:]]) or f"see {self._log}"


def read_running_uri(folder: Path) -> str | None:
    """Return the URI of the mongod that another program runs on *folder*, None when none does."""
    try:
        lock = _try_lock(folder)
        if lock is not None:
            lock.close()
            return None
        return (folder / "mongod.uri").read_text("utf-8").strip() or None
    except OSError:
        return None


def _read_port(path: Path) -> int | None:
    try:
        port = int(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return port if 0 < port < 65536 else None


def _index_build_mib() -> int:
    """Return what a build of a load's indexes may take before it sorts on the disk: an eighth of what the machine has.

    Its builds run two at a time. 200 is what mongod takes itself, 2048 sorts the entries of ten million orders.
    """
    memory_mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 if sys.platform != "win32" else 0
    return max(200, min(2048, memory_mib // 8))


def _lock_folder(folder: Path) -> IO[bytes]:
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        lock = _try_lock(folder)
        if lock is not None:
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n".encode())
            lock.flush()
            return lock
        # A store that runs says where; one that is dying has lost its parent
        owner = (folder / "mongod.lock").read_text("utf-8").strip()
        if time.monotonic() > deadline or (owner.isdigit() and _is_alive(int(owner))):
            raise DataFolderLocked(
                f"data folder {folder} is in use by another store (pid {owner or 'unknown'}): stop it or choose another"
                " folder with --data"
            )
        time.sleep(POLL_S)


def _try_lock(folder: Path) -> IO[bytes] | None:
    lock = (folder / "mongod.lock").open("a+b")
    if sys.platform != "win32":
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return None
    # On Windows mongod's own lock inside its folder keeps a second one out
    return lock


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _initiate(client: MongoClient[dict[str, Any]], port: int) -> None:
    members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
    client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})


def _readdress(client: MongoClient[dict[str, Any]], port: int) -> None:
    row = client["local"]["system.replset"].find_one()
    if row is None:
        raise MongodUnavailable("the data folder's mongod has a replica set state but no configuration")
    row["members"] = [{**row["members"][0], "host": f"127.0.0.1:{port}"}]
    row["version"] += 1
    client.admin.command("replSetReconfig", row, force=True)
