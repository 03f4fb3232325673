import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity
from core.ids import new_id
from core.mail import Mail, MailboxMailer
from core.mongo import Client, Database, connect
from core.settings import Settings
from core.subgraph import Call, Cookie, Subgraph
from core.tokens import TokenVerifier, verification_keys_from_jwks
from subgraphs.user.accounts.app import Accounts
from subgraphs.user.accounts.documents import DOCUMENTS as ACCOUNT_DOCUMENTS
from subgraphs.user.app import build, build_service
from subgraphs.user.audit import AUDIT
from subgraphs.user.keys import load_token_issuer
from subgraphs.user.model import Profile
from subgraphs.user.passwords import Passwords
from subgraphs.user.service import UserService
from tests.testkit.clock import FixedClock
from tests.testkit.commands import CommandLog
from tests.testkit.store import MakeRuntime, build_runtime, make_settings

# Beyond the real present, or MongoDB's own clock would remove what expires by ours
NOW = datetime(2040, 5, 1, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


@dataclass(slots=True)
class UserStore:
    """A started user subgraph, and what tests ask of it. Mutable: remembers the cookies of the last answer."""

    subgraph: Subgraph
    service: UserService
    clock: FixedClock
    cookies: list[Cookie]

    @property
    def accounts(self) -> Accounts:
        return self.service.accounts

    @property
    def database(self) -> Database:
        return self.subgraph.runtime.database

    async def run(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        by: Identity = ANONYMOUS,
        headers: Mapping[str, str] | None = None,
        trusted: bool = True,
    ) -> dict[str, Any]:
        """Return the whole GraphQL response."""
        call = Call(identity=by, trusted=trusted, headers=headers or {})
        response = await self.subgraph.execute(document, variables, None, call)
        self.cookies = call.cookies
        return response

    async def data(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        by: Identity = ANONYMOUS,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the data of a response that must have no errors."""
        response = await self.run(document, variables, by=by, headers=headers)
        assert "errors" not in response, response["errors"]
        data: dict[str, Any] = response["data"]
        return data

    async def code(self, document: str, variables: Mapping[str, Any] | None = None, *, by: Identity = ANONYMOUS) -> str:
        """Return the code of the one error of a response."""
        (error,) = (await self.run(document, variables, by=by))["errors"]
        code: str = error["extensions"]["code"]
        return code

    def identify(self, access_token: str) -> Identity:
        """Return whom the router would see behind *access_token*."""
        settings = self.subgraph.runtime.settings
        keys = verification_keys_from_jwks(load_token_issuer(settings).jwks())
        verifier = TokenVerifier(keys, issuer=settings.token_issuer, audience=settings.token_audience)
        return verifier.verify(access_token, now=self.clock.now())

    async def add(self, name: str, *roles: str, email: str | None = None) -> tuple[Profile, Identity]:
        """Create an account and log in to it."""
        address = email or f"{name.split()[0].lower()}@example.com"
        profile = await self.service.create_user(
            email=address, password=PASSWORD, name=name, roles=roles or ("CUSTOMER",)
        )
        tokens = await self.service.log_in(email=address, password=PASSWORD)
        return profile, self.identify(tokens.access_token)

    async def snapshot(self) -> dict[str, list[dict[str, Any]]]:
        """Return everything that is stored, to compare before and after."""
        names = ["users", "sessions", "refresh_tokens", "revocations", "second_factors", "login_challenges"]
        names += ["outbox", AUDIT, *(document.Settings.name for document in ACCOUNT_DOCUMENTS)]
        return {name: await self.database[name].find().sort("_id", 1).to_list() for name in names}

    async def mails(self, to: str | None = None) -> list[Mail]:
        """Send what is to be sent, and return what an address, or everybody, got, oldest first."""
        await self.accounts.postbox.send_due(self.clock.now())
        mailer = self.subgraph.runtime.mailer
        assert isinstance(mailer, MailboxMailer)
        return list(reversed(await mailer.read(to=to)))

    async def mail_token(self, to: str) -> str:
        """Return the token in the last letter to an address."""
        return token_in((await self.mails(to))[-1])


def token_in(mail: Mail) -> str:
    """Return the token that a letter carries."""
    (token,) = re.findall(r"^Token: (\S+)$", mail.text, re.MULTILINE)
    assert isinstance(token, str)
    return token


def cheap_passwords() -> Passwords:
    """Return an Argon2 that costs next to nothing."""
    return Passwords(time_cost=1, memory_kib=8, threads=2)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def store(make_runtime: MakeRuntime, clock: FixedClock) -> UserStore:
    return await open_store(make_runtime, clock)


async def open_store(make_runtime: MakeRuntime, clock: FixedClock, settings: Settings | None = None) -> UserStore:
    runtime = make_runtime("user", clock=clock, settings=settings)
    passwords = cheap_passwords()
    subgraph = build(runtime, passwords=passwords)
    await subgraph.start()
    service = build_service(runtime, passwords=passwords)
    await service.prepare()
    return UserStore(subgraph, service, clock, [])


class CountingPasswords(Passwords):
    """Counts the hashes that are computed and verified. Mutable in *work* and *hashes*."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_kib=8, threads=1)
        self.work: list[str] = []
        self.hashes = 0
        hasher = self._hasher
        verify = hasher.verify

        class Counting:
            check_needs_rehash = staticmethod(hasher.check_needs_rehash)

            @staticmethod
            def hash(password: str) -> str:
                self.hashes += 1
                return hasher.hash(password)

            @staticmethod
            def verify(encoded: str, password: str) -> bool:
                self.work.append(encoded.rpartition("$")[0].rpartition("$")[0])
                return bool(verify(encoded, password))

        self._hasher = Counting()  # type: ignore[assignment]


@pytest.fixture
async def counted(mongo_uri: str, tmp_path: Any) -> AsyncIterator[tuple[UserStore, CommandLog, CountingPasswords]]:
    """Yield a store that knows what it sends to MongoDB and how many hashes it makes."""
    log, clock, passwords = CommandLog(), FixedClock(NOW), CountingPasswords()
    client: Client = connect(mongo_uri, listeners=[log])
    settings = make_settings(tmp_path, database_prefix=f"{new_id('t')}_")
    runtime = build_runtime("user", client, settings, clock=clock)
    subgraph = build(runtime, passwords=passwords)
    await subgraph.start()
    service = build_service(runtime, passwords=passwords)
    yield UserStore(subgraph, service, clock, []), log, passwords
    await client.drop_database(runtime.database.name)
    await client.close()


@pytest.fixture(autouse=True)
def every_query_has_an_index(indexed_queries: None) -> None:
    """Look at all queries that the tests of this folder make the store send."""
