"""Settings of the store, from the environment (`PASAR_...`) and defaults that suit a single machine."""

from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

# Short enough that a stolen access token is soon of no use, long enough that clients refresh rarely
MIN_ACCESS_TOKEN_TTL_S, MAX_ACCESS_TOKEN_TTL_S = 300, 900


class Environment(StrEnum):
    """DEVELOPMENT shows the mailbox page and allows cookies over plain HTTP; PRODUCTION does neither."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Everything that differs between two installations. Each field is the variable `PASAR_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="PASAR_", frozen=True, extra="ignore")

    environment: Environment = Field(Environment.DEVELOPMENT, description="development or production")
    data: Path = Field(Path("data"), description="Folder of the embedded mongod and of generated keys")
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(4000, description="Port of the GraphQL endpoint", ge=0, le=65535)
    public_url: str = Field("", description="URL under which browsers and gateways reach us; default http://host:port")

    mongodb_uri: str = Field("", description="URI of a MongoDB replica set; empty starts an embedded mongod")
    mongod_bin: str = Field("", description="A mongod to embed instead of the wheel's or the one on PATH")
    database_prefix: str = Field("pasar_", description="Databases are named `<prefix><subgraph>`")
    redis_url: str = Field("", description="Redis for caches, rate limits and jobs; empty keeps them in memory")

    subgraph_urls: dict[str, list[str]] = Field(
        default_factory=dict, description='JSON: where each subgraph listens, {"order": ["http://127.0.0.1:4104"]}'
    )
    internal_secret: SecretStr = Field(
        SecretStr(""), description="Signs identity assertions between router and subgraphs; at least 32 characters"
    )

    token_algorithm: Literal["EdDSA", "RS256", "HS256"] = Field("EdDSA", description="How access tokens are signed")
    token_key_file: Path | None = Field(
        None, description="PEM private key (EdDSA, RS256) or HS256 secret, or a folder of dated ones (see users.md)"
    )
    token_issuer: str = Field("pasar", description="`iss` of access tokens")
    token_audience: str = Field("pasar", description="`aud` of access tokens")
    access_token_ttl_s: int = Field(
        600,
        description="Life of an access token, 300 to 900 seconds",
        ge=MIN_ACCESS_TOKEN_TTL_S,
        le=MAX_ACCESS_TOKEN_TTL_S,
    )
    refresh_token_ttl_s: int = Field(30 * 86400, description="Life of a refresh token", ge=3600)

    require_second_factor_for: list[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]] = Field(
        default_factory=list,
        description='JSON: roles that count only for accounts with a second factor, ["ADMIN"] is recommended',
    )
    encryption_secrets: list[SecretStr] = Field(
        default_factory=list,
        description="JSON: encrypt second factors; the first encrypts, all decrypt, none is PASAR_INTERNAL_SECRET",
    )
    audit_retention_days: int = Field(730, description="How long the audit log remembers", ge=1, le=10_000)

    currency: str = Field("IDR", description="Currency of a new catalogue")
    timezone: str = Field("Asia/Jakarta", description="Timezone of reports unless the query names one")
    dashboard: bool = Field(True, description="Whether there is a page with the sales at /dashboard, for staff")
    orders_sharded: bool = Field(
        False, description="Orders are sharded (`pasar db shard-plan`), so no index keeps their numbers unique"
    )
    return_window_days: int = Field(
        30, description="How long after a parcel's arrival its pieces can be given back", ge=0, le=3650
    )
    store_name: str = Field("Pasar", description="Who sells: on invoices and packing slips", min_length=1)
    store_address: str = Field("", description="Its address on invoices, with tax number; lines separated by ;")
    order_files_url: str = Field(
        "", description="Where browsers reach invoices and exports of orders; default `<public_url>/orders`"
    )
    reservation_ttl_s: int = Field(1800, description="How long stock stays reserved for an unpaid order", ge=1)
    guest_cart_ttl_s: int = Field(
        30 * 86400, description="How long a guest's cart is kept after its last change", ge=60
    )
    abandoned_cart_after_s: int = Field(
        86400, description="After how long without a change a cart is announced as abandoned", ge=60
    )

    media_url: str = Field(
        "", description="Where the media endpoint of the product subgraph is reached; default `<public_url>/media`"
    )
    media_cdn_url: str = Field("", description="Where browsers see pictures, such as a CDN before PASAR_MEDIA_URL")
    media_folder: Path | None = Field(None, description="Folder of pictures; default `<data>/media`")
    media_bucket: str = Field("", description="Bucket of pictures, of S3 or a server that speaks its language")
    media_s3_endpoint: str = Field("", description="https://minio.example:9000; empty is Amazon's")
    media_s3_region: str = Field("us-east-1", description="Region of the bucket")
    media_s3_access_key_id: str = Field("", description="Key of the bucket; empty takes that of the machine")
    media_s3_secret_access_key: SecretStr = Field(SecretStr(""), description="Secret of that key")

    sandbox_gateway_url: str = Field("", description="The sandbox gateway; default `<public_url>/sandbox`")
    sandbox_server_key: SecretStr = Field(SecretStr("SB-pasar-sandbox"), description="Key of the sandbox gateway")
    payment_webhook_url: str = Field("", description="Where gateways notify us; default `<public_url>/webhooks`")

    smtp_url: str = Field("", description="smtp://user:password@host:587; empty keeps mail in the development mailbox")
    mail_from: str = Field("Pasar <no-reply@pasar.invalid>", description="Sender of our mail")

    @cached_property
    def base_url(self) -> str:
        """Return the URL under which the outside reaches us, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")
