"""Tokens that are not what they seem, sent to the router, and what no client can tell subgraphs through it."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.identity import Identity, Role, service_identity
from core.subgraph_app import build_subgraph_app
from core.tokens import (
    AccessTokenIssuer,
    AssertionSigner,
    AssertionVerifier,
    InvalidToken,
    TokenVerifier,
    generate_private_key,
    load_signing_key,
    verification_keys_from_jwks,
)
from router.app import build_app
from router.auth import build_authenticator, build_headers_for
from router.config import RouterConfig
from router.transports.http import HttpTransport, SubgraphSession
from tests.integration.security.world import World
from tests.testkit.asgi_server import running_asgi
from tests.testkit.callers import ADMIN
from tests.testkit.shop import ANI
from tests.testkit.store import INTERNAL_SECRET

ME = "{ me { id } }"
Forge = Callable[[World], str]


def _b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _claims(world: World, **changes: Any) -> dict[str, Any]:
    claims = jwt.decode(world.token(ADMIN), options={"verify_signature": False})
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def _by_hmac(world: World, secret: bytes, **header: Any) -> str:
    written = f"{_b64({'alg': 'HS256', 'typ': 'JWT', 'kid': world.issuer.key.kid, **header})}.{_b64(_claims(world))}"
    return f"{written}.{_b64(hmac.new(secret, written.encode(), hashlib.sha256).digest())}"


def _signed(world: World, *, header: dict[str, Any] | None = None, key: Any = None, **changes: Any) -> str:
    headers = {"kid": world.issuer.key.kid, **(header or {})}
    headers = {name: value for name, value in headers.items() if value is not None}
    return jwt.encode(_claims(world, **changes), key or world.issuer.key.private, algorithm="EdDSA", headers=headers)


def _public(world: World, encoding: serialization.Encoding, format_: serialization.PublicFormat) -> bytes:
    public = world.issuer.key.public
    assert not isinstance(public, bytes)
    return public.public_bytes(encoding, format_)


def _unsigned(world: World, algorithm: str) -> str:
    return f"{_b64({'alg': algorithm, 'typ': 'JWT', 'kid': world.issuer.key.kid})}.{_b64(_claims(world))}."


def _tampered(world: World) -> str:
    header, _, signature = world.token(ANI).split(".")
    return f"{header}.{_b64(_claims(world))}.{signature}"


def _own_key_inside(world: World) -> str:
    key = Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": _b64(raw)}
    return _signed(world, key=key, header={"jwk": jwk, "jku": "http://127.0.0.1:1/jwks.json", "x5u": "file:///"})


def _of_another_installation(world: World) -> str:
    key = load_signing_key(generate_private_key("EdDSA"), "EdDSA")
    # It even calls its key by our key's name
    issuer = AccessTokenIssuer(replace(key, kid=world.issuer.key.kid), issuer="pasar", audience="pasar", ttl_s=600)
    return issuer.issue(ADMIN, now=world.clock.now())


def _of_rsa(world: World) -> str:
    key = load_signing_key(generate_private_key("RS256"), "RS256")
    issuer = AccessTokenIssuer(replace(key, kid=world.issuer.key.kid), issuer="pasar", audience="pasar", ttl_s=600)
    return issuer.issue(ADMIN, now=world.clock.now())


ENCODING, FORMAT = serialization.Encoding, serialization.PublicFormat
ATTACKS: dict[str, Forge] = {
    "alg none": lambda world: _unsigned(world, "none"),
    "alg nOnE": lambda world: _unsigned(world, "nOnE"),
    "no signature": lambda world: world.token(ADMIN).rpartition(".")[0] + ".",
    "claims of somebody else": _tampered,
    "HS256 with the public key as PEM": lambda world: _by_hmac(
        world, _public(world, ENCODING.PEM, FORMAT.SubjectPublicKeyInfo)
    ),
    "HS256 with the public key's bytes": lambda world: _by_hmac(world, _public(world, ENCODING.Raw, FORMAT.Raw)),
    "HS256 with the public key as published": lambda world: _by_hmac(
        world, json.dumps(world.issuer.jwks()["keys"][0]).encode()
    ),
    "HS256 with nothing": lambda world: _by_hmac(world, b""),
    "another key under our kid": _of_another_installation,
    "RS256 under our kid": _of_rsa,
    "a key of its own inside": _own_key_inside,
    "another issuer": lambda world: _signed(world, iss="https://issuer.example"),
    "no issuer": lambda world: _signed(world, iss=None),
    "another audience": lambda world: _signed(world, aud="another store"),
    "no audience": lambda world: _signed(world, aud=None),
    "expired": lambda world: _signed(world, exp=int(world.clock.now().timestamp()) - 60),
    "without an end": lambda world: _signed(world, exp=None),
    "an end that is no number": lambda world: _signed(world, exp=float("inf")),
    "issued tomorrow": lambda world: _signed(world, iat=int(world.clock.now().timestamp()) + 86_400),
    "kid of a file": lambda world: _signed(world, header={"kid": "../../../../dev/null"}),
    "kid of a query": lambda world: _signed(world, header={"kid": "x' UNION SELECT 'y"}),
    "kid of a URL": lambda world: _signed(world, header={"kid": "http://127.0.0.1:1/key"}),
    "kid empty": lambda world: _signed(world, header={"kid": ""}),
    "kid missing": lambda world: _signed(world, header={"kid": None}),
    "an extension that must be understood": lambda world: _signed(world, header={"crit": ["x"], "x": 1}),
    "scopes that are no text": lambda world: _signed(world, scope=["users:write"]),
    "roles that are no list": lambda world: _signed(world, roles="ADMIN"),
    "a subject that is no text": lambda world: _signed(world, sub={"$ne": None}),
    "a service": lambda world: _signed(world, sub="service:order", roles=["SERVICE"]),
    "an assertion": lambda world: AssertionSigner(INTERNAL_SECRET.encode()).sign(
        ADMIN, audience="pasar", now=world.clock.now()
    ),
    "nested": lambda world: "W1tb" * 4000 + ".e30.e30",
    "garbage": lambda world: "x.y.z",
}


@pytest.fixture(scope="module")
async def url(world: World) -> AsyncIterator[str]:
    async with running_asgi(world.app) as base:
        yield f"{base}/graphql"


async def _post(url: str, document: str, **headers: str) -> tuple[int, dict[str, Any], str]:
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, json={"query": document}, headers=headers) as answer,
    ):
        return answer.status, await answer.json(), answer.headers.get("www-authenticate", "")


async def test_a_good_token_is_believed(world: World, url: str) -> None:
    for token in (world.token(ADMIN), _signed(world)):
        status, answer, _ = await _post(url, ME, authorization=f"Bearer {token}")
        assert (status, answer) == (200, {"data": {"me": {"id": "usr_admin"}}})


@pytest.mark.parametrize("carried", ["header", "cookie"])
@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_bad_token_is_refused_and_nobody_is_let_in_as_anonymous(
    world: World, url: str, attack: str, carried: str
) -> None:
    token = ATTACKS[attack](world)
    headers = {"authorization": f"Bearer {token}"} if carried == "header" else {"cookie": f"pasar_access={token}"}
    status, answer, challenge = await _post(url, ME, **headers)
    assert status == 401
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
    assert "data" not in answer
    assert challenge.startswith('Bearer error="invalid_token"')
    # Nothing of the token, nor of why, beyond that it has expired
    assert answer["errors"][0]["message"] in {"the access token is not valid", "the access token has expired"}


async def test_a_client_cannot_tell_subgraphs_who_it_is_through_the_router(world: World) -> None:
    secret = INTERNAL_SECRET.encode()
    subgraph = build_subgraph_app(world.subgraphs["user"], AssertionVerifier(secret, "user"))

    async def without_lifespan(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await subgraph(scope, receive, send)

    async with running_asgi(without_lifespan) as base, SubgraphSession() as session:
        config = RouterConfig.model_validate(
            {
                "authentication": {
                    "jwks_file": world.config.authentication.jwks_file,
                    "internal_secret": INTERNAL_SECRET,
                },
                "forward_headers": ["accept-language", "user-agent"],
            }
        )
        headers_for = build_headers_for(config.authentication, now=world.clock.now)
        transport = HttpTransport("user", (f"{base}/graphql",), session, headers_for=headers_for)
        app = build_app(
            config,
            supergraph_sdl=world.supergraph_sdl,
            transports=dict.fromkeys(world.subgraphs, transport),
            authenticator=build_authenticator(config.authentication, now=world.clock.now),
        )
        # Even one that is good: as if it had leaked from a log
        now = world.clock.now()
        leaked = AssertionSigner(secret).sign(ADMIN, audience="user", now=now)
        service = AssertionSigner(secret).sign(service_identity("order"), audience="user", now=now)
        async with running_asgi(app) as router:
            url = f"{router}/graphql"
            for assertion in (leaked, service, "garbage"):
                for name in ("x-pasar-identity", "X-Pasar-Identity", "x_pasar_identity"):
                    assert (await _post(url, ME, **{name: assertion}))[:2] == (200, {"data": {"me": None}})
                    # Beside a token of one's own it changes nothing, either
                    headers = {name: assertion, "authorization": f"Bearer {world.token(ANI)}"}
                    assert (await _post(url, ME, **headers))[:2] == (200, {"data": {"me": {"id": "usr_ani"}}})


async def test_an_operation_on_a_websocket_is_refused_once_the_token_has_expired(world: World, url: str) -> None:
    before = world.clock.now()
    subscribe = {"type": "subscribe", "payload": {"query": ME}}
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url.replace("http", "ws", 1), protocols=["graphql-transport-ws"]) as socket,
    ):
        await socket.send_json({"type": "connection_init", "payload": {"authorization": f"Bearer {world.token(ANI)}"}})
        assert (await socket.receive_json())["type"] == "connection_ack"
        await socket.send_json({**subscribe, "id": "1"})
        assert (await socket.receive_json())["payload"] == {"data": {"me": {"id": "usr_ani"}}}
        assert (await socket.receive_json())["type"] == "complete"
        world.clock.advance(hours=1)
        try:
            await socket.send_json({**subscribe, "id": "2"})
            refused = await socket.receive_json()
        finally:
            world.clock.advance(before - world.clock.now())
    assert refused["type"] == "error"
    assert refused["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_a_token_speaks_for_a_person_and_never_for_a_service(world: World) -> None:
    verifier = TokenVerifier(verification_keys_from_jwks(world.issuer.jwks()), issuer="pasar", audience="pasar")
    now = world.clock.now()
    assert verifier.verify(world.issuer.issue(ANI, now=now), now=now).subject == "usr_ani"
    for service in (service_identity("order"), Identity("usr_ani", frozenset({Role.CUSTOMER, Role.SERVICE}))):
        with pytest.raises(InvalidToken):
            verifier.verify(world.issuer.issue(service, now=now), now=now)


def test_a_verifier_of_assertions_needs_a_secret() -> None:
    for secret in (b"", b"x" * 31):
        with pytest.raises(ValueError, match="at least 32 bytes"):
            AssertionVerifier(secret, "order")
