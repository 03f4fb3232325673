"""Measure what verifying an access token costs the router.

Cached: an authenticator that has seen the token answers again, with its look at expiry, keys and revoked sessions. Not
cached: the token's signature and claims are verified, for each algorithm. The baseline is PyJWT's `decode` of the same
token with the same key, which checks the same claims and keeps nothing. The limits are 5 us cached, and 200 us for
EdDSA.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import jwt

from benchmarks.report import Result, parse_arguments, publish
from core.identity import Identity
from core.scopes import ROLE_SCOPES
from core.tokens import (
    AccessTokenIssuer,
    Algorithm,
    SigningKey,
    TokenFamily,
    TokenVerifier,
    VerificationKey,
    generate_private_key,
    load_signing_key,
    new_token_id,
)
from router.auth import Authenticator, build_authenticator, utc_now
from router.config import AuthenticationConfig
from router.revocations import Revocation, RevocationPage, Revocations

# Enough that the best of them is one without another program in between
ROUNDS = 15
CACHED_CALLS, CALLS = 20_000, 500
QUICK_DIVISOR = 10
# Callers at the same time, and sessions whose tokens are refused: more than a busy store has in 15 minutes
TOKENS, REVOKED = 1_000, 10_000


class _Feed:
    """A list with many sessions, none of them ours."""

    async def read(self, since: str) -> RevocationPage:
        until = time.time() + 900
        return RevocationPage(as_of="1", revoked=[Revocation(f"ses_{number}", until) for number in range(REVOKED)])

    async def aclose(self) -> None:
        """Do nothing."""


def main() -> int:
    """Print a line for each algorithm, cached and not."""
    arguments = parse_arguments(__doc__ or "")
    divisor = QUICK_DIVISOR if arguments.quick else 1
    results: list[Result] = []
    for algorithm in get_args(Algorithm):
        issuer = _issuer(algorithm)
        tokens = [_token(issuer, number) for number in range(TOKENS)]
        plain_us = _best_us(_decoding(issuer.key), tokens, CALLS // divisor)
        fresh_us = _best_us(_verifying(issuer.key), tokens, CALLS // divisor)
        cached_us = asyncio.run(_time_cached(issuer, tokens, CACHED_CALLS // divisor))
        results.append(Result(f"verify {algorithm}, not cached", fresh_us, plain_us, "us"))
        results.append(Result(f"verify {algorithm}, cached", cached_us, plain_us, "us"))
    publish(results, arguments.json)
    return 0


def _issuer(algorithm: Algorithm) -> AccessTokenIssuer:
    return AccessTokenIssuer(load_signing_key(generate_private_key(algorithm), algorithm), "pasar", "pasar", 600)


def _token(issuer: AccessTokenIssuer, number: int) -> str:
    """Return a token as an employee's: nearly a dozen scopes."""
    identity = Identity(
        f"usr_{number:026}",
        frozenset({"STAFF"}),
        ROLE_SCOPES["STAFF"],
        new_token_id(TokenFamily(f"ses_of_{number:022}", 0)),
    )
    return issuer.issue(identity, now=datetime.now(UTC))


def _decoding(key: SigningKey) -> Callable[[str], Any]:
    public = key.public
    options: Any = {"require": ["exp", "iat", "iss", "aud"]}
    return lambda token: jwt.decode(
        token, public, algorithms=[key.algorithm], issuer="pasar", audience="pasar", options=options
    )


def _verifying(key: SigningKey) -> Callable[[str], Any]:
    known = VerificationKey(key.kid, key.algorithm, key.public)
    verifier = TokenVerifier([known], issuer="pasar", audience="pasar")
    return lambda token: verifier.prove(token, now=datetime.now(UTC))


def _best_us(call: Callable[[str], Any], tokens: list[str], calls: int) -> float:
    """Return the microseconds of one call, in the best of ROUNDS."""
    chosen = [tokens[number % len(tokens)] for number in range(calls)]
    best_s = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for token in chosen:
            call(token)
        best_s = min(best_s, time.perf_counter() - start)
    return best_s / calls * 1e6


async def _best_cached_us(authenticator: Authenticator, tokens: list[str], calls: int) -> float:
    """Return the microseconds from the `Authorization` header of a known token to its identity."""
    headers = [f"Bearer {token}" for token in tokens]
    for number, header in enumerate(headers):
        assert (await authenticator.admit(header, {})).identity.subject == f"usr_{number:026}"
    chosen = [headers[number % len(headers)] for number in range(calls)]
    best_s = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for header in chosen:
            await authenticator.admit(header, {})
        best_s = min(best_s, time.perf_counter() - start)
    return best_s / calls * 1e6


async def _time_cached(issuer: AccessTokenIssuer, tokens: list[str], calls: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        key = issuer.key
        file = Path(folder) / "key"
        given: dict[str, Any] = {"algorithms": [key.algorithm]}
        if isinstance(key.private, bytes):
            file.write_bytes(key.private)
            given["hs256_secret_file"] = file
        else:
            file.write_text(json.dumps(issuer.jwks()))
            given["jwks_file"] = file
        revocations = Revocations(_Feed(), every_s=15, now=utc_now)
        await revocations.read()
        authenticator = build_authenticator(AuthenticationConfig.model_validate(given), revocations=revocations)
        return await _best_cached_us(authenticator, tokens, calls)


if __name__ == "__main__":
    sys.exit(main())
