"""The projection as generated functions: for an answer in which everything is in its place.

Per object type one function is generated, which reads the merged data and builds the client's object as one dict
display; there is no walking of documents or types per request. It does no error handling at all: at the first thing
out of place (a missing key, a null for a non-null, a value of another type) it raises, and the answer is projected
again by `projection.project`, which knows paths. So this file must refuse whatever that one would report, and agree
with it on the rest; a property test compares the two.
"""

from collections.abc import Callable
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    is_leaf_type,
)

from router.executor.leaves import UnfitValue, boolean_of, float_of, id_of, int_of, string_of
from router.executor.shape import INTROSPECTION_FIELDS, FieldShape, ObjectShape, ShapeReader

ProjectObject = Callable[[dict[str, Any]], dict[str, Any]]


class OutOfPlace(Exception):
    """The merged data has something that only the careful projection can report."""


#: What a generated function may raise when something is out of place.
OUT_OF_PLACE = (OutOfPlace, UnfitValue, KeyError, TypeError, AttributeError)

# scalar -> the class its values nearly always have, and what makes any other value fit
_SCALARS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "String": (str, string_of),
    "ID": (str, id_of),
    "Int": (int, int_of),
    "Float": (float, float_of),
    "Boolean": (bool, boolean_of),
}


class CompiledProjection:
    """Generated projection functions for one operation and one choice of its conditions.

    All functions live in one namespace and call each other by name, so none needs the others to exist when it is made.
    """

    def __init__(self, reader: ShapeReader) -> None:
        self._reader = reader
        self._namespace: dict[str, Any] = {"OutOfPlace": OutOfPlace}
        self._names: dict[ObjectShape, str] = {}
        self._unwritten: list[ObjectShape] = []
        self._single_fields: dict[tuple[ObjectShape, FieldShape], ObjectShape] = {}
        self._of_objects: dict[FieldShape, ProjectObject] = {}
        self.project_root: ProjectObject = self.function_of(reader.root())

    def function_of(self, shape: ObjectShape) -> ProjectObject:
        """Return the function for *shape*; first generate it, and those it calls, if they do not exist yet."""
        name = self.name_of(shape)
        sources: list[str] = []
        while self._unwritten:
            written = self._unwritten.pop()
            sources.append(_FunctionWriter(self, written).write(self._names[written]))
        if sources:
            exec(compile("\n\n".join(sources), "<projection>", "exec"), self._namespace)
        return cast(ProjectObject, self._namespace[name])

    def function_of_field(self, shape: ObjectShape, field: FieldShape) -> ProjectObject:
        """Return the function that makes an object of *shape* with *field* only."""
        single = self._single_fields.get((shape, field))
        if single is None:
            single = self._single_fields[shape, field] = ObjectShape(shape.type_, (field,))
        return self.function_of(single)

    def function_of_objects(self, field: FieldShape) -> ProjectObject:
        """Return the function for each object in *field*."""
        function = self._of_objects.get(field)
        if function is None:
            named_type = field.named_type
            if isinstance(named_type, GraphQLObjectType):
                function = self.function_of(self._reader.object_shape(named_type, field.selection_sets))
            else:
                function = _ByTypename(self, field).project
            self._of_objects[field] = function
        return function

    def name_of(self, shape: ObjectShape) -> str:
        """Return the name of the function for *shape*, which is generated with the next ones."""
        name = self._names.get(shape)
        if name is None:
            name = self._names[shape] = f"project_{shape.type_.name}_{len(self._names)}"
            self._unwritten.append(shape)
        return name

    def name_of_field(self, field: FieldShape) -> str:
        """Return the name of the function for the objects of *field*."""
        if isinstance(field.named_type, GraphQLObjectType):
            return self.name_of(self._reader.object_shape(field.named_type, field.selection_sets))
        return self.constant(f"project_{field.named_type.name}", _ByTypename(self, field).project)

    def function_of_typename(self, field: FieldShape, type_name: str | None) -> ProjectObject:
        """Return the function for the objects of the abstract *field* that call themselves *type_name*."""
        shape = self._reader.shape_of_typename(field, type_name)
        if shape is None:
            raise OutOfPlace
        return self.function_of(shape)

    def constant(self, stem: str, value: Any) -> str:
        """Give *value* a name that generated functions can use."""
        name = f"{stem}__{len(self._namespace)}"
        self._namespace[name] = value
        return name


