"""Chromium and the page that it opens: run where they are present, demanded in CI."""

import shutil
from pathlib import Path

from router.server.graphiql import BUILD_FOLDER
from tests.testkit.presence import do_without

# Screenshots, for whoever wants to see what a test saw
ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"


def find_chromium() -> str:
    """Return the browser; skip without one, except in CI, where it must be there."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    return path if path is not None else do_without("needs Chromium on PATH")


def require_build() -> None:
    """Skip without the build of `web/`, except in CI, where it must be there."""
    pages = (BUILD_FOLDER / "index.html", BUILD_FOLDER / "dashboard" / "index.html")
    if not all(page.is_file() for page in pages):
        do_without("needs the pages of `web`: run `npm ci && npm run build` in web")
