"""Which pages of other sites may do what: CORS, cross-site request forgery, and WebSocket origins.

https://fetch.spec.whatwg.org/#http-cors-protocol
https://www.apollographql.com/docs/graphos/routing/security/csrf
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from router.config import CorsConfig
from router.errors import CrossSiteRequest

# Headers that a page can only send after a preflight, which we answer for allowed origins alone
PREFLIGHT_HEADERS = ("apollo-require-preflight", "x-apollo-operation-name", "graphql-require-preflight")

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class OriginRules:
    """Decides by a request's headers."""

    cors: CorsConfig
    csrf: Literal["auto", "strict", "off"]
    cookie_name: str
    # Empty for a router that is known by whatever name it is asked under
    own_origins: tuple[str, ...] = ()
    # Whether subgraphs are told cookies, so that any of them may be a login
    forwards_cookies: bool = False

    def allows_origin(self, origin: str) -> bool:
        """Tell whether pages of *origin* may read responses."""
        return origin in self.cors.origins or "*" in self.cors.origins

    def cors_headers(self, headers: Mapping[str, str]) -> RawHeaders:
        """Return what the browser needs to hand our response to a page of another origin; mostly nothing."""
        if not self.cors.origins:
            return []
        origin = headers.get("origin")
        if "*" in self.cors.origins:
            return [(b"access-control-allow-origin", b"*")]
        varies = [(b"vary", b"Origin")]
        if origin is None or not self.allows_origin(origin):
            return varies
        return [
            *varies,
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", b"retry-after, x-request-id"),
        ]

    def preflight_headers(self, headers: Mapping[str, str]) -> RawHeaders | None:
        """Return the answer to a preflight; None when the origin gets none."""
        origin = headers.get("origin")
        if origin is None or not self.allows_origin(origin):
            return None
        asked = headers.get("access-control-request-headers", "content-type")
        return [
            *self.cors_headers(headers),
            (b"access-control-allow-methods", b"GET, POST"),
            (b"access-control-allow-headers", asked.encode("latin-1")),
            (b"access-control-max-age", str(self.cors.max_age_s).encode()),
        ]

    def check_get(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> None:
        """Raise CrossSiteRequest for a GET request that any page could have made a visitor's browser send."""
        if self.csrf == "off" or _has_preflight_header(headers):
            return
        # Cases of "auto": a browser that says where the request comes from; one that does not, but sends our cookie;
        # anything else is no browser, or one that carries nobody's login
        site = headers.get("sec-fetch-site")
        if self.csrf == "auto":
            if site in {"same-origin", "none"}:
                return
            if site is None and self.cookie_name not in cookies:
                return
            if self._comes_from_allowed_origin(headers):
                return
        raise CrossSiteRequest(
            "this request could come from any page a browser has open: send it with the header Content-Type:"
            f" application/json or {PREFLIGHT_HEADERS[0]}: true"
        )

    def check_post(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> None:
        """Raise CrossSiteRequest for a POST request with a login's cookies that a page of another site has sent.

        No page can send JSON to another site without a preflight, which should be enough; browsers have had gaps there.
        """
        if self.csrf == "off" or not (self.cookie_name in cookies or (self.forwards_cookies and cookies)):
            return
        # Cases: the browser says that the page is ours; a browser that only names the page's origin; neither: no
        # browser, or one that is older than both headers
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site in {"same-origin", "none"} or (site is None and origin is None):
            return
        if origin is not None:
            if origin in self.cors.origins or origin in self.own_origins:
                return
            if site is None and self._is_own(origin, headers):
                return
        raise CrossSiteRequest("this request carries cookies and comes from a page of another site")

    def allows_websocket(self, headers: Mapping[str, str]) -> bool:
        """Tell whether the page that opens a WebSocket may: browsers send cookies along, and ask nobody first."""
        origin = headers.get("origin")
        if origin is None:
            return True
        return self._is_own(origin, headers) or self.allows_origin(origin)

    def believes_cookies(self, headers: Mapping[str, str]) -> bool:
        """Tell whether the cookies of a WebSocket say who is asking: `"*"` lets pages of any origin in, as nobody."""
        origin = headers.get("origin")
        if origin is None:
            return True
        return self._is_own(origin, headers) or origin in self.cors.origins

    def _is_own(self, origin: str, headers: Mapping[str, str]) -> bool:
        # Where our origins are known, a page of the same host without TLS is a page of whoever sits in between
        if self.own_origins:
            return origin in self.own_origins
        return _host_of(origin) == headers.get("host", "").lower()

    def _comes_from_allowed_origin(self, headers: Mapping[str, str]) -> bool:
        origin = headers.get("origin")
        return origin is not None and origin in self.cors.origins


def _has_preflight_header(headers: Mapping[str, str]) -> bool:
    if headers.get("content-type", "").split(";")[0].strip().lower() == "application/json":
        return True
    return any(name in headers for name in PREFLIGHT_HEADERS)


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        # `http://[`: no browser sends it, and it is no host of ours
        return "\0"
