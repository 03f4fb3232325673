"""Pictures of products from the wish to upload one to the day on which nobody shows it any more."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette

from core.audit import PRIVILEGED_ACTION
from core.errors import Unavailable
from core.identity import ANONYMOUS, Identity
from core.mongo import Client
from core.settings import Settings
from subgraphs.product import app
from subgraphs.product.images import service as images_service
from subgraphs.product.images import uploads as uploads_module
from subgraphs.product.images.media import BucketMedia, FolderMedia
from tests.integration.product.conftest import Catalogue
from tests.testkit.asgi_server import running_asgi
from tests.testkit.callers import CUSTOMER, ORDER_SERVICE, STAFF
from tests.testkit.clock import FixedClock
from tests.testkit.commands import CommandLog
from tests.testkit.pictures import is_red, opened, picture
from tests.testkit.s3_server import BUCKET, KEY_ID, SECRET_KEY, running_s3
from tests.testkit.store import build_runtime

REQUEST = """mutation($id: ID!, $type: String!, $length: Int!) {
  requestImageUpload(productId: $id, contentType: $type, byteLength: $length) {
    __typename ... on ImageUpload { id url expiresAt }
    ... on Problem { code message } ... on InvalidInputProblem { field } } }"""
ATTACH = """mutation($id: ID!, $alt: String!, $at: Int) {
  attachImage(uploadId: $id, altText: $alt, position: $at) {
    __typename ... on Product { id images { id url altText width height sizes { url width height } } }
    ... on Problem { code message } ... on InvalidInputProblem { field } } }"""
DESCRIBE = """mutation($product: ID!, $image: ID!, $alt: String!) {
  describeImage(productId: $product, imageId: $image, altText: $alt) {
    __typename ... on Product { images { altText } } ... on Problem { code } } }"""
ORDER = """mutation($product: ID!, $images: [ID!]!) {
  orderImages(productId: $product, imageIds: $images) {
    __typename ... on Product { primaryImage { id } images { id } } ... on Problem { code } } }"""
REMOVE = """mutation($product: ID!, $image: ID!) {
  removeImage(productId: $product, imageId: $image) {
    __typename ... on Product { primaryImage { id } images { id } } ... on Problem { code } } }"""
IMAGES = "query($id: ID!) { product(id: $id) { primaryImage { url } images { id url altText } } }"

JPEG = picture((700, 350), with_place=True)
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Gallery:
    """A product, the media endpoint behind a real server, and the files that it keeps."""

    catalogue: Catalogue
    product_id: str
    session: aiohttp.ClientSession
    endpoint: str
    folder: Path
    clock: FixedClock

    async def ask(self, field: str, document: str, by: Identity = STAFF, **variables: Any) -> dict[str, Any]:
        result: dict[str, Any] = (await self.catalogue.data(document, variables, by=by))[field]
        return result

    async def request(self, content: bytes = JPEG, type_: str = "image/jpeg") -> dict[str, Any]:
        """Ask for a URL; the upload."""
        return await self.ask("requestImageUpload", REQUEST, id=self.product_id, type=type_, length=len(content))

    async def send(self, method: str, url: str, content: Any = None, **headers: str) -> Answer:
        # The settings' own address is nobody's here
        here = url.replace("http://127.0.0.1:4000/media", self.endpoint)
        async with self.session.request(method, here, data=content, headers=headers, allow_redirects=False) as answer:
            return Answer(answer.status, answer.headers.copy(), await answer.read())

    async def upload(self, content: bytes = JPEG, type_: str = "image/jpeg") -> str:
        """Ask for a URL and send a picture there; return the upload's id."""
        upload = await self.request(content, type_)
        assert (await self.send("PUT", upload["url"], content)).status == 204
        return str(upload["id"])

    async def attach(self, upload_id: str, alt: str = "", at: int | None = None) -> dict[str, Any]:
        return await self.ask("attachImage", ATTACH, id=upload_id, alt=alt, at=at)

    async def add(self, number: int) -> dict[str, Any]:
        """Add a picture that is like no other; return it."""
        content = picture((60 + number, 40), format_="PNG")
        product = await self.attach(await self.upload(content, "image/png"), f"number {number}")
        found: dict[str, Any] = product["images"][-1]
        return found

    async def shown(self) -> list[str]:
        """Return the ids of the product's pictures."""
        found = await self.catalogue.data(IMAGES, {"id": self.product_id}, by=STAFF)
        return [image["id"] for image in found["product"]["images"]]

    async def state(self) -> tuple[Any, ...]:
        """Return all that is kept but what the audit log is told of."""
        rows = [await self.catalogue.rows(name) for name in ("products", "image_uploads", "pictures", "outbox")]
        return (*rows, self.files())

    def files(self) -> list[str]:
        """Return the paths of all files, sorted."""
        return sorted(str(file.relative_to(self.folder)) for file in self.folder.rglob("*") if file.is_file())

    async def run_job(self, name: str) -> None:
        [job] = [job for job in self.catalogue.subgraph.jobs if job.name == name]
        await job.run(self.clock.now())


