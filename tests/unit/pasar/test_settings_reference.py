from pathlib import Path

from pasar.settings_reference import render_reference

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "settings.md"
MARKER = "<!-- Printed by: python -m pasar.settings_reference -->\n"


def test_the_documentation_has_every_setting_as_it_is() -> None:
    assert DOCUMENT.read_text("utf-8").split(MARKER)[1] == render_reference()


def test_no_secret_is_printed() -> None:
    assert "| `PASAR_SANDBOX_SERVER_KEY` | a key for trials |" in render_reference()
