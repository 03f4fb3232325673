"""Devices that have logged in before, recognised by a signed token, as in OWASP's device cookies.

https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies

The token says "whoever holds me has once logged in to this account", and nothing else: it is no credential. It gives
its holder a counter of failed logins of their own, so that strangers who guess at the account do not slow its owner
down.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookies import CookieError, SimpleCookie

from core.settings import Environment, Settings
from core.subgraph import Cookie
from core.tokens import MIN_SECRET_BYTES

# A device that was not used for half a year is a stranger again
DEVICE_TTL = timedelta(days=180)

_TOKEN = re.compile(r"([0-9a-f]{32})\.([0-9]{1,12})\.([0-9a-f]{64})")


class SubjectKeys:
    """Names subjects, such as e-mail addresses, by keyed hashes: what is stored of them tells nobody who they are."""

    def __init__(self, secret: bytes) -> None:
        # A secret that was forgotten is empty, and with an empty one everybody can sign
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"the internal secret needs at least {MIN_SECRET_BYTES} bytes")
        self._secret = secret

    def digest(self, purpose: str, *parts: str) -> str:
        """Return 64 hexadecimal digits for *parts*, different for every *purpose*."""
        # The length before each part: ("a", "bc") and ("ab", "c") are two things
        text = "".join(f"{len(part)}:{part}" for part in (purpose, *parts))
        return hmac.new(self._secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Devices:
    """Issues device tokens and recognises them."""

    keys: SubjectKeys

    def issue(self, subject: str, *, now: datetime, known: str | None = None) -> str:
        """Return a token for the device that has just logged in to *subject*; *known* is what `recognise` returned.

        A known device keeps its identifier, and with it its counter.
        """
        device_id = known or secrets.token_hex(16)
        expires = str(int((now + DEVICE_TTL).timestamp()))
        return f"{device_id}.{expires}.{self.keys.digest('device', subject, device_id, expires)}"

    def recognise(self, token: str | None, subject: str, *, now: datetime) -> str | None:
        """Return the identifier of the device if *token* is one of ours, for *subject*, and not too old."""
        match = _TOKEN.fullmatch(token or "")
        if match is None:
            return None
        device_id, expires, signature = match.groups()
        expected = self.keys.digest("device", subject, device_id, expires)
        if not hmac.compare_digest(signature, expected) or datetime.fromtimestamp(int(expires), UTC) <= now:
            return None
        return device_id


@dataclass(frozen=True, slots=True)
class DeviceCookie:
    """The cookie that carries a device token. A logout leaves it: the device has still logged in before."""

    name: str
    secure: bool

    def carry(self, token: str) -> Cookie:
        """Return the cookie that gives *token* to a browser."""
        return Cookie(self.name, token, int(DEVICE_TTL.total_seconds()), secure=self.secure, same_site="strict")

    def read(self, headers: Mapping[str, str]) -> str | None:
        """Return the token of a request's `cookie` header, or None."""
        jar = SimpleCookie()
        try:
            jar.load(headers.get("cookie", ""))
        except CookieError:
            return None
        morsel = jar.get(self.name)
        return morsel.value if morsel and morsel.value else None


def device_cookie(settings: Settings) -> DeviceCookie:
    """Return the cookie of an installation; its name begins as those of `token_cookies` do."""
    secure = settings.environment is Environment.PRODUCTION or settings.base_url.startswith("https://")
    return DeviceCookie(f"{'__Host-' if secure else ''}pasar_device", secure)