@pytest.fixture
async def gallery(catalogue: Catalogue, clock: FixedClock) -> AsyncIterator[Gallery]:
    product_id = await catalogue.sell("CUP")
    server = Starlette(routes=catalogue.subgraph.routes)
    async with running_asgi(server) as url, aiohttp.ClientSession() as session:
        folder = catalogue.subgraph.runtime.settings.data / "media"
        yield Gallery(catalogue, product_id, session, f"{url}/media", folder, clock)


# -- the way of a picture ----------------------------------------------------------------------------------------------


async def test_a_picture_is_asked_for_sent_attached_and_shown(gallery: Gallery) -> None:
    upload = await gallery.request()
    assert upload["expiresAt"] == "2026-11-01T09:15:00.000Z"
    assert re.fullmatch(r"http://127\.0\.0\.1:4000/media/uploads/[A-Za-z0-9_-]{43}", upload["url"])
    sent = await gallery.send("PUT", upload["url"], JPEG)
    assert (sent.status, sent.body, sent.headers["cache-control"]) == (204, b"", "no-store")
    product = await gallery.attach(upload["id"], "A red cup")
    [image] = product["images"]
    digest = image["url"].split("/")[-2]
    assert image == {
        "id": image["id"],
        "url": f"http://127.0.0.1:4000/media/{digest}/700.webp",
        "altText": "A red cup",
        "width": 700,
        "height": 350,
        "sizes": [
            {"url": f"http://127.0.0.1:4000/media/{digest}/{width}.webp", "width": width, "height": width // 2}
            for width in (160, 320, 640, 700)
        ],
    }
    own = sha256()
    for size in image["sizes"]:
        answer = await gallery.send("GET", size["url"])
        assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
        shown = opened(answer.body)
        assert (shown.format, shown.size) == ("WEBP", (size["width"], size["height"]))
        assert (is_red(shown, 0.1, 0.5), is_red(shown, 0.9, 0.5)) == (True, False)
        assert dict(shown.getexif()) == {}
        own.update(len(answer.body).to_bytes(8, "big"))
        own.update(answer.body)
    # The address is that of these very files
    assert own.hexdigest() == digest
    # What was sent is not kept
    assert gallery.files() == sorted(f"images/{digest}/{width}.webp" for width in (160, 320, 640, 700))
    found = (await gallery.catalogue.data(IMAGES, {"id": gallery.product_id}))["product"]
    assert (found["primaryImage"]["url"], len(found["images"])) == (image["url"], 1)


async def test_pictures_have_an_order_a_first_one_and_texts(gallery: Gallery) -> None:
    first, second = (await gallery.add(1))["id"], (await gallery.add(2))["id"]
    third = await gallery.attach(await gallery.upload(), "number 3", 0)
    third_id = third["images"][0]["id"]
    assert [each["altText"] for each in third["images"]] == ["number 3", "number 1", "number 2"]
    ordered = await gallery.ask("orderImages", ORDER, product=gallery.product_id, images=[second, third_id, first])
    assert ordered["primaryImage"] == {"id": second}
    assert await gallery.shown() == [second, third_id, first]
    described = await gallery.ask("describeImage", DESCRIBE, product=gallery.product_id, image=first, alt="Seen aside")
    assert [each["altText"] for each in described["images"]] == ["number 2", "number 3", "Seen aside"]
    removed = await gallery.ask("removeImage", REMOVE, product=gallery.product_id, image=second)
    assert removed["primaryImage"] == {"id": third_id}
    assert await gallery.shown() == [third_id, first]


async def test_each_change_is_announced_and_told_to_the_audit_log(gallery: Gallery) -> None:
    database = gallery.catalogue.subgraph.runtime.database
    await database["outbox"].delete_many({})
    image = (await gallery.add(1))["id"]
    for _ in range(2):
        await gallery.ask("describeImage", DESCRIBE, product=gallery.product_id, image=image, alt="A cup")
        await gallery.ask("orderImages", ORDER, product=gallery.product_id, images=[image])
    await gallery.ask("removeImage", REMOVE, product=gallery.product_id, image=image)
    rows = await gallery.catalogue.rows("outbox")
    # What changes nothing is not told
    assert [row["type"] for row in rows if row["type"] != PRIVILEGED_ACTION] == ["ProductEdited"] * 3
    audited = [row["payload"] for row in rows if row["type"] == PRIVILEGED_ACTION]
    assert [each["action"] for each in audited] == ["IMAGE_UPLOAD_REQUESTED", *["PRODUCT_EDITED"] * 3]
    assert {(each["actor_id"], each["target"]) for each in audited} == {("usr_staff", gallery.product_id)}
    [product] = await gallery.catalogue.rows("products")
    assert product["version"] == 5


async def test_attached_again_or_many_times_at_once_it_is_one_picture(gallery: Gallery) -> None:
    upload_id = await gallery.upload()
    answers = await asyncio.gather(*(gallery.attach(upload_id) for _ in range(5)))
    assert [len(each["images"]) for each in answers] == [1] * 5
    state = await gallery.state()
    assert (await gallery.attach(upload_id))["images"] == answers[0]["images"]
    assert await gallery.state() == state
    # The same picture in another upload is the same picture, and keeps its place and text
    again = await gallery.attach(await gallery.upload(), "another text")
    assert again["images"] == answers[0]["images"]
    assert gallery.files() == state[-1]


async def test_twenty_pictures_sent_and_attached_at_once_are_all_there(gallery: Gallery) -> None:
    added = await asyncio.gather(*(gallery.add(number) for number in range(20)))
    assert len(await gallery.shown()) == 20
    assert len({each["altText"] for each in added}) >= 1
    state = await gallery.state()
    refused = await gallery.request()
    more = await gallery.attach(str(refused["id"])) if refused["__typename"] == "ImageUpload" else refused
    assert more["code"] == "CONFLICT"
    assert (await gallery.state())[0] == state[0]


async def test_a_variant_has_pictures_of_its_own(gallery: Gallery) -> None:
    shirt = await gallery.catalogue.sell("SHIRT", options=[{"name": "size", "values": ["s"]}])
    given = {"productId": shirt, "sku": "SHIRT-S", "choices": [{"name": "size", "value": "s"}]}
    create = "mutation($i: CreateVariantInput!) { createVariant(input: $i) { ... on Product { id } } }"
    variant = (await gallery.catalogue.data(create, {"i": given}, by=STAFF))["createVariant"]["id"]
    upload = await gallery.ask("requestImageUpload", REQUEST, id=variant, type="image/jpeg", length=len(JPEG))
    assert (await gallery.send("PUT", upload["url"], JPEG)).status == 204
    assert len((await gallery.attach(upload["id"]))["images"]) == 1
    asked = "query($id: ID!) { product(id: $id) { images { id } variants { images { altText } } } }"
    found = (await gallery.catalogue.data(asked, {"id": shirt}))["product"]
    assert found == {"images": [], "variants": [{"images": [{"altText": ""}]}]}


async def test_a_list_with_its_pictures_costs_one_command(gallery: Gallery, commands: CommandLog) -> None:
    await gallery.add(1)
    commands.clear()
    await gallery.catalogue.data("{ products { nodes { primaryImage { sizes { url } } images { url width } } } }")
    # Beside what looks whether a price is due
    assert [each for each in commands.commands if "pictures" in each or "uploads" in each] == []
    assert commands.commands.count("find products") <= 2


# -- the picture and the rest of the catalogue -------------------------------------------------------------------------

EDIT = """mutation($i: EditProductInput!) {
  editProduct(input: $i) { __typename ... on Product { images { id url width altText } } ... on Problem { code } } }"""


async def test_an_edit_that_names_a_picture_by_its_address_keeps_it(gallery: Gallery) -> None:
    own = await gallery.add(1)
    elsewhere = {"url": "https://a.example/1.jpg", "altText": "elsewhere"}
    given = [elsewhere, {"url": own["url"], "altText": "the same"}]
    edited = await gallery.ask("editProduct", EDIT, i={"id": gallery.product_id, "images": given})
    assert [(each["url"], each["width"], each["altText"]) for each in edited["images"]] == [
        ("https://a.example/1.jpg", None, "elsewhere"),
        (own["url"], 61, "the same"),
    ]
    assert edited["images"][1]["id"] == own["id"]
    # Of another product, too
    other = await gallery.catalogue.create("OTHER", images=[{"url": own["url"]}])
    [row] = [row for row in await gallery.catalogue.rows("products") if row["_id"] == other["id"]]
    assert row["images"][0]["picture_id"] == own["url"].split("/")[-2]
    # The same address twice is one picture twice
    state = await gallery.state()
    twice = await gallery.ask("editProduct", EDIT, i={"id": gallery.product_id, "images": [given[1], given[1]]})
    assert twice["code"] == "BAD_USER_INPUT"
    assert await gallery.state() == state


async def test_an_address_of_no_picture_is_any_address(gallery: Gallery) -> None:
    unknown = f"http://127.0.0.1:4000/media/{'0a' * 32}/160.webp"
    edited = await gallery.ask("editProduct", EDIT, i={"id": gallery.product_id, "images": [{"url": unknown}]})
    assert [(each["url"], each["width"]) for each in edited["images"]] == [(unknown, None)]


# -- who may, and what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "code"), [(ANONYMOUS, "UNAUTHENTICATED"), (CUSTOMER, "FORBIDDEN"), (ORDER_SERVICE, "FORBIDDEN")]
)
async def test_pictures_are_changed_by_holders_of_the_scope_alone(gallery: Gallery, by: Identity, code: str) -> None:
    image, upload_id = await gallery.add(1), await gallery.upload()
    state = await gallery.state()
    product, of_image = {"product": gallery.product_id}, {"product": gallery.product_id, "image": image["id"]}
    calls: list[tuple[str, dict[str, Any]]] = [
        (REQUEST, {"id": gallery.product_id, "type": "image/png", "length": 10}),
        (ATTACH, {"id": upload_id, "alt": ""}),
        (DESCRIBE, {**of_image, "alt": "x"}),
        (ORDER, {**product, "images": [image["id"]]}),
        (REMOVE, of_image),
    ]
    for document, variables in calls:
        assert await gallery.catalogue.refusals(document, variables, by=by) == [code]
    assert await gallery.state() == state


