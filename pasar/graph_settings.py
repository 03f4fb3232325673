"""How the router of the store is configured: what follows from the store's settings, unless the environment differs."""

import json
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from core.settings import Environment, Settings
from router.config import RouterConfig, load_config
from subgraphs.user.keys import JWKS_PATH
from subgraphs.user.revocations import REVOCATIONS_PATH

ISSUER_SUBGRAPH = "user"
# Beside the router's own list: the device that a session is named after
FORWARDED_HEADERS = ["accept-language", "traceparent", "tracestate", "user-agent"]

# In production a caller has a limit from the start; far above what people and their pages ask for
PRODUCTION_RATES = {"PER_ADDRESS": "1200/minute", "PER_USER": "600/minute"}


def router_environment(settings: Settings, *, issuer_url: str = "") -> dict[str, str]:
    """Return the router's variables for *settings*, which are complete.

    With *issuer_url*, where the user subgraph listens, it reads keys and revocations there; without, it is in the same
    process and is handed both.
    """
    prefix = "PASAR_ROUTER_AUTHENTICATION__"
    variables = {
        "PASAR_ROUTER_FORWARD_HEADERS": json.dumps(FORWARDED_HEADERS),
        # What core/subgraph_app.py speaks
        "PASAR_ROUTER_SUBSCRIPTIONS__SUBGRAPH_PROTOCOL": "sse",
        f"{prefix}ISSUER": settings.token_issuer,
        f"{prefix}AUDIENCE": settings.token_audience,
        f"{prefix}ALGORITHMS": f'["{settings.token_algorithm}"]',
        f"{prefix}COOKIE_NAME": access_cookie_name(settings),
        f"{prefix}COOKIE_SETTING_SUBGRAPHS": f'["{ISSUER_SUBGRAPH}"]',
    }
    if settings.environment is Environment.PRODUCTION:
        if settings.public_url:
            variables["PASAR_ROUTER_OWN_ORIGINS"] = json.dumps([_origin_of(settings.public_url)])
        variables.update({f"PASAR_ROUTER_RATE__{name}": rate for name, rate in PRODUCTION_RATES.items()})
    else:
        variables["PASAR_ROUTER_EXPOSE_QUERY_PLAN"] = "everybody"
    if settings.redis_url:
        variables["PASAR_ROUTER_RATE__STORAGE"] = settings.redis_url
    if issuer_url:
        variables[f"{prefix}REVOCATIONS_URL"] = f"{issuer_url}{REVOCATIONS_PATH}"
        if settings.token_algorithm == "HS256":
            # The keys are secrets, so that nothing is published
            variables[f"{prefix}HS256_SECRET_FILE"] = str(settings.token_key_file)
        else:
            variables[f"{prefix}JWKS_URL"] = f"{issuer_url}{JWKS_PATH}"
    return variables


def store_router_config(settings: Settings, *, environ: Mapping[str, str] | None = None) -> RouterConfig:
    """Return the configuration of a router in the store's own process; `PASAR_ROUTER_*` variables win."""
    return load_config(environ={**router_environment(settings), **(os.environ if environ is None else environ)})


def _origin_of(url: str) -> str:
    parts = urlsplit(url.lower())
    default_port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    # As browsers write it
    return f"{parts.scheme}://{parts.netloc.removesuffix(default_port)}"


def access_cookie_name(settings: Settings) -> str:
    """Return the name of the cookie with the access token, as the user subgraph sets it."""
    secure = settings.environment is Environment.PRODUCTION or settings.base_url.startswith("https://")
    return "__Host-pasar_access" if secure else "pasar_access"
