"""The GraphiQL page: the build of `web/` where it is present, otherwise a page that loads GraphiQL from a CDN.

The built page makes no request to any other host, which its Content-Security-Policy also forbids it to.
"""

from dataclasses import dataclass
from pathlib import Path

from router.server.origins import RawHeaders

# Where the built page expects its scripts; `base` in web/vite.config.js
ASSETS_PATH = "/_graphiql"
BUILD_FOLDER = Path(__file__).resolve().parents[2] / "web" / "dist"

_BUILT_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:;"
    " worker-src 'self' blob:; connect-src 'self' ws: wss:; frame-ancestors 'none'"
)

# Loaded once for all of GraphiQL's parts, as its own CDN example does
_SHARED_MODULES = "react,react-dom,graphql,@graphiql/toolkit,@emotion/is-prop-valid"

_CDN_PAGE = """\
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="robots" content="noindex" />
    <title>GraphiQL (from a CDN)</title>
    <style>
      html, body { height: 100%; margin: 0; }
      body { display: flex; flex-direction: column; font: 15px system-ui, sans-serif; }
      #notice { background: #fff3cd; color: #533f03; padding: 0.6rem 1rem; }
      #graphiql { flex: 1; min-height: 0; }
      #graphiql > p { padding: 1rem; }
    </style>
    <link rel="stylesheet" href="https://esm.sh/graphiql@5.4.0/dist/style.css" />
    <script type="importmap">
      {
        "imports": {
          "react": "https://esm.sh/react@19.3.1",
          "react/": "https://esm.sh/react@19.3.1/",
          "react-dom": "https://esm.sh/react-dom@19.3.1",
          "react-dom/": "https://esm.sh/react-dom@19.3.1/",
          "graphiql": "https://esm.sh/graphiql@5.4.0?standalone&external=react,react-dom,@graphiql/react,graphql",
          "graphiql/": "https://esm.sh/graphiql@5.4.0/",
          "@graphiql/react": "https://esm.sh/@graphiql/react@0.39.1?standalone&external=_EXTERNAL_",
          "@graphiql/toolkit": "https://esm.sh/@graphiql/toolkit@0.12.1?standalone&external=graphql",
          "graphql": "https://esm.sh/graphql@16.15.0",
          "@emotion/is-prop-valid": "data:text/javascript,"
        }
      }
    </script>
  </head>
  <body>
    <div id="notice" role="status">
      This page loads GraphiQL from the CDN esm.sh, because the router's own build of it is missing. To have it without
      any internet, run <code>npm ci &amp;&amp; npm run build</code> in the folder <code>web</code> and start again.
    </div>
    <div id="graphiql"><p>Loading from the CDN&hellip; if nothing happens, there is no way to it from this browser.
      The endpoint itself works: send POST requests with <code>Content-Type: application/json</code>.</p></div>
    <script type="module">
      import React from 'react';
      import ReactDOM from 'react-dom/client';
      import { GraphiQL } from 'graphiql';
      import { createGraphiQLFetcher } from '@graphiql/toolkit';
      import 'graphiql/setup-workers/esm.sh';

      const fetcher = createGraphiQLFetcher({
        url: window.location.origin + window.location.pathname,
        fetch: (input, init) => fetch(input, { ...init, credentials: 'same-origin' }),
      });
      ReactDOM.createRoot(document.getElementById('graphiql')).render(
        React.createElement(GraphiQL, { fetcher, defaultEditorToolsVisibility: 'headers' }),
      );
    </script>
  </body>
</html>
""".replace("_EXTERNAL_", _SHARED_MODULES)


@dataclass(frozen=True, slots=True)
class GraphiQLPage:
    """The page as it is sent. *assets* is the folder of its scripts, None for the CDN page."""

    html: bytes
    headers: RawHeaders
    assets: Path | None


def load_page(folder: Path = BUILD_FOLDER) -> GraphiQLPage:
    """Return the page built in *folder*, or the CDN page if there is none."""
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"cache-control", b"no-cache"),
        (b"vary", b"Accept"),
        (b"x-content-type-options", b"nosniff"),
    ]
    index = folder / "index.html"
    if not index.is_file():
        return GraphiQLPage(_CDN_PAGE.encode(), headers, None)
    return GraphiQLPage(index.read_bytes(), [*headers, (b"content-security-policy", _BUILT_POLICY.encode())], folder)
