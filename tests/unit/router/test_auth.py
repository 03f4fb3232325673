import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from core.identity import ANONYMOUS, Identity
from core.tokens import (
    AccessTokenIssuer,
    Algorithm,
    AssertionSigner,
    AssertionVerifier,
    InvalidToken,
    generate_private_key,
    load_signing_key,
)
from router.auth import ASSERTION_HEADER, AssertionHeaders, Authenticator, build_authenticator, build_headers_for
from router.config import AuthenticationConfig, ConfigError
from router.errors import NotReady, Unauthenticated
from router.transports.base import RequestContext

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ANI = Identity(subject="u1", roles=frozenset({"CUSTOMER"}), scopes=frozenset({"profile"}), token_id="t1")
SECRET = "s" * 32


def make_issuer(algorithm: Algorithm = "EdDSA", key: bytes | None = None) -> AccessTokenIssuer:
    signing_key = load_signing_key(key or generate_private_key(algorithm), algorithm)
    return AccessTokenIssuer(signing_key, issuer="pasar", audience="pasar", ttl_s=600)


def write_jwks(tmp_path: Path, issuer: AccessTokenIssuer) -> Path:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(issuer.jwks()))
    return file


@pytest.fixture
def issuer() -> AccessTokenIssuer:
    return make_issuer()


@pytest.fixture
def authenticator(tmp_path: Path, issuer: AccessTokenIssuer) -> Authenticator:
    return build_authenticator(AuthenticationConfig(jwks_file=write_jwks(tmp_path, issuer)), now=lambda: NOW)


async def reason_for(authenticator: Authenticator, authorization: str) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as refusal:
        await authenticator.authenticate(authorization, {})
    return refusal.value


async def test_a_bearer_token_tells_who_is_asking(authenticator: Authenticator, issuer: AccessTokenIssuer) -> None:
    token = issuer.issue(ANI, now=NOW)
    assert await authenticator.authenticate(f"Bearer {token}", {}) == ANI
    assert await authenticator.authenticate(f"bearer  {token} ", {}) == ANI


async def test_the_cookie_tells_it_too_and_the_header_wins(
    authenticator: Authenticator, issuer: AccessTokenIssuer
) -> None:
    token = issuer.issue(ANI, now=NOW)
    other = issuer.issue(Identity(subject="u2", token_id="t2"), now=NOW)
    assert await authenticator.authenticate(None, {"pasar_access": token}) == ANI
    both = await authenticator.authenticate(f"Bearer {other}", {"pasar_access": token})
    assert both.subject == "u2"


@pytest.mark.parametrize("authorization", [None, "", "  "])
async def test_no_token_is_an_anonymous_caller(authenticator: Authenticator, authorization: str | None) -> None:
    assert await authenticator.authenticate(authorization, {"pasar_access": "", "other": "x"}) == ANONYMOUS


async def test_an_expired_token_is_refused_rather_than_anonymous(
    authenticator: Authenticator, issuer: AccessTokenIssuer
) -> None:
    refusal = await reason_for(authenticator, f"Bearer {issuer.issue(ANI, now=NOW - timedelta(hours=1))}")
    assert refusal.status == 401
    assert refusal.to_graphql() == [
        {"message": "the access token has expired", "extensions": {"code": "UNAUTHENTICATED"}}
    ]
    assert refusal.headers == {
        "www-authenticate": 'Bearer error="invalid_token", error_description="the access token has expired"'
    }


async def test_a_token_signed_with_another_key_is_refused(authenticator: Authenticator) -> None:
    refusal = await reason_for(authenticator, f"Bearer {make_issuer().issue(ANI, now=NOW)}")
    assert str(refusal) == "the access token is not valid"


@pytest.mark.parametrize("authorization", ["Basic dTpw", "Bearer", "Bearer   ", "nonsense"])
async def test_a_header_that_is_no_bearer_token_is_refused(authenticator: Authenticator, authorization: str) -> None:
    refusal = await reason_for(authenticator, authorization)
    assert 'error="invalid_request"' in refusal.headers["www-authenticate"]


async def test_a_router_without_keys_refuses_every_token() -> None:
    refusal = await reason_for(build_authenticator(AuthenticationConfig()), "Bearer x.y.z")
    assert str(refusal) == "this router has no key to verify access tokens with"


async def test_an_algorithm_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    issuer = make_issuer("RS256")
    config = AuthenticationConfig(jwks_file=write_jwks(tmp_path, issuer), algorithms=["EdDSA"])
    await reason_for(build_authenticator(config, now=lambda: NOW), f"Bearer {issuer.issue(ANI, now=NOW)}")


