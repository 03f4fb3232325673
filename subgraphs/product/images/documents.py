"""The collections of pictures and their indexes."""

from datetime import datetime
from typing import ClassVar

from beanie import Document
from pydantic import BaseModel
from pymongo import IndexModel

from subgraphs.product.images.model import UploadStatus


class StoredRendition(BaseModel):
    """A picture in one size."""

    width: int
    height: int


class ImageUploadDocument(Document):
    """A picture on its way to a product. Of the token that its URL has, only the hash is kept."""

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId; ours are texts
    product_id: str
    token_hash: str
    content_type: str
    byte_length: int
    status: UploadStatus
    created_at: datetime

    class Settings:
        """Where it is kept."""

        name = "image_uploads"
        indexes: ClassVar = [
            IndexModel("token_hash", unique=True, name="token"),
            IndexModel("product_id", name="product"),
            IndexModel("created_at", name="age"),
        ]


class PictureDocument(Document):
    """A picture whose files are kept; its id is their digest.

    *touched_at* is written by whoever is about to use it, in the transaction in which a product gets it: so no picture
    is deleted between. *is_leaving* tells that its files are being deleted; from then on nobody can have it.
    """

    id: str  # type: ignore[assignment]  # Beanie expects an ObjectId; ours are texts
    renditions: list[StoredRendition]
    touched_at: datetime
    is_leaving: bool = False

    class Settings:
        """Where it is kept."""

        name = "pictures"


IMAGE_DOCUMENTS: tuple[type[Document], ...] = (ImageUploadDocument, PictureDocument)