@pytest.mark.parametrize(
    ("content", "type_"),
    [
        (b"<!doctype html><script>alert(1)</script>", "image/png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/webp"),
        (JPEG[:5000], "image/jpeg"),
        (JPEG, "image/png"),
        (picture(format_="GIF"), "image/jpeg"),
    ],
)
async def test_what_is_no_picture_is_not_attached_and_never_shown(gallery: Gallery, content: bytes, type_: str) -> None:
    upload_id = await gallery.upload(content, type_)
    state = await gallery.state()
    refused = await gallery.attach(upload_id)
    assert (refused["__typename"], refused["code"]) == ("InvalidInputProblem", "BAD_USER_INPUT")
    assert "Pillow" not in refused["message"]
    assert await gallery.state() == state
    assert state[-1] == [f"incoming/{upload_id}"]
    for path in (f"incoming/{upload_id}", f"uploads/{upload_id}", f"..%2fincoming%2f{upload_id}"):
        assert (await gallery.send("GET", f"{gallery.endpoint}/{path}")).status in (404, 405)
    # A second try with a picture is as good as the first would have been
    [upload] = await gallery.catalogue.rows("image_uploads")
    assert upload["status"] == "RECEIVED"


@pytest.mark.parametrize(
    ("variables", "outcome"),
    [
        ({"type": "image/svg+xml"}, ("BAD_USER_INPUT", "contentType")),
        ({"type": "text/html"}, ("BAD_USER_INPUT", "contentType")),
        ({"length": 0}, ("BAD_USER_INPUT", "byteLength")),
        ({"length": 15 * 1024 * 1024 + 1}, ("BAD_USER_INPUT", "byteLength")),
        ({"id": "prd_none"}, ("NOT_FOUND", None)),
    ],
)
async def test_there_is_no_place_for_what_cannot_be_a_picture_of_a_product(
    gallery: Gallery, variables: dict[str, Any], outcome: tuple[str, str | None]
) -> None:
    state = await gallery.state()
    given = {"id": gallery.product_id, "type": "image/png", "length": 10, **variables}
    refused = await gallery.ask("requestImageUpload", REQUEST, **given)
    assert (refused["code"], refused.get("field")) == outcome
    assert await gallery.state() == state


