"""The table of docs/settings.md, from the settings' own descriptions: `python -m pasar.settings_reference`."""

import sys
from enum import Enum
from typing import Any

from pydantic import SecretStr

from core.settings import Settings


def render_reference() -> str:
    """Return a Markdown table of every setting: environment variable, default and meaning."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = _show(field.get_default(call_default_factory=True))
        lines.append(f"| `PASAR_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def _show(default: Any) -> str:
    match default:
        case None | "":
            return "none"
        case SecretStr():
            return "none" if not default.get_secret_value() else "a key for trials"
        case Enum():
            return f"`{default.value}`"
        case _:
            return f"`{default}`"


if __name__ == "__main__":
    sys.stdout.write(render_reference())
