"""Who may do what: every query, mutation and field that shows money or a person, and what each kind of caller gets.

This is the table that a reviewer reads. Columns are the callers of CALLERS, in that order; whoever comes with one of
BAD_TOKENS gets 401 for every row. The tests beside it ask for all of it and compare whole
databases: whoever is refused has changed nothing.

| file                       | asks                                                                              |
|----------------------------|-----------------------------------------------------------------------------------|
| test_reads.py              | READS and FIELDS, through the router; a service asks the subgraph, as services do |
| test_writes.py             | WRITES, likewise                                                                  |
| test_bad_tokens.py         | every row with every bad token                                                    |
| test_subgraphs_attacked.py | every row past the router: without an assertion, or with one that is forged       |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from tests.integration.security.things import SCHEDULE
from tests.testkit.shop import ADDRESS

# The owner comes last but for the service, which is order's: an owner may end the thing that the others ask for
CALLERS = ("anonymous", "other", "staff", "admin", "owner", "service")

# What the token of a bad caller is; each kind with the forgeries of test_tokens_attacked.py that belong to it
BAD_TOKENS: Mapping[str, tuple[str, ...]] = {
    "expired": ("expired",),
    "of another issuer": ("another issuer", "another key under our kid"),
    "signed with the public key as HMAC secret": (
        "HS256 with the public key as PEM",
        "HS256 with the public key's bytes",
        "HS256 with the public key as published",
    ),
    "alg none": ("alg none", "alg nOnE"),
    "for another audience": ("another audience",),
    "kid path tricks": ("kid of a file", "kid of a query", "kid of a URL"),
}

# Refusals of the whole field: nobody is logged in; not allowed
LOGIN, SCOPE = "UNAUTHENTICATED", "FORBIDDEN"
# What a read gives: a value, or nothing, as if there were none
SHOWN, NULL = "shown", "null"
# Typed outcomes of mutations
HIDDEN, CONFLICT = "NotFoundProblem", "ConflictProblem"
PASSWORD, TOKEN = "InvalidCredentialsProblem", "InvalidMailTokenProblem"

Outcomes: TypeAlias = tuple[str, ...]
"""One for each of CALLERS."""

EVERYBODY: Outcomes = (SHOWN,) * 6
# For the owner, for those who look after it, and for the store's services; null to others
OWN: Outcomes = (NULL, NULL, SHOWN, SHOWN, SHOWN, SHOWN)
# For holders of a scope that STAFF and ADMIN have
STAFF_SCOPE: Outcomes = (LOGIN, SCOPE, SHOWN, SHOWN, SCOPE, SCOPE)
# For holders of a scope that ADMIN has
ADMIN_SCOPE: Outcomes = (LOGIN, SCOPE, SCOPE, SHOWN, SCOPE, SCOPE)
# For the owner alone: staff has no look at the schedules of others
OWNER_ONLY: Outcomes = (LOGIN, NULL, NULL, NULL, SHOWN, SHOWN)
# Everybody who is logged in has one
EVERYBODYS_OWN: Outcomes = (LOGIN, SHOWN, SHOWN, SHOWN, SHOWN, SCOPE)
# Everybody has something of the kind, and the owner's holds something; a service is nobody
OWN_ONE: Outcomes = (LOGIN, NULL, NULL, NULL, SHOWN, SCOPE)
# For the owner, and for holders of users:write
OWN_SESSIONS: Outcomes = (LOGIN, SCOPE, SCOPE, SHOWN, SHOWN, SCOPE)
# The router asks for the scope of the type that is shown; a service asks the subgraph, which let it in
OF_REPORT: Outcomes = (LOGIN, SCOPE, SHOWN, SHOWN, SCOPE, SHOWN)


@dataclass(frozen=True, slots=True)
class Read:
    """Ask *document*; the outcome is whether something is at *path* of the answer.

    What is written as `%(order)s` is filled in from Things.
    """

    path: str
    document: str
    expected: Outcomes

    @property
    def root(self) -> str:
        return self.path.partition(".")[0]


# -- root queries ------------------------------------------------------------------------------------------------------

READS: tuple[Read, ...] = (
    Read("auditLog", "{ auditLog { nodes { id } } }", ADMIN_SCOPE),
    Read("cart", "{ cart { itemCount lines { quantity } } }", (LOGIN, SHOWN, SHOWN, SHOWN, SHOWN, SCOPE)),
    Read("categories", "{ categories { id } }", EVERYBODY),
    Read("category", '{ category(id: "%(category)s") { id } }', EVERYBODY),
    Read("dataExport", "{ dataExport { id status partCount } }", OWN_ONE),
    Read("discount", '{ discount(code: "%(code)s") { id } }', STAFF_SCOPE),
    Read("discounts", "{ discounts { nodes { id used } } }", STAFF_SCOPE),
    Read("me", "{ me { id email phone roles } }", (NULL, SHOWN, SHOWN, SHOWN, SHOWN, NULL)),
    Read(
        "monthlyOrderTotals",
        '{ monthlyOrderTotals(from: "2027-01", to: "2027-03") { months { revenue { amount } } } }',
        # A service is let in by its subgraph; the type of a month asks for the scope at the router only
        OF_REPORT,
    ),
    Read("dailyOrderTotals", '{ dailyOrderTotals(from: "2027-03-01", to: "2027-03-02") { asOf } }', OF_REPORT),
    Read("yearlyOrderTotals", "{ yearlyOrderTotals(from: 2026, to: 2027) { asOf } }", OF_REPORT),
    Read("topProducts", '{ topProducts(month: "2027-03") { asOf } }', OF_REPORT),
    Read("order", '{ order(id: "%(order)s") { id total { amount } } }', OWN),
    Read("order", '{ order(number: "%(number)s") { id } }', OWN),
    Read("orders", "{ orders { nodes { id } } }", STAFF_SCOPE),
    Read("orders", '{ orders(filter: {buyerId: "usr_ani"}) { nodes { id } } }', STAFF_SCOPE),
    Read("payment", '{ payment(id: "%(payment)s") { id } }', OWN),
    Read("payments", "{ payments { nodes { id } } }", STAFF_SCOPE),
    Read("priceLists", "{ priceLists { code } }", STAFF_SCOPE),
    Read("product", '{ product(id: "%(product)s") { id price { amount } } }', EVERYBODY),
    Read("product", '{ product(id: "%(draft)s") { id } }', (NULL, NULL, SHOWN, SHOWN, NULL, SHOWN)),
    Read("products", "{ products { nodes { id } } }", EVERYBODY),
    Read(
        "products",
        "{ products(filter: {status: DRAFT}) { nodes { id } } }",
        (SCOPE, SCOPE, SHOWN, SHOWN, SCOPE, SHOWN),
    ),
    Read("roles", "{ roles { name scopes } }", STAFF_SCOPE),
    Read("searchSuggestions", '{ searchSuggestions(text: "x") { text } }', EVERYBODY),
    Read("secondFactor", "{ secondFactor { recoveryCodesLeft } }", (LOGIN, *[SHOWN] * 4, SCOPE)),
    Read("sessions.0", "{ sessions { id address } }", OWN_ONE),
    Read("sessions", '{ sessions(userId: "usr_ani") { id } }', OWN_SESSIONS),
    Read("shippingMethods", "{ shippingMethods { id } }", STAFF_SCOPE),
    Read("stockLevels", "{ stockLevels { nodes { onHand } } }", STAFF_SCOPE),
    Read("backInStockNotices", "{ backInStockNotices { createdAt } }", (LOGIN, *[SHOWN] * 4, SCOPE)),
    Read("stockAlerts", "{ stockAlerts { nodes { available } } }", STAFF_SCOPE),
    Read("stockMovements", '{ stockMovements(productId: "%(product)s") { nodes { onHand } } }', STAFF_SCOPE),
    Read("syncRun", '{ syncRun(id: "%(run)s") { id } }', OWNER_ONLY),
    Read("syncSchedule", '{ syncSchedule(id: "%(schedule)s") { id } }', OWNER_ONLY),
    Read("syncSchedules.0", "{ syncSchedules { id } }", OWN_ONE),
    Read("taxZones", "{ taxZones { id } }", STAFF_SCOPE),
    Read("user", '{ user(id: "usr_ani") { id } }', (LOGIN, NULL, SHOWN, SHOWN, SHOWN, SHOWN)),
    Read("warehouses", "{ warehouses { id } }", STAFF_SCOPE),
    Read("users", "{ users { nodes { email } } }", STAFF_SCOPE),
)

# Asked for their first event
SUBSCRIPTIONS: tuple[Read, ...] = (
    Read("orderTotalsChanged", "subscription { orderTotalsChanged { asOf today { orderCount } } }", OF_REPORT),
    Read(
        "orderChanged",
        'subscription { orderChanged(id: "%(order)s") { id total { amount } } }',
        (LOGIN, "NOT_FOUND", SHOWN, SHOWN, SHOWN, SHOWN),
    ),
)

# -- fields that show money or a person, and what else is not for everybody --------------------------------------------

# How a type is come by: a root field for the router, and the representation for its subgraphs if it is an entity
DOORS: Mapping[str, tuple[str, Mapping[str, str] | None]] = {
    "Audit": ("auditLog(first: 5)", None),
    "Cancelled": ('order(id: "%(cancelled)s")', {"__typename": "Order", "id": "%(cancelled)s"}),
    "Cart": ("cart", None),
    "Discounts": ("discounts(first: 5)", None),
    "Export": ("dataExport", None),
    "Movements": ('stockMovements(productId: "%(product)s", last: 1)', None),
    "Order": ('order(id: "%(shipped)s")', {"__typename": "Order", "id": "%(shipped)s"}),
    "Payment": ('payment(id: "%(open_payment)s")', {"__typename": "Payment", "id": "%(open_payment)s"}),
    "Refunded": (
        'payment(id: "%(refunded_payment)s")',
        {"__typename": "Payment", "id": "%(refunded_payment)s"},
    ),
    "Draft": ('product(id: "%(draft)s")', {"__typename": "Product", "id": "%(draft)s"}),
    "Products": ("products", None),
    "Product": ('product(id: "%(product)s")', {"__typename": "Product", "id": "%(product)s"}),
    "Run": ('syncRun(id: "%(run)s")', None),
    "Schedule": ('syncSchedule(id: "%(schedule)s")', {"__typename": "SyncSchedule", "id": "%(schedule)s"}),
    "SecondFactor": ("secondFactor", None),
    "Sessions": ('sessions(userId: "usr_ani")', None),
    "Days": ('dailyOrderTotals(from: "2027-03-01", to: "2027-03-01")', None),
    "Years": ("yearlyOrderTotals(from: 2027, to: 2027)", None),
    "TaxZones": ("taxZones", None),
    "Top": ('topProducts(month: "2027-03")', None),
    "Warehouses": ("warehouses", None),
    "Totals": ('monthlyOrderTotals(from: "2027-03", to: "2027-03")', None),
    "User": ('user(id: "usr_ani")', {"__typename": "User", "id": "usr_ani"}),
}


@dataclass(frozen=True, slots=True)
class Field:
    """Ask *door* for *selection*; the outcome is whether something is at *path* below the door's object."""

    coordinate: str
    door: str
    selection: str
    path: str
    expected: Outcomes


