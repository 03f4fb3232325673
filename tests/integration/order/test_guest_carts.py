"""Carts of guests: whoever holds the token holds the cart, until it is merged or its time is over."""

import asyncio
from hashlib import sha256
from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity
from core.mongo import Row
from subgraphs.order.carts import MAX_CART_LINES, MAX_LINE_QUANTITY
from tests.testkit.shop import ADDRESS, ANI, BUDI, CHECKOUT, Shop

CREATE = """
mutation($productId: ID!, $quantity: Int!) {
  createGuestCart(productId: $productId, quantity: $quantity) {
    __typename
    ... on GuestCartCreated { token cart { id itemCount expiresAt lines { product { id } quantity } } }
    ... on InvalidInputProblem { field }
    ... on Problem { code }
  }
}
"""
ADD = """
mutation($productId: ID!, $quantity: Int!, $token: String) {
  addToCart(productId: $productId, quantity: $quantity, cartToken: $token) {
    __typename ... on Cart { id itemCount expiresAt } ... on Problem { code message }
  }
}
"""
SHOW = "query($token: String) { cart(token: $token) { id itemCount expiresAt lines { product { id } quantity } } }"
MERGE = """
mutation($token: String!) {
  mergeCart(token: $token) { __typename ... on Cart { id lines { product { id } quantity } } ... on Problem { code } }
}
"""


async def create(shop: Shop, name: str, quantity: int = 1) -> dict[str, Any]:
    answer = await shop.order.data(CREATE, {"productId": f"prd_{name}", "quantity": quantity})
    created: dict[str, Any] = answer["createGuestCart"]
    return created


async def add(shop: Shop, token: str | None, name: str, quantity: int, *, by: Identity = ANONYMOUS) -> dict[str, Any]:
    variables = {"productId": f"prd_{name}", "quantity": quantity, "token": token}
    result: dict[str, Any] = (await shop.order.data(ADD, variables, by=by))["addToCart"]
    return result


async def merge(shop: Shop, token: str, *, by: Identity = ANI) -> dict[str, int]:
    result = (await shop.order.data(MERGE, {"token": token}, by=by))["mergeCart"]
    assert result["__typename"] == "Cart", result
    return {line["product"]["id"]: line["quantity"] for line in result["lines"]}


async def rows(shop: Shop) -> list[Row]:
    return await shop.subgraphs["order"].runtime.database["carts"].find().sort("_id", 1).to_list()


async def test_a_guest_gets_a_token_of_which_only_the_hash_is_stored(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    created = await create(shop, "teapot", 2)
    token = created["token"]
    assert len(token) == 43
    assert created["cart"]["lines"] == [{"product": {"id": "prd_teapot"}, "quantity": 2}]
    assert created["cart"]["expiresAt"] == "2027-03-31T03:00:00.000Z"
    (row,) = await rows(shop)
    assert row["_id"] == created["cart"]["id"] == f"crt_guest_{sha256(token.encode()).hexdigest()}"
    assert token not in str(row)
    assert "owner_id" not in row


async def test_who_holds_the_token_holds_the_cart_and_nobody_else(shop: Shop) -> None:
    await shop.stock_up(teapot=5, cup=5)
    token = (await create(shop, "teapot"))["token"]
    for by in (ANONYMOUS, ANI, BUDI):
        assert (await add(shop, token, "cup", 1, by=by))["__typename"] == "Cart"
    assert (await shop.order.data(SHOW, {"token": token}))["cart"]["itemCount"] == 4
    assert await shop.cart(ANI) == {}
    before = await rows(shop)
    for guess in ("", "x", token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), before[0]["_id"], "crt_ani"):
        assert (await shop.order.data(SHOW, {"token": guess}))["cart"] is None
        result = await add(shop, guess, "cup", 1)
        assert (result["__typename"], result["message"]) == ("NotFoundProblem", "there is no such cart")
    assert await rows(shop) == before


