"""What `pasar doctor` finds on a machine: each check is one function that says what it saw and what to do."""

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from core.errors import PasarError
from core.settings import Settings
from pasar.database import check_mongodb
from pasar.listening import bind
from pasar.mongod import EmbeddedMongod, read_running_uri
from pasar.mongod_binary import find_mongod
from router.server.graphiql import BUILD_FOLDER

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20


class Verdict(StrEnum):
    """MISSING stops the store; LIMITED leaves a part of it out."""

    OK = "ok"
    LIMITED = "limited"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; *remedy* is empty when there is nothing to do."""

    subject: str
    verdict: Verdict
    seen: str
    remedy: str = ""


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Look at everything that the store needs or can use on this machine."""
    return (
        _examine_python(),
        _examine_data_folder(settings.data),
        _examine_mongodb(settings),
        _examine_port(settings),
        _examine_redis(settings.redis_url),
        _examine_loop(),
        _examine_page(BUILD_FOLDER),
        _examine_node(),
        _examine_browser(),
    )


def _examine_python() -> Finding:
    seen = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST_PYTHON:
        return Finding("Python", Verdict.MISSING, seen, "install Python 3.11 or newer")
    return Finding("Python", Verdict.OK, seen)


def _examine_data_folder(folder: Path) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Finding("Data folder", Verdict.MISSING, f"{folder} cannot be written", "choose another with --data")
    free_gb = shutil.disk_usage(existing).free / 1e9
    seen = f"{folder}, {free_gb:.1f} GB free"
    if free_gb < 1:
        return Finding("Data folder", Verdict.LIMITED, seen, "MongoDB stops writing when the disk is full: make room")
    return Finding("Data folder", Verdict.OK, seen)


def _examine_mongodb(settings: Settings) -> Finding:
    try:
        if settings.mongodb_uri:
            check_mongodb(settings.mongodb_uri)
            return Finding("MongoDB", Verdict.OK, "the replica set of PASAR_MONGODB_URI answers")
        binary = find_mongod(settings.mongod_bin)
        if read_running_uri(settings.data) is not None:
            return Finding("MongoDB", Verdict.OK, f"a store is running on {settings.data}")
        with TemporaryDirectory() as folder, EmbeddedMongod(Path(folder), binary=settings.mongod_bin):
            return Finding("MongoDB", Verdict.OK, f"starts from {binary.path} ({binary.source})")
    except PasarError as error:
        return Finding("MongoDB", Verdict.MISSING, error.code, error.message)


def _examine_port(settings: Settings) -> Finding:
    try:
        bind(settings.host, settings.port).close()
    except PasarError as error:
        return Finding("Port", Verdict.MISSING, error.code, error.message)
    return Finding("Port", Verdict.OK, f"{settings.port} on {settings.host} is free")


def _examine_redis(url: str) -> Finding:
    if not url:
        return Finding("Redis", Verdict.OK, "not configured: caches and jobs are in memory, for one process each")
    import redis

    where = f"{urlsplit(url).hostname}:{urlsplit(url).port or 6379}"
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        return Finding(
            "Redis",
            Verdict.MISSING,
            f"{where} does not answer ({type(error).__name__})",
            "start it, or unset PASAR_REDIS_URL",
        )
    return Finding("Redis", Verdict.OK, f"{where} answers")


def _examine_loop() -> Finding:
    try:
        import httptools
        import uvloop
    except ImportError as error:
        return Finding("HTTP server", Verdict.LIMITED, f"{error.name} is missing", "slower, otherwise the same")
    return Finding("HTTP server", Verdict.OK, f"{uvloop.__name__} and {httptools.__name__}")


def _examine_page(folder: Path) -> Finding:
    if (folder / "index.html").is_file():
        return Finding("GraphiQL", Verdict.OK, "built: works without internet")
    remedy = "a browser needs internet for the page; to build it: cd web && npm ci && npm run build"
    return Finding("GraphiQL", Verdict.LIMITED, "not built: the page loads its scripts from a CDN", remedy)


def _examine_node() -> Finding:
    node = shutil.which("node")
    if node is None:
        return Finding("Node", Verdict.OK, "absent: only needed to build web/ and for tests against other routers")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = version.removeprefix("v").split(".")[0]
    if not major.isdigit() or int(major) < OLDEST_NODE:
        return Finding("Node", Verdict.LIMITED, version, f"building web/ needs Node {OLDEST_NODE} or newer")
    return Finding("Node", Verdict.OK, version)


def _examine_browser() -> Finding:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return Finding("Chromium", Verdict.OK, found or "absent: only needed for the browser tests")