def _fields(type_name: str, door: str, inside: str, names: str, expected: Outcomes) -> tuple[Field, ...]:
    """Return a row for each of *names*, `a b{c}`, of the objects that *inside* (`lines.0`, or nothing) leads to."""
    steps = [step for step in inside.split(".") if step and not step.isdecimal()]
    rows = []
    for each in names.split():
        name, _, below = each.partition("{")
        selection = f"{name} {{ {below.rstrip('}')} }}" if below else name
        for step in reversed(steps):
            selection = f"{step} {{ {selection} }}"
        path = ".".join(part for part in (inside, name) if part)
        rows.append(Field(f"{type_name}.{name}", door, selection, path, expected))
    return tuple(rows)


MONEY = "{amount}"


def _quote_fields(type_name: str, inside: str, names: str) -> tuple[Field, ...]:
    """Return rows as `_fields` does, of what a cart would cost; the carts of all but the owner are empty."""
    rows = []
    for row in _fields(type_name, "Cart", inside, names, OWN_ONE):
        selection = f'quote(country: "NZ", region: "Otago") {{ ... on CartQuote {{ {row.selection} }} }}'
        rows.append(replace(row, selection=selection, path=f"quote.{row.path}"))
    return tuple(rows)


# The user's own, shown to those who look after accounts; whoever may not see the user does not come this far
OF_USER: Outcomes = (LOGIN, NULL, SHOWN, SHOWN, SHOWN, SHOWN)
# Staff sees the user and is told that this is not for them
NOT_EVEN_STAFF: Outcomes = (LOGIN, NULL, SCOPE, SCOPE, SHOWN, SHOWN)
# What staff needs to know of an order; its buyer does not
OF_STORE: Outcomes = (NULL, NULL, SHOWN, SHOWN, NULL, SHOWN)

