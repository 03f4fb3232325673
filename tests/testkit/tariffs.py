"""Discounts, shipping methods and taxes of a shop, as its staff sets them up; and what a buyer sees of them."""

from typing import Any

from core.identity import ANONYMOUS, Identity
from tests.testkit.shop import ANI, STAFF, Shop

_CREATE = """
mutation($input: CreateDiscountInput!) {
  createDiscount(input: $input) {
    __typename
    ... on Discount { id code used }
    ... on InvalidInputProblem { field }
    ... on Problem { code message }
  }
}
"""
_APPLY = """
mutation($code: String!) {
  applyDiscountCode(code: $code) {
    __typename
    ... on Cart { discountCodes }
    ... on DiscountCodeProblem { discountCode reason minimum { amount currency } }
    ... on Problem { message }
  }
}
"""
_SAVE_METHOD = """
mutation($input: SaveShippingMethodInput!) {
  saveShippingMethod(input: $input) {
    __typename
    ... on ShippingMethod { id name isActive }
    ... on InvalidInputProblem { field }
    ... on Problem { message }
  }
}
"""
_SAVE_ZONE = """
mutation($input: SaveTaxZoneInput!) {
  saveTaxZone(input: $input) {
    __typename
    ... on TaxZone { id percent }
    ... on InvalidInputProblem { field }
    ... on Problem { message }
  }
}
"""
QUOTE = """
query($token: String, $country: String!, $region: String, $methodId: ID) {
  cart(token: $token) {
    quote(country: $country, region: $region, shippingMethodId: $methodId) {
      __typename
      ... on CartQuote {
        subtotal { amount }
        discountTotal { amount }
        shipping { amount }
        total { amount currency }
        discounts { code kind amount { amount } }
        codeProblems { discountCode reason }
        shippingMethod { id name }
        shippingOptions { id fee { amount } }
        tax {
          name isInclusive amount { amount } onShipping { amount }
          parts { percent taxable { amount } amount { amount } }
        }
        lines { product { id } quantity unitPrice { amount } discount { amount } total { amount } tax { amount } }
      }
      ... on InvalidInputProblem { field }
      ... on Problem { message }
    }
  }
}
"""


async def create_discount(shop: Shop, code: str, **more: Any) -> dict[str, Any]:
    """Add a discount of 10 % unless *more* says otherwise; return the result."""
    given = {"code": code, "name": code.title(), **({"kind": "PERCENTAGE", "percent": "10"} | more)}
    if given["kind"] != "PERCENTAGE":
        del given["percent"]
    created: dict[str, Any] = (await shop.order.data(_CREATE, {"input": given}, by=STAFF))["createDiscount"]
    return created


async def apply_code(shop: Shop, code: str, *, by: Identity = ANI) -> dict[str, Any]:
    """Have a code on a cart; return the result."""
    result: dict[str, Any] = (await shop.order.data(_APPLY, {"code": code}, by=by))["applyDiscountCode"]
    return result


async def save_method(shop: Shop, name: str, *, by: Identity = STAFF, **more: Any) -> dict[str, Any]:
    """Save a shipping method; return the result."""
    saved: dict[str, Any] = (await shop.order.data(_SAVE_METHOD, {"input": {"name": name, **more}}, by=by))[
        "saveShippingMethod"
    ]
    return saved


async def save_zone(shop: Shop, country: str, percent: str, *, by: Identity = STAFF, **more: Any) -> dict[str, Any]:
    """Save a tax zone, with tax on top unless *more* says otherwise; return the result."""
    given = {"country": country, "name": "PPN", "percent": percent, "isInclusive": False, **more}
    saved: dict[str, Any] = (await shop.order.data(_SAVE_ZONE, {"input": given}, by=by))["saveTaxZone"]
    return saved


async def quote(shop: Shop, *, by: Identity = ANI, country: str = "ID", **more: Any) -> dict[str, Any]:
    """Return what a cart would cost."""
    answer = await shop.order.data(QUOTE, {"country": country, **more}, by=ANONYMOUS if "token" in more else by)
    quoted: dict[str, Any] = answer["cart"]["quote"]
    return quoted


async def used(shop: Shop, code: str) -> tuple[int, dict[str, int]]:
    """Return how often a discount was used in all, and by whom."""
    database = shop.subgraphs["order"].runtime.database
    row = await database["discounts"].find_one({"code": code})
    assert row is not None
    uses = await database["discount_uses"].find().to_list()
    by_buyer = {
        use["_id"].partition("/")[0]: use["number"] for use in uses if use["_id"].endswith(row["_id"]) and use["number"]
    }
    return row["used"], by_buyer
