"""The schema as the router composes it."""

import re

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)

from subgraphs.order.schema import build_order_schema
from subgraphs.payment.schema import build_payment_schema

# What federation and Relay define speaks for itself
KNOWN = re.compile(r"^(__|_Entity|_Any|_Service|Query$|Mutation$)|(Connection|Edge)$")


@pytest.fixture(params=["order", "payment"])
def sdl(request: pytest.FixtureRequest) -> str:
    schema = build_order_schema() if request.param == "order" else build_payment_schema()
    return schema.as_str()


def test_everything_public_is_described_by_the_subgraph_that_owns_it(sdl: str) -> None:
    schema: GraphQLSchema = build_schema(sdl, assume_valid=True, assume_valid_sdl=True)
    guests = {"Product", "User"} if "type Cart " in sdl else {"Order"}
    undescribed = []
    for type_ in schema.type_map.values():
        if KNOWN.search(type_.name) and type_.name not in ("Query", "Mutation"):
            continue
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, field in type_.fields.items():
                if field.description is None and not name.startswith("_"):
                    undescribed.append(f"{type_.name}.{name}")
                undescribed += [
                    f"{type_.name}.{name}({argument})"
                    for argument, definition in getattr(field, "args", {}).items()
                    if definition.description is None and not name.startswith("_")
                ]
        if isinstance(type_, GraphQLObjectType | GraphQLInputObjectType | GraphQLEnumType) and not type_.description:
            undescribed.append(type_.name)
    expected = guests | {f"{name}.id" for name in guests}
    assert set(undescribed) - {"Query", "Mutation", "Subscription"} == expected


def test_internal_fields_are_hidden_from_the_api() -> None:
    order, payment = build_order_schema().as_str(), build_payment_schema().as_str()
    assert re.search(r"changedOrders\((.|\n)*?\): ChangedOrders! @inaccessible", order)
    assert re.search(r"openPayment\((.|\n)*?\): Payment! @inaccessible", payment)
    assert re.search(r"cancelPayment\((.|\n)*?\): Payment @inaccessible", payment)
    for name in ("OpenPaymentInput", "MinorUnitsInput", "PaymentLineInput"):
        assert f"input {name} @inaccessible" in payment


@pytest.mark.parametrize(
    ("pattern", "directive"),
    [
        (r"orders\(\n(.|\n)*?\): OrderConnection! ", '@requiresScopes(scopes: [["orders:read"]])'),
        (r"monthlyOrderTotals\((.|\n)*?\): MonthlyOrderTotals! ", '@requiresScopes(scopes: [["reports:read"]])'),
        (r"packOrder\((.|\n)*?\): OrderResult! ", '@requiresScopes(scopes: [["orders:write"]])'),
        (r"checkout\((.|\n)*?\): CheckoutResult! ", '@owned(by: "buyer", orScopes: ["orders:read"]) @authenticated'),
        (r"cart\((.|\n)*?\): Cart ", '@owned(by: "owner")'),
        (r"mergeCart\((.|\n)*?\): CartResult! ", '@owned(by: "owner") @authenticated'),
        (r"createDiscount\((.|\n)*?\): DiscountResult! ", '@requiresScopes(scopes: [["discounts:write"]])'),
        (r"saveTaxZone\((.|\n)*?\): SaveTaxZoneResult! ", '@requiresScopes(scopes: [["tariffs:write"]])'),
    ],
)
def test_authorisation_is_declared(pattern: str, directive: str) -> None:
    assert re.search(pattern + re.escape(directive), build_order_schema().as_str())