FIELDS: tuple[Field, ...] = (
    *_fields(
        "AuditEntry",
        "Audit",
        "nodes.0",
        "id at action actorId userId address userAgent details{name} actor{id} user{id}",
        ADMIN_SCOPE,
    ),
    *_fields("AuditEntry", "Audit", "nodes.1", "target", ADMIN_SCOPE),
    *_fields("Cart", "Cart", "", "itemCount lines{quantity} discountCodes", EVERYBODYS_OWN),
    Field("Cart.quote", "Cart", 'quote(country: "NZ") { __typename }', "quote", EVERYBODYS_OWN),
    *_fields("CartLine", "Cart", "lines.0", "changes{kind}", OWN_ONE),
    *_fields("CartLineChange", "Cart", "lines.0.changes.0", f"priceBefore{MONEY} priceNow{MONEY}", OWN_ONE),
    *_quote_fields(
        "CartQuote", "", f"subtotal{MONEY} discountTotal{MONEY} shipping{MONEY} total{MONEY} lines{{quantity}}"
    ),
    *_quote_fields(
        "CartQuote", "", "discounts{kind} codeProblems{reason} shippingMethod{id} shippingOptions{id} tax{name}"
    ),
    *_quote_fields("CartQuoteLine", "lines.0", f"unitPrice{MONEY} discount{MONEY} total{MONEY} tax{MONEY}"),
    *_quote_fields("ShippingOption", "shippingMethod", f"fee{MONEY}"),
    *_fields("Discount", "Discounts", "nodes.0", f"code amount{MONEY} minimumSubtotal{MONEY}", STAFF_SCOPE),
    *_fields("DataExport", "Export", "", "part", OWN_ONE),
    *_fields("MonthlyOrderTotal", "Totals", "months.0", f"revenue{MONEY} averageOrderValue{MONEY}", OF_REPORT),
    *_fields("MonthlyOrderTotals", "Totals", "", "months{orderCount}", OF_REPORT),
    *_fields("MonthlyOrderTotal", "Totals", "months.0", "growth{revenue}", OF_REPORT),
    *_fields("DailyOrderTotals", "Days", "", "days{orderCount}", OF_REPORT),
    *_fields("DailyOrderTotal", "Days", "days.0", f"revenue{MONEY} averageOrderValue{MONEY}", OF_REPORT),
    *_fields("YearlyOrderTotals", "Years", "", "years{orderCount}", OF_REPORT),
    *_fields("YearlyOrderTotal", "Years", "years.0", f"revenue{MONEY} averageOrderValue{MONEY}", OF_REPORT),
    *_fields("TopProducts", "Top", "", "products{orderCount}", OF_REPORT),
    *_fields("TopProduct", "Top", "products.0", f"revenue{MONEY}", OF_REPORT),
    *_fields("Order", "Order", "", f"subtotal{MONEY} shipping{MONEY} total{MONEY} note lines{{id}} buyer{{id}}", OWN),
    *_fields("Order", "Order", "", "shippingAddress{city} shipments{id} history{status} payment{id}", OWN),
    *_fields("Order", "Order", "", "attention staffNotes{id} packingSlipUrl", OF_STORE),
    *_fields("Order", "Order", "", f"refunded{MONEY} refunds{{id}} returns{{id}} invoiceNumber invoiceUrl", OWN),
    *_fields("OrderRefund", "Order", "refunds.0", f"amount{MONEY} reason", OWN),
    *_fields("OrderReturn", "Order", "returns.0", "reason", OWN),
    *_fields("StaffNote", "Order", "staffNotes.0", "authorId text", OF_STORE),
    *_fields("OrderHistoryEntry", "Order", "history.0", "actorId", OF_STORE),
    *_fields("OrderHistoryEntry", "Cancelled", "history.1", "reason", OWN),
    *_fields("OrderLine", "Order", "lines.0", f"unitPrice{MONEY} discount{MONEY} total{MONEY} tax{MONEY}", OWN),
    *_fields("Payment", "Payment", "", f"amount{MONEY} payUrl refunded{MONEY}", OWN),
    *_fields("Payment", "Refunded", "", "refunds{id}", OWN),
    *_fields("Refund", "Refunded", "refunds.0", f"amount{MONEY} reason", OWN),
    *_fields("Order", "Order", "", f"discountTotal{MONEY} discounts{{kind}} tax{{name}}", OWN),
    *_fields("AppliedDiscount", "Order", "discounts.0", f"code amount{MONEY}", OWN),
    *_fields("OrderTax", "Order", "tax", f"amount{MONEY} onShipping{MONEY} parts{{percent}}", OWN),
    *_fields("OrderTaxPart", "Order", "tax.parts.0", f"taxable{MONEY} amount{MONEY}", OWN),
    *_fields("PriceRangeFacet", "Products", "facets.priceRanges.0", f"from{MONEY} to{MONEY}", EVERYBODY),
    *_fields("Product", "Product", "", f"price{MONEY}", EVERYBODY),
    *_fields("Product", "Product", "", f"regularPrice{MONEY}", EVERYBODY),
    Field("Product.priceIn", "Product", 'priceIn(currency: "IDR") { amount }', "priceIn", EVERYBODY),
    Field("Product.listPrices", "Product", "listPrices { price { amount } }", "listPrices", STAFF_SCOPE),
    *_fields("Product", "Product", "", "unpublishAt", STAFF_SCOPE),
    # Whoever may not see the draft does not come this far
    *_fields("Product", "Draft", "", "publishAt", (NULL, NULL, SHOWN, SHOWN, NULL, SCOPE)),
    *_fields("PriceList", "Product", "listPrices.0.priceList", "code", STAFF_SCOPE),
    *_fields("ListPrice", "Product", "listPrices.0", f"price{MONEY}", STAFF_SCOPE),
    *_fields("Product", "Product", "", "stockLevel{onHand}", STAFF_SCOPE),
    *_fields(
        "SavedAddress", "User", "addresses.0", "recipient phone line1 line2 city region postalCode country", OF_USER
    ),
    *_fields("SecondFactor", "SecondFactor", "", "recoveryCodesLeft isRequired", (LOGIN, *[SHOWN] * 4, SCOPE)),
    *_fields("Session", "Sessions", "0", "device address transport createdAt lastSeenAt isCurrent", OWN_SESSIONS),
    *_fields("Shipment", "Order", "shipments.0", "trackingNumber events{status}", OWN),
    *_fields(
        "ShippingAddress",
        "Order",
        "shippingAddress",
        "recipient phone line1 line2 city region postalCode country",
        OWN,
    ),
    *_fields("StockMovement", "Movements", "nodes.0", "reason actorId", STAFF_SCOPE),
    *_fields("SyncRun", "Run", "", "error", OWNER_ONLY),
    *_fields("SyncSchedule", "Schedule", "", "webhookUrl owner{id}", OWNER_ONLY),
    Field("SyncSchedule.runs", "Schedule", "runs { nodes { id } }", "runs", OWNER_ONLY),
    *_fields("TaxZone", "TaxZones", "0", "region", STAFF_SCOPE),
    *_fields("TrackingEvent", "Order", "shipments.0.events.0", "location", OWN),
    *_fields("Warehouse", "Warehouses", "0", "code", STAFF_SCOPE),
    *_fields("User", "User", "", "name email phone roles scopes status", OF_USER),
    Field("User.addresses", "User", "addresses { id }", "addresses.0", OF_USER),
    Field("User.orders", "User", "orders { nodes { id } }", "orders", OF_USER),
    Field(
        "User.syncSchedules", "User", "syncSchedules { id }", "syncSchedules", (LOGIN, NULL, SCOPE, SCOPE, SHOWN, SHOWN)
    ),
)

