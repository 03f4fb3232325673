"""Address books: the addresses that an account keeps for checkouts. The book is a value; the use cases store it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.addresses import PostalAddress, clean_address
from core.clock import Clock
from core.errors import Conflict, NotFound
from core.identity import Identity
from core.ids import new_id
from core.mongo import Client, Row, Session, in_transaction
from subgraphs.user.accounts.owner import Owners
from subgraphs.user.accounts.repository import AccountRepository
from subgraphs.user.drafts import profile_of
from subgraphs.user.model import Profile
from subgraphs.user.repository import UserRepository

# Families with many addresses have fewer, and the account's row stays small
MAX_ADDRESSES = 20


@dataclass(frozen=True, slots=True)
class SavedAddress:
    """An address under an id of its own."""

    id: str
    address: PostalAddress


@dataclass(frozen=True, slots=True)
class AddressBook:
    """The addresses of an account, oldest first; *default_id* names one of them, and is None only if there is none."""

    addresses: tuple[SavedAddress, ...] = ()
    default_id: str | None = None


def add_address(book: AddressBook, saved: SavedAddress, *, make_default: bool) -> AddressBook:
    """Return *book* with another address; the first one is the default at once. Raises Conflict when it is full."""
    if len(book.addresses) >= MAX_ADDRESSES:
        raise Conflict(f"there are {MAX_ADDRESSES} addresses already; remove one first")
    default_id = saved.id if make_default or book.default_id is None else book.default_id
    return AddressBook((*book.addresses, saved), default_id)


def replace_address(book: AddressBook, saved: SavedAddress) -> AddressBook:
    """Return *book* with *saved* in place of the address with its id; raise NotFound if there is none."""
    check_saved(book, saved.id)
    return replace(book, addresses=tuple(saved if each.id == saved.id else each for each in book.addresses))


def remove_address(book: AddressBook, address_id: str) -> AddressBook:
    """Return *book* without an address; if it was the default, the oldest of the others is. Raises NotFound."""
    check_saved(book, address_id)
    left = tuple(each for each in book.addresses if each.id != address_id)
    if book.default_id != address_id:
        return replace(book, addresses=left)
    return AddressBook(left, left[0].id if left else None)


def choose_default(book: AddressBook, address_id: str) -> AddressBook:
    """Return *book* with another default; raise NotFound if the address is not in it."""
    check_saved(book, address_id)
    return replace(book, default_id=address_id)


def check_saved(book: AddressBook, address_id: str) -> None:
    """Raise NotFound unless the address is in *book*."""
    if all(each.id != address_id for each in book.addresses):
        raise NotFound(f"you have no address {address_id}")


def read_book(row: Mapping[str, Any]) -> AddressBook:
    """Read the book of a row of `users`."""
    addresses = (
        SavedAddress(each["id"], PostalAddress(**{name: value for name, value in each.items() if name != "id"}))
        for each in row.get("addresses", ())
    )
    return AddressBook(tuple(addresses), row.get("default_address_id"))


def write_book(book: AddressBook) -> Row:
    """Return the fields of `users` that hold *book*."""
    return {
        "addresses": [{"id": saved.id, **asdict(saved.address)} for saved in book.addresses],
        "default_address_id": book.default_id,
    }


class AddressBooks:
    """Changes the caller's book. Addresses stay in this subgraph: no event tells of them."""

    def __init__(
        self, repository: AccountRepository, users: UserRepository, owners: Owners, *, client: Client, clock: Clock
    ) -> None:
        self._repository = repository
        self._users = users
        self._owners = owners
        self._client = client
        self._clock = clock

    async def find_books(self, user_ids: Collection[str]) -> list[tuple[str, AddressBook]]:
        """Return the books of accounts that exist, for a loader; who may read them is decided field by field."""
        return [(row["_id"], read_book(row)) for row in await self._repository.find_address_books(user_ids)]

    async def add(self, address: PostalAddress, *, make_default: bool, by: Identity) -> Profile:
        """Add an address; raise BadUserInput for one that cannot be shipped to, Conflict when the book is full."""
        saved = SavedAddress(new_id("adr"), clean_address(address, field="input"))
        return await self._change(lambda book: add_address(book, saved, make_default=make_default), by=by)

    async def update(self, address_id: str, address: PostalAddress, *, by: Identity) -> Profile:
        """Replace an address; raise NotFound, or BadUserInput as for `add`."""
        saved = SavedAddress(address_id, clean_address(address, field="input"))
        return await self._change(lambda book: replace_address(book, saved), by=by)

    async def remove(self, address_id: str, *, by: Identity) -> Profile:
        """Remove an address; raise NotFound."""
        return await self._change(lambda book: remove_address(book, address_id), by=by)

    async def set_default(self, address_id: str, *, by: Identity) -> Profile:
        """Make an address the one that checkouts propose; raise NotFound."""
        return await self._change(lambda book: choose_default(book, address_id), by=by)

    async def _change(self, change: Callable[[AddressBook], AddressBook], *, by: Identity) -> Profile:
        owner = await self._owners.find(by)

        async def work(session: Session) -> Profile:
            # Read again, so that changes at the same time are all kept
            account = await self._users.find_user(owner.id, session=session)
            if account is None or account.status is not owner.status:
                raise NotFound(f"there is no user {owner.id}")
            book = read_book(account.model_dump())
            changed = change(book)
            if changed != book:
                fields = {**write_book(changed), "updated_at": self._clock.now()}
                await self._users.update_user(owner.id, fields, session=session)
            return profile_of(account)

        return await in_transaction(self._client, work)
