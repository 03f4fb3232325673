"""Files in a folder and in a bucket: the same behaviour, whichever it is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import Unavailable
from core.settings import Settings
from pasar.free_ports import pick_free_port
from subgraphs.product.images.media import BucketMedia, FolderMedia, MediaAddresses, MediaStore, open_media
from tests.testkit.s3_server import BUCKET, KEY_ID, SECRET_KEY, S3Server, running_s3

KINDS = ["folder", pytest.param("bucket", marks=pytest.mark.node)]


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=KINDS)
def media(request: pytest.FixtureRequest, tmp_path: Path) -> MediaStore:
    if request.param == "folder":
        return FolderMedia(tmp_path / "made" / "on demand")
    server: S3Server = request.getfixturevalue("s3")
    return BucketMedia(BUCKET, endpoint=server.endpoint, key_id=KEY_ID, secret_key=SECRET_KEY)


async def test_what_is_put_is_there_until_it_is_deleted(media: MediaStore) -> None:
    key = "images/0a/160.webp"
    assert await media.get(key) is None
    await media.put(key, b"first", "image/webp")
    await media.put(key, b"second", "image/webp")
    await media.put("images/0a/320.webp", b"", "image/webp")
    assert (await media.get(key), await media.get("images/0a/320.webp")) == (b"second", b"")
    await media.delete([key, "images/0a/320.webp", "images/never/1.webp"])
    assert await media.get(key) is None
    assert await media.get("images/0a/320.webp") is None
    await media.delete([])
    await media.delete([key])


async def test_a_large_file_comes_back_as_it_was(media: MediaStore) -> None:
    content = bytes(range(256)) * 4096 * 12
    await media.put("incoming/upl_1", content, "application/octet-stream")
    assert await media.get("incoming/upl_1") == content
    await media.delete(["incoming/upl_1"])


def files_in(folder: Path) -> list[str]:
    """Return the paths of all files and folders in a folder."""
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*"))


async def test_a_folder_that_is_empty_is_gone(tmp_path: Path) -> None:
    media = FolderMedia(tmp_path / "media")
    assert files_in(tmp_path) == []
    await media.put("images/0a/160.webp", b"x", "image/webp")
    assert files_in(tmp_path) == ["media", "media/images", "media/images/0a", "media/images/0a/160.webp"]
    await media.delete(["images/0a/160.webp"])
    assert files_in(tmp_path) == ["media"]


async def test_a_folder_that_cannot_be_made_is_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable):
        await FolderMedia(tmp_path / "file").put("images/0a/160.webp", b"x", "image/webp")


@pytest.mark.parametrize(
    "call",
    [
        lambda media: media.put("images/0a/160.webp", b"x", "image/webp"),
        lambda media: media.get("images/0a/160.webp"),
        lambda media: media.delete(["images/0a/160.webp"]),
    ],
)
async def test_a_bucket_that_does_not_answer_is_out_of_reach(call: Callable[[MediaStore], object]) -> None:
    endpoint = f"http://127.0.0.1:{pick_free_port()}"
    media = BucketMedia(BUCKET, endpoint=endpoint, key_id=KEY_ID, secret_key=SECRET_KEY)
    with pytest.raises(Unavailable) as out_of_reach:
        await call(media)  # type: ignore[misc]
    assert SECRET_KEY not in str(out_of_reach.value)


@pytest.mark.node
async def test_a_wrong_key_is_refused_by_the_bucket(s3: S3Server) -> None:
    before = s3.keys()
    media = BucketMedia(BUCKET, endpoint=s3.endpoint, key_id="nobody", secret_key=SECRET_KEY)
    with pytest.raises(Unavailable):
        await media.put("images/0a/160.webp", b"x", "image/webp")
    assert s3.keys() == before


def test_the_settings_say_where(tmp_path: Path) -> None:
    assert isinstance(open_media(Settings(data=tmp_path)), FolderMedia)
    assert isinstance(open_media(Settings(data=tmp_path, media_folder=tmp_path / "x")), FolderMedia)
    assert isinstance(open_media(Settings(data=tmp_path, media_bucket="pictures")), BucketMedia)
    own = MediaAddresses.from_settings(Settings(public_url="https://shop.example/"))
    assert own == MediaAddresses("https://shop.example/media/uploads", "https://shop.example/media")
    both = Settings(media_url="https://media.example/", media_cdn_url="https://cdn.example")
    assert MediaAddresses.from_settings(both) == MediaAddresses("https://media.example/uploads", "https://cdn.example")