# Shown only as the answer to a mutation, and so tested with it in WRITES
IN_ANSWERS = frozenset(
    {
        *("AuthSession.accessToken", "AuthSession.deviceToken", "AuthSession.refreshToken", "AuthSession.tokenType"),
        *("AuthSession.user", "CheckoutSuccess.order", "CheckoutSuccess.payUrl"),
        *("GuestCartCreated.cart", "GuestCartCreated.token"),
        *("RecoveryCodes.codes", "SecondFactorEnrolment.secret"),
        *("SyncScheduleCreated.schedule", "SyncScheduleCreated.secret"),
    }
)

# Shown only in the events of SUBSCRIPTIONS, and so tested with these
IN_EVENTS = frozenset({"LiveOrderTotals.month", "LiveOrderTotals.today"})

# -- mutations ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Write:
    """Run *mutation*; the outcome is the `__typename` of its result, or the code of the refusal.

    *arguments* are (type, value) by name. *audited_as* is the entry that it leaves when staff does it. *stage* is where
    the order stands before, as in make_things.
    """

    mutation: str
    arguments: Mapping[str, tuple[str, Any]]
    expected: Outcomes
    audited_as: str = ""
    stage: str = field(default="PAID", kw_only=True)


# Rows that several may do: the second finds it done. Each caller of a row meets what those before have left
BY_STAFF_ONCE: Outcomes = (LOGIN, SCOPE, "Order", CONFLICT, SCOPE, SCOPE)
BY_CUSTOMERS = (LOGIN, *["Cart"] * 4, SCOPE)
# An access token alone does not do: all of them guess at their own passwords
BY_WHO_KNOWS_THE_PASSWORD: Outcomes = (LOGIN, *[PASSWORD] * 4, SCOPE)
OF_OWN_ADDRESS: Outcomes = (LOGIN, HIDDEN, HIDDEN, HIDDEN, "User", SCOPE)

