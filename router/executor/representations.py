"""Building the representations of an entity fetch out of the response so far.

The loop over the objects is generated per fetch: it is one of the two places (the projection is the other) where a
router in Python spends its time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType
from typing import Any, TypeAlias, cast

import msgspec
from graphql import GraphQLNonNull, GraphQLSchema, is_composite_type

from router.executor.objects import JsonObject
from router.planner.plan import EntityTarget, RepresentationField, RepresentationFragment, RepresentationSelection


@dataclass(frozen=True, slots=True)
class Representations:
    """What is asked: *values* holds each representation once, *objects* at the same index who asks for it."""

    values: list[JsonObject]
    objects: list[list[JsonObject]]


#: Return the representations of some objects, equal ones once.
#:
#: Passed over are objects of a type that is not asked about and those that lack a field of their representation (the
#: request for it failed): nothing could be asked about them, and their fields stay null.
CollectRepresentations: TypeAlias = Callable[[list[JsonObject]], Representations]

_CopySelected: TypeAlias = Callable[[JsonObject, JsonObject], None]

_encode = msgspec.json.Encoder().encode


def compile_representations(targets: tuple[EntityTarget, ...], api_schema: GraphQLSchema) -> CollectRepresentations:
    """Generate the function that collects the representations of one entity fetch."""
    writer = _LoopWriter(api_schema)
    source = writer.write(targets)
    exec(compile(source, "<representations>", "exec"), writer.namespace)
    return cast(CollectRepresentations, writer.namespace["collect_representations"])


class _LoopWriter:
    """Writes the loop. Text that comes from a plan enters it through repr only."""

    def __init__(self, api_schema: GraphQLSchema) -> None:
        self.namespace: dict[str, Any] = {
            "encode": _encode,
            "plain": frozenset({str, int, NoneType}),
            "Representations": Representations,
        }
        self._api_schema = api_schema
        self._lines: list[str] = []

    def write(self, targets: tuple[EntityTarget, ...]) -> str:
        self._line(0, "def collect_representations(objects):")
        self._line(1, "known = {}")
        self._line(1, "values = []")
        self._line(1, "for source in objects:")
        self._line(2, "try:")
        names = {name for target in targets for name in target.type_names}
        # an object that nobody asked for its name can only be of the one type there is
        default = f", {next(iter(names))!r}" if len(names) == 1 else ""
        self._line(3, f"type_name = source.get('__typename'{default})")
        for position, target in enumerate(targets):
            self._line(3, f"{'if' if position == 0 else 'elif'} type_name in {tuple(sorted(target.type_names))!r}:")
            if all(isinstance(field, RepresentationField) and not field.selections for field in target.selections):
                self._write_flat(target, cast("tuple[RepresentationField, ...]", target.selections))
            else:
                self._write_nested(position, target)
        self._line(3, "else:")
        self._line(4, "continue")
        self._line(2, "except KeyError:")
        self._line(3, "continue")
        self._line(2, "askers = known.get(key)")
        self._line(2, "if askers is None:")
        self._line(3, "known[key] = [source]")
        self._line(3, "values.append(representation)")
        self._line(2, "else:")
        self._line(3, "askers.append(source)")
        self._line(1, "return Representations(values, list(known.values()))")
        return "\n".join(self._lines)

    def _write_flat(self, target: EntityTarget, fields: tuple[RepresentationField, ...]) -> None:
        names = [f"value{index}" for index in range(len(fields))]
        entries = [f"'__typename': {target.sent_typename!r}"]
        for name, field in zip(names, fields, strict=True):
            self._line(4, f"{name} = source[{field.response_key!r}]")
            if _must_not_be_null(target, field.name, self._api_schema):
                self._line(4, f"if {name} is None: continue")
            if field.name != "__typename":
                entries.append(f"{field.name!r}: {name}")
        display = f"{{{', '.join(entries)}}}"
        # 1, 1.0 and True are equal to Python, so only these are compared as they are; the rest as the JSON that is sent
        are_plain = " and ".join(f"{name}.__class__ in plain" for name in names) or "True"
        key = ", ".join((repr(target.sent_typename), *names))
        self._line(4, f"if {are_plain}:")
        self._line(5, f"key = ({key},)")
        # the value is needed only for the first of equal ones
        self._line(5, f"if key not in known: representation = {display}")
        self._line(4, "else:")
        self._line(5, f"representation = {display}")
        self._line(5, "key = encode(representation)")

    def _write_nested(self, position: int, target: EntityTarget) -> None:
        self.namespace[f"copy_selected_{position}"] = _compile_selections(target.selections)
        for selection in target.selections:
            if isinstance(selection, RepresentationField) and _must_not_be_null(
                target, selection.name, self._api_schema
            ):
                self._line(4, f"if source[{selection.response_key!r}] is None: continue")
        self._line(4, "representation = {'__typename': None}")
        self._line(4, f"copy_selected_{position}(source, representation)")
        self._line(4, f"representation['__typename'] = {target.sent_typename!r}")
        self._line(4, "key = encode(representation)")

    def _line(self, indent: int, text: str) -> None:
        self._lines.append("    " * indent + text)


def _must_not_be_null(target: EntityTarget, field_name: str, api_schema: GraphQLSchema) -> bool:
    """Tell whether a null in the field means that it could not be fetched: it cannot be sent then either."""
    types = (api_schema.get_type(name) for name in target.type_names)
    fields = (getattr(type_, "fields", {}).get(field_name) for type_ in types if is_composite_type(type_))
    return any(field is not None and isinstance(field.type, GraphQLNonNull) for field in fields)


def _compile_selections(selections: tuple[RepresentationSelection, ...]) -> _CopySelected:
    """Return a function that copies *selections* from an object of the response into a representation."""
    copiers = tuple(map(_compile_selection, selections))

    def copy_selections(source: JsonObject, representation: JsonObject) -> None:
        for copier in copiers:
            copier(source, representation)

    return copy_selections


def _compile_selection(selection: RepresentationSelection) -> _CopySelected:
    match selection:
        case RepresentationField(name=name, response_key=response_key, selections=()):

            def copy_leaf(source: JsonObject, representation: JsonObject) -> None:
                representation[name] = source[response_key]

            return copy_leaf
        case RepresentationField(name=name, response_key=response_key, selections=inner):
            copy_inner = _compile_selections(inner)

            def copy_value(value: Any, present: Any) -> Any:
                if value.__class__ is dict:
                    copied = present if present.__class__ is dict else {}
                    copy_inner(value, copied)
                    return copied
                if value.__class__ is list:
                    before = present if present.__class__ is list else [None] * len(value)
                    return [copy_value(item, known) for item, known in zip(value, before, strict=True)]
                return None

            def copy_composite(source: JsonObject, representation: JsonObject) -> None:
                # the field can be selected a second time, in a fragment
                representation[name] = copy_value(source[response_key], representation.get(name))

            return copy_composite
        case RepresentationFragment(type_names=type_names, selections=inner):
            names = frozenset(type_names)
            copy_fragment = _compile_selections(inner)

            def copy_if_type(source: JsonObject, representation: JsonObject) -> None:
                if source.get("__typename") in names:
                    copy_fragment(source, representation)

            return copy_if_type