class _ByTypename:
    """Picks the function for an object of an interface or union; remembers each name it has met."""

    def __init__(self, projection: CompiledProjection, field: FieldShape) -> None:
        self._projection = projection
        self._field = field
        self._functions: dict[str | None, ProjectObject] = {}

    def project(self, source: dict[str, Any]) -> dict[str, Any]:
        type_name = source.get("__typename")
        function = self._functions.get(type_name)
        if function is None:
            function = self._projection.function_of_typename(self._field, type_name)
            self._functions[type_name] = function
        return function(source)


class _FunctionWriter:
    """Writes the function of one object shape. Text that comes from a document enters it through repr only."""

    def __init__(self, projection: CompiledProjection, shape: ObjectShape) -> None:
        self._projection = projection
        self._shape = shape
        self._lines: list[str] = []
        self._variables = 0

    def write(self, name: str) -> str:
        entries = [(field.response_key, self._write_field(field)) for field in self._shape.fields]
        display = ", ".join(f"{key!r}: {expression}" for key, expression in entries)
        return "\n".join([f"def {name}(source):", *self._lines, f"    return {{{display}}}"])

    def _write_field(self, field: FieldShape) -> str:
        """Write what makes *field*'s value and return the expression that holds it."""
        if field.name == "__typename":
            if not isinstance(self._shape.type_, GraphQLObjectType):
                # nobody found out the concrete type of an interface object
                self._line(1, "raise OutOfPlace")
            return repr(self._shape.type_.name)
        variable = self._new_variable()
        self._line(1, f"{variable} = source[{field.response_key!r}]")
        if field.name not in INTROSPECTION_FIELDS:
            self._write_value(1, field, field.type_, variable)
        return variable

    def _write_value(self, indent: int, field: FieldShape, type_: GraphQLOutputType, variable: str) -> None:
        """Write what checks *variable* against *type_* and replaces it where the client gets another value."""
        nullable = not isinstance(type_, GraphQLNonNull)
        inner = type_ if nullable else cast("GraphQLNonNull[Any]", type_).of_type
        or_null = f" and {variable} is not None" if nullable else ""
        match inner:
            case GraphQLList(of_type=item_type):
                self._line(indent, f"if {variable}.__class__ is list:")
                self._write_items(indent + 1, field, item_type, variable)
                self._line(indent, f"elif {variable} is not None:" if nullable else "else:")
                self._line(indent + 1, "raise OutOfPlace")
            case GraphQLScalarType(name=name) if name in _SCALARS:
                class_, coerce = _SCALARS[name]
                also = f" and {variable}.__class__ is not int" if name == "Float" else ""
                self._line(indent, f"if {variable}.__class__ is not {class_.__name__}{also}{or_null}:")
                # a null for a non-null goes the same way: no coercion accepts None
                self._line(indent + 1, f"{variable} = {self._projection.constant('coerce', coerce)}({variable})")
            case GraphQLScalarType():
                if not nullable:
                    self._line(indent, f"if {variable} is None:")
                    self._line(indent + 1, "raise OutOfPlace")
            case GraphQLEnumType(values=values):
                names = self._projection.constant("names", frozenset(values))
                self._line(indent, f"if {variable} not in {names}{or_null}:")
                self._line(indent + 1, "raise OutOfPlace")
            case _:
                call = f"{variable} = {self._projection.name_of_field(field)}({variable})"
                if nullable:
                    self._line(indent, f"if {variable} is not None:")
                    self._line(indent + 1, call)
                else:
                    self._line(indent, call)

    def _write_items(self, indent: int, field: FieldShape, item_type: GraphQLOutputType, variable: str) -> None:
        nullable = not isinstance(item_type, GraphQLNonNull)
        inner = item_type if nullable else cast("GraphQLNonNull[Any]", item_type).of_type
        if isinstance(inner, GraphQLScalarType) and inner.name not in _SCALARS and nullable:
            self._line(indent, "pass")  # any JSON value will do
            return
        if not isinstance(inner, GraphQLList) and not is_leaf_type(inner):
            project = self._projection.name_of_field(field)
            item = f"None if item is None else {project}(item)" if nullable else f"{project}(item)"
            self._line(indent, f"{variable} = [{item} for item in {variable}]")
            return
        items, item = self._new_variable(), self._new_variable()
        self._line(indent, f"{items} = []")
        self._line(indent, f"for {item} in {variable}:")
        self._write_value(indent + 1, field, item_type, item)
        self._line(indent + 1, f"{items}.append({item})")
        self._line(indent, f"{variable} = {items}")

    def _new_variable(self) -> str:
        self._variables += 1
        return f"value{self._variables}"

    def _line(self, indent: int, text: str) -> None:
        self._lines.append("    " * indent + text)
