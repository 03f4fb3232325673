from pathlib import Path

import pytest
from pydantic import SecretStr

from core.settings import Environment, Settings
from pasar.graph_settings import router_environment, store_router_config
from router.config import load_config


def make_settings(folder: Path, **changes: object) -> Settings:
    secret = folder / "secret"
    secret.write_text("s" * 40)
    fields = {
        "data": folder,
        "token_algorithm": "HS256",
        "token_key_file": secret,
        "internal_secret": SecretStr("i" * 40),
        **changes,
    }
    return Settings.model_validate(fields)


@pytest.mark.parametrize(
    ("environment", "per_address", "per_user"),
    [(Environment.DEVELOPMENT, "", ""), (Environment.PRODUCTION, "1200/minute", "600/minute")],
)
def test_callers_are_limited_from_the_start_in_production(
    tmp_path: Path, environment: Environment, per_address: str, per_user: str
) -> None:
    rate = store_router_config(make_settings(tmp_path, environment=environment), environ={}).rate
    assert (rate.per_address, rate.per_user, rate.storage) == (per_address, per_user, "memory://")


def test_routers_that_share_a_redis_count_together(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, redis_url="redis://127.0.0.1:6390/2")
    assert store_router_config(settings, environ={}).rate.storage == "redis://127.0.0.1:6390/2"


def test_the_environment_wins(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, environment=Environment.PRODUCTION)
    config = store_router_config(settings, environ={"PASAR_ROUTER_RATE__PER_ADDRESS": "5/second"})
    assert (config.rate.per_address, config.rate.per_user) == ("5/second", "600/minute")


@pytest.mark.parametrize(
    ("environment", "who"), [(Environment.DEVELOPMENT, "everybody"), (Environment.PRODUCTION, "admins")]
)
def test_answers_carry_their_plan_for_everybody_in_development_only(
    tmp_path: Path, environment: Environment, who: str
) -> None:
    config = store_router_config(make_settings(tmp_path, environment=environment), environ={})
    assert config.expose_query_plan == who


def test_a_router_of_its_own_reads_keys_and_revocations_from_the_issuer(tmp_path: Path) -> None:
    eddsa = make_settings(tmp_path, token_algorithm="EdDSA")
    config = load_config(environ=router_environment(eddsa, issuer_url="http://127.0.0.1:4101")).authentication
    assert config.jwks_url == "http://127.0.0.1:4101/.well-known/jwks.json"
    assert config.revocations_url == "http://127.0.0.1:4101/internal/revocations"
    assert config.hs256_secret_file is None
    # The keys of HS256 are published nowhere
    hs256 = load_config(environ=router_environment(make_settings(tmp_path), issuer_url="http://127.0.0.1:4101"))
    assert (hs256.authentication.jwks_url, hs256.authentication.hs256_secret_file) == ("", tmp_path / "secret")


def test_a_router_in_the_stores_process_is_handed_both(tmp_path: Path) -> None:
    config = store_router_config(make_settings(tmp_path), environ={}).authentication
    assert not config.is_configured
    assert config.revocations_url == ""


@pytest.mark.parametrize(
    ("environment", "public_url", "own"),
    [
        (Environment.PRODUCTION, "https://Shop.example:443/api/", ["https://shop.example"]),
        (Environment.PRODUCTION, "http://shop.example:8080", ["http://shop.example:8080"]),
        # Whatever name this machine is called by
        (Environment.PRODUCTION, "", []),
        (Environment.DEVELOPMENT, "http://127.0.0.1:4000", []),
    ],
)
def test_in_production_only_pages_of_the_public_url_are_our_own(
    tmp_path: Path, environment: Environment, public_url: str, own: list[str]
) -> None:
    settings = make_settings(tmp_path, environment=environment, public_url=public_url)
    assert store_router_config(settings, environ={}).own_origins == own
