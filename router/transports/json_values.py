"""Copies of JSON values, for receivers that may change what they get."""

from typing import Any

_CONTAINERS = frozenset({dict, list})


def copy_json(value: Any) -> Any:
    """Return a copy of a JSON value that shares no dict or list with it."""
    if value.__class__ is dict:
        return {key: copy_json(inner) if inner.__class__ in _CONTAINERS else inner for key, inner in value.items()}
    if value.__class__ is list:
        return [copy_json(inner) if inner.__class__ in _CONTAINERS else inner for inner in value]
    return value
