"""kill -9: whatever was acknowledged is there afterwards, and the store comes back by itself."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import MODES
from tests.e2e.test_shopping import ORDER, STOCK, find_product, place_order, press, register, staff_of
from tests.testkit.running import Client, eventually, pasar, running_store, send


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("template") / "data"
    result = pasar("seed", "--data", str(data), "--orders", "20")
    assert result.returncode == 0, result.stderr
    return data


@pytest.fixture
def seeded(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "data")


def test_acknowledged_orders_survive_a_kill_of_mongod(seeded: Path) -> None:
    with running_store(seeded) as store:
        customer, _ = register(store)
        product_id = find_product(customer, "gayo 200")["id"]
        orders = [place_order(customer, product_id, 1, f"key {number}")["order"] for number in range(5)]
        os.kill(store.mongod_pid(), signal.SIGKILL)

        # Its supervisor starts it again; requests in between may fail, and none of them half-way
        def placed() -> list[str]:
            response = customer.execute("{ me { orders(first: 10) { nodes { number } } } }")
            if "errors" in response or response["data"]["me"] is None or response["data"]["me"]["orders"] is None:
                return []
            return [node["number"] for node in response["data"]["me"]["orders"]["nodes"]]

        assert sorted(eventually(placed, until=bool)) == sorted(order["number"] for order in orders)
        stock = eventually(
            lambda: staff_of(store).execute(STOCK, id=product_id), until=lambda seen: "errors" not in seen
        )
        assert stock["data"]["product"]["stockLevel"]["reserved"] == 5
        # And it goes on selling
        assert place_order(customer, product_id, 1, "afterwards")["__typename"] == "CheckoutSuccess"


@pytest.mark.parametrize("mode", list(MODES))
def test_an_order_survives_a_kill_of_the_whole_store_and_is_paid_after_the_restart(seeded: Path, mode: str) -> None:
    with running_store(seeded, *MODES[mode]) as store:
        customer, _ = register(store)
        product_id = find_product(customer, "gayo 200")["id"]
        checkout = place_order(customer, product_id, 2, "the key")
        before = staff_of(store).ask(STOCK, id=product_id)["product"]
        children = store.children()
        os.kill(store.program.pid, signal.SIGKILL)
        # Nothing of it stays behind
        eventually(lambda: [pid for pid in children if not is_gone(pid)], until=lambda alive: not alive)
    with running_store(seeded, *MODES[mode]) as store:
        again = Client(store.client.url, customer.token)
        order = again.ask(ORDER, id=checkout["order"]["id"])["order"]
        assert order["status"] == "PENDING_PAYMENT"
        assert staff_of(store).ask(STOCK, id=product_id)["product"] == before
        # The page's address has another port now, its token is the same
        path = checkout["payUrl"].split("/sandbox/")[1]
        sandbox = f"{store.mailbox_url.removesuffix('/dev/mail')}/sandbox/{path}"
        press(sandbox, "pay")
        eventually(
            lambda: again.ask(ORDER, id=checkout["order"]["id"])["order"], until=lambda seen: seen["status"] == "PAID"
        )


def test_a_program_that_is_killed_is_started_again_at_its_address(seeded: Path) -> None:
    with running_store(seeded, "--split") as store:
        customer, _ = register(store)
        old = {name: store.pid_of(name) for name in ("order", "product", "router", "worker")}
        for pid in old.values():
            os.kill(pid, signal.SIGKILL)
        eventually(
            lambda: [pid for pid in old.values() if not is_gone(pid)] or _missing_answer(store.url),
            until=lambda trouble: not trouble,
        )
        product_id = eventually(
            lambda: customer.execute("{ products(first: 1) { nodes { id } } }"), until=lambda seen: "errors" not in seen
        )["data"]["products"]["nodes"][0]["id"]
        checkout = eventually(
            lambda: customer.execute(
                "mutation ($id: ID!) { addToCart(productId: $id, quantity: 1) { __typename } }", id=product_id
            ),
            until=lambda seen: "errors" not in seen,
        )
        assert checkout["data"]["addToCart"]["__typename"] == "Cart"


def _missing_answer(url: str) -> list[str]:
    try:
        return [] if send(f"{url}/health/ready").status == 200 else ["not ready"]
    except OSError as error:
        return [str(error)]


@pytest.mark.parametrize(("mode", "number"), [("up", signal.SIGTERM), ("up", signal.SIGINT), ("split", signal.SIGTERM)])
def test_a_signal_stops_everything_cleanly(seeded: Path, mode: str, number: signal.Signals) -> None:
    with running_store(seeded, *MODES[mode]) as store:
        mongod, children = store.mongod_pid(), store.children()
        assert mongod in children
        store.program.send_signal(number)
        assert store.program.wait(120) == 0
        assert [pid for pid in children if not is_gone(pid)] == []
    last_words = (seeded / "mongod.log").read_text().splitlines()[-1]
    assert '"msg":"Shutting down","attr":{"exitCode":0}' in last_words
    assert not (seeded / "mongod.uri").exists()
