from pathlib import Path

from router.config_reference import render_reference

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "router.md"
MARKER = "<!-- Printed by: python -m router.config_reference -->\n"


def test_the_documentation_has_every_field_as_it_is() -> None:
    assert DOCUMENT.read_text("utf-8").split(MARKER)[1] == render_reference()


def test_nested_fields_are_named_as_in_file_and_environment() -> None:
    assert "| `limits.max_depth` | `PASAR_ROUTER_LIMITS__MAX_DEPTH` | `15` |" in render_reference()
