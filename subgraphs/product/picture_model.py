"""Pictures of products: those that the store keeps, in several widths, and those that are elsewhere. No I/O."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

MAX_IMAGES = 20
MAX_URL_LENGTH = 2000
MAX_ALT_TEXT_LENGTH = 500
# The end of the address of a picture that the store keeps
_FILE = re.compile(r"/([0-9a-f]{64})/([1-9][0-9]{0,4})\.webp")


@dataclass(frozen=True, slots=True)
class Rendition:
    """A picture in one size, in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that the store keeps. *id* is the digest of its files, one for each of *renditions*, narrowest first.

    So nothing about what an address leads to ever changes.
    """

    id: str
    renditions: tuple[Rendition, ...]

    @property
    def full(self) -> Rendition:
        """Return the largest size."""
        return self.renditions[-1]


@dataclass(frozen=True, slots=True)
class ProductImage:
    """A picture of a product: at *url*, or *picture*, which the store keeps. *alt_text* says what it shows."""

    url: str
    alt_text: str = ""
    picture: Picture | None = None

    @property
    def id(self) -> str:
        """Return what it is called among a product's pictures, of which no two are the same."""
        source = self.url if self.picture is None else self.picture.id
        return f"img_{sha256(source.encode()).hexdigest()[:24]}"

    def address(self, media_url: str) -> str:
        """Return where it is; *media_url* is where the pictures are that the store keeps."""
        return self.url if self.picture is None else file_address(media_url, self.picture.id, self.picture.full.width)


def file_address(media_url: str, picture_id: str, width: int) -> str:
    """Return where a picture of the store is in one width."""
    return f"{media_url}/{picture_id}/{width}.webp"


def picture_id_in(url: str, media_url: str) -> str | None:
    """Return of which of the store's pictures *url* is the address; None for any other URL."""
    if not url.startswith(media_url):
        return None
    match = _FILE.fullmatch(url.removeprefix(media_url))
    return match[1] if match else None


def picture_ids(images: Sequence[ProductImage]) -> list[str]:
    """Return the pictures of the store among *images*, each once, sorted."""
    return sorted({image.picture.id for image in images if image.picture is not None})