_CODE = {"code": "NEW-CODE", "name": "New", "kind": "PERCENTAGE", "percent": "5"}
_BANDS = [{"upToGrams": 1000, "amount": 5}]
_METHOD = {"name": "New", "zones": [{"currency": "USD", "countries": ["NZ"], "bands": _BANDS}]}
_TAX = {"country": "NZ", "region": "Fiordland", "name": "GST", "percent": "15", "isInclusive": True}
_PRODUCT = {"sku": "NEW-1", "name": "New", "price": {"decimal": "10", "currency": "IDR"}}
_VARIANT = {"productId": "%(wardrobe)s", "sku": "V-%(wardrobe)s", "choices": [{"name": "size", "value": "s"}]}
_SALE = {"code": "NEW", "name": "New", "currency": "IDR", "validFrom": "2020-01-01T00:00:00Z"}
_SALE_PRICE = {"productId": "%(product)s", "amount": 1000}
_WIDTH = {"name": "width", "label": "Width", "type": "NUMBER"}
_ADJUSTMENT = {"productId": "%(product)s", "delta": 1, "reason": "found", "idempotencyKey": "%(product)s"}
_TRANSFER = {
    "productId": "%(product)s",
    "quantity": 1,
    "fromWarehouseId": "whs_main",
    "toWarehouseId": "whs_far",
    "reason": "nearer",
    "idempotencyKey": "to far %(product)s",
}
_TRACKING = {"orderId": "%(order)s", "status": "somewhere"}
_SHIPMENT = {"orderId": "%(order)s", "carrier": "JNE", "trackingNumber": "1"}
_LINES = [{"lineId": "%(line)s", "quantity": 1}]
_RETURN = {"orderId": "%(order)s", "lines": _LINES, "reason": "too small"}
_OF_RETURN = {"orderId": ("ID!", "%(order)s"), "returnId": ("ID!", "%(return_id)s")}
_REFUND = {"paymentId": "%(payment)s", "reason": "broken", "idempotencyKey": "%(payment)s"}
_PRICE = {"id": "%(product)s", "price": {"decimal": "1", "currency": "IDR"}}
_ROLE = {"name": "%(role)s", "description": "New", "scopes": ["orders:read"]}
_EVERYBODYS = {**SCHEDULE, "scope": "ALL"}
_GUESS = {"password": ("String!", "a guess")}
_NEW_PASSWORD = {"currentPassword": "a guess", "newPassword": "something else"}
_NEW_EMAIL = {"newEmail": "mine@example.org", "password": "a guess"}
_SUSPENSION = {"userId": "%(customer)s", "status": "SUSPENDED", "reason": "a stolen card"}
_NEW_URL = {"id": "%(schedule)s", "webhookUrl": "https://mine.example/"}

