"""The key that signs access tokens, and its public half under `/.well-known/jwks.json`."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.settings import Settings
from core.tokens import AccessTokenIssuer, load_signing_key

# Verifiers may keep the keys for so long; far less than keys overlap when they change
JWKS_MAX_AGE_S = 300


def load_token_issuer(settings: Settings) -> AccessTokenIssuer:
    """Return what signs this installation's access tokens.

    Raises:
        ValueError: no key file is set, it cannot be read, or it does not fit PASAR_TOKEN_ALGORITHM.
    """
    path = settings.token_key_file
    if path is None:
        raise ValueError("PASAR_TOKEN_KEY_FILE is not set: it names the key that signs access tokens")
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise ValueError(f"PASAR_TOKEN_KEY_FILE: {path} cannot be read: {error.strerror}") from error
    try:
        key = load_signing_key(encoded, settings.token_algorithm)
    except ValueError as error:
        raise ValueError(f"PASAR_TOKEN_KEY_FILE: {path} is not usable: {error}") from error
    return AccessTokenIssuer(key, settings.token_issuer, settings.token_audience, settings.access_token_ttl_s)


def jwks_route(issuer: AccessTokenIssuer) -> Route:
    """Return the route that publishes the public keys; for HS256, whose key is a secret, an empty set."""
    jwks = issuer.jwks()

    async def publish(_: Request) -> Response:
        return JSONResponse(jwks, headers={"cache-control": f"public, max-age={JWKS_MAX_AGE_S}"})

    return Route("/.well-known/jwks.json", publish, methods=["GET"])
