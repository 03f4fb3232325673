"""The page of sales at `/dashboard`: the build of `web/dashboard`, told what it has to know about this store.

The page itself holds no figures and no secret; whoever opens it has to log in. What it may load and whom it may ask is
this store alone, which its Content-Security-Policy makes sure of.
"""

import json
import re
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from core.money import CURRENCY_EXPONENTS
from core.settings import Settings

# Where the built page expects its scripts is below; `base` in web/dashboard/vite.config.js
DASHBOARD_PATH = "/dashboard"
BUILD_FOLDER = Path(__file__).resolve().parents[1] / "web" / "dist" / "dashboard"

# What web/dashboard/index.html has where the store goes
_STORE = "__STORE__"
_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")

_MISSING = """\
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Sales - not built</title>
  </head>
  <body>
    <h1>This page has not been built</h1>
    <p>Run <code>npm ci &amp;&amp; npm run build</code> in the folder <code>web</code> and start again.</p>
  </body>
</html>
"""


def dashboard_routes(settings: Settings, *, graphql_path: str, folder: Path = BUILD_FOLDER) -> list[BaseRoute]:
    """Return the page built in *folder* and its scripts; without a build, a page (404) that says how to make it.

    Args:
        settings: whose timezone and currency the page begins with.
        graphql_path: where the page asks.
        folder: the build.
    """
    index = folder / "index.html"
    if not index.is_file():
        return [Route(DASHBOARD_PATH, _show_missing)]
    html = index.read_text("utf-8").replace(_STORE, escape(json.dumps(_describe_store(settings, graphql_path))))

    async def show(request: Request) -> Response:
        return HTMLResponse(html, headers=_headers(_policy(request.headers.get("host", ""))))

    return [Route(DASHBOARD_PATH, show), Mount(f"{DASHBOARD_PATH}/assets", StaticFiles(directory=folder / "assets"))]


async def _show_missing(_: Request) -> Response:
    return HTMLResponse(_MISSING, 404, headers=_headers("default-src 'none'; frame-ancestors 'none'"))


def _describe_store(settings: Settings, graphql_path: str) -> dict[str, object]:
    return {
        "graphqlPath": graphql_path,
        "timezone": settings.timezone,
        "currency": settings.currency,
        "currencies": sorted(CURRENCY_EXPONENTS),
    }


def _headers(policy: str) -> dict[str, str]:
    return {
        "cache-control": "no-cache",
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }


def _policy(host: str) -> str:
    # Not every browser takes a WebSocket to the page's own host for 'self'
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:;"
        f" connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
