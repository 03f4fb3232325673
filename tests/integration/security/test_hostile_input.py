"""Input that is small and costs much, or that reads like something else."""

import unicodedata
from typing import Any

import pytest

from core.budget import MAX_ROWS, RowBudget
from core.errors import BadUserInput
from core.money import Money
from subgraphs.product.bulk import insert_categories, insert_products
from subgraphs.product.model import Category, Product, ProductStatus
from subgraphs.user import model
from tests.integration.security.things import make_things
from tests.integration.security.world import World
from tests.testkit.callers import ADMIN, STAFF, Caller
from tests.testkit.shop import ANI, BUDI

# Each accent sorts before all those before it: putting a megabyte of them in order takes minutes
ACCENTS = "a" + "\u0301\u0316" * 100_000


@pytest.fixture
def normalised_lengths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the lengths of what the user subgraph puts into one Unicode form, and refuse to do it for long text."""
    lengths: list[int] = []
    normalize = unicodedata.normalize

    def note(form: Any, text: str) -> str:
        lengths.append(len(text))
        return normalize(form, text[:5000])

    monkeypatch.setattr(unicodedata, "normalize", note)
    return lengths


@pytest.mark.parametrize(
    ("mutation", "input_", "outcome"),
    [
        ("login", {"email": "ani@example.org", "password": ACCENTS}, "InvalidCredentialsProblem"),
        ("login", {"email": ACCENTS, "password": "correct horse battery"}, "InvalidCredentialsProblem"),
        ("login", {"email": f"ani@{ACCENTS}", "password": "correct horse battery"}, "InvalidCredentialsProblem"),
        ("register", {"email": ACCENTS, "password": "correct horse", "name": "Ani"}, "InvalidInputProblem"),
        ("register", {"email": "new@example.org", "password": ACCENTS, "name": "Ani"}, "InvalidInputProblem"),
        ("register", {"email": "new@example.org", "password": "correct horse", "name": ACCENTS}, "InvalidInputProblem"),
        ("updateProfile", {"name": ACCENTS}, "InvalidInputProblem"),
    ],
)
async def test_text_that_is_too_long_is_refused_before_it_is_looked_at(
    world: World, normalised_lengths: list[int], mutation: str, input_: dict[str, str], outcome: str
) -> None:
    before = await world.snapshot()
    type_ = f"{mutation[0].upper()}{mutation[1:]}Input!"
    document = f"mutation($input: {type_}) {{ {mutation}(input: $input) {{ __typename }} }}"
    response = await world.ask(document, {"input": input_}, by=ANI)
    assert response == {"data": {mutation: {"__typename": outcome}}}
    assert max(normalised_lengths, default=0) <= model.LONGEST_DECOMPOSITION * model.MAX_PASSWORD_LENGTH
    assert await world.snapshot() == before


async def test_a_decomposed_spelling_still_fits(world: World) -> None:
    # Vietnamese as macOS types it: three characters for one, and as long as a name may be
    name = unicodedata.normalize("NFD", "\u1ec7" * model.MAX_NAME_LENGTH)
    assert model.check_name(name) == "\u1ec7" * model.MAX_NAME_LENGTH
    # Not one letter alone, for that is a common password
    phrase = ("\u1ec7" * 9 + "\u1ed9" * 7) * (model.MAX_PASSWORD_LENGTH // 16)
    password = unicodedata.normalize("NFD", phrase)
    assert len(model.check_password(password, email="a@b.co")) == model.MAX_PASSWORD_LENGTH


@pytest.mark.parametrize("search", ["\0", "a\0b", "x" * 40_000])
async def test_a_search_that_no_account_begins_with_is_refused(world: World, search: str) -> None:
    response = await world.ask("query($s: String) { users(search: $s) { nodes { id } } }", {"s": search}, by=STAFF)
    assert response["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_rows_run_out_and_do_not_come_back() -> None:
    rows = RowBudget()
    rows.take(MAX_ROWS)
    for count in (1, 0):
        with pytest.raises(BadUserInput, match=f"more than {MAX_ROWS} rows"):
            rows.take(count)


async def test_pages_of_products_inside_of_pages_do_not_multiply_without_end(world: World) -> None:
    now = world.clock.now()
    category = Category("cat_wide", "wide", "Wide", ("cat_wide",), now)
    products = [
        Product(
            id=f"prd_wide{number}",
            sku=f"WIDE-{number}",
            slug=f"wide-{number}",
            name="Wide",
            description="",
            price=Money(1, "IDR"),
            category_id=category.id,
            images=(),
            status=ProductStatus.ACTIVE,
            weight_grams=0,
            created_at=now,
            updated_at=now,
        )
        for number in range(60)
    ]
    database = world.subgraphs["product"].runtime.database
    await insert_categories(database, [category])
    await insert_products(database, [(product, category) for product in products])
    level = "category { products(first: 100) { nodes { %s } } }"
    # 60 * 60 rows are a large answer, 60 * 60 * 60 are an attack
    fair = '{ category(id: "cat_wide") { products(first: 100) { nodes { %s } } } }' % (level % "id")
    assert "errors" not in await world.ask(fair)
    unfair = '{ category(id: "cat_wide") { products(first: 100) { nodes { %s } } } }' % (level % (level % "id"))
    response = await world.ask(unfair)
    assert {error["extensions"]["code"] for error in response["errors"]} == {"BAD_USER_INPUT"}
    assert _count_ids(response["data"]) <= MAX_ROWS


async def test_orders_and_schedules_inside_of_themselves_do_not_multiply_without_end(world: World) -> None:
    await make_things(world)
    await make_things(world)
    for subgraph, root, level in (
        ("order", "... on User { %s }", "orders(first: 100) { nodes { id buyer { %s } } }"),
        ("sync", "... on User { %s }", "syncSchedules { id owner { %s } }"),
    ):
        nested = "id"
        for _ in range(16):
            nested = level % nested
        document = "query($r: [_Any!]!) { _entities(representations: $r) { %s } }" % (root % nested)
        references = {"r": [{"__typename": "User", "id": "usr_ani"}]}
        response = await Caller(world.subgraphs[subgraph]).ask(document, references, by=ANI)
        assert {error["extensions"]["code"] for error in response["errors"]} == {"BAD_USER_INPUT"}, subgraph
        assert _count_ids(response["data"]) <= 2 * MAX_ROWS + 1


async def test_a_report_on_no_product_does_not_stand_in_for_the_report_on_all(world: World) -> None:
    await make_things(world)
    document = (
        'query($product: ID) { monthlyOrderTotals(from: "2027-03", to: "2027-03", productId: $product)'
        " { months { orderCount } } }"
    )

    async def count(**variables: Any) -> int:
        (month,) = (await world.ask(document, variables, by=STAFF))["data"]["monthlyOrderTotals"]["months"]
        found: int = month["orderCount"]
        return found

    # The first to ask decides what is in the cache
    assert await count(product="") == 0
    assert await count() > 0
    assert await count(product="") == 0


async def test_errors_tell_nothing_of_the_inside(world: World) -> None:
    await make_things(world)
    for document, variables in (
        ("{ users(first: 101) { nodes { id } } }", {}),
        ('{ orders(after: "bm90IG91cnM") { nodes { id } } }', {}),
        ('{ orders(after: "W3siJG5lIjoxfSwxXQ") { nodes { id } } }', {}),
        ('{ orders(after: "%s") { nodes { id } } }' % ("W1tb" * 4000), {}),
        ("query($f: Int) { payments(first: $f) { nodes { id } } }", {"f": 2**31 - 1}),
        ("query($f: Int) { payments(first: $f) { nodes { id } } }", {"f": -1}),
        ('{ monthlyOrderTotals(from: "0001-01", to: "9999-12") { asOf } }', {}),
        ('{ monthlyOrderTotals(from: "2027-01", to: "2027-02", timezone: "../../etc/passwd") { asOf } }', {}),
        ('{ monthlyOrderTotals(from: "2027-01", to: "2027-02", timezone: "\\u0000") { asOf } }', {}),
    ):
        response = await world.ask(document, variables, by=ADMIN)
        (error,) = response["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT", error
        told = str(error)
        assert not any(word in told for word in ("Traceback", "pymongo", "Mongo", "/site-packages", "File ")), told


async def test_what_belongs_to_somebody_else_reads_like_what_does_not_exist(world: World) -> None:
    things = await make_things(world)
    document = "mutation($id: ID!) { cancelOrder(id: $id) { ... on Problem { code message } } }"
    answers = [
        (await world.ask(document, {"id": id_}, by=BUDI))["data"]["cancelOrder"]["message"].replace(id_, "ID")
        for id_ in (things.order, things.unpaid, "ord_none")
    ]
    assert len(set(answers)) == 1


def _count_ids(value: Any) -> int:
    match value:
        case dict():
            return ("id" in value) + sum(_count_ids(inner) for inner in value.values())
        case list():
            return sum(_count_ids(inner) for inner in value)
        case _:
            return 0
