"""Media types of GraphQL over HTTP.

https://graphql.github.io/graphql-over-http/draft/#sec-Media-Types
"""

from enum import Enum
from functools import lru_cache

from router.errors import NotAcceptable, UnsupportedMediaType


class Media(Enum):
    """What a response can be written in."""

    JSON = "application/json"
    GRAPHQL_RESPONSE = "application/graphql-response+json"
    EVENT_STREAM = "text/event-stream"
    MULTIPART = "multipart/mixed"

    @property
    def content_type(self) -> str:
        """Return the value of the `Content-Type` header."""
        return f"{self.value}; charset=utf-8"


_BY_RANGE = {
    # Clients that take anything are older than the newer media type, and get what they have always got
    "*/*": Media.JSON,
    "application/*": Media.JSON,
    **{media.value: media for media in Media if media is not Media.MULTIPART},
}


@lru_cache(maxsize=256)
def negotiate(accept: str) -> Media | None:
    """Return the media type that *accept* likes best; None when it likes none of ours.

    No `Accept` header is the same as JSON; the stream is for those who name it, in which case it comes first. Parts are
    for answers that have several, so a whole answer is one part only for those who name nothing else.
    """
    if not accept.strip():
        return Media.JSON
    for media_range in _ranges(accept):
        media = _BY_RANGE.get(media_range)
        if media is not None:
            return media
    return Media.MULTIPART if accepts_parts(accept) else None


@lru_cache(maxsize=256)
def accepts_parts(accept: str) -> bool:
    """Tell whether *accept* names answers in parts, in the format that we send.

    A client that asks for an older one by `deferSpec` gets whole answers.
    """
    return any(
        pieces[0] == Media.MULTIPART.value and not any(piece.startswith("deferspec=") for piece in pieces[1:])
        for part in accept.split(",")
        if (pieces := [piece.strip().lower() for piece in part.split(";")])
    )


@lru_cache(maxsize=256)
def prefers_html(accept: str) -> bool:
    """Tell whether a person's browser is asking: HTML is named, and before any media type of GraphQL."""
    for media_range in _ranges(accept):
        if media_range in {"text/html", "application/xhtml+xml"}:
            return True
        if media_range in _BY_RANGE and media_range != "*/*":
            return False
    return False


@lru_cache(maxsize=256)
def accepts_events(accept: str) -> bool:
    """Tell whether *accept* names the event stream, at whatever place."""
    return Media.EVENT_STREAM.value in _ranges(accept)


def require_media(accept: str) -> Media:
    """Return the media type to answer in; raise NotAcceptable when there is none."""
    media = negotiate(accept)
    if media is None:
        raise NotAcceptable(f"we answer in {', '.join(media.value for media in Media)}")
    return media


def require_json_body(content_type: str | None) -> None:
    """Raise UnsupportedMediaType unless *content_type* is JSON in UTF-8."""
    if content_type is None:
        raise UnsupportedMediaType("a POST request needs the header Content-Type: application/json")
    if not _is_json_body(content_type):
        raise UnsupportedMediaType("the body must be application/json in UTF-8")


@lru_cache(maxsize=256)
def _is_json_body(content_type: str) -> bool:
    media_type, *parameters = [part.strip().lower() for part in content_type.split(";")]
    if media_type != "application/json":
        return False
    charsets = [
        value.strip('"') for name, _, value in (part.partition("=") for part in parameters) if name == "charset"
    ]
    return all(charset in {"utf-8", "utf8"} for charset in charsets)


def _ranges(accept: str) -> list[str]:
    """Return the media ranges of an `Accept` header, best first; those with q=0 are left out."""
    found: list[tuple[float, int, str]] = []
    for position, part in enumerate(accept.split(",")):
        media_range, *parameters = [piece.strip().lower() for piece in part.split(";")]
        if not media_range:
            continue
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        if quality > 0:
            found.append((-quality, position, media_range))
    return [media_range for _, _, media_range in sorted(found)]
