"""One store for what people may ask it to tell about them and to forget; each test brings somebody of its own."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from core.clock import Clock
from core.identity import Identity, Role
from core.ids import new_id
from core.mail import Mail, MailboxMailer
from core.mongo import Client
from core.peers import Peers
from core.settings import Settings
from core.subgraph import Call, Runtime
from subgraphs.user.bulk import NewAccount, insert_users
from subgraphs.user.passwords import Passwords
from subgraphs.user.second_factor.documents import ChallengeDocument, SecondFactorDocument
from subgraphs.user.service import UserService
from tests.integration.security.world import World, open_world
from tests.testkit.callers import STAFF, Caller
from tests.testkit.store import build_runtime, make_settings

PASSWORD = "correct horse battery"
ADDRESS = {
    "recipient": "Wening Kartika",
    "line1": "Gang Cempaka 77",
    "city": "Yogyakarta",
    "postalCode": "55281",
    "country": "ID",
    "phone": "+62 811 9999 000",
    "line2": "rumah hijau",
    "region": "DIY",
}
# What somebody called like this is known by
TRACES = ("Wening", "wening", "Cempaka", "55281", "9999", "rumah hijau", "for my grandmother", "changed my mind")

_numbers: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, and the session that they are in."""

    world: World
    id: str
    email: str
    session: str = "ses_first"

    @property
    def identity(self) -> Identity:
        return Identity(self.id, frozenset({Role.CUSTOMER}), token_id=f"{self.session}.1.unique")

    @property
    def user(self) -> Caller:
        return Caller(self.world.subgraphs["user"])

    async def call(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the one result of an operation on the user subgraph."""
        (result,) = (await self.user.data(document, variables, by=self.identity)).values()
        assert isinstance(result, dict)
        return result

    async def choose(self) -> None:
        """Put two pieces of something new into the cart."""
        _numbers["products"] += 1
        name = f"goods{_numbers['products']}"
        await self.world.shop.stock_up(**{name: 9})  # type: ignore[arg-type]
        await self.world.shop.put_in_cart(self.identity, **{name: 2})

    async def order(self, key: str = "first", **more: Any) -> dict[str, Any]:
        """Order what is in the cart, and return the order."""
        result = await self.world.shop.check_out(self.identity, key, shippingAddress=ADDRESS, **more)
        order: dict[str, Any] = result["order"]
        return order

    async def pay(self, order: Mapping[str, Any]) -> None:
        """Pay an order, and let everybody hear of it."""
        await self.world.shop.report(order["number"], "PAID", order["total"]["amount"])
        await self.world.shop.deliver_events()

    async def buy(self, key: str = "first", **more: Any) -> str:
        """Order and pay something; return the order's id."""
        await self.choose()
        order = await self.order(key, **more)
        await self.pay(order)
        return str(order["id"])

    async def receive(self, order_id: str) -> None:
        """Have an order packed, shipped and delivered."""
        for mutation in (
            "packOrder(id: $id)",
            'shipOrder(input: {orderId: $id, carrier: "JNE", trackingNumber: "JNE-9999"})',
            "deliverOrder(id: $id)",
        ):
            document = f"mutation($id: ID!) {{ {mutation} {{ __typename }} }}"
            await self.world.shop.order.data(document, {"id": order_id}, by=STAFF)
        await self.world.shop.deliver_events()

    async def mails(self) -> list[Mail]:
        """Send what is to be sent, and return what the person got from the user subgraph, oldest first."""
        await self.world.shop.run_job("user", "send_letters")
        mailer = self.world.subgraphs["user"].runtime.mailer
        assert isinstance(mailer, MailboxMailer)
        return list(reversed(await mailer.read(to=self.email)))


def service_of(world: World) -> UserService:
    """Return the use cases of the running user subgraph."""
    service = world.subgraphs["user"].context(Call()).service  # type: ignore[attr-defined]
    assert isinstance(service, UserService)
    return service


async def keep_second_factor(person: Person) -> None:
    """Store a second factor of *person*, and a login that waits for a code of it."""
    database, now = person.world.subgraphs["user"].runtime.database, person.world.clock.now()
    factor = SecondFactorDocument(
        id=person.id,
        sealed_secret="a sealed secret",
        created_at=now,
        confirmed_at=now,
        recovery_digests=["a digest", "another digest"],
    )
    challenge = ChallengeDocument(
        id=f"of {person.id}",
        user_id=person.id,
        password_digest="a digest",
        created_at=now,
        expires_at=now + timedelta(minutes=5),
    )
    for document in (factor, challenge):
        row = document.model_dump(by_alias=True, exclude={"revision_id"})
        await database[type(document).Settings.name].insert_one(row)


@pytest.fixture(scope="package")
async def world(mongo_client: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    settings = make_settings(tmp_path_factory.mktemp("persons"), database_prefix=f"{new_id('t')}_")

    def make(
        name: str, *, peers: Peers | None = None, clock: Clock | None = None, settings: Settings | None = settings
    ) -> Runtime:
        assert settings is not None
        return build_runtime(name, mongo_client, settings, peers=peers, clock=clock)

    opened = await open_world(make)
    yield opened
    for subgraph in opened.subgraphs.values():
        await subgraph.stop()
        await mongo_client.drop_database(subgraph.runtime.database.name)


@pytest.fixture
async def person(world: World) -> Person:
    """Return somebody new, with a phone number."""
    _numbers["people"] += 1
    number = _numbers["people"]
    account = NewAccount(
        f"usr_person{number}",
        f"wening{number}@example.org",
        "Wening Kartika",
        world.clock.now(),
        phone="+628119999000",
    )
    cheap = Passwords(time_cost=1, memory_kib=8, threads=1)
    await insert_users(world.subgraphs["user"].runtime.database, [account], password=PASSWORD, passwords=cheap)
    return Person(world, account.id, account.email)
