"""Settings from the environment and options."""

from pathlib import Path

import pytest

from pasar.configuration import ConfigurationInvalid, read_settings


def test_options_win_over_variables_and_the_folder_becomes_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PASAR_PORT", "5000")
    monkeypatch.setenv("PASAR_HOST", "::1")
    settings = read_settings(port=6000, host=None, data=Path("here"))
    assert (settings.port, settings.host, settings.data) == (6000, "::1", tmp_path / "here")


def test_a_bad_variable_is_named_and_its_value_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASAR_TOKEN_ALGORITHM", "s3cret")
    with pytest.raises(ConfigurationInvalid, match="PASAR_TOKEN_ALGORITHM: Input should be 'EdDSA'") as refusal:
        read_settings()
    assert "s3cret" not in refusal.value.message


def test_a_bad_option_is_named_as_it_was_typed() -> None:
    with pytest.raises(ConfigurationInvalid, match="--port: Input should be less than or equal to 65535"):
        read_settings(port=70000)
