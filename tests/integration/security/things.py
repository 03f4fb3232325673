"""What ANI owns and others are after."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from core.subgraph import Call, Origin
from subgraphs.product.context import ProductContext
from subgraphs.user.app import build_service
from subgraphs.user.audit import AuditAction, AuditLog
from subgraphs.user.bulk import NewAccount, insert_users
from subgraphs.user.model import session_of
from subgraphs.user.second_factor.documents import SecondFactorDocument
from tests.integration.security.world import CHEAP, World
from tests.testkit.callers import ADMIN, STAFF, Caller
from tests.testkit.pictures import picture
from tests.testkit.shop import ADDRESS, ANI, Shop
from tests.testkit.tariffs import create_discount, save_zone

_CREATE_SCHEDULE = """
mutation($input: CreateSyncScheduleInput!) {
  createSyncSchedule(input: $input) { ... on SyncScheduleCreated { schedule { id } } }
}
"""
SCHEDULE = {
    "name": "To the ERP",
    "frequency": "DAILY",
    "timeOfDay": "03:00",
    "webhookUrl": "https://erp.example/orders",
}

# Nothing left out
FULL_ADDRESS = {**ADDRESS, "phone": "+62 812 3456 7890", "line2": "Second floor", "region": "Jawa Barat"}
_STAGES = ("PAID", "PACKED", "SHIPPED", "RETURNING", "APPROVED")
_PACK = "mutation($id: ID!) { packOrder(id: $id) { __typename } }"
_SHIP = 'mutation($id: ID!) { shipOrder(input: {orderId: $id, carrier: "JNE", trackingNumber: "JP1"}) { __typename } }'
_RETURN = """mutation($id: ID!) { requestReturn(input: {
  orderId: $id, reason: "too small", lines: [{lineId: "%(line)s", quantity: 1}]}) { __typename } }"""
_APPROVE = 'mutation($id: ID!) { approveReturn(orderId: $id, returnId: "%(return_id)s") { __typename } }'
_NOTE = 'mutation($id: ID!) { addOrderNote(id: $id, text: "called") { __typename } }'
_MOVES = (_PACK, _SHIP, _RETURN, _APPROVE)
_TRACK = """
mutation($id: ID!) {
  addTrackingEvent(input: {orderId: $id, status: "in transit", location: "Bandung"}) { __typename }
}
"""
_CANCEL = 'mutation($id: ID!) { cancelOrder(id: $id, reason: "too late") { __typename } }'
_CATEGORY = "mutation($name: String!) { createCategory(input: {name: $name}) { ... on Category { id } } }"

_numbers: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Things:
    """Ids: ANI's paid order with its payment, an unpaid one, her schedule with a run, a product on sale, a draft.

    And an address of hers, and the one session that she has; she has a data export, too. *customer* is somebody else,
    who has a second factor. *role* is one that nobody has. *shelf* is a category below another, *wardrobe* a product
    with options, *deleted* one that was deleted, *price_list* one with a former price of *product*, which has *image*
    and *other_image*; *upload* is a picture that was sent and is not attached. *discount* is one with the *code*, and
    there is a tax zone for a region. What only `make_all_things` makes is empty otherwise.
    """

    order: str
    number: str
    unpaid: str
    payment: str
    schedule: str
    run: str
    product: str
    draft: str
    address: str
    session: str
    customer: str
    role: str
    shelf: str
    wardrobe: str
    deleted: str
    price_list: str
    upload: str
    image: str
    other_image: str
    discount: str
    code: str
    line: str = ""
    shipment: str = ""
    return_id: str = ""
    shipped: str = ""
    cancelled: str = ""
    open_payment: str = ""
    refunded_payment: str = ""
    category: str = ""


async def make_things(world: World, *, stage: str = "PAID") -> Things:
    """Let ANI buy and export; every call makes new things.

    *stage* is where the order stands: PAID, PACKED, SHIPPED, RETURNING (with a return that was asked for) or APPROVED.
    """
    shop = world.shop
    _numbers["things"] += 1
    name, draft = f"tea{_numbers['things']}", f"draft{_numbers['things']}"
    on_sale: dict[str, Any] = {name: 50}
    not_yet: dict[str, Any] = {draft: 5}
    bought: dict[str, Any] = {name: 2}
    await shop.stock_up(**on_sale)
    await shop.stock_up(status="DRAFT", **not_yet)
    order = await shop.order_paid(ANI, **bought)
    await shop.put_in_cart(ANI, **{name: 1})
    unpaid = (await shop.check_out(ANI, f"unpaid-{name}"))["order"]["id"]
    sync = Caller(world.subgraphs["sync"])
    created = await sync.data(_CREATE_SCHEDULE, {"input": SCHEDULE}, by=ANI)
    schedule = created["createSyncSchedule"]["schedule"]["id"]
    run_now = "mutation($id: ID!) { runSyncNow(id: $id) { ... on SyncRun { id } } }"
    run = (await sync.data(run_now, {"id": schedule}, by=ANI))["runSyncNow"]["id"]
    # As if it had ended, so that another one may be started
    await world.subgraphs["sync"].runtime.database["runs"].update_one({"_id": run}, {"$set": {"status": "FAILED"}})
    (row,) = [row for row in await shop.orders() if row["_id"] == order]
    (payment,) = [row for row in await shop.payments() if row["order_id"] == order]
    role = f"ROLE_{_numbers['things']}"
    await (
        world.subgraphs["user"]
        .runtime.database["roles"]
        .insert_one({"_id": role, "description": "Nobody's", "scopes": ["orders:read"], "version": 1})
    )
    far = {"code": "FAR", "name": "Far away", "priority": 9, "created_at": shop.clock.now()}
    await (
        world.subgraphs["inventory"]
        .runtime.database["warehouses"]
        .update_one({"_id": "whs_far"}, {"$setOnInsert": far}, upsert=True)
    )
    shelf, wardrobe, deleted = await _furnish(world, name)
    price_list = await _price(world, name, draft)
    upload, image, other_image = await _illustrate(world, f"prd_{name}")
    moved = await _move(shop, order, _MOVES[: _STAGES.index(stage)])
    return Things(
        order=order,
        number=row["number"],
        unpaid=unpaid,
        payment=payment["_id"],
        schedule=schedule,
        run=run,
        product=f"prd_{name}",
        draft=f"prd_{draft}",
        address=await _keep_personal_data(world),
        session=await _log_in(world),
        customer=await _open_account(world, f"usr_{name}"),
        role=role,
        shelf=shelf,
        wardrobe=wardrobe,
        deleted=deleted,
        price_list=price_list,
        upload=upload,
        image=image,
        other_image=other_image,
        discount=await _give_away(world, f"CODE-{name}"),
        code=f"CODE-{name}",
        **moved,
    )


async def _move(shop: Shop, order_id: str, documents: tuple[str, ...]) -> dict[str, str]:
    """Move an order by *documents*; return the ids of its first line, parcel and return."""
    while True:
        (row,) = [row for row in await shop.orders() if row["_id"] == order_id]
        firsts = {
            "line": row["lines"][0]["id"],
            "shipment": row["shipments"][0]["id"] if row["shipments"] else "",
            "return_id": row["returns"][0]["id"] if row.get("returns") else "",
        }
        if not documents:
            return firsts
        filled = documents[0] % firsts if "%(" in documents[0] else documents[0]
        result = await shop.order.data(filled, {"id": order_id}, by=STAFF)
        assert [each["__typename"] for each in result.values()] == ["Order"], result
        documents = documents[1:]


async def _give_away(world: World, code: str) -> str:
    """Make a discount, and a tax zone for a region; return the discount's id."""
    money = {"decimal": "100", "currency": "IDR"}
    created = await create_discount(world.shop, code, kind="FIXED_AMOUNT", amount=money, minimumSubtotal=money)
    await save_zone(world.shop, "NZ", "15", region="Otago")
    return str(created["id"])