async def test_a_shared_secret_is_used_when_it_is_allowed(tmp_path: Path) -> None:
    secret = generate_private_key("HS256")
    (tmp_path / "secret").write_bytes(secret)
    config = AuthenticationConfig(hs256_secret_file=tmp_path / "secret", algorithms=["HS256"])
    token = make_issuer("HS256", secret).issue(ANI, now=NOW)
    assert await build_authenticator(config, now=lambda: NOW).authenticate(f"Bearer {token}", {}) == ANI


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), (b"not json", "authentication: ")],
)
def test_a_key_file_that_cannot_be_used_is_a_configuration_error(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = tmp_path / "jwks.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        build_authenticator(AuthenticationConfig(jwks_file=file))


def test_a_short_internal_secret_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="at least 32 bytes"):
        build_headers_for(AuthenticationConfig.model_validate({"internal_secret": "short"}))


def test_without_an_internal_secret_subgraphs_are_told_nothing() -> None:
    assert build_headers_for(AuthenticationConfig()) is None


def test_subgraphs_get_an_assertion_that_only_they_accept() -> None:
    headers_for = build_headers_for(AuthenticationConfig.model_validate({"internal_secret": SECRET}), now=lambda: NOW)
    assert headers_for is not None
    assertion = headers_for(RequestContext(identity=ANI), "order")[ASSERTION_HEADER]
    assert AssertionVerifier(SECRET.encode(), "order").verify(assertion, now=NOW) == ANI
    with pytest.raises(InvalidToken):
        AssertionVerifier(SECRET.encode(), "payment").verify(assertion, now=NOW)


def test_an_assertion_is_signed_again_before_it_gets_old() -> None:
    moments = [NOW, NOW + timedelta(seconds=29), NOW + timedelta(seconds=31)]
    headers_for = AssertionHeaders(AssertionSigner(SECRET.encode()), now=lambda: moments[0])
    context = RequestContext(identity=ANI)
    first = headers_for(context, "order")
    assert headers_for(context, "payment") != first
    moments.pop(0)
    assert headers_for(context, "order") == first
    moments.pop(0)
    assert headers_for(context, "order") != first


@dataclass
class KeyServer:
    """Publishes a key set. Mutable: *jwks* may be replaced; counts how often it was asked."""

    jwks: Mapping[str, object] | None
    url: str = ""
    requests: int = 0
    runner: web.AppRunner | None = field(default=None)

    async def answer(self, _: web.Request) -> web.Response:
        self.requests += 1
        return web.json_response(self.jwks) if self.jwks is not None else web.Response(status=503)

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/jwks.json", self.answer)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        host, port = self.runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/jwks.json"


async def test_published_keys_are_read_once_for_many_tokens(issuer: AccessTokenIssuer) -> None:
    server = KeyServer(issuer.jwks())
    await server.start()
    authenticator = build_authenticator(AuthenticationConfig(jwks_url=server.url), now=lambda: NOW)
    token = issuer.issue(ANI, now=NOW)
    try:
        for _ in range(3):
            assert await authenticator.authenticate(f"Bearer {token}", {}) == ANI
        assert server.requests == 1
        # A key that nobody has published does not make the router ask again and again
        for _ in range(3):
            await reason_for(authenticator, f"Bearer {make_issuer().issue(ANI, now=NOW)}")
        assert server.requests == 1
    finally:
        await authenticator.aclose()
        assert server.runner is not None
        await server.runner.cleanup()


async def test_when_published_keys_stay_out_of_reach_the_known_ones_go_on(issuer: AccessTokenIssuer) -> None:
    server = KeyServer(issuer.jwks())
    await server.start()
    config = AuthenticationConfig(jwks_url=server.url, jwks_refresh_s=1e-9)
    authenticator = build_authenticator(config, now=lambda: NOW)
    token = issuer.issue(ANI, now=NOW)
    try:
        assert await authenticator.authenticate(f"Bearer {token}", {}) == ANI
        server.jwks = None
        assert await authenticator.authenticate(f"Bearer {token}", {}) == ANI
        assert server.requests == 2
    finally:
        await authenticator.aclose()
        assert server.runner is not None
        await server.runner.cleanup()


async def test_before_any_key_could_be_read_the_router_says_that_it_is_not_ready() -> None:
    server = KeyServer(None)
    await server.start()
    authenticator = build_authenticator(AuthenticationConfig(jwks_url=server.url), now=lambda: NOW)
    try:
        with pytest.raises(NotReady):
            await authenticator.authenticate("Bearer a.b.c", {})
    finally:
        await authenticator.aclose()
        assert server.runner is not None
        await server.runner.cleanup()
