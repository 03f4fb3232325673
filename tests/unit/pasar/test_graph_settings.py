from pathlib import Path

import pytest
from pydantic import SecretStr

from core.settings import Environment, Settings
from pasar.graph_settings import store_router_config


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
