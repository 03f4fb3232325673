"""The router's configuration: a YAML file, overridden by `PASAR_ROUTER_*` environment variables.

A nested field is written with two underscores in the environment: `PASAR_ROUTER_LIMITS__MAX_DEPTH=20`. Lists and maps
are JSON there: `PASAR_ROUTER_SUBGRAPH_URLS='{"order": ["http://10.0.0.5:4104/graphql"]}'`.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator

ENVIRONMENT_PREFIX = "PASAR_ROUTER_"

Algorithm: TypeAlias = Literal["EdDSA", "RS256", "HS256"]


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the field and what is wrong with it."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


UrlList: TypeAlias = Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AuthenticationConfig(_Section):
    """Which tokens are believed. Without keys nobody can log in: every caller is anonymous, every token refused."""

    issuer: str = Field("pasar", description="`iss` that a token must carry")
    audience: str = Field("pasar", description="`aud` that a token must carry")
    algorithms: list[Algorithm] = Field(
        ["EdDSA", "RS256"], description="Algorithms that are accepted; keys for others are passed over"
    )
    jwks_url: str = Field(
        "", description="Where the issuer publishes its keys; read when first needed and every refresh period"
    )
    jwks_file: Path | None = Field(
        None, description="A file with a JSON Web Key Set, instead of a URL; read again when it changes"
    )
    hs256_secret_file: Path | None = Field(
        None, description="A file with the shared secret, or a folder of dated ones (see Keys); for HS256 only"
    )
    jwks_refresh_s: float = Field(300.0, description="How often `jwks_url` is read again", gt=0)
    revocations_url: str = Field(
        "", description="Where the issuer lists revoked tokens (see Revoked tokens); empty for an issuer without a list"
    )
    revocations_refresh_s: float = Field(
        15.0, description="How often `revocations_url` is read: a revoked token works for so long at most", gt=0
    )
    cookie_name: str = Field("pasar_access", description="Cookie that may carry the token; empty reads no cookie")
    internal_secret: SecretStr = Field(
        SecretStr(""), description="Signs the identity that HTTP subgraphs are told; empty tells them nothing"
    )
    cookie_setting_subgraphs: list[str] = Field(
        [], description="Subgraphs that get the client's cookies and may set some (`extensions.pasar.setCookies`)"
    )

    @property
    def is_configured(self) -> bool:
        """Tell whether any key can be known."""
        return bool(self.jwks_url or self.jwks_file or self.hs256_secret_file)

    @model_validator(mode="after")
    def _hs256_is_opted_in(self) -> "AuthenticationConfig":
        if self.hs256_secret_file is not None and "HS256" not in self.algorithms:
            raise ValueError("hs256_secret_file is set, but algorithms does not list HS256")
        return self


class LimitsConfig(_Section):
    """What one request may ask for. Each limit protects the router itself, before any subgraph is called."""

    max_body_bytes: int = Field(1 << 20, description="Bytes of a request body; more is 413", gt=0)
    max_tokens: int = Field(
        4000, description="Lexical tokens of a document; the introspection query has about 300", gt=0
    )
    max_depth: int = Field(15, description="Nesting of fields; introspection fields are not counted", gt=0)
    max_aliases: int = Field(50, description="Aliased fields, each counted as often as its fragment is spread", gt=0)
    max_root_fields: int = Field(30, description="Fields of the operation's root selection", gt=0)
    max_fields: int = Field(
        3000, description="Fields in all, after fragments are spread: what the planner has to look at", gt=0
    )
    max_directives: int = Field(200, description="Directives in the document", gt=0)
    max_cost: int = Field(0, description="Estimated cost of an operation; 0 measures and refuses nothing", ge=0)
    assumed_list_size: int = Field(10, description="Items assumed of a list that has no @listSize", ge=0)


class RateConfig(_Section):
    """How often one caller may ask, as `limits` notation: `100/minute`, `20/second;1000/hour`. Empty: unlimited."""

    per_address: str = Field("", description="Limit for one client address, whoever is logged in")
    per_user: str = Field("", description="Limit for one subject of an access token")
    storage: str = Field(
        "memory://", description="`memory://` counts per process, `redis://host:6379/0` for all routers"
    )


class TimeoutsConfig(_Section):
    """Seconds after which the router gives up."""

    request_s: float = Field(30.0, description="A whole operation, from its first subgraph request to the last", gt=0)
    subgraph_s: float = Field(15.0, description="One request to one subgraph", gt=0)
    websocket_init_s: float = Field(10.0, description="From opening a WebSocket to its `connection_init`", gt=0)
    shutdown_s: float = Field(15.0, description="For requests under way when the router is told to stop", gt=0)


class CorsConfig(_Section):
    """Which other origins' pages may read responses. None by default."""

    origins: list[str] = Field([], description='Exact origins, `https://shop.example`; `["*"]` is any, without cookies')
    max_age_s: int = Field(3600, description="How long a browser may keep the answer to a preflight", ge=0)


class CacheConfig(_Section):
    """Bounds of the cache of validated and planned operations."""

    max_operations: int = Field(1000, description="Operations kept", ge=1)
    max_bytes: int = Field(64 << 20, description="Estimated memory of the operations kept", ge=1)


