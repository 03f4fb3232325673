"""What holders of products:write do with a product's pictures."""

from typing import Annotated

import strawberry

from core.scopes import PRODUCTS_WRITE
from subgraphs.product.images.types import ImageUpload, RequestImageUploadResult
from subgraphs.product.problems import EditProductResult
from subgraphs.product.types import ProductInfo, ProductType

_WRITERS = [[PRODUCTS_WRITE]]

ProductId = Annotated[strawberry.ID, strawberry.argument(description="Id of the product.")]
ImageId = Annotated[strawberry.ID, strawberry.argument(description="Id of the picture.")]
AltText = Annotated[str, strawberry.argument(description="What it shows, for those who do not see it.")]


@strawberry.type
class ImageMutation:
    """Mutations of pictures."""

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def request_image_upload(
        self,
        info: ProductInfo,
        product_id: ProductId,
        content_type: Annotated[str, strawberry.argument(description="image/jpeg, image/png or image/webp.")],
        byte_length: Annotated[int, strawberry.argument(description="How many bytes it has; at most 15 MiB.")],
    ) -> RequestImageUploadResult:
        """Ask for a URL to which a picture of a product is sent with PUT; `attachImage` then makes it one of its."""
        upload, token = await info.context.uploads.request_upload(
            product_id, content_type, byte_length, by=info.context.identity
        )
        return ImageUpload.from_upload(upload, f"{info.context.media.upload_url}/{token}")

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def attach_image(
        self,
        info: ProductInfo,
        upload_id: Annotated[strawberry.ID, strawberry.argument(description="Id of the upload.")],
        alt_text: AltText = "",
        position: Annotated[
            int | None, strawberry.argument(description="Its place, 0 for the primary one; the last by default.")
        ] = None,
    ) -> EditProductResult:
        """Look at what was sent, and make it one of the product's pictures, within an hour of asking for the URL."""
        product = await info.context.images.attach_image(upload_id, alt_text, position, by=info.context.identity)
        return ProductType.from_product(product)

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def describe_image(
        self, info: ProductInfo, product_id: ProductId, image_id: ImageId, alt_text: AltText
    ) -> EditProductResult:
        """Say what a picture shows."""
        product = await info.context.images.describe_image(product_id, image_id, alt_text, by=info.context.identity)
        return ProductType.from_product(product)

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def order_images(
        self,
        info: ProductInfo,
        product_id: ProductId,
        image_ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description="Ids of all pictures of the product; the first is the primary one."),
        ],
    ) -> EditProductResult:
        """Put the pictures of a product into another order."""
        product = await info.context.images.order_images(product_id, image_ids, by=info.context.identity)
        return ProductType.from_product(product)

    @strawberry.federation.mutation(requires_scopes=_WRITERS)
    async def remove_image(self, info: ProductInfo, product_id: ProductId, image_id: ImageId) -> EditProductResult:
        """Take a picture away from a product."""
        product = await info.context.images.remove_image(product_id, image_id, by=info.context.identity)
        return ProductType.from_product(product)
