"""Shipping methods and tax zones as values."""

from dataclasses import replace
from typing import Any

import pytest

from core.errors import BadUserInput
from core.money import CURRENCY_EXPONENTS, Money
from subgraphs.order.shipping_methods import STANDARD, ShippingMethod, ShippingZone, WeightBand, check_method, offers_of
from subgraphs.order.taxes import TaxZone, check_zone, find_zone, zone_id

BANDS = (WeightBand(500, 100), WeightBand(2000, 250))
NEAR = ShippingZone(("ID", "MY"), "IDR", BANDS, per_kg_beyond=80)
FAR = ShippingZone((), "IDR", BANDS)
METHOD = ShippingMethod("shm_a", "A", (FAR, NEAR))
GOODS = Money(1000, "IDR")


def fee(country: str, weight_grams: int) -> int | None:
    offer = METHOD.offer(country, weight_grams, GOODS)
    return None if offer is None else offer.fee.amount


@pytest.mark.parametrize(
    ("weight_grams", "near", "far"),
    [(0, 100, 100), (500, 100, 100), (501, 250, 250), (2000, 250, 250), (2001, 330, None), (3001, 410, None)],
)
def test_the_first_band_that_holds_the_weight_counts_and_started_kilograms_beyond(
    weight_grams: int, near: int, far: int | None
) -> None:
    assert (fee("ID", weight_grams), fee("US", weight_grams)) == (near, far)


def test_a_method_offers_nothing_in_another_currency_or_when_it_is_not_active() -> None:
    assert METHOD.offer("ID", 1, Money(1, "USD")) is None
    assert replace(METHOD, is_active=False).offer("ID", 1, GOODS) is None
    assert replace(METHOD, zones=(NEAR,)).offer("US", 1, GOODS) is None


def test_offers_come_cheapest_first_and_equal_ones_by_id() -> None:
    same, dear = (
        replace(METHOD, id="shm_0"),
        replace(METHOD, id="shm_b", zones=(replace(FAR, bands=(WeightBand(9, 999),)),)),
    )
    assert [each.method_id for each in offers_of([dear, METHOD, same], "ID", 1, GOODS)] == ["shm_0", "shm_a", "shm_b"]


@pytest.mark.parametrize("currency", sorted(CURRENCY_EXPONENTS))
def test_a_new_store_ships_everywhere_in_every_currency(currency: str) -> None:
    check_method(STANDARD)
    fees = [STANDARD.offer("NZ", grams, Money(1, currency)) for grams in (0, 1, 1000, 1001, 2500)]
    unit = fees[0].fee.amount if fees[0] else 0
    assert unit > 0
    assert [each and each.fee.amount for each in fees] == [unit, unit, unit, 2 * unit, 3 * unit]


@pytest.mark.parametrize(
    ("zone", "field"),
    [
        ({"currency": "XXX"}, "zones.0.currency"),
        ({"countries": ("Indonesia",)}, "zones.0.countries"),
        ({"countries": ("ID", "ID")}, "zones.0.countries"),
        ({"bands": ()}, "zones.0.bands"),
        ({"bands": (WeightBand(500, 1), WeightBand(500, 2))}, "zones.0.bands.1.upToGrams"),
        ({"bands": (WeightBand(0, 1),)}, "zones.0.bands.0.upToGrams"),
        ({"bands": (WeightBand(500, -1),)}, "zones.0.bands.0.amount"),
        ({"per_kg_beyond": -1}, "zones.0.perKgBeyond"),
        ({"free_from": -1}, "zones.0.freeFrom"),
    ],
)
def test_a_method_that_makes_no_sense_names_its_field(zone: dict[str, Any], field: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        check_method(ShippingMethod("", "A", (replace(NEAR, **zone),)))
    assert caught.value.field == field


def test_two_zones_for_one_country_and_currency_are_refused() -> None:
    with pytest.raises(BadUserInput, match="the IDR rates for ID are there twice"):
        check_method(ShippingMethod("", "A", (NEAR, replace(FAR, countries=("ID",)))))
    with pytest.raises(BadUserInput, match="the IDR rates for everywhere are there twice"):
        check_method(ShippingMethod("", "A", (FAR, FAR)))


TAX = TaxZone("US", "Sales tax", 0, is_inclusive=False)


def test_a_region_comes_before_its_country_however_it_is_written() -> None:
    california = replace(TAX, region="California")
    zones = {TAX.id: TAX, california.id: california}
    assert zone_id("US", " CALIFORNIA ") == california.id == "US/california"
    assert find_zone(zones, "US", "california") is california
    assert find_zone(zones, "US", "Oregon") is TAX
    assert find_zone(zones, "US", None) is TAX
    assert find_zone(zones, "ID", "California") is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"country": "USA"}, "country"),
        ({"region": "x" * 121}, "region"),
        ({"name": ""}, "name"),
        ({"rate": -1}, "percent"),
        ({"rate": 1_000_001}, "percent"),
        ({"category_rates": (("cat_1", 1), ("cat_1", 2))}, "categoryRates.1.categoryId"),
        ({"category_rates": (("cat_1", -1),)}, "categoryRates.0.percent"),
    ],
)
def test_a_zone_that_makes_no_sense_names_its_field(change: dict[str, Any], field: str) -> None:
    check_zone(TAX)
    with pytest.raises(BadUserInput) as caught:
        check_zone(replace(TAX, **change))
    assert caught.value.field == field
