"""Use cases of a product's pictures: attaching what was uploaded, their order and texts, and taking them away.

A picture's files are put before a product has it, and deleted after no product has: never the other way round. Between
the two, nothing is lost by a crash: `pictures` has a row from before the first file is put until after the last one is
deleted, and the job that looks for what nobody uses goes by these rows.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from core.clock import Clock
from core.errors import Conflict, NotFound
from core.identity import Identity
from core.mongo import Client, Database, Session, in_transaction
from core.scopes import PRODUCTS_WRITE
from core.subgraph import require_scopes
from subgraphs.product import model as product_model
from subgraphs.product.categories import CategoryTree
from subgraphs.product.events import PRODUCT_EDITED
from subgraphs.product.images import model
from subgraphs.product.images.media import MediaStore
from subgraphs.product.images.model import Upload, UploadStatus, rendition_key
from subgraphs.product.images.rendering import RenderedPicture, render
from subgraphs.product.images.repository import PictureRepository
from subgraphs.product.images.uploads import Uploads
from subgraphs.product.model import Product
from subgraphs.product.picture_model import ProductImage, picture_ids
from subgraphs.product.pricing import Pricing
from subgraphs.product.recording import Recorder
from subgraphs.product.repository import CatalogueRepository

log = structlog.get_logger(__name__)

# Pages that are open, and caches behind them, go on showing a picture that was taken away
KEPT_UNUSED = timedelta(days=1)
# Pictures that are looked at together
BATCH = 500
# One at a time: a large one takes 200 MB while it is decoded, and both processors while it is made smaller
RENDERED_AT_ONCE = 1
WEBP = "image/webp"

ChangeImages = Callable[[tuple[ProductImage, ...]], tuple[ProductImage, ...]]


class ProductImages:
    """The use cases on one database and one place for files."""

    def __init__(
        self,
        client: Client,
        database: Database,
        clock: Clock,
        media: MediaStore,
        uploads: Uploads,
        *,
        catalogue: CatalogueRepository,
        categories: CategoryTree,
        pricing: Pricing,
        recorder: Recorder,
    ) -> None:
        self._client = client
        self._clock = clock
        self._media = media
        self._uploads = uploads
        self._catalogue = catalogue
        self._categories = categories
        # Products are answered with as they are at that moment
        self._show = pricing.at_present
        self._recorder = recorder
        self._pictures = PictureRepository(database)
        self._rendering = asyncio.Semaphore(RENDERED_AT_ONCE)

    async def attach_image(self, upload_id: str, alt_text: str, position: int | None, *, by: Identity) -> Product:
        """Make what was uploaded one of its product's pictures; attached again, it changes nothing.

        Raises:
            BadUserInput: it is not a picture of the type that was announced, or *alt_text* or *position* are not valid.
            NotFound: there is no such upload, or its time is over.
            Conflict: nothing was sent yet, the product is archived or deleted, or it has too many pictures.
        """
        require_scopes(by, PRODUCTS_WRITE)
        model.check_alt_text(alt_text)
        upload = await self._find_upload(upload_id)
        if upload.status is UploadStatus.ATTACHED:
            return self._show(await self._find_product(upload.product_id))
        product = await self._find_product(upload.product_id)
        product_model.check_editable(product)
        # Before any work: whether there is room, and whether the place is one
        model.insert_image(product.images, ProductImage(upload.id), position)
        content = None if upload.status is UploadStatus.WAITING else await self._media.get(upload.incoming_key)
        if content is None:
            raise Conflict("nothing was sent to the URL of this upload yet")
        rendered = await self._render(content, upload.content_type)
        await self._keep(rendered)
        image = ProductImage("", alt_text, rendered.picture)

        async def work(session: Session) -> Product:
            if not await self._uploads.repository.mark_attached(upload.id, session=session):
                raise _AttachedMeanwhile
            return await self._change_in(
                session, upload.product_id, lambda images: model.insert_image(images, image, position), by
            )

        try:
            after = await in_transaction(self._client, work)
        except _AttachedMeanwhile:
            await self._find_upload(upload_id)
            return self._show(await self._find_product(upload.product_id))
        await self._media.delete([upload.incoming_key])
        return self._show(after)

    async def describe_image(self, product_id: str, image_id: str, alt_text: str, *, by: Identity) -> Product:
        """Say what a picture shows, for those who do not see it.

        Raises:
            BadUserInput: it is too long.
            NotFound: there is no such product, or it has no such picture.
            Conflict: the product is archived or deleted.
        """
        require_scopes(by, PRODUCTS_WRITE)
        model.check_alt_text(alt_text)
        return await self._change(product_id, lambda images: model.describe_image(images, image_id, alt_text), by)

    async def order_images(self, product_id: str, image_ids: Sequence[str], *, by: Identity) -> Product:
        """Put a product's pictures into another order; the first is its primary one.

        Raises:
            BadUserInput: these are not all of its pictures, each once.
            NotFound: there is no such product.
            Conflict: the product is archived or deleted.
        """
        require_scopes(by, PRODUCTS_WRITE)
        return await self._change(product_id, lambda images: model.order_images(images, image_ids), by)

    async def remove_image(self, product_id: str, image_id: str, *, by: Identity) -> Product:
        """Take a picture away from a product; its files are deleted once no product has had it for KEPT_UNUSED.

        Raises:
            NotFound: there is no such product, or it has no such picture.
            Conflict: the product is archived or deleted.
        """
        require_scopes(by, PRODUCTS_WRITE)
        return await self._change(product_id, lambda images: model.remove_image(images, image_id), by)

    async def read_file(self, picture_id: str, width: int) -> bytes | None:
        """Return the file of a picture of one width; None if there is none."""
        return await self._media.get(rendition_key(picture_id, width))

    async def remove_unused(self, now: datetime) -> None:
        """Delete the pictures that no product has and nobody has touched for KEPT_UNUSED."""
        async for rows in self._pictures.walk(BATCH):
            old = [row for row in rows if row["is_leaving"] or row["touched_at"] < now - KEPT_UNUSED]
            used = await self._pictures.find_used([row["_id"] for row in old]) if old else set()
            for row in old:
                picture_id, touched_at = row["_id"], row["touched_at"]
                if picture_id in used or not (row["is_leaving"] or await self._take_unused(picture_id, touched_at)):
                    continue
                widths = [each["width"] for each in row["renditions"]]
                await self._media.delete([rendition_key(picture_id, width) for width in widths])
                await self._pictures.delete_picture(picture_id)
                log.info("a picture that nobody used was deleted", picture_id=picture_id)

    async def _take_unused(self, picture_id: str, touched_at: datetime) -> bool:
        async def work(session: Session) -> bool:
            if await self._pictures.find_used([picture_id], session=session):
                return False
            # Whoever gives it to a product touches it in the same transaction: one of the two is run again
            return await self._pictures.mark_leaving(picture_id, touched_at, session=session)

        return await in_transaction(self._client, work)

    async def _render(self, content: bytes, content_type: str) -> RenderedPicture:
        async with self._rendering:
            return await asyncio.to_thread(render, content, content_type)

    async def _keep(self, rendered: RenderedPicture) -> None:
        picture = rendered.picture
        if not await self._pictures.announce_picture(picture, now=self._clock.now()):
            raise Conflict("the same picture is being deleted; try again in a minute")
        await asyncio.gather(
            *(
                self._media.put(rendition_key(picture.id, rendition.width), file, WEBP)
                for rendition, file in zip(picture.renditions, rendered.files, strict=True)
            )
        )

    async def _change(self, product_id: str, change: ChangeImages, by: Identity) -> Product:
        after = await in_transaction(self._client, lambda session: self._change_in(session, product_id, change, by))
        return self._show(after)

    async def _change_in(self, session: Session, product_id: str, change: ChangeImages, by: Identity) -> Product:
        # Read here, so that two changes of one product's pictures happen one after the other
        before = await self._catalogue.find_product(product_id, session=session)
        if before is None:
            raise NotFound(f"there is no product {product_id}")
        product_model.check_editable(before)
        images, now = change(before.images), self._clock.now()
        if images == before.images:
            return before
        after = replace(before, images=images, updated_at=now, version=before.version + 1)
        category = None if after.category_id is None else await self._categories.find(after.category_id)
        if not await self._pictures.touch(picture_ids(images), now=now, session=session):
            raise Conflict("a picture is gone; upload it again")
        # Whoever changed it after our read makes the write conflict, and the whole is run again
        assert await self._catalogue.replace_product(before, after, category, session=session)
        await self._recorder.announce(PRODUCT_EDITED, product_id, now=now, session=session)
        await self._recorder.note(
            "PRODUCT_EDITED", product_id, by=by, now=now, session=session, details={"fields": "images"}
        )
        return after

    async def _find_upload(self, upload_id: str) -> Upload:
        upload = await self._uploads.repository.find_upload(upload_id)
        if upload is None or upload.expires_at <= self._clock.now():
            raise NotFound(f"there is no upload {upload_id}, or its time is over")
        return upload

    async def _find_product(self, product_id: str) -> Product:
        product = await self._catalogue.find_product(product_id)
        if product is None:
            raise NotFound(f"there is no product {product_id}")
        return product


class _AttachedMeanwhile(Exception):
    """Somebody else attached it, or it was forgotten; ends the transaction."""
