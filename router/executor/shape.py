"""The shape of a response: which fields each object of the answer has, in which order, and of which type.

A shape is the client's operation with fragments spread, fields of one response key merged and `@skip` / `@include`
decided. Shapes are made on demand and remembered, so that an interface with hundreds of possible types costs only the
types that occur, and fragments used in many places are read once.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLCompositeType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeNameMetaFieldDef,
    VariableNode,
    Visitor,
    get_named_type,
    is_abstract_type,
    print_ast,
    visit,
)

INTROSPECTION_FIELDS = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True, eq=False)
class FieldShape:
    """One field of an object of the response; *selection_sets* is empty for a leaf."""

    response_key: str
    name: str
    type_: GraphQLOutputType
    nodes: tuple[FieldNode, ...]
    selection_sets: tuple[SelectionSetNode, ...]

    @property
    def named_type(self) -> Any:
        """Return the field's type without its list and non-null wrappers."""
        return get_named_type(self.type_)


@dataclass(frozen=True, slots=True, eq=False)
class ObjectShape:
    """The fields of an object of one type, in response order.

    *type_* is an interface or union only for an object whose concrete type nobody asked for.
    """

    type_: GraphQLCompositeType
    fields: tuple[FieldShape, ...]

    def field_at(self, response_key: str) -> FieldShape | None:
        """Return the field at *response_key*, if the client selected one for this type."""
        return next((shape for shape in self.fields if shape.response_key == response_key), None)