async def test_an_archived_product_keeps_its_pictures_as_they_are(gallery: Gallery) -> None:
    image, upload_id = await gallery.add(1), await gallery.upload()
    archive = "mutation($id: ID!) { archiveProduct(id: $id) { __typename } }"
    await gallery.catalogue.data(archive, {"id": gallery.product_id}, by=STAFF)
    state = await gallery.state()
    of_image: dict[str, Any] = {"product": gallery.product_id, "image": image["id"]}
    answers = [
        await gallery.request(),
        await gallery.attach(upload_id),
        await gallery.ask("describeImage", DESCRIBE, **of_image, alt="x"),
        await gallery.ask("orderImages", ORDER, product=gallery.product_id, images=[image["id"]]),
        await gallery.ask("removeImage", REMOVE, **of_image),
    ]
    assert [each["code"] for each in answers] == ["CONFLICT"] * 5
    assert await gallery.state() == state


async def test_a_picture_that_is_not_there_is_not_changed(gallery: Gallery) -> None:
    await gallery.add(1)
    state = await gallery.state()
    of_other: dict[str, Any] = {"product": gallery.product_id, "image": "img_other"}
    assert (await gallery.ask("describeImage", DESCRIBE, **of_other, alt="x"))["code"] == "NOT_FOUND"
    assert (await gallery.ask("removeImage", REMOVE, **of_other))["code"] == "NOT_FOUND"
    order = await gallery.ask("orderImages", ORDER, product=gallery.product_id, images=["img_other"])
    assert order["code"] == "BAD_USER_INPUT"
    assert (await gallery.attach("upl_none"))["code"] == "NOT_FOUND"
    assert (await gallery.attach(await gallery.upload(), "x" * 501))["field"] == "altText"
    assert (await gallery.state())[0] == state[0]


