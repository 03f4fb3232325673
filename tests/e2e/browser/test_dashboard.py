"""The page of sales of a running store, in both of its modes: what it shows is what the graph answers."""

import json
from base64 import b32decode
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.totp import totp_code, totp_counter
from pasar.dashboard import DASHBOARD_PATH
from pasar.seed.people import PASSWORD
from tests.e2e.conftest import MODES
from tests.e2e.test_shopping import ORDER, find_product, place_order, register
from tests.testkit.browser import ARTIFACTS, find_chromium, require_build
from tests.testkit.node import run_node
from tests.testkit.running import Client, Json, RunningStore, eventually, running_store, send

pytestmark = [pytest.mark.browser, pytest.mark.node]

STAFF = "staff@pasar.example"
ZONE = ZoneInfo("Asia/Jakarta")

TOTAL = "orderCount quantity revenue { amount } averageOrderValue { amount }"
MONTHS = f"""
query ($from: YearMonth!, $to: YearMonth!) {{
  monthlyOrderTotals(from: $from, to: $to, timezone: "Asia/Jakarta", currency: "IDR") {{
    servedFrom months {{ year month {TOTAL} growth {{ orderCount quantity revenue }} }}
  }}
}}
"""
DAYS = f"""
query ($from: Date!, $to: Date!) {{
  dailyOrderTotals(from: $from, to: $to, timezone: "Asia/Jakarta", currency: "IDR") {{ days {{ date {TOTAL} }} }}
}}
"""
TOP_PRODUCTS = """
query ($month: YearMonth!, $by: TopProductsOrder!) {
  topProducts(month: $month, by: $by, timezone: "Asia/Jakarta", currency: "IDR") {
    products { product { name sku } orderCount quantity revenue { amount } }
  }
}
"""
ENROL = """
mutation ($password: String!) {
  enrolSecondFactor(password: $password) { ... on SecondFactorEnrolment { secret } }
}
"""
CONFIRM = """
mutation ($code: String!) { confirmSecondFactor(code: $code) { ... on RecoveryCodes { codes } } }
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What a browser has seen (tests/node/browser/dashboard.mjs), and what the graph answered before and after."""

    seen: Json
    months: list[Json]
    months_after: list[Json]
    # Of the month that was chosen, and of the present one
    days: list[Json]
    products: list[Json]
    products_by_orders: list[Json]
    total: int


def add_months(month: str, count: int) -> str:
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + count, 12)
    return f"{year:04}-{number + 1:02}"


def money(amount: Json) -> str:
    return f"IDR\xa0{amount['amount']:,}"


