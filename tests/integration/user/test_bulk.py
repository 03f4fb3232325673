from typing import Any

import pytest

from core.errors import BadUserInput
from subgraphs.user.bulk import BATCH_SIZE, NewAccount, insert_users
from subgraphs.user.documents import UserDocument
from subgraphs.user.model import EmailTaken
from tests.integration.user.conftest import NOW, PASSWORD, UserStore, cheap_passwords


def account(number: int, **changes: str) -> NewAccount:
    values: dict[str, Any] = {
        "id": f"usr_{number:026}",
        "email": f"user{number}@example.com",
        "name": f"User {number}",
        **changes,
    }
    return NewAccount(created_at=NOW, **values)


async def test_many_accounts_are_inserted_and_can_log_in(store: UserStore) -> None:
    accounts = [account(number) for number in range(BATCH_SIZE + 1)]
    inserted = await insert_users(store.database, accounts, password=PASSWORD, passwords=cheap_passwords())
    assert inserted == BATCH_SIZE + 1
    assert await store.database["users"].count_documents({}) == BATCH_SIZE + 1
    tokens = await store.service.log_in(email=f"user{BATCH_SIZE}@example.com", password=PASSWORD)
    assert tokens.profile.id == accounts[-1].id


async def test_an_inserted_account_is_stored_like_a_registered_one(store: UserStore) -> None:
    await insert_users(store.database, [account(1)], password=PASSWORD, passwords=cheap_passwords())
    await store.service.create_user(email="user2@example.com", password=PASSWORD, name="User 2")
    one, other = (await store.snapshot())["users"]
    assert one.keys() == other.keys() == UserDocument.model_validate(one).model_dump(by_alias=True).keys()
    assert one["search_keys"] == ["1", "user", "user 1", "user1@example.com"]


async def test_a_taken_address_is_told_and_the_others_are_inserted(store: UserStore) -> None:
    await insert_users(store.database, [account(1)], password=PASSWORD, passwords=cheap_passwords())
    with pytest.raises(EmailTaken, match="1 accounts exist already, the first is USER1@example"):
        await insert_users(
            store.database,
            [account(7, email="USER1@example.com"), account(8)],
            password=PASSWORD,
            passwords=cheap_passwords(),
        )
    assert [row["email"] for row in (await store.snapshot())["users"]] == ["user1@example.com", "user8@example.com"]


@pytest.mark.parametrize("changes", [{"id": "prd_1"}, {"email": "none"}, {"name": ""}])
async def test_an_account_that_cannot_be_is_refused(store: UserStore, changes: dict[str, str]) -> None:
    with pytest.raises(BadUserInput):
        await insert_users(store.database, [account(1, **changes)], password=PASSWORD, passwords=cheap_passwords())
    assert (await store.snapshot())["users"] == []