async def test_nothing_is_attached_before_it_was_sent(gallery: Gallery) -> None:
    upload = await gallery.request()
    state = await gallery.state()
    assert (await gallery.attach(upload["id"]))["code"] == "CONFLICT"
    assert await gallery.state() == state


async def test_a_product_has_twenty_uploads_under_way_at_most(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "MAX_OPEN_UPLOADS", 2)
    first, _ = await gallery.upload(), await gallery.request()
    state = await gallery.state()
    assert (await gallery.request())["code"] == "CONFLICT"
    assert await gallery.state() == state
    await gallery.attach(first)
    assert (await gallery.request())["__typename"] == "ImageUpload"


# -- the endpoint ------------------------------------------------------------------------------------------------------


async def test_a_url_takes_what_was_announced_and_nothing_else(gallery: Gallery) -> None:
    upload = await gallery.request(b"x" * 100, "image/png")
    state = await gallery.state()

    async def in_chunks(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 10

    assert (await gallery.send("PUT", upload["url"], b"x" * 101)).status == 413
    assert (await gallery.send("PUT", upload["url"], in_chunks(1000))).status == 413
    assert (await gallery.send("PUT", upload["url"], b"x" * 99)).status == 400
    assert (await gallery.send("PUT", upload["url"], b"")).status == 400
    assert (await gallery.send("PUT", upload["url"], in_chunks(9))).status == 400
    assert (await gallery.send("GET", upload["url"])).status in (404, 405)
    assert (await gallery.send("POST", upload["url"], b"x" * 100)).status == 405
    assert await gallery.state() == state
    assert (await gallery.send("PUT", upload["url"], in_chunks(10))).status == 204
    # Sent again, as after a lost answer, it is there once
    assert (await gallery.send("PUT", upload["url"], b"y" * 100)).status == 204
    assert gallery.files() == [f"incoming/{upload['id']}"]
    assert (gallery.folder / "incoming" / upload["id"]).read_bytes() == b"y" * 100


@pytest.mark.parametrize("token", ["x" * 43, "x", "x" * 44, "%2e%2e", "..%2f..%2fetc%2fpasswd", "x" * 5000, "%00" * 43])
async def test_nobody_uploads_to_a_url_that_was_guessed(gallery: Gallery, token: str) -> None:
    await gallery.request()
    state = await gallery.state()
    assert (await gallery.send("PUT", f"{gallery.endpoint}/uploads/{token}", JPEG)).status == 404
    assert await gallery.state() == state


async def test_a_url_works_for_a_quarter_of_an_hour_and_until_it_is_attached(
    gallery: Gallery, clock: FixedClock
) -> None:
    late, attached = await gallery.request(), await gallery.request()
    assert (await gallery.send("PUT", attached["url"], JPEG)).status == 204
    await gallery.attach(attached["id"])
    files = gallery.files()
    assert (await gallery.send("PUT", attached["url"], JPEG)).status == 409
    clock.advance(minutes=15)
    assert (await gallery.send("PUT", late["url"], JPEG)).status == 404
    assert gallery.files() == files


async def test_the_database_does_not_know_the_url(gallery: Gallery) -> None:
    upload = await gallery.request()
    token = upload["url"].rpartition("/")[2]
    database = gallery.catalogue.subgraph.runtime.database
    for name in await database.list_collection_names():
        assert token not in str(await database[name].find().to_list())


async def test_a_picture_is_told_to_be_nothing_but_a_picture_and_to_stay(gallery: Gallery) -> None:
    url = (await gallery.add(1))["url"]
    answer = await gallery.send("GET", url)
    assert {name: answer.headers[name] for name in ("content-type", "cache-control", "x-content-type-options")} == {
        "content-type": "image/webp",
        "cache-control": "public, max-age=31536000, immutable",
        "x-content-type-options": "nosniff",
    }
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    head = await gallery.send("HEAD", url)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(answer.body)))
    etag = answer.headers["etag"]
    for known in (etag, f'W/{etag}, "other"'):
        unchanged = await gallery.send("GET", url, **{"if-none-match": known})
        assert (unchanged.status, unchanged.body, unchanged.headers["etag"]) == (304, b"", etag)
    assert (await gallery.send("GET", url, **{"if-none-match": '"other"'})).status == 200