async def _price(world: World, name: str, draft: str) -> str:
    """Schedule product and draft, and make a price list that held long ago, with a price; return its code."""
    product, code = Caller(world.subgraphs["product"]), f"LIST_{name.upper()}"
    add = "mutation($input: CreatePriceListInput!) { createPriceList(input: $input) { __typename } }"
    given = {"code": code, "name": code, "currency": "IDR", "validFrom": "2020-01-01T00:00:00Z"}
    await product.data(add, {"input": {**given, "validUntil": "2020-01-02T00:00:00Z"}}, by=STAFF)
    fill = "mutation($c: String!, $p: [ListPriceInput!]!) { setListPrices(code: $c, prices: $p) { __typename } }"
    await product.data(fill, {"c": code, "p": [{"productId": f"prd_{name}", "amount": 500}]}, by=STAFF)
    document = """mutation($id: ID!, $on: DateTime, $off: DateTime) {
      scheduleProduct(id: $id, publishAt: $on, unpublishAt: $off) { __typename } }"""
    await product.data(document, {"id": f"prd_{name}", "off": "2090-01-01T00:00:00Z"}, by=STAFF)
    await product.data(document, {"id": f"prd_{draft}", "on": "2090-01-01T00:00:00Z"}, by=STAFF)
    return code


