"""Cookies that a trusted subgraph asks the router to set, for example at login.

A subgraph's response carries them as `extensions: {"pasar": {"setCookies": [{"name": ..., "value": ..., ...}]}}`, with
the fields of SetCookie. Only those of the subgraphs that configuration trusts become `Set-Cookie` headers.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec
import structlog

from router.transports.base import RequestContext, SubgraphRequest, SubgraphResponse, SubgraphTransport

log = structlog.get_logger(__name__)


class SetCookie(msgspec.Struct, frozen=True, kw_only=True):
    """A cookie to set; a *max_age_s* of 0 removes it, None ends it with the browser session."""

    name: str
    value: str
    max_age_s: int | None = None
    path: str = "/"
    http_only: bool = True
    secure: bool = True
    same_site: Literal["lax", "strict", "none"] = "lax"

    def to_header(self) -> str:
        """Return the value of the `Set-Cookie` header."""
        parts = [f"{self.name}={self.value}", f"Path={self.path}", f"SameSite={self.same_site.capitalize()}"]
        if self.max_age_s is not None:
            parts.append(f"Max-Age={self.max_age_s}")
        if self.http_only:
            parts.append("HttpOnly")
        if self.secure:
            parts.append("Secure")
        return "; ".join(parts)


def forget_cookie(name: str) -> SetCookie:
    """Return what makes a browser forget the cookie *name*."""
    # Browsers take names with these prefixes from nobody but a Secure cookie; plain HTTP in development has none
    return SetCookie(name=name, value="", max_age_s=0, secure=name.startswith(("__Host-", "__Secure-")))


# RFC 6265, section 4.1.1: what would break the header
_FORBIDDEN_IN_NAME = frozenset(' \t"(),/:;<=>?@[\\]{}')
_FORBIDDEN_IN_VALUE = frozenset(' \t",;\\')


def _is_safe(cookie: SetCookie) -> bool:
    texts = ((cookie.name, _FORBIDDEN_IN_NAME), (cookie.value, _FORBIDDEN_IN_VALUE), (cookie.path, frozenset(";")))
    return bool(cookie.name) and all(
        text.isascii() and text.isprintable() and not forbidden & set(text) for text, forbidden in texts
    )


@dataclass(frozen=True, slots=True)
class RouterContext(RequestContext):
    """The context of one client request, with the cookies collected on the way. Mutable in *set_cookies*.

    *cookie_header* is the client's `Cookie`; it is not among the forwarded headers, because it may hold a refresh token
    that only the issuer has to see. *client_address* is told to nobody else, either: it is a person's. *exposes_plan*
    tells whether the answer carries its plan.
    """

    set_cookies: list[SetCookie] = field(default_factory=list)
    cookie_header: str = ""
    client_address: str = ""
    exposes_plan: bool = False


#: Where the client's address is told to the subgraph that knows about sessions.
CLIENT_ADDRESS_HEADER = "x-pasar-client-address"


class CookieTransport:
    """A transport whose subgraph sees the client's cookies and may set some; mutations see the client's address, too.

    Those that a response sets are moved into the request's context.
    """

    def __init__(self, subgraph: str, inner: SubgraphTransport) -> None:
        self._subgraph = subgraph
        self._inner = inner

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        """Send *request* by the transport inside and keep the cookies of the answer."""
        response = await self._inner.send(request, _with_client(context, tells_address=request.is_mutation))
        own = response.extensions.pop("pasar", None) if response.extensions else None
        if isinstance(own, Mapping) and isinstance(context, RouterContext):
            context.set_cookies.extend(self._read_cookies(own.get("setCookies", ())))
        return response

    def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncIterator[SubgraphResponse]:
        """Open the subscription of the transport inside; events set no cookies, their headers are long sent."""
        return self._inner.subscribe(request, _with_client(context, tells_address=False))

    async def aclose(self) -> None:
        """Close the transport inside."""
        await self._inner.aclose()

    def _read_cookies(self, given: Any) -> list[SetCookie]:
        try:
            cookies = msgspec.convert(given, list[SetCookie])
        except msgspec.ValidationError as error:
            log.error("cookies are malformed", subgraph=self._subgraph, error=str(error))
            return []
        for cookie in cookies:
            if not _is_safe(cookie):
                log.error(
                    "a cookie has characters that a header cannot carry", subgraph=self._subgraph, cookie=cookie.name
                )
        return [cookie for cookie in cookies if _is_safe(cookie)]


def _with_client(context: RequestContext, *, tells_address: bool) -> RequestContext:
    if not isinstance(context, RouterContext):
        return context
    headers = dict(context.headers)
    if context.cookie_header:
        headers["cookie"] = context.cookie_header
    # Queries do without: two clients that ask the same share a request, and an address would tell them apart
    if tells_address and context.client_address:
        headers[CLIENT_ADDRESS_HEADER] = context.client_address
    return context if headers == context.headers else replace(context, headers=headers)


def collect_cookies(
    transports: Mapping[str, SubgraphTransport], trusted: Collection[str]
) -> dict[str, SubgraphTransport]:
    """Return *transports*, where the *trusted* ones see the client's cookies and may set some."""
    return {
        name: CookieTransport(name, transport) if name in trusted else transport
        for name, transport in transports.items()
    }
