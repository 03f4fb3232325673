"""GraphQL types of uploads."""

from typing import Annotated, Self, TypeAlias

import strawberry

from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from schema.scalars import DateTime
from subgraphs.product.images.model import Upload


@strawberry.type(description="Where a picture is sent.")
class ImageUpload:
    id: strawberry.ID = strawberry.field(description="What `attachImage` is told, `upl_...`.")
    url: str = strawberry.field(
        description="Send the bytes there with PUT. Whoever has it may send them: keep it to yourself."
    )
    expires_at: DateTime = strawberry.field(description="Until when they are taken.")

    @classmethod
    def from_upload(cls, upload: Upload, url: str) -> Self:
        return cls(id=strawberry.ID(upload.id), url=url, expires_at=DateTime(upload.url_expires_at))


RequestImageUploadResult: TypeAlias = Annotated[
    ImageUpload | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union("RequestImageUploadResult", description="Where to send the picture, or why there is no place."),
]
