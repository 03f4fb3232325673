import pytest

from core.addresses import PostalAddress
from core.errors import BadUserInput, Conflict, NotFound
from subgraphs.user.accounts.address_book import (
    MAX_ADDRESSES,
    AddressBook,
    SavedAddress,
    add_address,
    choose_default,
    read_book,
    remove_address,
    replace_address,
    write_book,
)
from subgraphs.user.accounts.standing import check_status_change, clean_reason
from subgraphs.user.model import AccountStatus

HOME = PostalAddress("Ani", "Jl. Melati 5", "Bandung", "40111", "ID", phone="0812")
WORK = PostalAddress("Ani", "Jl. Asia Afrika 8", "Bandung", "40112", "ID")


def book_of(*ids: str, default: str | None = None) -> AddressBook:
    book = AddressBook()
    for address_id in ids:
        book = add_address(book, SavedAddress(address_id, HOME), make_default=address_id == default)
    return book


def test_the_first_address_is_the_default_until_another_is_chosen() -> None:
    assert book_of("a").default_id == "a"
    assert book_of("a", "b").default_id == "a"
    assert book_of("a", "b", default="b").default_id == "b"
    assert choose_default(book_of("a", "b"), "b").default_id == "b"


def test_without_its_default_the_oldest_of_the_others_is() -> None:
    assert remove_address(book_of("a", "b", "c"), "a") == book_of("b", "c")
    assert remove_address(book_of("a", "b", "c", default="c"), "b") == book_of("a", "c", default="c")
    assert remove_address(book_of("a"), "a") == AddressBook()


def test_an_address_is_replaced_at_its_place() -> None:
    book = replace_address(book_of("a", "b"), SavedAddress("a", WORK))
    assert [(saved.id, saved.address) for saved in book.addresses] == [("a", WORK), ("b", HOME)]
    assert book.default_id == "a"


def test_a_full_book_takes_no_more() -> None:
    full = book_of(*(f"adr_{number}" for number in range(MAX_ADDRESSES)))
    with pytest.raises(Conflict, match="there are 20 addresses already"):
        add_address(full, SavedAddress("one more", HOME), make_default=False)


def test_what_is_not_there_cannot_be_changed() -> None:
    for change in (remove_address, choose_default):
        with pytest.raises(NotFound, match="you have no address b"):
            change(book_of("a"), "b")
    with pytest.raises(NotFound, match="you have no address b"):
        replace_address(book_of("a"), SavedAddress("b", WORK))


def test_a_book_is_read_as_it_was_written() -> None:
    book = replace_address(book_of("a", "b", default="b"), SavedAddress("b", WORK))
    assert read_book(write_book(book)) == book
    # Accounts from before there were books
    assert read_book({}) == AddressBook()


def test_nobody_sets_their_own_status_or_one_that_is_not_the_stores_to_set() -> None:
    check_status_change("usr_ani", AccountStatus.SUSPENDED, by="usr_root")
    check_status_change("usr_ani", AccountStatus.ACTIVE, by=None)
    with pytest.raises(Conflict):
        check_status_change("usr_ani", AccountStatus.ACTIVE, by="usr_ani")
    for status in (AccountStatus.DEACTIVATED, AccountStatus.ERASED):
        with pytest.raises(BadUserInput, match=f"cannot be made {status}"):
            check_status_change("usr_ani", status, by="usr_root")


def test_a_reason_is_tidied_and_must_be_one() -> None:
    assert clean_reason("  too\nmany   chargebacks ") == "too many chargebacks"
    for reason in ("", " \n ", "x" * 201):
        with pytest.raises(BadUserInput):
            clean_reason(reason)
