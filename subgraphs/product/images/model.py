"""Uploads of pictures, and the order of a product's pictures: what is valid. Synchronous, no I/O, no clock.

An upload is
    WAITING    asked for; nothing has come
    RECEIVED   its bytes have come, and nobody has looked at them; they may come again, and replace the first
    ATTACHED   they were a picture, and it is one of the product's
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import BadUserInput, Conflict, NotFound
from subgraphs.product.picture_model import MAX_ALT_TEXT_LENGTH, MAX_IMAGES, ProductImage

# What is read, by content type, and what Pillow calls it. Nothing that can hold a script, and nothing that one library
# alone reads
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
# A photograph of a good camera
MAX_UPLOAD_BYTES = 15 * 1024 * 1024
# Time to send it: a slow line needs five minutes for the largest
URL_LIFE = timedelta(minutes=15)
# An upload that nobody has attached by then was given up; its row tells until then what became of it
UPLOAD_LIFE = timedelta(hours=1)


class UploadStatus(StrEnum):
    """See the module's docstring."""

    WAITING = "WAITING"
    RECEIVED = "RECEIVED"
    ATTACHED = "ATTACHED"


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture on its way to a product."""

    id: str
    product_id: str
    content_type: str
    byte_length: int
    status: UploadStatus
    created_at: datetime

    @property
    def url_expires_at(self) -> datetime:
        """Return until when bytes are taken."""
        return self.created_at + URL_LIFE

    @property
    def expires_at(self) -> datetime:
        """Return until when it can be attached."""
        return self.created_at + UPLOAD_LIFE

    @property
    def incoming_key(self) -> str:
        """Return what its bytes are kept under until they are attached."""
        return f"incoming/{self.id}"


def rendition_key(picture_id: str, width: int) -> str:
    """Return what a picture's file of one width is kept under."""
    return f"images/{picture_id}/{width}.webp"


def check_upload(content_type: str, byte_length: int) -> None:
    """Raise BadUserInput for what is no picture that can be read, or too large."""
    if content_type not in FORMATS:
        raise BadUserInput(f"a picture is one of {', '.join(sorted(FORMATS))}", field="contentType")
    if not 1 <= byte_length <= MAX_UPLOAD_BYTES:
        raise BadUserInput(f"a picture has 1 to {MAX_UPLOAD_BYTES} bytes, not {byte_length}", field="byteLength")


def check_alt_text(alt_text: str) -> None:
    """Raise BadUserInput for an alt text that is too long."""
    if len(alt_text) > MAX_ALT_TEXT_LENGTH:
        raise BadUserInput(f"an alt text has at most {MAX_ALT_TEXT_LENGTH} characters", field="altText")


def insert_image(images: Sequence[ProductImage], image: ProductImage, position: int | None) -> tuple[ProductImage, ...]:
    """Return *images* with *image* at *position*, counted from 0; at the end if that is None or beyond it.

    A picture that is there already keeps its place.

    Raises:
        BadUserInput: *position* is negative.
        Conflict: there are MAX_IMAGES.
    """
    if position is not None and position < 0:
        raise BadUserInput("a position is 0 or more", field="position")
    if image.id in {each.id for each in images}:
        return tuple(images)
    if len(images) >= MAX_IMAGES:
        raise Conflict(f"a product has at most {MAX_IMAGES} images")
    place = len(images) if position is None else position
    return (*images[:place], image, *images[place:])


def describe_image(images: Sequence[ProductImage], image_id: str, alt_text: str) -> tuple[ProductImage, ...]:
    """Return *images* with another alt text of one of them; raise NotFound if it is not among them."""
    _find(images, image_id)
    return tuple(replace(each, alt_text=alt_text) if each.id == image_id else each for each in images)


def remove_image(images: Sequence[ProductImage], image_id: str) -> tuple[ProductImage, ...]:
    """Return *images* without one of them; raise NotFound if it is not among them."""
    _find(images, image_id)
    return tuple(each for each in images if each.id != image_id)


def order_images(images: Sequence[ProductImage], image_ids: Sequence[str]) -> tuple[ProductImage, ...]:
    """Return *images* in the order of *image_ids*; raise BadUserInput unless these are all of them, each once."""
    by_id = {each.id: each for each in images}
    if len(image_ids) != len(images) or set(image_ids) != by_id.keys():
        raise BadUserInput("give the ids of all images of the product, each once", field="imageIds")
    return tuple(by_id[id_] for id_ in image_ids)


def _find(images: Sequence[ProductImage], image_id: str) -> None:
    if image_id not in {each.id for each in images}:
        raise NotFound(f"the product has no image {image_id}")