async def test_a_cart_without_a_token_still_needs_a_login(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    assert await shop.order.refusals(SHOW) == ["UNAUTHENTICATED"]
    variables = {"productId": "prd_teapot", "quantity": 1, "token": None}
    assert await shop.order.refusals(ADD, variables) == ["UNAUTHENTICATED"]
    assert await shop.order.refusals("mutation { clearCart { __typename } }") == ["UNAUTHENTICATED"]
    assert await rows(shop) == []


async def test_a_guests_cart_is_changed_like_any_other(shop: Shop) -> None:
    await shop.stock_up(teapot=5, cup=5)
    token = (await create(shop, "teapot", 3))["token"]
    await add(shop, token, "cup", 1)
    document = """mutation($t: String) {
      setCartQuantity(productId: "prd_teapot", quantity: 7, cartToken: $t) { ... on Cart { itemCount } }
      removeFromCart(productId: "prd_cup", cartToken: $t) { ... on Cart { itemCount } }
    }"""
    assert await shop.order.data(document, {"t": token}) == {
        "setCartQuantity": {"itemCount": 8},
        "removeFromCart": {"itemCount": 7},
    }
    cleared = await shop.order.data(
        "mutation($t: String) { clearCart(cartToken: $t) { ... on Cart { itemCount } } }", {"t": token}
    )
    assert cleared == {"clearCart": {"itemCount": 0}}


@pytest.mark.parametrize(
    ("product", "quantity", "problem"), [("teapot", 0, "InvalidInputProblem"), ("none", 1, "NotFoundProblem")]
)
async def test_what_cannot_be_put_in_makes_no_cart(shop: Shop, product: str, quantity: int, problem: str) -> None:
    await shop.stock_up(teapot=5)
    assert (await create(shop, product, quantity))["__typename"] == problem
    assert await rows(shop) == []


async def test_every_change_prolongs_it_and_when_its_time_is_over_it_is_gone_also_if_mongodb_is_late(
    shop: Shop,
) -> None:
    await shop.stock_up(teapot=5)
    token = (await create(shop, "teapot"))["token"]
    shop.clock.advance(days=20)
    assert (await add(shop, token, "teapot", 1))["expiresAt"] == "2027-04-20T03:00:00.000Z"
    shop.clock.advance(days=29, hours=23)
    assert (await shop.order.data(SHOW, {"token": token}))["cart"]["itemCount"] == 2
    shop.clock.advance(hours=1)
    before = await rows(shop)
    assert len(before) == 1
    assert (await shop.order.data(SHOW, {"token": token}))["cart"] is None
    assert (await add(shop, token, "teapot", 1))["__typename"] == "NotFoundProblem"
    assert await merge(shop, token) == {}
    assert await rows(shop) == before


async def test_at_login_quantities_add_up_and_the_guests_cart_is_gone(shop: Shop) -> None:
    await shop.stock_up(teapot=50, cup=50, pen=50)
    await shop.put_in_cart(ANI, teapot=2, cup=1)
    token = (await create(shop, "pen", 4))["token"]
    await add(shop, token, "teapot", 3)
    merged = {"prd_teapot": 5, "prd_cup": 1, "prd_pen": 4}
    assert await merge(shop, token) == merged
    assert [row["_id"] for row in await rows(shop)] == ["crt_ani"]
    # Again, and again by somebody else
    before = await rows(shop)
    assert await merge(shop, token) == merged
    assert await merge(shop, token, by=BUDI) == {}
    assert await rows(shop) == before
    assert (await shop.order.data(SHOW, {"token": token}))["cart"] is None


async def test_merging_at_the_same_time_merges_once(shop: Shop) -> None:
    await shop.stock_up(teapot=50)
    token = (await create(shop, "teapot", 3))["token"]
    carts = await asyncio.gather(*(merge(shop, token) for _ in range(6)))
    assert all(cart == {"prd_teapot": 3} for cart in carts)
    assert [row["_id"] for row in await rows(shop)] == ["crt_ani"]


async def test_merging_keeps_to_the_limits_of_a_cart(shop: Shop) -> None:
    names = [f"p{number:03}" for number in range(MAX_CART_LINES + 1)]
    stock: dict[str, Any] = dict.fromkeys(names, 5)
    await shop.stock_up(**stock)
    await shop.put_in_cart(ANI, **dict.fromkeys(names[1:-1], 1), p000=MAX_LINE_QUANTITY - 1)
    token = (await create(shop, "p000", 7))["token"]
    await add(shop, token, names[-1], 1)
    merged = await merge(shop, token)
    assert merged["prd_p000"] == MAX_LINE_QUANTITY
    assert len(merged) == MAX_CART_LINES
    assert f"prd_{names[-1]}" not in merged


async def test_merging_needs_a_login_and_leaves_the_cart_to_its_guest(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    token = (await create(shop, "teapot"))["token"]
    assert await shop.order.refusals(MERGE, {"token": token}) == ["UNAUTHENTICATED"]
    assert (await shop.order.data(SHOW, {"token": token}))["cart"]["itemCount"] == 1


async def test_a_merged_cart_is_ordered(shop: Shop) -> None:
    await shop.stock_up(teapot=5)
    token = (await create(shop, "teapot", 2))["token"]
    variables = {"input": {"idempotencyKey": "k", "shippingAddress": ADDRESS}}
    assert await shop.order.refusals(CHECKOUT, variables) == ["UNAUTHENTICATED"]
    await merge(shop, token)
    assert (await shop.check_out())["__typename"] == "CheckoutSuccess"
    assert await shop.stock("teapot") == (5, 2)