def growth(ratio: float | None) -> str:
    if ratio is None:
        return "n/a"
    percent = (Decimal(repr(ratio)) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{'+' if percent > 0 else ''}{percent.normalize() + 0:,f}%" if percent else "0%"


def spoken_month(month: Json) -> str:
    return f"{datetime(month['year'], month['month'], 1, tzinfo=UTC):%B %Y}"


def spoken_day(text: str) -> str:
    day = datetime.fromisoformat(text)
    return f"{day:%A, %B} {day.day}, {day.year}"


def bar(month: Json) -> str:
    revenue = growth(month["growth"]["revenue"])
    return f"{spoken_month(month)}: {money(month['revenue'])}, {revenue} against the month before"


def read_months(staff: Client, this_month: str) -> list[Json]:
    answer = staff.ask(MONTHS, **{"from": add_months(this_month, -23), "to": this_month})
    months: list[Json] = answer["monthlyOrderTotals"]["months"]
    return months


def read_products(staff: Client, month: str, by: str) -> list[Json]:
    products: list[Json] = staff.ask(TOP_PRODUCTS, month=month, by=by)["topProducts"]["products"]
    return products


def with_second_factor(store: RunningStore) -> Json:
    """Register a customer whose logins need a code; return their account with a recovery code."""
    client, account = register(store)
    secret = client.ask(ENROL, password=account["password"])["enrolSecondFactor"]["secret"]
    code = totp_code(b32decode(secret), totp_counter(datetime.now(UTC)))
    codes = client.ask(CONFIRM, code=code)["confirmSecondFactor"]["codes"]
    return {"email": account["email"], "password": account["password"], "recoveryCode": codes[0]}


@pytest.fixture(scope="module")
def look(store: RunningStore) -> Look:
    chromium = find_chromium()
    require_build()
    staff = store.client.log_in(STAFF, PASSWORD)
    buyer, _ = register(store)
    checkout = place_order(buyer, find_product(buyer, "gayo 500")["id"], 2, "while the page is open")
    assert checkout["__typename"] == "CheckoutSuccess", checkout
    this_month = f"{datetime.now(ZONE):%Y-%m}"
    chosen = add_months(this_month, -2)
    last_day = (datetime.fromisoformat(f"{add_months(chosen, 1)}-01") - datetime.resolution).day
    months = read_months(staff, this_month)
    given = {
        "staff": {"email": STAFF, "password": PASSWORD, "token": staff.token},
        "customer": with_second_factor(store),
        "payUrl": checkout["payUrl"],
    }
    arguments = (chromium, store.url, str(ARTIFACTS))
    seen = json.loads(run_node("browser", "dashboard.mjs", *arguments, stdin=json.dumps(given), timeout_s=240))
    # All of its sessions were ended on the way
    staff = store.client.log_in(STAFF, PASSWORD)
    days = staff.ask(DAYS, **{"from": f"{chosen}-01", "to": f"{chosen}-{last_day}"})["dailyOrderTotals"]["days"]
    eventually(lambda: buyer.ask(ORDER, id=checkout["order"]["id"])["order"], until=lambda it: it["status"] == "PAID")
    return Look(
        seen=seen,
        months=months,
        months_after=read_months(staff, this_month),
        days=days,
        products=read_products(staff, chosen, "REVENUE"),
        products_by_orders=read_products(staff, chosen, "ORDER_COUNT"),
        total=checkout["order"]["total"]["amount"],
    )


def product_rows(products: list[Json]) -> list[list[str]]:
    assert products
    return [
        ["Product", "SKU", "Revenue", "Orders", "Quantity"],
        *(
            [
                *(each["product"]["name"], each["product"]["sku"], money(each["revenue"])),
                *(f"{each['orderCount']:,}", f"{each['quantity']:,}"),
            ]
            for each in products
        ),
    ]


def test_the_page_is_announced_and_served(store: RunningStore) -> None:
    assert store.wait_for_line("Sales, for staff").split()[-1] == f"{store.url}{DASHBOARD_PATH}"
    require_build()
    page = send(f"{store.url}{DASHBOARD_PATH}")
    assert (page.status, b'name="pasar-store"' in page.body) == (200, True)


@pytest.mark.parametrize("mode", list(MODES))
def test_a_store_can_do_without_the_page(tmp_path: Path, mode: str) -> None:
    with running_store(tmp_path, *MODES[mode], PASAR_DASHBOARD="false") as store:
        assert send(f"{store.url}{DASHBOARD_PATH}").status == 404
        assert [line for line in store.lines if DASHBOARD_PATH in line] == []


def test_months_are_those_of_the_graph_to_the_last_rupiah(look: Look) -> None:
    assert len(look.months) == 24
    assert sum(month["orderCount"] for month in look.months) > 100
    assert look.seen["bars"] == [bar(month) for month in look.months]
    assert look.seen["months"][1:] == [
        [
            *(spoken_month(month), money(month["revenue"]), growth(month["growth"]["revenue"])),
            *(f"{month['orderCount']:,}", growth(month["growth"]["orderCount"])),
            *(f"{month['quantity']:,}", growth(month["growth"]["quantity"])),
            money(month["averageOrderValue"]),
        ]
        for month in look.months
    ]
    sources = [text.split("served from ")[1] for text in look.seen["sources"] if "served from" in text]
    assert len(sources) == 3
    assert set(sources) <= {"CACHE", "ROLLUP", "AGGREGATION"}


def test_a_month_is_chosen_by_the_keyboard_and_shows_its_days_and_best_products(look: Look) -> None:
    seen, chosen = look.seen, look.months[-3]
    assert seen["lastBar"] == seen["barAfterTheLast"] == f"option {bar(look.months[-1])}"
    assert seen["firstBar"] == f"option {bar(look.months[0])}"
    assert seen["secondBar"] == f"option {bar(look.months[1])}"
    assert seen["chosen"] == bar(chosen)
    assert seen["present"]["heading"] == spoken_month(look.months[-1])
    assert seen["before"]["heading"] == spoken_month(chosen)
    assert seen["before"]["totals"] == [
        *("Revenue", f"{money(chosen['revenue'])} {growth(chosen['growth']['revenue'])}"),
        *("Orders", f"{chosen['orderCount']:,} {growth(chosen['growth']['orderCount'])}"),
        *("Quantity", f"{chosen['quantity']:,} {growth(chosen['growth']['quantity'])}"),
        *("Revenue per order", money(chosen["averageOrderValue"])),
    ]
    assert seen["before"]["days"] == [
        ["Day", "Revenue", "Orders", "Quantity", "Revenue per order"],
        *(
            [
                *(spoken_day(day["date"]), money(day["revenue"])),
                *(f"{day['orderCount']:,}", f"{day['quantity']:,}", money(day["averageOrderValue"])),
            ]
            for day in look.days
        ),
    ]
    assert sum(day["orderCount"] for day in look.days) == chosen["orderCount"]
    assert seen["before"]["products"] == product_rows(look.products)
    assert seen["before"]["address"] == f"?month={chosen['year']}-{chosen['month']:02}"


def test_orders_can_be_shown_instead_of_revenue(look: Look) -> None:
    assert look.seen["byOrders"]["products"] == product_rows(look.products_by_orders)
    assert look.seen["byOrders"]["bars"] == [
        f"{spoken_month(month)}: {month['orderCount']:,}, {change} against the month before"
        for month in look.months
        for change in (growth(month["growth"]["orderCount"]),)
    ]


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(look: Look) -> None:
    assert look.seen["heading"] == "h1 Sales"
    first = look.seen["tabs"][:6]
    assert [stop.split()[0] for stop in first] == ["button", "select", "select", "select", "input", "option"]
    assert first[0] == "button Log out"
    # One stop for a chart, however many bars it has
    assert sum(stop.startswith("option") for stop in look.seen["tabs"][:8]) == 1


def test_an_order_that_is_paid_shows_while_the_page_is_open(look: Look) -> None:
    before, after = look.months[-1], look.months_after[-1]
    assert (after["orderCount"], after["quantity"], after["revenue"]["amount"]) == (
        before["orderCount"] + 1,
        before["quantity"] + 2,
        before["revenue"]["amount"] + look.total,
    )
    assert look.seen["paid"] == 200
    for name, month in (("liveBefore", before), ("liveAfter", after)):
        assert look.seen[name]["month"].split("\n") == [
            f"This month {spoken_month(month)}",
            *("Revenue", money(month["revenue"])),
            *("Orders", f"{month['orderCount']:,}"),
            *("Quantity", f"{month['quantity']:,}"),
        ]
    assert look.seen["liveAfter"]["today"] != look.seen["liveBefore"]["today"]
    # The chart follows
    assert look.seen["barAfter"] == bar(after)
    assert all(address.startswith("ws://127.0.0.1:") for address in look.seen["sockets"])
    assert look.seen["sockets"]


def test_a_token_that_is_over_is_replaced_by_itself(look: Look) -> None:
    assert look.seen["cookiesAfterRefresh"] == ["pasar_access", "pasar_device", "pasar_refresh"]


def test_a_logout_leaves_nothing_but_that_the_device_is_known(look: Look) -> None:
    assert look.seen["loggedOut"] == "You have logged out."
    assert look.seen["cookiesAfterLogout"] == ["pasar_device"]


def test_tokens_are_out_of_reach_of_scripts(look: Look) -> None:
    assert sorted(cookie["name"] for cookie in look.seen["cookies"]) == [
        *("pasar_access", "pasar_device", "pasar_refresh")
    ]
    assert {(cookie["httpOnly"], cookie["sameSite"]) for cookie in look.seen["cookies"]} == {(True, "Strict")}
    assert look.seen["storage"] == {"pasar-dashboard-logged-in": "1"}


def test_an_account_without_the_right_logs_in_with_its_code_and_is_told_what_it_lacks(look: Look) -> None:
    assert look.seen["notAllowed"].startswith("This account may not see the sales\n\nRina Wijaya lacks the permission")


def test_a_session_that_is_ended_elsewhere_is_noticed_and_does_not_keep_its_owner_out(look: Look) -> None:
    assert look.seen["ended"]["data"]["logoutEverywhere"] >= 1
    # The refused cookie is all that the console complains of
    assert {problem.split(": ")[-1] for problem in look.seen["problems"]} == {
        "the server responded with a status of 401 (Unauthorized)"
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_readable(look: Look, scheme: str) -> None:
    measured = look.seen["contrast"][scheme]
    assert measured["texts"]["least"] >= 4.5, measured
    assert measured["shapes"]["least"] >= 3.0, measured


def test_a_phone_shows_it_without_scrolling_sideways(look: Look) -> None:
    assert look.seen["widths"] == {"320": 320, "390": 390, "1000": 1000, "1280": 1280}


def test_nothing_breaks_the_policy_or_shows_in_the_console(look: Look, store: RunningStore) -> None:
    assert look.seen["problemsUntilTheEnd"] == []
    foreign: list[Any] = [each for each in look.seen["requests"] if not each.startswith((store.url, "data:"))]
    assert foreign == []
