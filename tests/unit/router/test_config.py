from pathlib import Path

import pytest
from pydantic import BaseModel

from router.config import ConfigError, RouterConfig, load_config


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "router.yaml"
    file.write_text(text)
    return file


def test_without_anything_the_defaults_hold() -> None:
    assert load_config(environ={}) == RouterConfig()


def test_the_file_is_overridden_by_the_environment_and_both_by_the_command_line(tmp_path: Path) -> None:
    file = write(tmp_path, "port: 5000\nhost: 0.0.0.0\nlimits:\n  max_depth: 7\n  max_aliases: 9\n")
    environ = {"PASAR_ROUTER_PORT": "5001", "PASAR_ROUTER_LIMITS__MAX_DEPTH": "8", "PASAR_OTHER": "x"}
    config = load_config(file, environ=environ, overrides={"port": 5002})
    assert (config.host, config.port) == ("0.0.0.0", 5002)
    assert (config.limits.max_depth, config.limits.max_aliases) == (8, 9)


def test_lists_and_maps_are_json_in_the_environment() -> None:
    config = load_config(
        environ={
            "PASAR_ROUTER_SUBGRAPH_URLS": '{"order": ["http://a/graphql", "http://b/graphql"]}',
            "PASAR_ROUTER_CORS__ORIGINS": '["https://shop.example"]',
        }
    )
    assert config.subgraph_urls == {"order": ["http://a/graphql", "http://b/graphql"]}
    assert config.cors.origins == ["https://shop.example"]


def test_a_single_url_is_a_list_of_one(tmp_path: Path) -> None:
    file = write(tmp_path, "subgraph_urls:\n  order: http://a/graphql\n")
    assert load_config(file, environ={}).subgraph_urls == {"order": ["http://a/graphql"]}


def test_an_empty_file_is_a_configuration(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, ""), environ={}) == RouterConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot: 4000", "prot: Extra inputs are not permitted"),
        ("limits:\n  max_depth: 0", "limits.max_depth: Input should be greater than 0"),
        ("port: [1", "is not YAML"),
        ("- a\n- b", "must hold a map of fields"),
        ("forward_headers: [x-pasar-identity]", "never taken from a client"),
        ('cors:\n  origins: ["*", "https://a.example"]', "must be the only entry"),
        ("authentication:\n  hs256_secret_file: secret", "algorithms does not list HS256"),
        ("subgraph_urls:\n  order: []", "subgraph_urls.order: Value should have at least 1 item"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        load_config(write(tmp_path, text), environ={})
    assert message in str(refusal.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml cannot be read: No such file or directory"):
        load_config(tmp_path / "nowhere.yaml", environ={})


def test_malformed_json_in_a_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="PASAR_ROUTER_TRUSTED_PROXIES is not JSON"):
        load_config(environ={"PASAR_ROUTER_TRUSTED_PROXIES": "[10.0.0.1"})


def test_a_section_and_a_value_of_the_same_name_cannot_both_be_set() -> None:
    with pytest.raises(ConfigError, match="cannot be set together with PASAR_ROUTER_LIMITS"):
        load_config(environ={"PASAR_ROUTER_LIMITS": "5", "PASAR_ROUTER_LIMITS__MAX_DEPTH": "5"})


def undocumented_fields(model: type[BaseModel]) -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += undocumented_fields(field.annotation)
        elif not field.description:
            found.append(f"{model.__name__}.{name}")
    return found


def test_every_field_is_documented() -> None:
    assert undocumented_fields(RouterConfig) == []
