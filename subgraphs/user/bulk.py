"""Many accounts at once, for the seed: raw rows, and one password for all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pymongo.errors import BulkWriteError

from core.errors import BadUserInput
from core.identity import Role
from core.mongo import Database, Row
from subgraphs.user.documents import UserDocument
from subgraphs.user.model import (
    AccountStatus,
    EmailTaken,
    check_email,
    check_name,
    check_password,
    check_roles,
    email_key,
    search_keys,
)
from subgraphs.user.passwords import Passwords

# MongoDB takes at most 100,000 writes in one command; this many rows are a few hundred kilobytes
BATCH_SIZE = 1000
DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to insert under an *id* that the caller has chosen (`usr_...`)."""

    id: str
    email: str
    name: str
    created_at: datetime
    roles: tuple[str, ...] = (Role.CUSTOMER,)
    phone: str | None = None


async def insert_users(
    database: Database, accounts: Iterable[NewAccount], *, password: str, passwords: Passwords
) -> int:
    """Insert *accounts*, all with *password*, and return how many; nothing is announced.

    One hash serves all: a thousand of them would take minutes. These are accounts to try the store with.

    Raises:
        BadUserInput: a value is not acceptable; the batches before it have been inserted.
        EmailTaken: an id or an address is in use; every other account of that batch has been inserted.
    """
    password_hash = await passwords.hash(check_password(password, email=""))
    inserted = 0
    batch: list[Row] = []
    for account in accounts:
        batch.append(_row_of(account, password_hash))
        if len(batch) == BATCH_SIZE:
            inserted += await _insert(database, batch)
            batch = []
    if batch:
        inserted += await _insert(database, batch)
    return inserted


async def _insert(database: Database, rows: list[Row]) -> int:
    try:
        result = await database[UserDocument.Settings.name].insert_many(rows, ordered=False)
    except BulkWriteError as error:
        failures = (error.details or {}).get("writeErrors", [])
        if failures and all(failure["code"] == DUPLICATE_KEY for failure in failures):
            email = rows[failures[0]["index"]]["email"]
            raise EmailTaken(f"{len(failures)} accounts exist already, the first is {email}") from error
        raise
    return len(result.inserted_ids)


def _row_of(account: NewAccount, password_hash: str) -> Row:
    if not account.id.startswith("usr_"):
        raise BadUserInput(f"{account.id!r} is not the id of a user", field="id")
    email, name = check_email(account.email), check_name(account.name)
    return {
        "_id": account.id,
        "email": email,
        "email_key": email_key(email),
        "name": name,
        "phone": account.phone,
        "roles": list(check_roles(account.id, account.roles, by=None)),
        "password_hash": password_hash,
        "has_second_factor": False,
        "last_login_at": None,
        "search_keys": list(search_keys(email, name)),
        "status": AccountStatus.ACTIVE,
        "addresses": [],
        "default_address_id": None,
        "created_at": account.created_at,
        "updated_at": account.created_at,
        "version": 1,
    }
