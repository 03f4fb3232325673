"""The table of docs/router.md, from the configuration's own descriptions: `python -m router.config_reference`."""

import sys
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from router.config import ENVIRONMENT_PREFIX, RouterConfig


def render_reference() -> str:
    """Return a Markdown table of every field: name, environment variable, default and meaning."""
    lines = ["| field | variable | default | meaning |", "|---|---|---|---|"]
    for path, field in _fields_of(RouterConfig, ()):
        variable = ENVIRONMENT_PREFIX + "__".join(path).upper()
        lines.append(f"| `{'.'.join(path)}` | `{variable}` | {_default_of(field)} | {field.description} |")
    return "\n".join(lines) + "\n"


def _fields_of(model: type[BaseModel], parents: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields_of(field.annotation, (*parents, name))
        else:
            yield (*parents, name), field


def _default_of(field: FieldInfo) -> str:
    default: Any = field.get_default(call_default_factory=True)
    match default:
        case None | "" | SecretStr():
            return "none"
        case True | False:
            return f"`{str(default).lower()}`"
        case _:
            return f"`{default}`".replace("'", '"')


if __name__ == "__main__":
    sys.stdout.write(render_reference())
