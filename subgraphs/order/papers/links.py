"""Links to files of orders. A link is the right to read one file for some minutes, and tells nothing to who sees it.

Who may have it is decided when it is made. It is encrypted with a key of the installation, so nobody can make one up,
change one, or see whose order it leads to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from core.clock import Clock
from core.errors import PasarError
from core.sealing import CannotOpen, Sealer, open_sealer
from core.settings import Settings

# Long enough to click, too short to be found in a history or a log by somebody else
LINK_TTL = timedelta(minutes=10)
# Where the subgraph serves what links lead to
PATH = "/orders/files"
_CONTEXT = "link"


class FileKind(StrEnum):
    """What a link leads to."""

    INVOICE = "invoice"
    PACKING_SLIP = "packing-slip"
    EXPORT = "export"


class LinkUnusable(PasarError):
    """The link is none of ours, or was changed."""

    code = "NOT_FOUND"


class LinkExpired(PasarError):
    """The link was ours, and its time is over."""

    code = "GONE"


@dataclass(frozen=True, slots=True)
class SignedLink:
    """A link that works until *expires_at*."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """What a link says: the file's kind, and which one."""

    kind: FileKind
    content: Mapping[str, Any]


class FileLinks:
    """Makes and opens links of one installation."""

    def __init__(self, sealer: Sealer, clock: Clock, *, url: str) -> None:
        self._sealer = sealer
        self._clock = clock
        self._url = url.rstrip("/")

    def make(self, kind: FileKind, content: Mapping[str, Any]) -> SignedLink:
        """Return a link to the file of *kind* that *content* (JSON values) names."""
        expires_at = self._clock.now() + LINK_TTL
        said = {"kind": kind.value, "content": content, "expires_at": expires_at}
        return SignedLink(
            f"{self._url}/files/{self._sealer.seal(msgspec.json.encode(said), context=_CONTEXT)}", expires_at
        )

    def open(self, token: str) -> OpenedLink:
        """Return what the last part of a link's path says; raise LinkUnusable or LinkExpired."""
        try:
            said = msgspec.json.decode(self._sealer.open(token, context=_CONTEXT))
        except (CannotOpen, UnicodeEncodeError):
            raise LinkUnusable("this link leads nowhere") from None
        if self._clock.now() >= datetime.fromisoformat(said["expires_at"]):
            raise LinkExpired("the time of this link is over; ask for a new one")
        return OpenedLink(FileKind(said["kind"]), said["content"])


def open_links(settings: Settings, clock: Clock) -> FileLinks:
    """Return the links of an installation."""
    url = settings.order_files_url or f"{settings.base_url}/orders"
    return FileLinks(open_sealer(settings, purpose="order files"), clock, url=url)
