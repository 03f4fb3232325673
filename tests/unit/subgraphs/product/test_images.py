"""A product's pictures: their order, and what can be said of them."""

from datetime import UTC, datetime

import pytest

from core.errors import BadUserInput, Conflict, NotFound
from subgraphs.product.images import model
from subgraphs.product.images.model import MAX_UPLOAD_BYTES, Upload, UploadStatus
from subgraphs.product.picture_model import (
    MAX_IMAGES,
    Picture,
    ProductImage,
    Rendition,
    file_address,
    picture_id_in,
    picture_ids,
)

MEDIA = "https://shop.example/media"
PICTURE = Picture("0a" * 32, (Rendition(160, 80), Rendition(200, 100)))
KEPT = ProductImage("", "A cup", PICTURE)
FIRST, SECOND = ProductImage("https://a.example/1.jpg"), ProductImage("https://a.example/2.jpg")


def test_a_picture_of_the_store_has_an_address_that_says_which() -> None:
    address = f"{MEDIA}/{'0a' * 32}/200.webp"
    assert KEPT.address(MEDIA) == address
    assert picture_id_in(address, MEDIA) == PICTURE.id
    assert picture_id_in(file_address(MEDIA, "0a" * 32, 160), MEDIA) == "0a" * 32
    assert FIRST.address(MEDIA) == "https://a.example/1.jpg"


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/1.jpg",
        f"https://other.example/media/{'0a' * 32}/200.webp",
        f"{MEDIA}/{'0a' * 32}/200.webp?x",
        f"{MEDIA}/{'0A' * 32}/200.webp",
        f"{MEDIA}/{'0a' * 32}/0.webp",
        f"{MEDIA}/uploads/{'0a' * 32}",
        f"{MEDIA}/../{'0a' * 32}/200.webp",
        MEDIA,
    ],
)
def test_any_other_url_is_of_no_picture_of_the_store(url: str) -> None:
    assert picture_id_in(url, MEDIA) is None


def test_each_picture_has_an_id_that_follows_from_what_it_is() -> None:
    assert len({KEPT.id, FIRST.id, SECOND.id}) == 3
    assert ProductImage(FIRST.url, "said differently").id == FIRST.id
    assert picture_ids((FIRST, KEPT, SECOND, KEPT)) == ["0a" * 32]


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (None, (FIRST, SECOND, KEPT)),
        (0, (KEPT, FIRST, SECOND)),
        (1, (FIRST, KEPT, SECOND)),
        (9, (FIRST, SECOND, KEPT)),
    ],
)
def test_a_picture_is_put_where_it_is_wanted(position: int | None, expected: tuple[ProductImage, ...]) -> None:
    assert model.insert_image((FIRST, SECOND), KEPT, position) == expected


def test_a_picture_that_is_there_keeps_its_place() -> None:
    assert model.insert_image((KEPT, FIRST), KEPT, 1) == (KEPT, FIRST)


def test_there_is_room_for_twenty() -> None:
    images = tuple(ProductImage(f"https://a.example/{number}.jpg") for number in range(MAX_IMAGES))
    with pytest.raises(Conflict, match="at most 20 images"):
        model.insert_image(images, KEPT, None)
    with pytest.raises(BadUserInput):
        model.insert_image((), KEPT, -1)


def test_pictures_are_ordered_by_naming_all_of_them() -> None:
    images = (FIRST, SECOND, KEPT)
    assert model.order_images(images, [KEPT.id, FIRST.id, SECOND.id]) == (KEPT, FIRST, SECOND)
    for wrong in ([], [KEPT.id, FIRST.id], [KEPT.id, FIRST.id, FIRST.id], [KEPT.id, FIRST.id, "img_other"]):
        with pytest.raises(BadUserInput, match="each once"):
            model.order_images(images, wrong)


def test_one_of_them_is_described_or_taken_away() -> None:
    described = model.describe_image((FIRST, KEPT), KEPT.id, "Another cup")
    assert [each.alt_text for each in described] == ["", "Another cup"]
    assert model.remove_image((FIRST, KEPT), FIRST.id) == (KEPT,)
    with pytest.raises(NotFound):
        model.describe_image((FIRST,), KEPT.id, "")
    with pytest.raises(NotFound):
        model.remove_image((FIRST,), KEPT.id)


@pytest.mark.parametrize(
    ("content_type", "byte_length", "field"),
    [
        ("image/svg+xml", 10, "contentType"),
        ("image/gif", 10, "contentType"),
        ("text/html", 10, "contentType"),
        ("image/jpeg; charset=utf-8", 10, "contentType"),
        ("", 10, "contentType"),
        ("image/png", 0, "byteLength"),
        ("image/png", -1, "byteLength"),
        ("image/png", MAX_UPLOAD_BYTES + 1, "byteLength"),
    ],
)
def test_what_is_no_picture_or_too_large_has_no_place(content_type: str, byte_length: int, field: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        model.check_upload(content_type, byte_length)
    assert refused.value.field == field
    model.check_upload("image/png", MAX_UPLOAD_BYTES)


def test_an_upload_has_a_quarter_of_an_hour_to_be_sent_and_an_hour_to_be_attached() -> None:
    asked_at = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
    upload = Upload("upl_1", "prd_1", "image/png", 10, UploadStatus.WAITING, asked_at)
    assert upload.url_expires_at == datetime(2026, 11, 1, 9, 15, tzinfo=UTC)
    assert upload.expires_at == datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
