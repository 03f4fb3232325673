"""The projection that knows paths: what the client gets when something in the merged data is out of place.

https://spec.graphql.org/draft/#sec-Executing-Selection-Sets, with the merged data in the place of resolvers.
"""

from typing import Any

from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLOutputType, GraphQLScalarType, is_leaf_type

from router.executor.leaves import UnfitValue, coerce_leaf
from router.executor.reports import FieldPath, Reports
from router.executor.shape import INTROSPECTION_FIELDS, FieldShape, ObjectShape, ShapeReader


class _NullHere(Exception):
    """A field that must not be null has no value: its parent has none either."""


def project(reader: ShapeReader, merged: dict[str, Any] | None, reports: Reports) -> dict[str, Any] | None:
    """Return the client's `data` from *merged*; report what is out of place. *merged* stays as it is.

    A null where none may be makes the nearest nullable parent null, and is reported unless an error says already why
    it is there.
    """
    if merged is None:
        return None
    try:
        return _Projection(reader, reports).project_object(reader.root(), merged, ())
    except _NullHere:
        return None


class _Projection:
    def __init__(self, reader: ShapeReader, reports: Reports) -> None:
        self._reader = reader
        self._reports = reports

    def project_object(self, shape: ObjectShape, source: dict[str, Any], path: FieldPath) -> dict[str, Any]:
        projected: dict[str, Any] = {}
        for field in shape.fields:
            field_path = (*path, field.response_key)
            if field.name == "__typename":
                projected[field.response_key] = self._typename(shape, source.get(field.response_key), field_path)
                continue
            value = source.get(field.response_key)
            if field.name not in INTROSPECTION_FIELDS:
                value = self._complete(field, field.type_, value, field_path, shape)
            projected[field.response_key] = value
        return projected

    def _typename(self, shape: ObjectShape, value: Any, path: FieldPath) -> str:
        """Return an object's type; *value* is what a subgraph may have said under the client's alias."""
        if isinstance(shape.type_, GraphQLObjectType):
            return shape.type_.name
        named = self._reader.schema.get_type(value) if isinstance(value, str) else None
        if isinstance(named, GraphQLObjectType) and self._reader.schema.is_sub_type(shape.type_, named):
            return named.name
        self._reports.add_out_of_place(path, f"The concrete type of {shape.type_.name} is not known.")
        raise _NullHere

    def _complete(
        self, field: FieldShape, type_: GraphQLOutputType, value: Any, path: FieldPath, parent: ObjectShape
    ) -> Any:
        """Return *value* as *type_* demands.

        https://spec.graphql.org/draft/#CompleteValue()
        """
        if isinstance(type_, GraphQLNonNull):
            completed = self._complete_nullable(field, type_.of_type, value, path, parent)
            if completed is None:
                self._reports.add_out_of_place(
                    path, f"Cannot return null for non-nullable field {parent.type_.name}.{field.name}."
                )
                raise _NullHere
            return completed
        try:
            return self._complete_nullable(field, type_, value, path, parent)
        except _NullHere:
            return None

    def _complete_nullable(
        self, field: FieldShape, type_: Any, value: Any, path: FieldPath, parent: ObjectShape
    ) -> Any:
        if value is None:
            return None
        if isinstance(type_, GraphQLList):
            if not isinstance(value, list):
                return self._unfit(path, f"Expected a list for field {parent.type_.name}.{field.name}.")
            return [
                self._complete(field, type_.of_type, item, (*path, index), parent) for index, item in enumerate(value)
            ]
        if is_leaf_type(type_):
            if isinstance(value, dict | list) and _is_built_in(type_):
                return self._unfit(path, f"{type_.name} cannot represent a list or an object.")
            try:
                return coerce_leaf(type_, value)
            except UnfitValue as reason:
                return self._unfit(path, str(reason))
        if not isinstance(value, dict):
            return self._unfit(path, f"Expected an object for field {parent.type_.name}.{field.name}.")
        type_name = value.get("__typename")
        shape = self._reader.shape_of_typename(field, type_name if isinstance(type_name, str) else None)
        if shape is None:
            # the name is not repeated: the type may be hidden on purpose
            return self._unfit(
                path, f"Field {parent.type_.name}.{field.name} returned an object that is no {type_.name}."
            )
        return self.project_object(shape, value, path)

    def _unfit(self, path: FieldPath, message: str) -> None:
        self._reports.add_out_of_place(path, message)


def _is_built_in(type_: Any) -> bool:
    return isinstance(type_, GraphQLScalarType) and type_.name in {"String", "ID", "Int", "Float", "Boolean"}