async def _illustrate(world: World, product_id: str) -> tuple[str, str, str]:
    """Send a picture for a product, and give it two that are elsewhere; return the ids."""
    product, content = Caller(world.subgraphs["product"]), picture((20, 10), format_="PNG")
    edit = """mutation($i: EditProductInput!) { editProduct(input: $i) { ... on Product { images { id } } } }"""
    given = {"id": product_id, "images": [{"url": f"https://pictures.example/{n}.jpg"} for n in range(2)]}
    images = (await product.data(edit, {"i": given}, by=STAFF))["editProduct"]["images"]
    request = """mutation($id: ID!, $n: Int!) {
      requestImageUpload(productId: $id, contentType: "image/png", byteLength: $n) {
        ... on ImageUpload { id url } } }"""
    upload = (await product.data(request, {"id": product_id, "n": len(content)}, by=STAFF))["requestImageUpload"]

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    context = product.subgraph.context(Call())
    assert isinstance(context, ProductContext)
    await context.uploads.receive(upload["url"].rpartition("/")[2], chunks())
    return upload["id"], images[0]["id"], images[1]["id"]


async def _furnish(world: World, name: str) -> tuple[str, str, str]:
    """Make a category below another, a product with options, and one that was deleted; return their ids."""
    product = Caller(world.subgraphs["product"])
    add_shelf = """mutation($name: String!, $parent: ID) {
      createCategory(input: {name: $name, parentId: $parent}) { ... on Category { id } } }"""
    top = (await product.data(add_shelf, {"name": f"Top {name}"}, by=STAFF))["createCategory"]["id"]
    shelf = (await product.data(add_shelf, {"name": f"Shelf {name}", "parent": top}, by=STAFF))["createCategory"]["id"]
    add_product = "mutation($input: CreateProductInput!) { createProduct(input: $input) { ... on Product { id } } }"
    ids = []
    for sku in (f"wardrobe-{name}", f"deleted-{name}"):
        options = [{"name": "size", "values": ["s", "m"]}]
        given = {"sku": sku, "name": sku, "price": {"decimal": "10", "currency": "IDR"}, "options": options}
        ids.append((await product.data(add_product, {"input": given}, by=STAFF))["createProduct"]["id"])
    await product.data("mutation($id: ID!) { deleteProduct(id: $id) { __typename } }", {"id": ids[1]}, by=STAFF)
    return shelf, ids[0], ids[1]


async def _keep_personal_data(world: World) -> str:
    """Give ANI one address and a data export; return the address's id."""
    user, database = Caller(world.subgraphs["user"]), world.subgraphs["user"].runtime.database
    await database["users"].update_one({"_id": ANI.subject}, {"$set": {"addresses": [], "default_address_id": None}})
    await database["data_exports"].delete_many({})
    add = "mutation($a: AddressInput!) { addAddress(input: $a) { ... on User { addresses { id } } } }"
    (address,) = (await user.data(add, {"a": FULL_ADDRESS}, by=ANI))["addAddress"]["addresses"]
    export = 'mutation { requestDataExport(password: "correct horse battery") { __typename } }'
    assert (await user.data(export, by=ANI))["requestDataExport"]["__typename"] == "DataExport"
    await world.shop.run_job("user", "collect_exports")
    return str(address["id"])


async def _log_in(world: World) -> str:
    """Log ANI in, on no device but one; return the session's id."""
    user = world.subgraphs["user"].runtime
    for collection in ("sessions", "refresh_tokens"):
        await user.database[collection].delete_many({"user_id": ANI.subject})
    opened = await build_service(user, passwords=CHEAP).log_in(
        email="ani@example.org", password="correct horse battery", origin=Origin("203.0.113.5", "a browser")
    )
    return str(session_of(opened.identity.token_id))


