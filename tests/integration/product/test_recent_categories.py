"""How old the categories are that products show, and how often they are read."""

from tests.integration.product.conftest import CREATE_CATEGORY, Catalogue
from tests.testkit.callers import STAFF
from tests.testkit.clock import FixedClock
from tests.testkit.commands import CommandLog

SHOWN = "query($sku: String!) { product(sku: $sku) { category { id name path ancestors { name } } } }"
EDIT = "mutation($input: EditCategoryInput!) { editCategory(input: $input) { __typename } }"


async def create(catalogue: Catalogue, name: str, parent_id: str | None = None) -> str:
    variables = {"input": {"name": name, "parentId": parent_id}}
    created = (await catalogue.data(CREATE_CATEGORY, variables, by=STAFF))["createCategory"]
    return str(created["id"])


async def shown(catalogue: Catalogue) -> tuple[str, list[str]]:
    category = (await catalogue.data(SHOWN, {"sku": "CUP"}))["product"]["category"]
    return category["name"], [each["name"] for each in category["ancestors"]]


async def stand(catalogue: Catalogue) -> tuple[str, str]:
    top = await create(catalogue, "Kitchen")
    shelf = await create(catalogue, "Cups", top)
    await catalogue.sell("CUP", categoryId=shelf)
    return top, shelf


async def test_they_are_read_once_in_two_seconds(catalogue: Catalogue, clock: FixedClock, commands: CommandLog) -> None:
    await stand(catalogue)
    clock.advance(seconds=2)
    commands.clear()
    for _ in range(3):
        assert await shown(catalogue) == ("Cups", ["Kitchen"])
    assert commands.commands == ["find products", "find categories", "find categories", *["find products"] * 2]
    clock.advance(seconds=2)
    commands.clear()
    await shown(catalogue)
    assert commands.commands == ["find products", "find categories", "find categories"]


async def test_what_this_process_changes_is_shown_at_once(catalogue: Catalogue) -> None:
    top, shelf = await stand(catalogue)
    assert await shown(catalogue) == ("Cups", ["Kitchen"])
    await catalogue.data(EDIT, {"input": {"id": shelf, "name": "Mugs"}}, by=STAFF)
    assert await shown(catalogue) == ("Mugs", ["Kitchen"])
    await catalogue.data(EDIT, {"input": {"id": top, "name": "Dining"}}, by=STAFF)
    assert await shown(catalogue) == ("Mugs", ["Dining"])


async def test_what_another_process_changes_is_shown_two_seconds_later(catalogue: Catalogue, clock: FixedClock) -> None:
    _, shelf = await stand(catalogue)
    assert await shown(catalogue) == ("Cups", ["Kitchen"])
    categories = catalogue.subgraph.runtime.database["categories"]
    assert (await categories.update_one({"_id": shelf}, {"$set": {"name": "Mugs"}})).modified_count == 1
    clock.advance(seconds=1.999)
    assert await shown(catalogue) == ("Cups", ["Kitchen"])
    clock.advance(seconds=0.001)
    assert await shown(catalogue) == ("Mugs", ["Kitchen"])
