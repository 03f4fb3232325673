"""Use cases of uploads: asking for a URL, and sending a picture there.

Whoever may change products is given a URL that takes one file for one product, once, for a quarter of an hour. The URL
is the permission: it has a token of 256 random bits, of which the database has the hash.
"""

import secrets
from collections.abc import AsyncIterator
from datetime import datetime
from hashlib import sha256

from core.clock import Clock
from core.errors import BadUserInput, Conflict, NotFound
from core.identity import Identity
from core.ids import new_id
from core.mongo import Client, Database, Session, in_transaction
from core.scopes import PRODUCTS_WRITE
from core.subgraph import require_scopes
from subgraphs.product import model as product_model
from subgraphs.product.images import model
from subgraphs.product.images.media import MediaStore
from subgraphs.product.images.model import Upload, UploadStatus
from subgraphs.product.images.repository import UploadRepository
from subgraphs.product.recording import Recorder
from subgraphs.product.repository import CatalogueRepository

# As many as a product can have pictures: each may be 15 MB until an hour is over
MAX_OPEN_UPLOADS = 20
# Uploads that one run of the job removes, before it looks which come next
BATCH = 100


class TooLarge(BadUserInput):
    """More bytes came than were announced."""


class Uploads:
    """The use cases on one database and one place for files."""

    def __init__(
        self,
        client: Client,
        database: Database,
        clock: Clock,
        media: MediaStore,
        *,
        catalogue: CatalogueRepository,
        recorder: Recorder,
    ) -> None:
        self._client = client
        self._clock = clock
        self._media = media
        self._catalogue = catalogue
        self._recorder = recorder
        self.repository = UploadRepository(database)

    async def request_upload(
        self, product_id: str, content_type: str, byte_length: int, *, by: Identity
    ) -> tuple[Upload, str]:
        """Return an upload of a picture for a product, and the token that its URL has.

        Raises:
            BadUserInput: it is none of the types that are read, or too large.
            NotFound: there is no such product.
            Conflict: the product is archived or deleted, or has too many uploads already.
        """
        require_scopes(by, PRODUCTS_WRITE)
        model.check_upload(content_type, byte_length)
        now = self._clock.now()
        token = secrets.token_urlsafe(32)
        upload = Upload(new_id("upl"), product_id, content_type, byte_length, UploadStatus.WAITING, now)

        async def work(session: Session) -> None:
            product = await self._catalogue.find_product(product_id, session=session)
            if product is None:
                raise NotFound(f"there is no product {product_id}")
            product_model.check_editable(product)
            if await self.repository.count_open(product_id, session=session) >= MAX_OPEN_UPLOADS:
                raise Conflict(f"product {product_id} has {MAX_OPEN_UPLOADS} uploads that are not attached")
            await self.repository.insert_upload(upload, _hash(token), session=session)
            await self._recorder.note(
                "IMAGE_UPLOAD_REQUESTED", product_id, by=by, now=now, session=session, details={"upload": upload.id}
            )

        await in_transaction(self._client, work)
        return upload, token

    async def receive(self, token: str, chunks: AsyncIterator[bytes]) -> None:
        """Keep what is sent to the URL with *token* until it is attached. Sent again, it replaces the first.

        Raises:
            NotFound: there is no such upload, or its time is over.
            Conflict: it was attached already.
            TooLarge: more bytes came than were announced; it was not read any further.
            BadUserInput: fewer did.
        """
        upload = await self.repository.find_by_token(_hash(token))
        if upload is None or upload.url_expires_at <= self._clock.now():
            raise NotFound("there is no such upload, or its time is over")
        if upload.status is UploadStatus.ATTACHED:
            raise Conflict("this picture was attached already")
        content = bytearray()
        async for chunk in chunks:
            content += chunk
            if len(content) > upload.byte_length:
                raise TooLarge(f"{upload.byte_length} bytes were announced, and more have come")
        if len(content) < upload.byte_length:
            raise BadUserInput(f"{upload.byte_length} bytes were announced, and {len(content)} have come")
        # Nobody is told that it is a picture before somebody has looked: it is kept as bytes
        await self._media.put(upload.incoming_key, bytes(content), "application/octet-stream")
        if not await self.repository.mark_received(upload.id):
            await self._media.delete([upload.incoming_key])
            raise Conflict("this picture was attached already, or given up")

    async def remove_expired(self, now: datetime) -> None:
        """Forget uploads whose time is over, with what was sent."""
        while expired := await self.repository.find_expired(now, limit=BATCH):
            await self._media.delete([upload.incoming_key for upload in expired])
            for upload in expired:
                await self.repository.delete_upload(upload.id)


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
