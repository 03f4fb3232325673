"""Tokens in cookies: out of reach of scripts, and sent by browsers to this site only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError, SimpleCookie

from core.settings import Environment, Settings
from core.subgraph import Cookie
from subgraphs.user.sessions import Tokens


@dataclass(frozen=True, slots=True)
class TokenCookies:
    """The two cookies under the names that this installation uses."""

    access_name: str
    refresh_name: str
    secure: bool

    def carry(self, tokens: Tokens, *, now: datetime) -> list[Cookie]:
        """Return the cookies that give *tokens* to a browser; each is forgotten when its token expires.

        An expired access token would be refused (401) with every request, also with the one that refreshes it.
        """
        return [
            self._cookie(self.access_name, tokens.access_token, _seconds(now, tokens.access_expires_at)),
            self._cookie(self.refresh_name, tokens.refresh_token, _seconds(now, tokens.refresh_expires_at)),
        ]

    def remove(self) -> list[Cookie]:
        """Return the cookies that make a browser forget its tokens."""
        return [self._cookie(self.access_name, "", 0), self._cookie(self.refresh_name, "", 0)]

    def read_refresh_token(self, headers: Mapping[str, str]) -> str | None:
        """Return the refresh token of a request's `cookie` header, or None."""
        jar = SimpleCookie()
        try:
            jar.load(headers.get("cookie", ""))
        except CookieError:
            return None
        morsel = jar.get(self.refresh_name)
        return morsel.value if morsel and morsel.value else None

    def _cookie(self, name: str, value: str, max_age_s: int) -> Cookie:
        return Cookie(name=name, value=value, max_age_s=max_age_s, secure=self.secure, same_site="strict")


def token_cookies(settings: Settings) -> TokenCookies:
    """Return the cookies of an installation: plain names only in development over plain HTTP.

    A browser takes a `__Host-` cookie only with Secure, Path=/ and no Domain, so that no sibling host can plant one.
    """
    secure = settings.environment is Environment.PRODUCTION or settings.base_url.startswith("https://")
    prefix = "__Host-" if secure else ""
    return TokenCookies(f"{prefix}pasar_access", f"{prefix}pasar_refresh", secure)


def _seconds(now: datetime, until: datetime) -> int:
    return max(0, int((until - now).total_seconds()))