async def _open_account(world: World, user_id: str) -> str:
    """Open an account that has a second factor; return its id."""
    user = world.subgraphs["user"].runtime
    account = NewAccount(user_id, f"{user_id}@example.org", "Citra", user.clock.now())
    await insert_users(user.database, [account], password="correct horse battery", passwords=CHEAP)
    await user.database["users"].update_one({"_id": user_id}, {"$set": {"has_second_factor": True}})
    factor = SecondFactorDocument(
        id=user_id, sealed_secret="", created_at=user.clock.now(), confirmed_at=user.clock.now(), recovery_digests=[]
    )
    await factor.insert()
    return user_id


async def make_all_things(world: World) -> Things:
    """Make what has a value in every field that the table asks for."""
    things = await make_things(world)
    shop, users, sync = world.shop, world.subgraphs["user"].runtime, world.subgraphs["sync"].runtime
    name = things.product.removeprefix("prd_")
    shipped = await _check_out(shop, name, f"shipped-{name}")
    (row,) = [row for row in await shop.orders() if row["_id"] == shipped]
    await shop.report(row["number"], "PAID", row["total_amount"])
    await shop.deliver_events()
    await _move(shop, shipped, (_PACK, _SHIP, _RETURN, _NOTE))
    await shop.order.data(_TRACK, {"id": shipped}, by=STAFF)
    await _refund(shop, shipped)
    orders = world.subgraphs["order"].runtime.database["orders"]
    applied = {"discount_id": things.discount, "code": things.code, "kind": "FIXED_AMOUNT", "amount": 100}
    part = {"rate": 110_000, "taxable_amount": 1000, "amount": 110}
    tax = {"zone_id": "ID", "name": "PPN", "is_inclusive": True, "shipping_amount": 10, "parts": [part]}
    given = {"attention": "REFUND_DUE", "discounts": [applied], "discount_amount": 100, "tax": tax}
    await orders.update_one({"_id": shipped}, {"$set": given})
    cancelled = await _check_out(shop, name, f"cancelled-{name}")
    await shop.order.data(_CANCEL, {"id": cancelled}, by=ANI)
    (open_payment,) = [row for row in await shop.payments() if row["order_id"] == things.unpaid]
    await sync.database["runs"].update_one({"_id": things.run}, {"$set": {"error": "the receiver is down"}})
    await users.database["users"].update_one({"_id": "usr_ani"}, {"$set": {"phone": "+6281234567890"}})
    category = (await Caller(world.subgraphs["product"]).data(_CATEGORY, {"name": f"All {name}"}, by=STAFF))[
        "createCategory"
    ]["id"]
    await shop.put_in_cart(ANI, **{name: 1})
    # Its price has changed since
    products = world.subgraphs["product"].runtime.database["products"]
    await products.update_one({"_id": things.product}, {"$inc": {"regular_price.amount": 1}})
    log = AuditLog(users.database, users.clock)
    await log.record(AuditAction.ROLE_CREATED, by=ADMIN, target="WAREHOUSE")
    await log.record(
        AuditAction.ROLES_CHANGED,
        by=ADMIN,
        user_id="usr_ani",
        origin=Origin("203.0.113.5", "a browser"),
        details={"roles": "CUSTOMER"},
    )
    (refunded,) = [row for row in await shop.payments() if row["order_id"] == shipped]
    return replace(
        things,
        shipped=shipped,
        cancelled=cancelled,
        open_payment=open_payment["_id"],
        refunded_payment=refunded["_id"],
        category=category,
    )


async def _refund(shop: Shop, order_id: str) -> None:
    """Pay some money of an order back, and have its invoice numbered."""
    (payment,) = [row for row in await shop.payments() if row["order_id"] == order_id]
    given = {"paymentId": payment["_id"], "reason": "a scratch", "idempotencyKey": order_id}
    document = "mutation($input: RefundPaymentInput!) { refundPayment(input: $input) { __typename } }"
    amount = {"decimal": "1", "currency": "IDR"}
    await shop.payment.data(document, {"input": {**given, "amount": amount}}, by=ADMIN)
    await shop.deliver_events()
    orders = shop.subgraphs["order"].runtime.database["orders"]
    await orders.update_one({"_id": order_id}, {"$set": {"invoice_number": "INV-1", "invoiced_at": shop.clock.now()}})


async def _check_out(shop: Shop, name: str, key: str) -> str:
    await shop.put_in_cart(ANI, **{name: 1})
    placed = await shop.check_out(ANI, key, shippingAddress=FULL_ADDRESS, note="Ring twice")
    return str(placed["order"]["id"])
