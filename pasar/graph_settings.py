"""How the router of the store is configured: what follows from the store's settings, unless the environment differs."""

import json
import os
from collections.abc import Mapping

from core.settings import Environment, Settings
from pasar.keys import write_jwks
from router.config import RouterConfig, load_config

ISSUER_SUBGRAPH = "user"
# Beside the router's own list: the device that a session is named after
FORWARDED_HEADERS = ["accept-language", "traceparent", "tracestate", "user-agent"]

# In production a caller has a limit from the start; far above what people and their pages ask for
PRODUCTION_RATES = {"PER_ADDRESS": "1200/minute", "PER_USER": "600/minute"}


def router_environment(settings: Settings, *, jwks_url: str = "") -> dict[str, str]:
    """Return the router's variables for *settings*, which are complete.

    With *jwks_url* it reads the issuer's keys there; without, from a file of the data folder.
    """
    prefix = "PASAR_ROUTER_AUTHENTICATION__"
    variables = {
        "PASAR_ROUTER_FORWARD_HEADERS": json.dumps(FORWARDED_HEADERS),
        f"{prefix}ISSUER": settings.token_issuer,
        f"{prefix}AUDIENCE": settings.token_audience,
        f"{prefix}ALGORITHMS": f'["{settings.token_algorithm}"]',
        f"{prefix}COOKIE_NAME": access_cookie_name(settings),
        f"{prefix}COOKIE_SETTING_SUBGRAPHS": f'["{ISSUER_SUBGRAPH}"]',
    }
    if settings.environment is Environment.PRODUCTION:
        variables.update({f"PASAR_ROUTER_RATE__{name}": rate for name, rate in PRODUCTION_RATES.items()})
    else:
        variables["PASAR_ROUTER_EXPOSE_QUERY_PLAN"] = "everybody"
    if settings.redis_url:
        variables["PASAR_ROUTER_RATE__STORAGE"] = settings.redis_url
    if settings.token_algorithm == "HS256":
        # The key is a secret, so that nothing is published
        variables[f"{prefix}HS256_SECRET_FILE"] = str(settings.token_key_file)
    elif jwks_url:
        variables[f"{prefix}JWKS_URL"] = jwks_url
    else:
        variables[f"{prefix}JWKS_FILE"] = str(write_jwks(settings))
    return variables


def store_router_config(settings: Settings, *, environ: Mapping[str, str] | None = None) -> RouterConfig:
    """Return the configuration of a router in the store's own process; `PASAR_ROUTER_*` variables win."""
    return load_config(environ={**router_environment(settings), **(os.environ if environ is None else environ)})


def access_cookie_name(settings: Settings) -> str:
    """Return the name of the cookie with the access token, as the user subgraph sets it."""
    secure = settings.environment is Environment.PRODUCTION or settings.base_url.startswith("https://")
    return "__Host-pasar_access" if secure else "pasar_access"
