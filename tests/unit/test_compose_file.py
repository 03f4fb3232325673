"""docker-compose.yml and Dockerfile agree with the code: names, ports, variables, and no secret of their own."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.settings import Settings
from pasar.store import SUBGRAPHS
from router.config import load_config
from subgraphs.user.revocations import REVOCATIONS_PATH

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROGRAMS = (*SUBGRAPHS, "worker", "sandbox", "router")

_SUBSTITUTION = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


def substitute(text: str, given: dict[str, str]) -> str:
    """Replace `${NAME:-default}` and `${NAME:?complaint}` as docker compose does."""

    def replace(match: re.Match[str]) -> str:
        name, kind, rest = match["name"], match["kind"], match["rest"]
        if name in given:
            return given[name]
        assert kind == "-", f"{name} is needed"
        return rest or ""

    return _SUBSTITUTION.sub(replace, text)


SECRETS = {"PASAR_INTERNAL_SECRET": "s" * 40, "PASAR_SANDBOX_SERVER_KEY": "k" * 20, "PASAR_TOKEN_KEYS": "./token-keys"}


def environment_of(service: str) -> dict[str, str]:
    return {name: substitute(str(value), SECRETS) for name, value in SERVICES[service]["environment"].items()}


def test_there_is_a_service_for_every_program() -> None:
    assert set(SERVICES) == {*PROGRAMS, "mongo-1", "mongo-2", "mongo-3", "mongo-setup", "redis"}
    assert {name: SERVICES[name]["command"][:2] for name in SUBGRAPHS} == {
        name: ["subgraph", name] for name in SUBGRAPHS
    }


@pytest.mark.parametrize("name", list(SECRETS))
def test_a_secret_has_no_default(name: str) -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    uses = [match for match in _SUBSTITUTION.finditer(text) if match["name"] == name]
    assert uses
    assert all(match["kind"] == "?" for match in uses)


@pytest.mark.parametrize("service", [*SUBGRAPHS, "worker", "sandbox"])
def test_the_variables_of_a_program_are_settings(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = environment_of(service)
    known = {f"PASAR_{field.upper()}" for field in Settings.model_fields}
    assert set(variables) <= known
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert sorted(settings.subgraph_urls) == sorted(SUBGRAPHS)
    assert settings.mongodb_uri.endswith("?replicaSet=rs0")


def test_the_variables_of_the_router_are_its_configuration() -> None:
    variables = environment_of("router")
    config = load_config(environ={name: value for name, value in variables.items() if "ROUTER" in name})
    assert config.authentication.jwks_url == "http://user:4001/.well-known/jwks.json"
    assert config.authentication.internal_secret.get_secret_value() == SECRETS["PASAR_INTERNAL_SECRET"]
    assert config.rate.storage.startswith("redis://redis:")


def test_a_router_hears_of_ended_sessions_and_tells_cookies_to_the_issuer_alone() -> None:
    config = load_config(environ={name: value for name, value in environment_of("router").items() if "ROUTER" in name})
    assert config.authentication.revocations_url == f"http://user:4001{REVOCATIONS_PATH}"
    assert config.authentication.cookie_setting_subgraphs == ["user"]
    assert "cookie" not in config.forward_headers


def test_only_those_who_sign_access_tokens_are_given_the_keys() -> None:
    folder = environment_of("user")["PASAR_TOKEN_KEY_FILE"]
    given = {name for name, service in SERVICES.items() if folder in str(service.get("volumes"))}
    assert given == {"user", "worker"}
    assert all(str(volume).endswith(":ro") for volume in SERVICES["user"]["volumes"])


def test_those_who_write_and_delete_pictures_share_their_folder() -> None:
    folder = environment_of("product")["PASAR_MEDIA_FOLDER"]
    given = {name for name, service in SERVICES.items() if f"media:{folder}" in service.get("volumes", [])}
    assert given == {"product", "worker"}
    # A volume has the owner that the folder has in the image, and there it is the program's
    assert f"--owner pasar --group pasar {folder}" in (ROOT / "Dockerfile").read_text("utf-8")


def test_the_committed_supergraph_routes_to_the_services() -> None:
    supergraph = (ROOT / "schema" / "sdl" / "supergraph.graphql").read_text("utf-8")
    urls = dict(re.findall(r'@join__graph\(name: "(\w+)", url: "([^"]+)"\)', supergraph))
    assert urls == {name: f"http://{name}:4001/graphql" for name in SUBGRAPHS}
    addresses = json.loads(environment_of("order")["PASAR_SUBGRAPH_URLS"])
    assert {name: [f"{url}/graphql" for url in urls] for name, urls in addresses.items()} == {
        name: [url] for name, url in urls.items()
    }


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"mongo-setup"}))
def test_every_service_is_watched_and_restarted(service: str) -> None:
    assert SERVICES[service]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[service]["restart"] == "unless-stopped"


@pytest.mark.parametrize("service", PROGRAMS)
def test_a_program_has_no_more_rights_than_it_needs(service: str) -> None:
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    # Only for this machine: TLS and the world are a proxy's business
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[service].get("ports", []))


def test_the_image_runs_as_an_ordinary_user_and_builds_from_files_that_exist() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER pasar"]
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    missing = [name for names in copied for name in names if not (ROOT / name).exists()]
    assert missing == []
