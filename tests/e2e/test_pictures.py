"""A picture's way from staff's disk to a customer's screen, in both modes: past the router, as files go."""

from tests.e2e.test_shopping import register, staff_of
from tests.testkit.pictures import opened, picture
from tests.testkit.running import RunningStore, send

FIND = """query($slug: String!) { product(slug: $slug) { id slug primaryImage { sizes { url width } } } }"""
ANY = "{ products(first: 1) { nodes { slug } } }"
REQUEST = """mutation($id: ID!, $length: Int!) {
  requestImageUpload(productId: $id, contentType: "image/jpeg", byteLength: $length) {
    __typename ... on ImageUpload { id url } } }"""
ATTACH = """mutation($id: ID!) { attachImage(uploadId: $id, altText: "A picture") {
    __typename ... on Product { primaryImage { altText } } ... on Problem { message } } }"""


def test_staff_upload_a_picture_and_customers_see_it(store: RunningStore) -> None:
    staff, (customer, _) = staff_of(store), register(store)
    content = picture((700, 350), with_place=True)
    slug = customer.ask(ANY)["products"]["nodes"][0]["slug"]
    product = customer.ask(FIND, slug=slug)["product"]
    assert product["primaryImage"] is None
    refused = customer.execute(REQUEST, id=product["id"], length=len(content))
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    upload = staff.ask(REQUEST, id=product["id"], length=len(content))["requestImageUpload"]
    assert send(upload["url"], body=content, method="PUT").status == 204
    attached = staff.ask(ATTACH, id=upload["id"])["attachImage"]
    assert attached == {"__typename": "Product", "primaryImage": {"altText": "A picture"}}
    sizes = customer.ask(FIND, slug=slug)["product"]["primaryImage"]["sizes"]
    assert [size["width"] for size in sizes] == [160, 320, 640, 700]
    for size in sizes:
        answer = send(size["url"])
        assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
        assert opened(answer.body).size == (size["width"], size["width"] // 2)
    # It is the only file there is
    assert send(sizes[0]["url"].replace("/160.webp", "/161.webp")).status == 404
    assert (store.data / "media" / "images").is_dir()
