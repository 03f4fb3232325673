from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from core.identity import ANONYMOUS, Identity
from core.mail_queue import MAILS
from core.mongo import Database
from core.settings import Settings
from core.subgraph import Call, Cookie, Subgraph
from core.tokens import TokenVerifier, verification_keys_from_jwks
from subgraphs.user.app import build, build_service
from subgraphs.user.audit import AUDIT
from subgraphs.user.keys import load_token_issuer
from subgraphs.user.model import Profile
from subgraphs.user.passwords import Passwords
from subgraphs.user.service import UserService
from tests.testkit.clock import FixedClock
from tests.testkit.store import MakeRuntime

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
        names = (
            *("users", "sessions", "refresh_tokens", "revocations", "second_factors", "login_challenges"),
            *("outbox", AUDIT, MAILS),
        )
        return {name: await self.database[name].find().sort("_id", 1).to_list() for name in names}


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
