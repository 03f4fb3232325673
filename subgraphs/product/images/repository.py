"""The only queries of uploads and pictures."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from core.mongo import Database, DuplicateKeyError, Row, Session
from subgraphs.product.images.model import UPLOAD_LIFE, Upload, UploadStatus
from subgraphs.product.picture_model import Picture, Rendition

UPLOADS = "image_uploads"
PICTURES = "pictures"
PRODUCTS = "products"


class UploadRepository:
    """The uploads of one database."""

    def __init__(self, database: Database) -> None:
        self._uploads = database[UPLOADS]

    async def count_open(self, product_id: str, *, session: Session) -> int:
        """Return how many uploads of a product there are that nobody has attached."""
        query = {"product_id": product_id, "status": {"$ne": UploadStatus.ATTACHED}}
        return await self._uploads.count_documents(query, session=session)

    async def insert_upload(self, upload: Upload, token_hash: str, *, session: Session) -> None:
        """Add an upload."""
        row: Row = {
            "_id": upload.id,
            "product_id": upload.product_id,
            "token_hash": token_hash,
            "content_type": upload.content_type,
            "byte_length": upload.byte_length,
            "status": upload.status.value,
            "created_at": upload.created_at,
        }
        await self._uploads.insert_one(row, session=session)

    async def find_upload(self, id_: str) -> Upload | None:
        """Return an upload."""
        row = await self._uploads.find_one({"_id": id_})
        return None if row is None else _upload_from(row)

    async def find_by_token(self, token_hash: str) -> Upload | None:
        """Return the upload whose URL has the token of this hash."""
        row = await self._uploads.find_one({"token_hash": token_hash})
        return None if row is None else _upload_from(row)

    async def mark_received(self, id_: str) -> bool:
        """Note that bytes have come; return False if the upload is attached, or gone."""
        result = await self._uploads.update_one(
            {"_id": id_, "status": {"$ne": UploadStatus.ATTACHED}}, {"$set": {"status": UploadStatus.RECEIVED.value}}
        )
        return result.matched_count == 1

    async def mark_attached(self, id_: str, *, session: Session) -> bool:
        """Move a RECEIVED upload to ATTACHED; return False if it was not RECEIVED."""
        result = await self._uploads.update_one(
            {"_id": id_, "status": UploadStatus.RECEIVED.value},
            {"$set": {"status": UploadStatus.ATTACHED.value}},
            session=session,
        )
        return result.matched_count == 1

    async def find_expired(self, now: datetime, *, limit: int) -> list[Upload]:
        """Return uploads whose time is over, the oldest first."""
        rows = self._uploads.find({"created_at": {"$lt": now - UPLOAD_LIFE}}).sort("created_at", 1).limit(limit)
        return [_upload_from(row) async for row in rows]

    async def delete_upload(self, id_: str) -> None:
        """Delete an upload."""
        await self._uploads.delete_one({"_id": id_})


class PictureRepository:
    """The pictures of one database, and which products have them."""

    def __init__(self, database: Database) -> None:
        self._pictures = database[PICTURES]
        self._products = database[PRODUCTS]

    async def find_pictures(self, ids: Sequence[str]) -> dict[str, Picture]:
        """Return the pictures with these ids that somebody can have, by id."""
        rows = self._pictures.find({"_id": {"$in": list(ids)}, "is_leaving": False})
        return {row["_id"]: picture_from_row(row) async for row in rows}

    async def announce_picture(self, picture: Picture, *, now: datetime) -> bool:
        """Note that files of *picture* are about to be put; return False while they are being deleted."""
        renditions = [{"width": each.width, "height": each.height} for each in picture.renditions]
        try:
            await self._pictures.update_one(
                {"_id": picture.id, "is_leaving": False},
                {"$set": {"touched_at": now}, "$setOnInsert": {"renditions": renditions}},
                upsert=True,
            )
        except DuplicateKeyError:
            return False
        return True

    async def touch(self, ids: Sequence[str], *, now: datetime, session: Session) -> bool:
        """Keep pictures for the product that gets them in this transaction; return False if one is gone."""
        if not ids:
            return True
        result = await self._pictures.update_many(
            {"_id": {"$in": list(ids)}, "is_leaving": False}, {"$set": {"touched_at": now}}, session=session
        )
        return result.matched_count == len(ids)

    async def walk(self, batch: int) -> AsyncIterator[list[Row]]:
        """Yield the rows of all pictures, by id, *batch* at a time."""
        last = ""
        while rows := await self._pictures.find({"_id": {"$gt": last}}).sort("_id", 1).limit(batch).to_list():
            yield rows
            last = rows[-1]["_id"]

    async def find_used(self, ids: Sequence[str], *, session: Session | None = None) -> set[str]:
        """Return which of these pictures a product has, in any state."""
        query = {"images.picture_id": {"$in": list(ids)}}
        rows = self._products.find(query, {"images.picture_id": 1}, session=session)
        return {image["picture_id"] async for row in rows for image in row["images"] if image["picture_id"] in ids}

    async def mark_leaving(self, id_: str, touched_at: datetime, *, session: Session) -> bool:
        """Take a picture that nobody has touched since; return False if somebody has."""
        result = await self._pictures.update_one(
            {"_id": id_, "touched_at": touched_at, "is_leaving": False},
            {"$set": {"is_leaving": True}},
            session=session,
        )
        return result.matched_count == 1

    async def delete_picture(self, id_: str) -> None:
        """Delete the row of a picture whose files are gone."""
        await self._pictures.delete_one({"_id": id_, "is_leaving": True})


def picture_from_row(row: Row) -> Picture:
    """Read a row of `pictures`."""
    return Picture(row["_id"], tuple(Rendition(each["width"], each["height"]) for each in row["renditions"]))


def _upload_from(row: Row) -> Upload:
    return Upload(
        id=row["_id"],
        product_id=row["product_id"],
        content_type=row["content_type"],
        byte_length=row["byte_length"],
        status=UploadStatus(row["status"]),
        created_at=row["created_at"],
    )