class SubscriptionsConfig(_Section):
    """Long-lived connections."""

    max_per_connection: int = Field(50, description="Operations at the same time on one WebSocket", gt=0)
    keepalive_s: float = Field(15.0, description="Silence after which an event stream gets a sign of life", gt=0)
    subgraph_protocol: Literal["websocket", "sse"] = Field(
        "websocket", description="How subscriptions are opened at HTTP subgraphs"
    )


class RouterConfig(_Section):
    """Everything that differs between two routers."""

    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(4000, description="Port to listen on; 0 takes a free one", ge=0, le=65535)
    path: str = Field("/graphql", description="Path of the GraphQL endpoint", pattern=r"^/\S*$")
    supergraph_file: Path | None = Field(None, description="Supergraph SDL to serve")
    subgraph_urls: dict[str, UrlList] = Field(
        default_factory=dict, description="URLs per subgraph, instead of the supergraph's; several are balanced"
    )
    forward_headers: list[str] = Field(
        ["accept-language", "traceparent", "tracestate"],
        description="Client headers that subgraphs get too; x-pasar-* headers are the router's own and cannot be named",
    )
    trusted_proxies: list[str] = Field(
        [], description="Addresses or networks of proxies whose `X-Forwarded-For` is believed"
    )
    own_origins: list[str] = Field(
        [],
        description=(
            "Origins under which browsers know this router, `https://shop.example`: their pages may use cookies. Empty:"
            " whatever the `Host` header says"
        ),
    )
    authentication: AuthenticationConfig = Field(default_factory=lambda: AuthenticationConfig())
    limits: LimitsConfig = Field(default_factory=lambda: LimitsConfig())
    rate: RateConfig = Field(default_factory=lambda: RateConfig())
    timeouts: TimeoutsConfig = Field(default_factory=lambda: TimeoutsConfig())
    cors: CorsConfig = Field(default_factory=lambda: CorsConfig())
    cache: CacheConfig = Field(default_factory=lambda: CacheConfig())
    subscriptions: SubscriptionsConfig = Field(default_factory=lambda: SubscriptionsConfig())
    introspection: bool = Field(True, description="Whether clients may read the schema")
    graphiql: bool = Field(True, description="Whether a browser that opens the endpoint gets the GraphiQL page")
    csrf: Literal["auto", "strict", "off"] = Field(
        "auto",
        description=(
            "Refusal of requests that any page could make a browser send. auto: of POST requests with a login's cookies"
            " from another site, and of GET requests with our cookie or from another site; strict: also of every GET"
            " without a preflight header; off: none"
        ),
    )
    hide_subgraph_errors: Literal["none", "internal", "all"] = Field(
        "internal",
        description="Which subgraph errors lose their message: none, those with INTERNAL_SERVER_ERROR, or all",
    )
    expose_query_plan: Literal["nobody", "admins", "everybody"] = Field(
        "admins",
        description="Who may have the plan and the times of its fetches with an answer (see Query plans): nobody, "
        "callers with the role ADMIN, or everybody, which is for development",
    )
    dedupe: bool = Field(
        True,
        description="Answer identical queries that are under way at the same time together: their requests to "
        "subgraphs, and their execution, are shared (see De-duplication)",
    )
    status_codes: Literal["stable", "draft"] = Field(
        "stable",
        description="stable: 400 for invalid documents, 200 for partial success; draft: 422 and 294",
    )
    metrics: bool = Field(True, description="Whether /metrics is served")

    @model_validator(mode="after")
    def _wildcard_origin_is_alone(self) -> "RouterConfig":
        if "*" in self.cors.origins and len(self.cors.origins) > 1:
            raise ValueError('cors.origins: "*" must be the only entry')
        if any(name.lower().startswith("x-pasar-") for name in self.forward_headers):
            raise ValueError("forward_headers: x-pasar-* headers are the router's own and never taken from a client")
        return self


def load_config(
    file: Path | None = None, *, environ: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> RouterConfig:
    """Read the configuration: *file*, then the environment, then *overrides* (of a command line), the last one wins.

    Raises:
        ConfigError: a file that cannot be read, an unknown field or a value that does not fit.
    """
    merged: dict[str, Any] = {}
    if file is not None:
        merged = _read_yaml(file)
    _merge_into(merged, _from_environment(os.environ if environ is None else environ))
    _merge_into(merged, dict(overrides or {}))
    try:
        return RouterConfig.model_validate(merged)
    except ValidationError as invalid:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'configuration'}: {fault['msg']}"
            for fault in invalid.errors()
        )
        raise ConfigError(faults) from None


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except OSError as unreadable:
        raise ConfigError(f"{file} cannot be read: {unreadable.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as malformed:
        raise ConfigError(f"{file} is not YAML: {malformed}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{file} must hold a map of fields")
    return content


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the `PASAR_ROUTER_*` variables as a nested map. What looks like a JSON list or map is read as one."""
    nested: dict[str, Any] = {}
    for name in sorted(environ):
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        *parents, leaf = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        target = nested
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                raise ConfigError(f"{name} cannot be set together with {ENVIRONMENT_PREFIX}{parent.upper()}")
        target[leaf] = _parse_variable(name, environ[name])
    return nested


def _parse_variable(name: str, text: str) -> Any:
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise ConfigError(f"{name} is not JSON: {text}") from None


def _merge_into(target: dict[str, Any], source: Mapping[str, Any]) -> None:
    for name, value in source.items():
        if isinstance(value, Mapping) and isinstance(target.get(name), dict):
            _merge_into(target[name], value)
        else:
            target[name] = value
