"""Every field that shows money or a person declares who may see it; no root field is without a rule."""

import re

import pytest

from core.scopes import ROLE_SCOPES
from pasar.composing import SDL_FOLDER
from tests.testkit.declared import Declarations

SDL = (SDL_FOLDER / "supergraph.graphql").read_text("utf-8")


def test_every_field_that_shows_money_or_a_person_declares_a_scope_or_an_owner() -> None:
    assert Declarations(SDL).undeclared() == []


def test_every_root_field_declares_who_may_use_it() -> None:
    assert Declarations(SDL).undeclared_roots() == []


def test_owners_and_scopes_that_are_declared_exist() -> None:
    owned = [field for field in Declarations(SDL).fields if "owned" in field.rules]
    assert {field.argument("by") for field in owned} == {"buyer", "caller", "owner", "self", "staff"}
    scopes = {scope for field in owned for scope in field.argument("orScopes") or ()}  # type: ignore[attr-defined]
    assert scopes <= ROLE_SCOPES["ADMIN"]


def _with(type_name: str, field: str) -> str:
    """Return the supergraph as it would be if *type_name* had one more field."""
    changed, count = re.subn(rf"(\ntype {type_name}\b[^{{]*\{{\n)", rf"\1  {field}\n", SDL, count=1)
    assert count == 1
    return changed


@pytest.mark.parametrize(
    ("type_name", "field", "coordinate"),
    [
        # Money, however it is wrapped, and wherever the field stands
        ("Order", "giftCardBalance: Money", "Order.giftCardBalance"),
        ("Order", "refunds: [Money!]!", "Order.refunds"),
        ("Product", "purchasePrice: Money", "Product.purchasePrice"),
        ("User", "spent: Money", "User.spent"),
        ("Query", "revenueToday: Money", "Query.revenueToday"),
        # A person, by the word
        ("User", "billingEmail: String", "User.billingEmail"),
        ("User", "fullName: String", "User.fullName"),
        ("Order", "phoneOfCourier: String", "Order.phoneOfCourier"),
        ("Payment", "cardNumber: String", "Payment.cardNumber"),
        ("Product", "supplierAddress: String", "Product.supplierAddress"),
        ("SyncRun", "accessToken: String", "SyncRun.accessToken"),
        # An object in which something is somebody's own: directly, in a list, in a connection, in a union
        ("Product", "lastOrder: Order", "Product.lastOrder"),
        ("Product", "buyers: [User!]!", "Product.buyers"),
        ("Category", "orders: OrderConnection", "Category.orders"),
        ("Mutation", "takeOver(id: ID!): OrderResult", "Mutation.takeOver"),
        ("Mutation", "impersonate(id: ID!): LoginResult", "Mutation.impersonate"),
        # Being logged in is no rule about whose it is
        ("Query", "anyOrder: Order @authenticated", "Query.anyOrder"),
    ],
)
def test_a_field_that_forgets_it_is_found(type_name: str, field: str, coordinate: str) -> None:
    assert Declarations(_with(type_name, field)).undeclared() == [coordinate]
    for rule in ('@requiresScopes(scopes: [["orders:read"]])', '@public(because: "x")'):
        assert Declarations(_with(type_name, f"{field} {rule}")).undeclared() == []
    # Of the catalogue nothing is anybody's own; a product that were would have to be declared wherever it is shown
    owned = Declarations(_with(type_name, f'{field} @owned(by: "buyer")')).undeclared()
    assert owned == [] or (type_name in ("Category", "Product") and coordinate not in owned)


def test_a_type_that_needs_a_scope_covers_its_fields() -> None:
    assert Declarations(_with("AuditEntry", "email: String")).undeclared() == []
    assert Declarations(_with("MonthlyOrderTotal", "tax: Money")).undeclared() == []


@pytest.mark.parametrize("field", ["health: String", "serverTime: DateTime"])
def test_a_root_field_without_a_rule_is_found(field: str) -> None:
    declarations = Declarations(_with("Query", field))
    assert declarations.undeclared_roots() == [f"Query.{field.partition(':')[0]}"]
    assert Declarations(_with("Query", f"{field} @authenticated")).undeclared_roots() == []


@pytest.mark.parametrize(
    "field",
    [
        "altText: String",
        "weight: Int",
        "subtotalCount: Int",
        "stockLevels: [StockLevel!]",
        "email: String @inaccessible",
    ],
)
def test_other_fields_need_no_rule(field: str) -> None:
    assert Declarations(_with("Product", field)).undeclared() == []
