"""Carts: one line per product, within limits, whoever changes them at the same time."""

import asyncio

import pytest

from tests.testkit.shop import ADD_TO_CART, ANI, BUDI, Shop

SET_QUANTITY = """
mutation($productId: ID!, $quantity: Int!) {
  setCartQuantity(productId: $productId, quantity: $quantity) {
    __typename ... on Cart { itemCount } ... on InvalidInputProblem { field }
  }
}
"""


async def test_a_new_cart_is_empty_and_reading_it_writes_nothing(shop: Shop) -> None:
    answer = await shop.order.data("{ cart { id itemCount lines { quantity } } }", by=ANI)
    assert answer == {"cart": {"id": "crt_ani", "itemCount": 0, "lines": []}}
    assert await shop.subgraphs["order"].runtime.database["carts"].count_documents({}) == 0


async def test_adding_a_product_twice_makes_one_line(shop: Shop) -> None:
    await shop.stock_up(teapot=5, cup=5)
    await shop.put_in_cart(ANI, teapot=2, cup=1)
    await shop.put_in_cart(ANI, teapot=3)
    answer = await shop.order.data("{ cart { itemCount lines { id product { id } quantity } } }", by=ANI)
    assert answer["cart"] == {
        "itemCount": 6,
        "lines": [
            {"id": "crt_ani-prd_teapot", "product": {"id": "prd_teapot"}, "quantity": 5},
            {"id": "crt_ani-prd_cup", "product": {"id": "prd_cup"}, "quantity": 1},
        ],
    }
    assert await shop.cart(BUDI) == {}


async def test_changes_at_the_same_time_are_all_kept(shop: Shop) -> None:
    await shop.stock_up(teapot=5, cup=5)
    variables = [{"productId": f"prd_{name}", "quantity": 1} for name in ("teapot", "cup") * 5]
    await asyncio.gather(*(shop.order.data(ADD_TO_CART, each, by=ANI) for each in variables))
    assert await shop.cart() == {"prd_teapot": 5, "prd_cup": 5}


async def test_lines_are_set_removed_and_cleared(shop: Shop) -> None:
    await shop.stock_up(teapot=5, cup=5)
    await shop.put_in_cart(ANI, teapot=2, cup=1)
    await shop.order.data(SET_QUANTITY, {"productId": "prd_teapot", "quantity": 7}, by=ANI)
    assert await shop.cart() == {"prd_teapot": 7, "prd_cup": 1}
    remove = 'mutation { removeFromCart(productId: "prd_teapot") { ... on Cart { itemCount } } }'
    for _ in range(2):
        assert await shop.order.data(remove, by=ANI) == {"removeFromCart": {"itemCount": 1}}
    assert await shop.order.data("mutation { clearCart { ... on Cart { itemCount } } }", by=ANI) == {
        "clearCart": {"itemCount": 0}
    }


@pytest.mark.parametrize("quantity", [0, -1, 1000])
@pytest.mark.parametrize("document", [ADD_TO_CART, SET_QUANTITY])
async def test_a_quantity_out_of_range_is_refused(shop: Shop, document: str, quantity: int) -> None:
    await shop.stock_up(teapot=5)
    await shop.put_in_cart(ANI, teapot=2)
    (result,) = (await shop.order.data(document, {"productId": "prd_teapot", "quantity": quantity}, by=ANI)).values()
    assert (result["__typename"], result["field"]) == ("InvalidInputProblem", "quantity")
    assert await shop.cart() == {"prd_teapot": 2}
    assert shop.peers.calls == []


async def test_unknown_and_unpublished_products_do_not_get_into_a_cart(shop: Shop) -> None:
    await shop.stock_up(status="DRAFT", draft=5)
    for product_id, problem in (("prd_none", "NotFoundProblem"), ("prd_draft", "ProductUnavailableProblem")):
        result = (await shop.order.data(ADD_TO_CART, {"productId": product_id, "quantity": 1}, by=ANI))["addToCart"]
        assert result["__typename"] == problem
    assert await shop.cart() == {}


async def test_a_cart_needs_a_login(shop: Shop) -> None:
    assert await shop.order.refusals("{ cart { id } }") == ["UNAUTHENTICATED"]
    assert await shop.order.refusals(ADD_TO_CART, {"productId": "prd_x", "quantity": 1}) == ["UNAUTHENTICATED"]
    assert await shop.order.refusals("mutation { clearCart { __typename } }") == ["UNAUTHENTICATED"]
