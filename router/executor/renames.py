"""Moving values of an answer from the key they were fetched under to the client's response key."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from router.executor.objects import JsonObject, compile_collect
from router.executor.reports import FieldPath
from router.planner.plan import KeyElement, KeyRename

ApplyRenames: TypeAlias = Callable[[JsonObject], None]

_MISSING = object()


def compile_renames(renames: tuple[KeyRename, ...]) -> ApplyRenames | None:
    """Return a function that renames keys in an answer (for an entity fetch: in one entity); None for no renames."""
    if not renames:
        return None
    steps = tuple((compile_collect(rename.path), rename.fetched_key, rename.response_key) for rename in renames)

    def apply_renames(answer: JsonObject) -> None:
        for collect_objects, fetched_key, response_key in steps:
            for source in collect_objects(answer):
                value = source.pop(fetched_key, _MISSING)
                if value is not _MISSING:
                    source[response_key] = value

    return apply_renames


def rename_path(path: FieldPath, renames: Iterable[KeyRename]) -> FieldPath:
    """Return the *path* of an error in an answer as it is after the renames."""
    renamed: list[Any] = list(path)
    for rename in renames:
        keys = [element.response_key for element in rename.path if isinstance(element, KeyElement)]
        at = [position for position, element in enumerate(renamed) if isinstance(element, str)]
        if len(at) <= len(keys) or [renamed[position] for position in at[: len(keys)]] != keys:
            continue
        if renamed[at[len(keys)]] == rename.fetched_key:
            renamed[at[len(keys)]] = rename.response_key
    return tuple(renamed)
