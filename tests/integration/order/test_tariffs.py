"""What staff does with shipping methods and tax zones."""

from typing import Any

import pytest

from tests.testkit.shop import ANI, STAFF, Shop
from tests.testkit.tariffs import quote, save_method, save_zone

BANDS = [{"upToGrams": 1000, "amount": 5000}]
METHODS = """{ shippingMethods { id name isActive zones {
  countries currency bands { upToGrams amount } perKgBeyond freeFrom } } }"""
ZONES = "{ taxZones { id country region name percent isInclusive taxesShipping categoryRates { categoryId percent } } }"


async def rows(shop: Shop, collection: str) -> list[dict[str, Any]]:
    return await shop.subgraphs["order"].runtime.database[collection].find().sort("_id", 1).to_list()


async def test_a_new_store_has_the_standard_method_which_can_be_replaced(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    (standard,) = (await shop.order.data(METHODS, by=STAFF))["shippingMethods"]
    assert (standard["id"], standard["isActive"], len(standard["zones"])) == ("shm_standard", True, 10)
    assert await rows(shop, "shipping_methods") == []
    zones = [{"currency": "IDR", "bands": BANDS, "countries": ["my", "ID", "MY"], "freeFrom": 100_000}]
    saved = await save_method(shop, "Standard  post", id="shm_standard", zones=zones)
    assert saved == {"__typename": "ShippingMethod", "id": "shm_standard", "name": "Standard post", "isActive": True}
    (listed,) = (await shop.order.data(METHODS, by=STAFF))["shippingMethods"]
    assert listed["zones"] == [
        {"countries": ["MY", "ID"], "currency": "IDR", "bands": BANDS, "perKgBeyond": None, "freeFrom": 100_000}
    ]
    assert (await quote(shop))["shipping"] == {"amount": 5000}
    await save_method(shop, "Standard", id="shm_standard", zones=zones, isActive=False)
    assert (await quote(shop))["__typename"] == "ShippingUnavailableProblem"
    assert await shop.audited("order") == [("SHIPPING_METHOD_SAVED", "shm_standard", "usr_staff")] * 2


@pytest.mark.parametrize(
    ("change", "problem", "field"),
    [
        ({"zones": []}, "InvalidInputProblem", "zones"),
        ({"zones": [{"currency": "IDR", "bands": []}]}, "InvalidInputProblem", "zones.0.bands"),
        (
            {"zones": [{"currency": "IDR", "bands": BANDS, "countries": ["X"]}]},
            "InvalidInputProblem",
            "zones.0.countries",
        ),
        ({"name": " "}, "InvalidInputProblem", "name"),
        ({"id": "shm_none"}, "NotFoundProblem", None),
    ],
)
async def test_a_method_that_cannot_be_saved_changes_nothing(
    shop: Shop, change: dict[str, Any], problem: str, field: str | None
) -> None:
    given = {"name": "A", "zones": [{"currency": "IDR", "bands": BANDS}], **change}
    saved = await save_method(shop, **given)
    assert (saved["__typename"], saved.get("field")) == (problem, field)
    assert await rows(shop, "shipping_methods") == []
    assert await shop.audited("order") == []


async def test_a_store_has_at_most_fifty_methods(shop: Shop) -> None:
    zones = [{"currency": "IDR", "bands": BANDS}]
    for number in range(50):
        assert (await save_method(shop, f"Method {number}", zones=zones))["__typename"] == "ShippingMethod"
    saved = await save_method(shop, "One more", zones=zones)
    assert (saved["__typename"], saved["message"]) == ("ConflictProblem", "a store has at most 50 shipping methods")
    assert len(await rows(shop, "shipping_methods")) == 50


async def test_zones_are_saved_replaced_listed_and_removed(shop: Shop) -> None:
    rates = [{"categoryId": "cat_food", "percent": "0"}]
    await save_zone(shop, " id", "10", categoryRates=rates)
    assert await save_zone(shop, "ID", "11.5", categoryRates=rates) == {
        "__typename": "TaxZone",
        "id": "ID",
        "percent": "11.5",
    }
    await save_zone(shop, "ID", "0", region="  Batam ", isInclusive=True)
    listed = (await shop.order.data(ZONES, by=STAFF))["taxZones"]
    assert [(zone["id"], zone["region"], zone["percent"], zone["isInclusive"]) for zone in listed] == [
        ("ID", None, "11.5", False),
        ("ID/batam", "Batam", "0", True),
    ]
    assert listed[0]["categoryRates"] == rates
    remove = """mutation($region: String) { removeTaxZone(country: "id", region: $region) {
      __typename ... on TaxZoneRemoved { id } } }"""
    for region, removed in (("BATAM", "ID/batam"), (None, "ID")):
        result = (await shop.order.data(remove, {"region": region}, by=STAFF))["removeTaxZone"]
        assert result == {"__typename": "TaxZoneRemoved", "id": removed}
        again = (await shop.order.data(remove, {"region": region}, by=STAFF))["removeTaxZone"]
        assert again == {"__typename": "NotFoundProblem"}
    assert await rows(shop, "tax_zones") == []
    assert [(action, target) for action, target, _ in await shop.audited("order")] == [
        ("TAX_ZONE_SAVED", "ID"),
        ("TAX_ZONE_SAVED", "ID"),
        ("TAX_ZONE_SAVED", "ID/batam"),
        ("TAX_ZONE_REMOVED", "ID/batam"),
        ("TAX_ZONE_REMOVED", "ID"),
    ]


@pytest.mark.parametrize(
    ("country", "percent", "field"), [("Java", "1", "country"), ("ID", "101", "percent"), ("ID", "0.00001", "percent")]
)
async def test_a_zone_that_makes_no_sense_is_refused(shop: Shop, country: str, percent: str, field: str) -> None:
    saved = await save_zone(shop, country, percent)
    assert (saved["__typename"], saved["field"]) == ("InvalidInputProblem", field)
    assert await rows(shop, "tax_zones") == []


async def test_what_a_method_costs_later_changes_no_order(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=1)
    await shop.check_out()
    before = await shop.the_order()
    assert before["shipping_method"] == {"id": "shm_standard", "name": "Standard"}
    await save_method(shop, "Dear", id="shm_standard", zones=[{"currency": "IDR", "bands": BANDS}])
    await save_zone(shop, "ID", "11")
    assert await shop.the_order() == before