WRITES: tuple[Write, ...] = (
    Write(
        "adjustStock",
        {"input": ("AdjustStockInput!", _ADJUSTMENT)},
        (LOGIN, SCOPE, "StockLevel", "StockLevel", SCOPE, SCOPE),
        "STOCK_ADJUSTED",
    ),
    Write(
        "transferStock",
        {"input": ("TransferStockInput!", _TRANSFER)},
        (LOGIN, SCOPE, "StockLevel", "StockLevel", SCOPE, SCOPE),
        "STOCK_TRANSFERRED",
    ),
    Write(
        "setStockPolicy",
        {"input": ("SetStockPolicyInput!", {"productId": "%(product)s", "backorder": "DENY"})},
        (LOGIN, SCOPE, "StockLevel", "StockLevel", SCOPE, SCOPE),
        "STOCK_POLICY_SET",
    ),
    Write("notifyWhenInStock", {"productId": ("ID!", "%(draft)s")}, (LOGIN, *[HIDDEN] * 4, SCOPE)),
    Write("cancelBackInStockNotice", {"productId": ("ID!", "%(draft)s")}, (LOGIN, *[HIDDEN] * 4, SCOPE)),
    Write(
        "createWarehouse",
        {"input": ("CreateWarehouseInput!", {"code": "EAST", "name": "East"})},
        (LOGIN, SCOPE, "Warehouse", CONFLICT, SCOPE, SCOPE),
        "WAREHOUSE_CREATED",
    ),
    Write(
        "updateWarehouse",
        {"input": ("UpdateWarehouseInput!", {"id": "whs_main", "name": "Centre"})},
        (LOGIN, SCOPE, "Warehouse", "Warehouse", SCOPE, SCOPE),
        "WAREHOUSE_UPDATED",
    ),
    Write("addToCart", {"productId": ("ID!", "%(product)s")}, BY_CUSTOMERS),
    Write("setCartQuantity", {"productId": ("ID!", "%(product)s"), "quantity": ("Int!", 3)}, BY_CUSTOMERS),
    Write("removeFromCart", {"productId": ("ID!", "%(product)s")}, BY_CUSTOMERS),
    Write("clearCart", {}, BY_CUSTOMERS),
    Write("createGuestCart", {"productId": ("ID!", "%(product)s")}, ("GuestCartCreated",) * 6),
    Write("addToCart", {"productId": ("ID!", "%(product)s"), "cartToken": ("String", "a guess")}, (HIDDEN,) * 6),
    Write("mergeCart", {"token": ("String!", "a guess")}, BY_CUSTOMERS),
    Write("applyDiscountCode", {"code": ("String!", "A-GUESS")}, (LOGIN, *["DiscountCodeProblem"] * 4, SCOPE)),
    Write("removeDiscountCode", {"code": ("String!", "A-GUESS")}, BY_CUSTOMERS),
    Write(
        "createDiscount",
        {"input": ("CreateDiscountInput!", _CODE)},
        (LOGIN, SCOPE, "Discount", CONFLICT, SCOPE, SCOPE),
        "DISCOUNT_CREATED",
    ),
    Write(
        "changeDiscount",
        {"input": ("ChangeDiscountInput!", {"id": "%(discount)s", "name": "Changed"})},
        (LOGIN, SCOPE, "Discount", "Discount", SCOPE, SCOPE),
        "DISCOUNT_CHANGED",
    ),
    Write(
        "endDiscount",
        {"id": ("ID!", "%(discount)s")},
        (LOGIN, SCOPE, "Discount", "Discount", SCOPE, SCOPE),
        "DISCOUNT_ENDED",
    ),
    Write(
        "saveShippingMethod",
        {"input": ("SaveShippingMethodInput!", _METHOD)},
        (LOGIN, SCOPE, "ShippingMethod", "ShippingMethod", SCOPE, SCOPE),
        "SHIPPING_METHOD_SAVED",
    ),
    Write(
        "saveTaxZone",
        {"input": ("SaveTaxZoneInput!", _TAX)},
        (LOGIN, SCOPE, "TaxZone", "TaxZone", SCOPE, SCOPE),
        "TAX_ZONE_SAVED",
    ),
    Write(
        "removeTaxZone",
        {"country": ("String!", "NZ"), "region": ("String", "Otago")},
        (LOGIN, SCOPE, "TaxZoneRemoved", HIDDEN, SCOPE, SCOPE),
        "TAX_ZONE_REMOVED",
    ),
    Write(
        "checkout",
        {"input": ("CheckoutInput!", {"idempotencyKey": "theirs", "shippingAddress": ADDRESS})},
        (LOGIN, *["EmptyCartProblem"] * 4, SCOPE),
    ),
    Write(
        "cancelOrder",
        {"id": ("ID!", "%(unpaid)s")},
        (LOGIN, HIDDEN, "Order", "Order", "Order", SCOPE),
        "ORDER_CANCELLED",
    ),
    Write(
        "cancelOrder",
        {"id": ("ID!", "%(order)s")},
        (LOGIN, HIDDEN, "Order", "Order", "Order", SCOPE),
        "ORDER_CANCELLED",
    ),
    Write("packOrder", {"id": ("ID!", "%(order)s")}, BY_STAFF_ONCE, "ORDER_PACKED"),
    Write("shipOrder", {"input": ("ShipOrderInput!", _SHIPMENT)}, BY_STAFF_ONCE, "ORDER_SHIPPED", stage="PACKED"),
    Write(
        "addTrackingEvent",
        {"input": ("TrackingEventInput!", _TRACKING)},
        (LOGIN, SCOPE, "Order", "Order", SCOPE, SCOPE),
        "TRACKING_EVENT_ADDED",
        stage="SHIPPED",
    ),
    Write("deliverOrder", {"id": ("ID!", "%(order)s")}, BY_STAFF_ONCE, "ORDER_DELIVERED", stage="SHIPPED"),
    Write(
        "deliverShipment",
        {"orderId": ("ID!", "%(order)s"), "shipmentId": ("ID!", "%(shipment)s")},
        BY_STAFF_ONCE,
        "ORDER_DELIVERED",
        stage="SHIPPED",
    ),
    # There are two pieces: the owner finds them taken
    Write(
        "requestReturn",
        {"input": ("RequestReturnInput!", _RETURN)},
        (LOGIN, HIDDEN, "Order", "Order", CONFLICT, SCOPE),
        "ORDER_RETURN_REQUESTED",
        stage="SHIPPED",
    ),
    Write("approveReturn", _OF_RETURN, BY_STAFF_ONCE, "ORDER_RETURN_APPROVED", stage="RETURNING"),
    Write(
        "rejectReturn",
        {**_OF_RETURN, "reason": ("String!", "worn")},
        BY_STAFF_ONCE,
        "ORDER_RETURN_REJECTED",
        stage="RETURNING",
    ),
    Write(
        "receiveReturn",
        {**_OF_RETURN, "restock": ("Boolean!", True)},
        BY_STAFF_ONCE,
        "ORDER_RETURN_RECEIVED",
        stage="APPROVED",
    ),
    Write(
        "addOrderNote",
        {"id": ("ID!", "%(order)s"), "text": ("String!", "called")},
        (LOGIN, SCOPE, "Order", "Order", SCOPE, SCOPE),
        "ORDER_NOTE_ADDED",
    ),
    Write(
        "exportOrders",
        {"input": ("ExportOrdersInput!", {"format": "CSV"})},
        (LOGIN, SCOPE, "OrderExportLink", "OrderExportLink", SCOPE, SCOPE),
        "ORDERS_EXPORTED",
    ),
    Write(
        "refundPayment",
        {"input": ("RefundPaymentInput!", _REFUND)},
        (LOGIN, SCOPE, SCOPE, "Payment", SCOPE, SCOPE),
        "PAYMENT_REFUND_REQUESTED",
    ),
    Write(
        "createCategory",
        {"input": ("CreateCategoryInput!", {"name": "Tea"})},
        (LOGIN, SCOPE, "Category", CONFLICT, SCOPE, SCOPE),
        "CATEGORY_CREATED",
    ),
    Write(
        "createProduct",
        {"input": ("CreateProductInput!", _PRODUCT)},
        (LOGIN, SCOPE, "Product", CONFLICT, SCOPE, SCOPE),
        "PRODUCT_CREATED",
    ),
    Write(
        "editProduct",
        {"input": ("EditProductInput!", _PRICE)},
        (LOGIN, SCOPE, "Product", "Product", SCOPE, SCOPE),
        "PRODUCT_EDITED",
    ),
    Write(
        "publishProduct",
        {"id": ("ID!", "%(draft)s")},
        (LOGIN, SCOPE, "Product", "Product", SCOPE, SCOPE),
        "PRODUCT_PUBLISHED",
    ),
    Write(
        "archiveProduct",
        {"id": ("ID!", "%(draft)s")},
        (LOGIN, SCOPE, "Product", "Product", SCOPE, SCOPE),
        "PRODUCT_ARCHIVED",
    ),
    Write(
        "editCategory",
        {"input": ("EditCategoryInput!", {"id": "%(shelf)s", "name": "Tea"})},
        (LOGIN, SCOPE, "Category", "Category", SCOPE, SCOPE),
        "CATEGORY_EDITED",
    ),
    Write(
        "moveCategory",
        {"id": ("ID!", "%(shelf)s"), "parentId": ("ID", None)},
        (LOGIN, SCOPE, "Category", "Category", SCOPE, SCOPE),
        "CATEGORY_MOVED",
    ),
    Write(
        "setCategoryAttributes",
        {"id": ("ID!", "%(shelf)s"), "attributes": ("[CategoryAttributeInput!]!", [_WIDTH])},
        (LOGIN, SCOPE, "Category", "Category", SCOPE, SCOPE),
        "CATEGORY_ATTRIBUTES_SET",
    ),
    Write(
        "createVariant",
        {"input": ("CreateVariantInput!", _VARIANT)},
        (LOGIN, SCOPE, "Product", CONFLICT, SCOPE, SCOPE),
        "PRODUCT_CREATED",
    ),
    Write(
        "scheduleProduct",
        {"id": ("ID!", "%(draft)s"), "publishAt": ("DateTime", "2091-01-01T00:00:00Z")},
        (LOGIN, SCOPE, "Product", "Product", SCOPE, SCOPE),
        "PRODUCT_SCHEDULED",
    ),
    Write(
        "createPriceList",
        {"input": ("CreatePriceListInput!", _SALE)},
        (LOGIN, SCOPE, "PriceList", CONFLICT, SCOPE, SCOPE),
        "PRICE_LIST_CREATED",
    ),
    Write(
        "setListPrices",
        {"code": ("String!", "%(price_list)s"), "prices": ("[ListPriceInput!]!", [_SALE_PRICE])},
        (LOGIN, SCOPE, "PriceList", "PriceList", SCOPE, SCOPE),
        "PRICES_SET",
    ),
    Write(
        "endPriceList",
        {"code": ("String!", "%(price_list)s")},
        (LOGIN, SCOPE, "PriceList", "PriceList", SCOPE, SCOPE),
        "PRICE_LIST_ENDED",
    ),
    Write(
        "deleteProduct",
        {"id": ("ID!", "%(draft)s")},
        (LOGIN, SCOPE, "Product", "Product", SCOPE, SCOPE),
        "PRODUCT_DELETED",
    ),
    Write(
        "restoreProduct",
        {"id": ("ID!", "%(deleted)s")},
        (LOGIN, SCOPE, "Product", "Product", SCOPE, SCOPE),
        "PRODUCT_RESTORED",
    ),
    Write(
        "requestImageUpload",
        {
            "productId": ("ID!", "%(product)s"),
            "contentType": ("String!", "image/png"),
            "byteLength": ("Int!", 100),
        },
        (LOGIN, SCOPE, "ImageUpload", "ImageUpload", SCOPE, SCOPE),
        "IMAGE_UPLOAD_REQUESTED",
    ),
    Write(
        "attachImage",
        {"uploadId": ("ID!", "%(upload)s")},
        (LOGIN, SCOPE, "Product", "Product", SCOPE, SCOPE),
        "PRODUCT_EDITED",
    ),
    Write(
        "describeImage",
        {"productId": ("ID!", "%(product)s"), "imageId": ("ID!", "%(image)s"), "altText": ("String!", "A cup")},
        (LOGIN, SCOPE, "Product", "Product", SCOPE, SCOPE),
        "PRODUCT_EDITED",
    ),
    Write(
        "orderImages",
        {"productId": ("ID!", "%(product)s"), "imageIds": ("[ID!]!", ["%(other_image)s", "%(image)s"])},
        (LOGIN, SCOPE, "Product", "Product", SCOPE, SCOPE),
        "PRODUCT_EDITED",
    ),
    Write(
        "removeImage",
        {"productId": ("ID!", "%(product)s"), "imageId": ("ID!", "%(image)s")},
        (LOGIN, SCOPE, "Product", HIDDEN, SCOPE, SCOPE),
        "PRODUCT_EDITED",
    ),
    Write(
        "createSyncSchedule",
        {"input": ("CreateSyncScheduleInput!", _EVERYBODYS)},
        (LOGIN, SCOPE, "SyncScheduleCreated", "SyncScheduleCreated", SCOPE, SCOPE),
        "SYNC_SCHEDULE_CREATED",
    ),
    Write(
        "editSyncSchedule",
        {"input": ("EditSyncScheduleInput!", _NEW_URL)},
        (LOGIN, HIDDEN, HIDDEN, HIDDEN, "SyncSchedule", SCOPE),
    ),
    Write("runSyncNow", {"id": ("ID!", "%(schedule)s")}, (LOGIN, HIDDEN, HIDDEN, HIDDEN, "SyncRun", SCOPE)),
    Write(
        "deleteSyncSchedule",
        {"id": ("ID!", "%(schedule)s")},
        (LOGIN, HIDDEN, HIDDEN, HIDDEN, "SyncScheduleDeleted", SCOPE),
    ),
    Write(
        "register",
        {"input": ("RegisterInput!", {"email": "ani@example.org", "password": "something else", "name": "Not Ani"})},
        # The same for an address that has an account as for any other
        ("RegistrationAccepted",) * 6,
    ),
    Write(
        "verifyEmail",
        {"input": ("VerifyEmailInput!", {"token": "a guess", "password": "correct horse battery"})},
        (TOKEN,) * 6,
    ),
    Write("requestPasswordReset", {"email": ("String!", "ani@example.org")}, ("PasswordResetRequested",) * 6),
    Write(
        "resetPassword",
        {"input": ("ResetPasswordInput!", {"token": "a guess", "newPassword": "something else"})},
        (TOKEN,) * 6,
    ),
    Write("changePassword", {"input": ("ChangePasswordInput!", _NEW_PASSWORD)}, BY_WHO_KNOWS_THE_PASSWORD),
    Write("requestEmailChange", {"input": ("RequestEmailChangeInput!", _NEW_EMAIL)}, BY_WHO_KNOWS_THE_PASSWORD),
    Write("confirmEmailChange", {"token": ("String!", "a guess")}, (LOGIN, *[TOKEN] * 4, SCOPE)),
    Write("addAddress", {"input": ("AddressInput!", ADDRESS)}, (LOGIN, *["User"] * 4, SCOPE)),
    Write(
        "updateAddress",
        {"id": ("ID!", "%(address)s"), "input": ("AddressInput!", {**ADDRESS, "line1": "Elsewhere"})},
        OF_OWN_ADDRESS,
    ),
    Write("setDefaultAddress", {"id": ("ID!", "%(address)s")}, OF_OWN_ADDRESS),
    Write("removeAddress", {"id": ("ID!", "%(address)s")}, OF_OWN_ADDRESS),
    Write("deactivateAccount", _GUESS, BY_WHO_KNOWS_THE_PASSWORD),
    Write("requestDataExport", _GUESS, BY_WHO_KNOWS_THE_PASSWORD),
    Write("eraseAccount", _GUESS, BY_WHO_KNOWS_THE_PASSWORD),
    Write(
        "setAccountStatus",
        {"input": ("SetAccountStatusInput!", _SUSPENSION)},
        (LOGIN, SCOPE, SCOPE, "User", SCOPE, SCOPE),
        "ACCOUNT_STATUS_CHANGED",
    ),
    Write(
        "login",
        {"input": ("LoginInput!", {"email": "ani@example.org", "password": "a guess"})},
        ("InvalidCredentialsProblem",) * 6,
    ),
    Write("refresh", {"refreshToken": ("String", "a guess")}, ("InvalidRefreshTokenProblem",) * 6),
    Write("logout", {"refreshToken": ("String", "a guess")}, ("False",) * 6),
    # How many sessions have ended: the owner has one
    Write("logoutEverywhere", {}, (LOGIN, "0", "0", "0", "1", SCOPE)),
    # The owner finds it ended: test_session_list.py has owners who come first
    Write(
        "revokeSession",
        {"id": ("ID!", "%(session)s")},
        (LOGIN, HIDDEN, HIDDEN, "Session", HIDDEN, SCOPE),
        "SESSION_REVOKED",
    ),
    Write(
        "completeLogin",
        {"challenge": ("String!", "a guess"), "code": ("String!", "123456")},
        ("ChallengeEndedProblem",) * 6,
    ),
    Write("enrolSecondFactor", _GUESS, BY_WHO_KNOWS_THE_PASSWORD),
    # Nobody has enrolled
    Write("confirmSecondFactor", {"code": ("String!", "123456")}, (LOGIN, *[CONFLICT] * 4, SCOPE)),
    Write("renewRecoveryCodes", {**_GUESS, "code": ("String!", "123456")}, BY_WHO_KNOWS_THE_PASSWORD),
    Write("disableSecondFactor", {**_GUESS, "code": ("String!", "123456")}, BY_WHO_KNOWS_THE_PASSWORD),
    Write(
        "resetSecondFactor",
        {"userId": ("ID!", "%(customer)s")},
        (LOGIN, SCOPE, SCOPE, "User", SCOPE, SCOPE),
        "SECOND_FACTOR_DISABLED",
    ),
    Write("updateProfile", {"input": ("UpdateProfileInput!", {"name": "Renamed"})}, (LOGIN, *["User"] * 4, SCOPE)),
    Write(
        "setRoles",
        {"userId": ("ID!", "usr_ani"), "roles": ("[String!]!", ["CUSTOMER", "STAFF"])},
        (LOGIN, SCOPE, SCOPE, "User", SCOPE, SCOPE),
        "ROLES_CHANGED",
    ),
    Write(
        "createRole",
        {"input": ("CreateRoleInput!", {**_ROLE, "name": "%(role)s_NEW"})},
        (LOGIN, SCOPE, SCOPE, "Role", SCOPE, SCOPE),
        "ROLE_CREATED",
    ),
    Write(
        "updateRole",
        {"input": ("UpdateRoleInput!", _ROLE)},
        (LOGIN, SCOPE, SCOPE, "Role", SCOPE, SCOPE),
        "ROLE_UPDATED",
    ),
    Write(
        "deleteRole",
        {"name": ("String!", "%(role)s")},
        (LOGIN, SCOPE, SCOPE, "RoleDeleted", SCOPE, SCOPE),
        "ROLE_DELETED",
    ),
)

# Outcomes that change something; with any other nothing may have changed
DONE = frozenset(
    {
        *(
            "Cart",
            "Category",
            "Discount",
            "GuestCartCreated",
            "ImageUpload",
            "Order",
            "PasswordResetRequested",
            "PriceList",
            "Product",
            "RegistrationAccepted",
            "Role",
        ),
        *("OrderExportLink", "Payment"),
        *("ShippingMethod", "TaxZone", "TaxZoneRemoved"),
        *("RoleDeleted", "Session", "StockLevel", "SyncRun", "SyncSchedule", "SyncScheduleCreated"),
        *("SyncScheduleDeleted", "User", "Warehouse"),
        # Of logoutEverywhere
        "1",
    }
)