class ShapeReader:
    """Reads shapes off one operation, for one choice of its conditions. Remembers what it has read."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        conditions: Mapping[str, bool],
    ) -> None:
        self.schema = schema
        self._operation = operation
        self._fragments = fragments
        self._conditions = conditions
        self._shapes: dict[tuple[str, tuple[int, ...]], ObjectShape] = {}
        self._signatures: dict[ObjectShape, int] = {}
        self._numbers: dict[Hashable, int] = {}
        self._shapes_of_any: dict[tuple[str, tuple[int, ...]], ObjectShape | None] = {}

    def root(self) -> ObjectShape:
        """Return the shape of the response's `data`."""
        root_type = self.schema.get_root_type(self._operation.operation)
        if root_type is None:
            raise LookupError(f"the schema has no {self._operation.operation.value} type")
        return self.object_shape(root_type, (self._operation.selection_set,))

    def object_shape(self, type_: GraphQLObjectType, selection_sets: tuple[SelectionSetNode, ...]) -> ObjectShape:
        """Return what an object of *type_* answers to *selection_sets*.

        https://spec.graphql.org/draft/#CollectFields()
        """
        key = (type_.name, tuple(map(id, selection_sets)))
        shape = self._shapes.get(key)
        if shape is None:
            grouped: dict[str, list[FieldNode]] = {}
            visited: set[str] = set()
            for selection_set in selection_sets:
                self._collect_fields(type_, selection_set, grouped, visited)
            fields = (self._field_shape(type_, response_key, nodes) for response_key, nodes in grouped.items())
            shape = ObjectShape(type_, tuple(field for field in fields if field is not None))
            self._shapes[key] = shape
        return shape

    def possible_shapes(self, field: FieldShape) -> Iterator[ObjectShape]:
        """Yield the shape that *field*'s objects have, for each of their possible types."""
        named_type = field.named_type
        if is_abstract_type(named_type):
            for possible_type in self.schema.get_possible_types(named_type):
                yield self.object_shape(possible_type, field.selection_sets)
        elif isinstance(named_type, GraphQLObjectType):
            yield self.object_shape(named_type, field.selection_sets)

    def shape_of_typename(self, field: FieldShape, type_name: str | None) -> ObjectShape | None:
        """Return the shape of an object of *field* that calls itself *type_name*; None if it cannot occur there.

        An object without a name, or with an interface's (an interface object), is read as the field's own type, as
        long as the client asked for nothing that depends on the concrete one.
        """
        named_type = field.named_type
        if isinstance(named_type, GraphQLObjectType):
            return self.object_shape(named_type, field.selection_sets)
        type_ = named_type if type_name is None else self.schema.get_type(type_name)
        if isinstance(type_, GraphQLObjectType):
            if self.schema.is_sub_type(named_type, type_):
                return self.object_shape(type_, field.selection_sets)
            return None
        if type_ is named_type or (
            isinstance(type_, GraphQLInterfaceType) and self.schema.is_sub_type(named_type, type_)
        ):
            return self._shape_of_any(type_, field)
        return None

    def _shape_of_any(self, type_: GraphQLAbstractType, field: FieldShape) -> ObjectShape | None:
        """Return the shape that all possible types of *type_* have alike, or None when they differ."""
        key = (type_.name, tuple(map(id, field.selection_sets)))
        if key not in self._shapes_of_any:
            shapes = [self.object_shape(each, field.selection_sets) for each in self.schema.get_possible_types(type_)]
            is_alike = len({self._signature(shape) for shape in shapes}) == 1
            fields = shapes[0].fields if is_alike else ()
            self._shapes_of_any[key] = (
                ObjectShape(type_, tuple(self._least_strict(type_, each) for each in fields)) if is_alike else None
            )
        return self._shapes_of_any[key]

    def _signature(self, shape: ObjectShape) -> int:
        """Return a number that is equal for shapes with the same fields and arguments, all the way down.

        Their order does not count: a fragment may change it for some of the types, and finding out which type an object
        has would take a request.
        """
        number = self._signatures.get(shape)
        if number is None:
            by_key = sorted(shape.fields, key=lambda field: field.response_key)
            fields = tuple(
                (
                    field.response_key,
                    field.name,
                    tuple(sorted(map(print_ast, field.nodes[0].arguments or ()))),
                    tuple((each.type_.name, self._signature(each)) for each in self.possible_shapes(field)),
                )
                for field in by_key
            )
            number = self._signatures[shape] = self._numbers.setdefault(fields, len(self._numbers))
        return number

    def _least_strict(self, type_: GraphQLAbstractType, field: FieldShape) -> FieldShape:
        """Return *field* with the type that the interface gives it, which the possible types may only narrow."""
        definition = self.schema.get_field(type_, field.name)
        return field if definition is None else replace(field, type_=definition.type)

    def _field_shape(
        self, parent_type: GraphQLObjectType, response_key: str, nodes: list[FieldNode]
    ) -> FieldShape | None:
        name = nodes[0].name.value
        selection_sets = tuple(node.selection_set for node in nodes if node.selection_set)
        if name == "__typename":
            return FieldShape(response_key, name, TypeNameMetaFieldDef.type, tuple(nodes), ())
        definition = self.schema.get_field(parent_type, name)
        if definition is None:
            return None
        return FieldShape(response_key, name, definition.type, tuple(nodes), selection_sets)

    def _collect_fields(
        self,
        type_: GraphQLObjectType,
        selection_set: SelectionSetNode,
        grouped: dict[str, list[FieldNode]],
        visited: set[str],
    ) -> None:
        for selection in selection_set.selections:
            if not self._is_included(selection.directives):
                continue
            match selection:
                case FieldNode():
                    response_key = selection.alias.value if selection.alias else selection.name.value
                    grouped.setdefault(response_key, []).append(selection)
                case InlineFragmentNode():
                    condition = selection.type_condition
                    if condition is None or self._applies(condition.name.value, type_):
                        self._collect_fields(type_, selection.selection_set, grouped, visited)
                case FragmentSpreadNode():
                    name = selection.name.value
                    fragment = self._fragments.get(name)
                    if name in visited or fragment is None:
                        continue
                    visited.add(name)
                    if self._applies(fragment.type_condition.name.value, type_):
                        self._collect_fields(type_, fragment.selection_set, grouped, visited)

    def _applies(self, condition: str, type_: GraphQLObjectType) -> bool:
        if condition == type_.name:
            return True
        conditional_type = self.schema.get_type(condition)
        return isinstance(conditional_type, GraphQLInterfaceType | GraphQLUnionType) and self.schema.is_sub_type(
            conditional_type, type_
        )

    def _is_included(self, directives: tuple[DirectiveNode, ...] | None) -> bool:
        for directive in directives or ():
            match directive.name.value:
                case "skip":
                    if self._condition(directive):
                        return False
                case "include":
                    if not self._condition(directive):
                        return False
        return True

    def _condition(self, directive: DirectiveNode) -> bool:
        for argument in directive.arguments or ():
            match argument.value:
                case BooleanValueNode(value=value):
                    return value
                case VariableNode(name=name):
                    return self._conditions[name.value]
        raise ValueError(f"@{directive.name.value} takes a Boolean or a variable")


def condition_variables(document: DocumentNode) -> tuple[str, ...]:
    """Return the variables that decide a `@skip` or `@include` of *document*, sorted."""
    names: set[str] = set()

    class Conditions(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            if node.name.value in {"skip", "include"} and node.arguments:
                value = node.arguments[0].value
                if isinstance(value, VariableNode):
                    names.add(value.name.value)

    visit(document, Conditions())
    return tuple(sorted(names))