@pytest.mark.parametrize(
    "path",
    [
        f"{'0a' * 32}/160.webp",
        "%(digest)s/161.webp",
        "%(digest)s/0061.webp",
        "%(digest)s/61.webp%%00",
        "%(digest)s/61.html",
        "%(digest)s/61.webp/x",
        "%(upper)s/61.webp",
        "%(digest)s",
        "..%%2f..%%2fkeys/61.webp",
        "../token.key",
        "..%%2ftoken.key",
        "images/%(digest)s/61.webp",
        "",
    ],
)
async def test_the_endpoint_shows_pictures_and_no_other_file(gallery: Gallery, path: str) -> None:
    digest = (await gallery.add(1))["url"].split("/")[-2]
    asked = path % {"digest": digest, "upper": digest.upper()} if "%" in path else path
    answer = await gallery.send("GET", f"{gallery.endpoint}/{asked}")
    assert answer.status == 404
    assert b"PRIVATE KEY" not in answer.body
    if answer.headers["content-type"] == "application/json":
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_files_out_of_reach_are_told_of_without_saying_where(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, upload = (await gallery.add(1))["url"], await gallery.request()
    state = await gallery.state()

    async def fail(*_: Any) -> Any:
        raise Unavailable("/srv/secret/folder is gone")

    monkeypatch.setattr(FolderMedia, "get", fail)
    monkeypatch.setattr(FolderMedia, "put", fail)
    for answer in (await gallery.send("GET", url), await gallery.send("PUT", upload["url"], JPEG)):
        assert (answer.status, answer.body) == (503, b'{"message":"try again later"}')
    assert await gallery.state() == state


# -- what is left over -------------------------------------------------------------------------------------------------


async def test_uploads_that_were_given_up_or_failed_are_removed_with_their_files(
    gallery: Gallery, clock: FixedClock
) -> None:
    await gallery.request()
    broken = await gallery.upload(b"no picture", "image/png")
    assert (await gallery.attach(broken))["code"] == "BAD_USER_INPUT"
    await gallery.attach(await gallery.upload())
    clock.advance(minutes=59)
    fresh = await gallery.upload(picture(format_="PNG"), "image/png")
    await gallery.run_job("remove_expired_uploads")
    assert len(await gallery.catalogue.rows("image_uploads")) == 4
    clock.advance(minutes=2)
    await asyncio.gather(*(gallery.run_job("remove_expired_uploads") for _ in range(2)))
    assert [row["_id"] for row in await gallery.catalogue.rows("image_uploads")] == [fresh]
    assert [file for file in gallery.files() if file.startswith("incoming")] == [f"incoming/{fresh}"]
    assert (await gallery.attach(broken))["code"] == "NOT_FOUND"
    # What is attached stays, and what is fresh can be
    assert len(await gallery.shown()) == 1
    assert len((await gallery.attach(fresh))["images"]) == 2


async def test_a_picture_that_no_product_has_is_deleted_a_day_later(gallery: Gallery, clock: FixedClock) -> None:
    gone, kept = await gallery.add(1), await gallery.add(2)
    await gallery.ask("removeImage", REMOVE, product=gallery.product_id, image=gone["id"])
    clock.advance(hours=23)
    await gallery.run_job("remove_unused_pictures")
    assert (await gallery.send("GET", gone["url"])).status == 200
    clock.advance(hours=2)
    await asyncio.gather(*(gallery.run_job("remove_unused_pictures") for _ in range(2)))
    assert (await gallery.send("GET", gone["url"])).status == 404
    assert (await gallery.send("GET", kept["url"])).status == 200
    assert [row["_id"] for row in await gallery.catalogue.rows("pictures")] == [kept["url"].split("/")[-2]]
    assert gallery.files() == [f"images/{kept['url'].split('/')[-2]}/62.webp"]
    # It may come again
    again = await gallery.add(1)
    assert again["url"] == gone["url"]
    assert (await gallery.send("GET", gone["url"])).status == 200


async def test_a_picture_that_a_deleted_product_or_another_one_has_stays(gallery: Gallery, clock: FixedClock) -> None:
    shared, own = await gallery.add(1), await gallery.add(2)
    other = await gallery.catalogue.create("OTHER", images=[{"url": shared["url"]}])
    await gallery.ask("removeImage", REMOVE, product=gallery.product_id, image=shared["id"])
    delete = "mutation($id: ID!) { deleteProduct(id: $id) { __typename } }"
    for id_ in (gallery.product_id, other["id"]):
        await gallery.catalogue.data(delete, {"id": id_}, by=STAFF)
    clock.advance(days=3)
    await gallery.run_job("remove_unused_pictures")
    for image in (shared, own):
        assert (await gallery.send("GET", image["url"])).status == 200


async def test_a_picture_that_is_taken_again_while_it_leaves_is_there_or_refused(
    gallery: Gallery, clock: FixedClock
) -> None:
    for number in range(8):
        image = await gallery.add(number)
        await gallery.ask("removeImage", REMOVE, product=gallery.product_id, image=image["id"])
        clock.advance(days=2)
        edit = {"id": gallery.product_id, "images": [{"url": image["url"]}]}
        answer, _ = await asyncio.gather(
            gallery.ask("editProduct", EDIT, i=edit), gallery.run_job("remove_unused_pictures")
        )
        served = (await gallery.send("GET", image["url"])).status
        if answer["__typename"] == "Product" and answer["images"][0]["width"] is not None:
            assert served == 200
        else:
            # It was gone before: the edit has kept an address, or was refused
            assert served == 404
        await gallery.ask("editProduct", EDIT, i={"id": gallery.product_id, "images": []})


async def test_files_of_an_attachment_that_was_cut_short_are_deleted_a_day_later(
    gallery: Gallery, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = await gallery.upload()

    class Crash(BaseException):
        pass

    async def crash(*_: Any, **__: Any) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(images_service, "in_transaction", crash)
        context: Any = gallery.catalogue.subgraph.context
        from core.subgraph import Call

        with pytest.raises(Crash):
            await context(Call(identity=STAFF, trusted=True)).images.attach_image(upload_id, "", None, by=STAFF)
    assert await gallery.shown() == []
    assert len(gallery.files()) == 5
    clock.advance(days=2)
    await gallery.run_job("remove_unused_pictures")
    await gallery.run_job("remove_expired_uploads")
    assert gallery.files() == []
    assert await gallery.catalogue.rows("pictures") == []


async def test_a_deletion_that_was_cut_short_is_finished_by_the_next_run(
    gallery: Gallery, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await gallery.add(1)
    await gallery.ask("removeImage", REMOVE, product=gallery.product_id, image=image["id"])
    clock.advance(days=2)

    async def fail(*_: Any) -> None:
        raise Unavailable("the disk is away")

    with monkeypatch.context() as patched:
        patched.setattr(FolderMedia, "delete", fail)
        with pytest.raises(Unavailable):
            await gallery.run_job("remove_unused_pictures")
    # Until then nobody can have it: neither by its address nor by sending it again
    upload_id = await gallery.upload(picture((61, 40), format_="PNG"), "image/png")
    assert (await gallery.attach(upload_id))["code"] == "CONFLICT"
    edited = await gallery.ask("editProduct", EDIT, i={"id": gallery.product_id, "images": [{"url": image["url"]}]})
    assert edited["images"][0]["width"] is None
    await gallery.run_job("remove_unused_pictures")
    assert [file for file in gallery.files() if file.startswith("images")] == []
    assert (await gallery.attach(upload_id))["__typename"] == "Product"


# -- a bucket ----------------------------------------------------------------------------------------------------------


@pytest.mark.node
async def test_pictures_are_kept_in_a_bucket_as_in_a_folder(
    counted: tuple[Client, CommandLog], store_settings: Settings, clock: FixedClock, tmp_path: Path
) -> None:
    with running_s3(tmp_path / "s3") as server:
        media = BucketMedia(BUCKET, endpoint=server.endpoint, key_id=KEY_ID, secret_key=SECRET_KEY)
        subgraph = app.build(build_runtime(app.NAME, counted[0], store_settings, clock=clock), media=media)
        await subgraph.start()
        catalogue = Catalogue(subgraph)
        product_id = await catalogue.sell("CUP")
        async with running_asgi(Starlette(routes=subgraph.routes)) as url, aiohttp.ClientSession() as session:
            gallery = Gallery(catalogue, product_id, session, f"{url}/media", tmp_path / "none", clock)
            [image] = (await gallery.attach(await gallery.upload(), "A cup"))["images"]
            digest = image["url"].split("/")[-2]
            assert server.keys() == sorted(f"images/{digest}/{width}.webp" for width in (160, 320, 640, 700))
            answer = await gallery.send("GET", image["url"])
            assert (answer.status, opened(answer.body).size) == (200, (700, 350))
            await gallery.ask("removeImage", REMOVE, product=product_id, image=image["id"])
            await gallery.upload()
            clock.advance(days=2)
            await gallery.run_job("remove_unused_pictures")
            await gallery.run_job("remove_expired_uploads")
            assert server.keys() == []
