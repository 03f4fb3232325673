"""What becomes of the fields that a caller may not see: never fetched, null in the response, an error at their path.

operation -> without_fields -> (planned and executed) -> restore_refused -> the response to the whole operation
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    InlineFragmentNode,
    NameNode,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from router.executor.shape import FieldShape, ObjectShape, ShapeReader

# Stands in a stripped selection set that would be empty, or whose fragments depend on the object's type
KEPT_KEY = "_pasar_typename"

NodeT = TypeVar("NodeT", bound=Node)
FieldPath: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Refusals:
    """The fields of one operation that one kind of caller may not see. *coordinates* is by the node's `id()`.

    *document* is kept because an `id()` is only valid as long as its node lives.
    """

    document: DocumentNode
    coordinates: Mapping[int, str]


def without_fields(document: DocumentNode, refusals: Refusals) -> DocumentNode:
    """Return *document* without the refused fields, and with `__typename` under KEPT_KEY where `restore` needs it."""
    return _copy(
        document,
        definitions=tuple(
            _copy(definition, selection_set=_strip(definition.selection_set, refusals.coordinates))
            if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
            else definition
            for definition in document.definitions
        ),
    )


def _strip(selection_set: SelectionSetNode, refused: Mapping[int, str]) -> SelectionSetNode:
    kept: list[SelectionNode] = []
    for selection in selection_set.selections:
        match selection:
            case FieldNode() if id(selection) in refused:
                continue
            case FieldNode(selection_set=SelectionSetNode() as inner) if not selection.name.value.startswith("__"):
                kept.append(_copy(selection, selection_set=_strip(inner, refused)))
            case InlineFragmentNode(selection_set=inner):
                kept.append(_copy(selection, selection_set=_strip(inner, refused)))
            case _:
                kept.append(selection)
    if not kept or not all(isinstance(selection, FieldNode) for selection in kept):
        kept.append(FieldNode(name=NameNode(value="__typename"), alias=NameNode(value=KEPT_KEY)))
    return _copy(selection_set, selections=tuple(kept))


def _copy(node: NodeT, **changes: Any) -> NodeT:
    return type(node)(**{key: getattr(node, key, None) for key in node.keys} | changes)


class _NullHere(Exception):
    """A refused field that must not be null: its parent becomes null instead."""


@dataclass(frozen=True, slots=True)
class _Restoring:
    """Puts the refused fields back, as null. Mutable in *errors*."""

    reader: ShapeReader
    refusals: Refusals
    code: str
    errors: list[dict[str, Any]]

    def restore_object(self, shape: ObjectShape, source: Mapping[str, Any], path: FieldPath) -> dict[str, Any]:
        restored: dict[str, Any] = {}
        closed: _NullHere | None = None
        for field in shape.fields:
            field_path = (*path, field.response_key)
            try:
                restored[field.response_key] = self._restore_field(field, source, field_path)
            except _NullHere as null:
                # Every refused field is reported, also when an earlier one has already closed the object
                closed = null
        if closed is not None:
            raise closed
        return restored

    def _restore_field(self, field: FieldShape, source: Mapping[str, Any], path: FieldPath) -> Any:
        # One response key may come from several places of the document: it is shown if one of them may be seen
        coordinates = [self.refusals.coordinates.get(id(node)) for node in field.nodes]
        refused = [coordinate for coordinate in coordinates if coordinate is not None]
        if len(refused) < len(coordinates):
            return self._restore_value(field, field.type_, source.get(field.response_key), path)
        self.errors.append(
            {"message": self._message(refused[0]), "path": list(path), "extensions": {"code": self.code}}
        )
        if isinstance(field.type_, GraphQLNonNull):
            raise _NullHere
        return None

    def _restore_value(self, field: FieldShape, type_: GraphQLOutputType, value: Any, path: FieldPath) -> Any:
        if value is None or not field.selection_sets or field.name.startswith("__"):
            return value
        if isinstance(type_, GraphQLNonNull):
            return self._restore_nullable(field, type_.of_type, value, path)
        try:
            return self._restore_nullable(field, type_, value, path)
        except _NullHere:
            return None

    def _restore_nullable(self, field: FieldShape, type_: Any, value: Any, path: FieldPath) -> Any:
        if isinstance(type_, GraphQLList):
            return self._restore_list(field, type_.of_type, value, path)
        shape = self.reader.shape_of_typename(field, value.get(KEPT_KEY))
        return self.restore_object(shape, value, path) if shape is not None else None

    def _restore_list(self, field: FieldShape, of_type: GraphQLOutputType, items: list[Any], path: FieldPath) -> Any:
        restored: list[Any] = []
        closed: _NullHere | None = None
        for index, item in enumerate(items):
            try:
                restored.append(self._restore_value(field, of_type, item, (*path, index)))
            except _NullHere as null:
                closed = null
        if closed is not None:
            raise closed
        return restored

    def _message(self, coordinate: str) -> str:
        return f"{coordinate} needs a login" if self.code == "UNAUTHENTICATED" else f"you may not see {coordinate}"


def restore_refused(
    reader: ShapeReader, refusals: Refusals, data: dict[str, Any] | None, *, is_anonymous: bool
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Return the `data` of the whole operation, and an error for each refused field in it.

    Args:
        reader: reads the operation as the client wrote it, with the conditions of this request.
        refusals: the fields to put back, as null (and their parents, where they must not be null).
        data: what the stripped operation came to; None stays None.
        is_anonymous: whether a login could help.
    """
    code = "UNAUTHENTICATED" if is_anonymous else "FORBIDDEN"
    restoring = _Restoring(reader, refusals, code, [])
    if data is None:
        return None, restoring.errors
    try:
        return restoring.restore_object(reader.root(), data, ()), restoring.errors
    except _NullHere:
        return None, restoring.errors
