"""The keys that sign access tokens, and their public halves under `/.well-known/jwks.json`."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.clock import Clock, SystemClock
from core.key_ring import KeyRing, KeyUnusable, RotatingIssuer
from core.settings import Settings
from core.tokens import AccessTokenIssuer

JWKS_PATH = "/.well-known/jwks.json"
# Verifiers may keep the keys for so long; a new one is published longer than this before it signs
JWKS_MAX_AGE_S = 300


def open_issuer(settings: Settings) -> RotatingIssuer:
    """Return what signs this installation's access tokens, now and after its keys have been rotated.

    Raises:
        KeyUnusable: no key file is set, it cannot be read, or it does not fit PASAR_TOKEN_ALGORITHM.
    """
    path = settings.token_key_file
    if path is None:
        raise KeyUnusable("PASAR_TOKEN_KEY_FILE is not set: it names the key that signs access tokens")
    try:
        ring = KeyRing(path, settings.token_algorithm)
    except OSError as error:
        raise KeyUnusable(f"PASAR_TOKEN_KEY_FILE: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise KeyUnusable(f"PASAR_TOKEN_KEY_FILE: {path} is not usable: {error}") from error
    return RotatingIssuer(ring, settings.token_issuer, settings.token_audience, settings.access_token_ttl_s)


def load_token_issuer(settings: Settings) -> AccessTokenIssuer:
    """Return what signs this installation's access tokens at this moment; see open_issuer for the errors."""
    return open_issuer(settings).at(SystemClock().now())


def jwks_route(issuer: RotatingIssuer, clock: Clock) -> Route:
    """Return the route that publishes the public keys; for HS256, whose keys are secrets, an empty set."""

    async def publish(_: Request) -> Response:
        jwks = issuer.at(clock.now()).jwks()
        return JSONResponse(jwks, headers={"cache-control": f"public, max-age={JWKS_MAX_AGE_S}"})

    return Route(JWKS_PATH, publish, methods=["GET"])
