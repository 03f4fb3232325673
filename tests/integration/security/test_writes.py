"""Who changes what: every mutation, by everybody. Whoever is refused has changed nothing."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest

from router.supergraph.reading import read_supergraph
from tests.integration.security.things import SCHEDULE, make_things
from tests.integration.security.world import PEOPLE, World
from tests.testkit.callers import Caller
from tests.testkit.shop import ADDRESS, ANI, BUDI

LOGIN, SCOPE = "UNAUTHENTICATED", "FORBIDDEN"
HIDDEN, CONFLICT = "NotFoundProblem", "ConflictProblem"
TOKEN, PASSWORD = "InvalidMailTokenProblem", "InvalidCredentialsProblem"

PRODUCT = {"sku": "NEW-1", "name": "New", "price": {"decimal": "10", "currency": "IDR"}}
ADJUSTMENT = {"productId": "%(product)s", "delta": 1, "reason": "found", "idempotencyKey": "%(product)s"}
TRACKING = {"orderId": "%(order)s", "status": "somewhere"}
SHIPMENT = {"orderId": "%(order)s", "carrier": "JNE", "trackingNumber": "1"}

# mutation, arguments with their types, then the outcome for anonymous, another customer, staff, admin, owner
WRITES: list[tuple[str, dict[str, tuple[str, Any]], tuple[str, ...]]] = [
    ("adjustStock", {"input": ("AdjustStockInput!", ADJUSTMENT)}, (LOGIN, SCOPE, "StockLevel", "StockLevel", SCOPE)),
    ("addToCart", {"productId": ("ID!", "%(product)s")}, (LOGIN, *["Cart"] * 4)),
    ("setCartQuantity", {"productId": ("ID!", "%(product)s"), "quantity": ("Int!", 3)}, (LOGIN, *["Cart"] * 4)),
    ("removeFromCart", {"productId": ("ID!", "%(product)s")}, (LOGIN, *["Cart"] * 4)),
    ("clearCart", {}, (LOGIN, *["Cart"] * 4)),
    (
        "checkout",
        {"input": ("CheckoutInput!", {"idempotencyKey": "theirs", "shippingAddress": ADDRESS})},
        (LOGIN, *["EmptyCartProblem"] * 4),
    ),
    ("cancelOrder", {"id": ("ID!", "%(unpaid)s")}, (LOGIN, HIDDEN, "Order", "Order", "Order")),
    ("cancelOrder", {"id": ("ID!", "%(order)s")}, (LOGIN, HIDDEN, "Order", "Order", "Order")),
    ("packOrder", {"id": ("ID!", "%(order)s")}, (LOGIN, SCOPE, "Order", CONFLICT, SCOPE)),
    ("shipOrder", {"input": ("ShipOrderInput!", SHIPMENT)}, (LOGIN, SCOPE, CONFLICT, CONFLICT, SCOPE)),
    ("addTrackingEvent", {"input": ("TrackingEventInput!", TRACKING)}, (LOGIN, SCOPE, CONFLICT, CONFLICT, SCOPE)),
    ("deliverOrder", {"id": ("ID!", "%(order)s")}, (LOGIN, SCOPE, CONFLICT, CONFLICT, SCOPE)),
    (
        "createCategory",
        {"input": ("CreateCategoryInput!", {"name": "Tea"})},
        (LOGIN, SCOPE, "Category", CONFLICT, SCOPE),
    ),
    ("createProduct", {"input": ("CreateProductInput!", PRODUCT)}, (LOGIN, SCOPE, "Product", CONFLICT, SCOPE)),
    (
        "editProduct",
        {"input": ("EditProductInput!", {"id": "%(product)s", "price": {"decimal": "1", "currency": "IDR"}})},
        (LOGIN, SCOPE, "Product", "Product", SCOPE),
    ),
    ("publishProduct", {"id": ("ID!", "%(draft)s")}, (LOGIN, SCOPE, "Product", "Product", SCOPE)),
    ("archiveProduct", {"id": ("ID!", "%(draft)s")}, (LOGIN, SCOPE, "Product", "Product", SCOPE)),
    (
        "createSyncSchedule",
        {"input": ("CreateSyncScheduleInput!", {**SCHEDULE, "scope": "ALL"})},
        (LOGIN, SCOPE, "SyncScheduleCreated", "SyncScheduleCreated", SCOPE),
    ),
    (
        "editSyncSchedule",
        {"input": ("EditSyncScheduleInput!", {"id": "%(schedule)s", "webhookUrl": "https://mine.example/"})},
        (LOGIN, HIDDEN, HIDDEN, HIDDEN, "SyncSchedule"),
    ),
    ("runSyncNow", {"id": ("ID!", "%(schedule)s")}, (LOGIN, HIDDEN, HIDDEN, HIDDEN, "SyncRun")),
    (
        "deleteSyncSchedule",
        {"id": ("ID!", "%(schedule)s")},
        (LOGIN, HIDDEN, HIDDEN, HIDDEN, "SyncScheduleDeleted"),
    ),
    (
        "register",
        {"input": ("RegisterInput!", {"email": "ani@example.org", "password": "something else", "name": "Not Ani"})},
        ("RegistrationAccepted",) * 5,
    ),
    (
        "verifyEmail",
        {"input": ("VerifyEmailInput!", {"token": "a guess", "password": "correct horse battery"})},
        (TOKEN,) * 5,
    ),
    ("requestPasswordReset", {"email": ("String!", "ani@example.org")}, ("PasswordResetRequested",) * 5),
    (
        "resetPassword",
        {"input": ("ResetPasswordInput!", {"token": "a guess", "newPassword": "something else"})},
        (TOKEN,) * 5,
    ),
    (
        "changePassword",
        {"input": ("ChangePasswordInput!", {"currentPassword": "a guess", "newPassword": "something else"})},
        (LOGIN, *[PASSWORD] * 4),
    ),
    (
        "requestEmailChange",
        {"input": ("RequestEmailChangeInput!", {"newEmail": "mine@example.org", "password": "a guess"})},
        (LOGIN, *[PASSWORD] * 4),
    ),
    ("confirmEmailChange", {"token": ("String!", "a guess")}, (LOGIN, *[TOKEN] * 4)),
    ("addAddress", {"input": ("AddressInput!", ADDRESS)}, (LOGIN, *["User"] * 4)),
    (
        "updateAddress",
        {"id": ("ID!", "%(address)s"), "input": ("AddressInput!", {**ADDRESS, "line1": "Elsewhere"})},
        (LOGIN, HIDDEN, HIDDEN, HIDDEN, "User"),
    ),
    ("setDefaultAddress", {"id": ("ID!", "%(address)s")}, (LOGIN, HIDDEN, HIDDEN, HIDDEN, "User")),
    ("removeAddress", {"id": ("ID!", "%(address)s")}, (LOGIN, HIDDEN, HIDDEN, HIDDEN, "User")),
    ("deactivateAccount", {"password": ("String!", "a guess")}, (LOGIN, *[PASSWORD] * 4)),
    (
        "setAccountStatus",
        {"input": ("SetAccountStatusInput!", {"userId": "usr_ani", "status": "ACTIVE", "reason": "because"})},
        (LOGIN, SCOPE, SCOPE, "User", SCOPE),
    ),
    ("requestDataExport", {"password": ("String!", "a guess")}, (LOGIN, *[PASSWORD] * 4)),
    ("eraseAccount", {"password": ("String!", "a guess")}, (LOGIN, *[PASSWORD] * 4)),
    (
        "login",
        {"input": ("LoginInput!", {"email": "ani@example.org", "password": "a guess"})},
        ("InvalidCredentialsProblem",) * 5,
    ),
    ("refresh", {"refreshToken": ("String", "a guess")}, ("InvalidRefreshTokenProblem",) * 5),
    ("logout", {"refreshToken": ("String", "a guess")}, ("False",) * 5),
    ("logoutEverywhere", {}, (LOGIN, *["0"] * 4)),
    ("revokeSession", {"id": ("ID!", "ses_guess")}, (LOGIN, *[HIDDEN] * 4)),
    (
        "completeLogin",
        {"challenge": ("String!", "a guess"), "code": ("String!", "123456")},
        ("ChallengeEndedProblem",) * 5,
    ),
    ("enrolSecondFactor", {"password": ("String!", "a guess")}, (LOGIN, *["InvalidCredentialsProblem"] * 4)),
    ("confirmSecondFactor", {"code": ("String!", "123456")}, (LOGIN, *[CONFLICT] * 4)),
    (
        "renewRecoveryCodes",
        {"password": ("String!", "a guess"), "code": ("String!", "123456")},
        (LOGIN, *["InvalidCredentialsProblem"] * 4),
    ),
    (
        "disableSecondFactor",
        {"password": ("String!", "a guess"), "code": ("String!", "123456")},
        (LOGIN, *["InvalidCredentialsProblem"] * 4),
    ),
    ("resetSecondFactor", {"userId": ("ID!", "usr_ani")}, (LOGIN, SCOPE, SCOPE, CONFLICT, SCOPE)),
    ("updateProfile", {"input": ("UpdateProfileInput!", {"name": "Renamed"})}, (LOGIN, *["User"] * 4)),
    (
        "setRoles",
        {"userId": ("ID!", "usr_ani"), "roles": ("[UserRole!]!", ["CUSTOMER", "ADMIN"])},
        (LOGIN, SCOPE, SCOPE, "User", SCOPE),
    ),
]
# Answered with a number or a truth value, which have no selection
SCALARS = {"logout", "logoutEverywhere"}
DONE = {
    "Cart",
    "Category",
    "Order",
    "PasswordResetRequested",
    "Product",
    "RegistrationAccepted",
    "StockLevel",
    "SyncRun",
    "SyncSchedule",
    "SyncScheduleCreated",
    "SyncScheduleDeleted",
    "User",
}


@pytest.mark.parametrize(
    ("mutation", "arguments", "expected"), WRITES, ids=[f"{name}-{n}" for n, (name, *_) in enumerate(WRITES)]
)
async def test_each_caller_changes_what_is_theirs(
    world: World, mutation: str, arguments: Mapping[str, tuple[str, Any]], expected: tuple[str, ...]
) -> None:
    # An owner has a limited number of schedules
    await world.subgraphs["sync"].runtime.database["schedules"].delete_many({})
    things = asdict(await make_things(world))
    await world.subgraphs["order"].runtime.database["carts"].delete_many({})
    document, variables = _document(mutation, arguments), _filled({k: v for k, (_, v) in arguments.items()}, things)
    outcomes = {}
    for name, identity in PEOPLE.items():
        before = await world.snapshot()
        outcome = _outcome(await world.ask(document, variables, by=identity), mutation)
        outcomes[name] = outcome
        if outcome not in DONE:
            assert await world.snapshot() == before, f"{name} was refused ({outcome}) and changed something"
    assert outcomes == dict(zip(PEOPLE, expected, strict=True))


def test_every_mutation_of_the_api_is_in_the_table(world: World) -> None:
    mutation = read_supergraph(world.supergraph_sdl).api_schema.mutation_type
    assert mutation is not None
    assert set(mutation.fields) == {name for name, *_ in WRITES}


async def test_an_idempotency_key_is_its_buyers_own(world: World) -> None:
    await world.subgraphs["order"].runtime.database["carts"].delete_many({})
    await world.shop.stock_up(shared=10)
    orders = []
    for identity in (ANI, BUDI):
        await world.shop.put_in_cart(identity, shared=1)
        orders.append((await world.shop.check_out(identity, "the same key"))["order"]["id"])
    assert len(set(orders)) == 2
    # A third time with an empty cart: each gets the own order again
    again = [(await world.shop.check_out(identity, "the same key"))["order"]["id"] for identity in (ANI, BUDI)]
    assert again == orders


async def test_a_cart_is_changed_for_its_owner_alone(world: World) -> None:
    await world.subgraphs["order"].runtime.database["carts"].delete_many({})
    await world.shop.stock_up(own=10)
    await world.shop.put_in_cart(ANI, own=2)
    order = Caller(world.subgraphs["order"])
    await order.data("mutation { clearCart { __typename } }", by=BUDI)
    assert await world.shop.cart(ANI) == {"prd_own": 2}
    assert await world.shop.cart(BUDI) == {}


def _document(mutation: str, arguments: Mapping[str, tuple[str, Any]]) -> str:
    selection = "" if mutation in SCALARS else " { __typename }"
    if not arguments:
        return f"mutation {{ {mutation}{selection} }}"
    declared = ", ".join(f"${name}: {type_}" for name, (type_, _) in arguments.items())
    passed = ", ".join(f"{name}: ${name}" for name in arguments)
    return f"mutation({declared}) {{ {mutation}({passed}){selection} }}"


def _filled(value: Any, things: Mapping[str, str]) -> Any:
    match value:
        case str():
            return value % things
        case dict():
            return {name: _filled(inner, things) for name, inner in value.items()}
        case _:
            return value


def _outcome(response: dict[str, Any], mutation: str) -> str:
    if response.get("errors"):
        assert (response.get("data") or {}).get(mutation) is None
        return str(response["errors"][0]["extensions"]["code"])
    result = response["data"][mutation]
    return str(result["__typename"]) if isinstance(result, dict) else str(result)
