"""From the wish to the letter, through inventory and user."""

from core.mail import Mail, MailboxMailer
from tests.integration.inventory.conftest import ADJUST
from tests.testkit.callers import Caller
from tests.testkit.shop import ANI, BUDI, STAFF, Shop

WAIT = "mutation($id: ID!) { notifyWhenInStock(productId: $id) { __typename } }"


async def letters(shop: Shop, to: str) -> list[Mail]:
    mailer = shop.subgraphs["user"].runtime.mailer
    assert isinstance(mailer, MailboxMailer)
    return await mailer.read(to=to)


async def test_who_waited_gets_one_letter_and_who_is_suspended_gets_none(shop: Shop) -> None:
    await shop.stock_up(teapot=0)
    inventory = Caller(shop.subgraphs["inventory"])
    for by in (ANI, BUDI):
        answer = await inventory.data(WAIT, {"id": "prd_teapot"}, by=by)
        assert answer["notifyWhenInStock"]["__typename"] == "BackInStockNotice"
    users = shop.subgraphs["user"].runtime.database["users"]
    await users.update_one({"_id": "usr_budi"}, {"$set": {"status": "SUSPENDED"}})
    given = {"productId": "prd_teapot", "delta": 3, "reason": "delivery", "idempotencyKey": "k"}
    assert (await inventory.data(ADJUST, {"input": given}, by=STAFF))["adjustStock"]["onHand"] == 3
    for _ in range(2):
        await shop.run_job("inventory", "tell_waiting")
        await shop.deliver_events()
        await shop.run_job("user", "send_letters")
    [letter] = await letters(shop, "ani@example.org")
    assert letter.subject == "Teapot is available again"
    assert letter.text == (
        "Teapot, which you have asked us about, is available again. Nothing is reserved for you, and we write about it"
        " this once.\n"
    )
    assert await letters(shop, "budi@example.org") == []
