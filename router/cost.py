"""What an operation is estimated to cost before it runs, from `@cost` and `@listSize`.

Objects cost 1, scalars and enums 0, a mutation 10 more, a list its size times its item. A directive's weight replaces
the default.

https://ibm.github.io/graphql-specs/cost-spec.html
https://www.apollographql.com/docs/graphos/routing/security/demand-control
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

from router.limits import fragments_of
from router.spec_directives import find_applied_directives

# A mutation makes the subgraph write, which costs about as much as reading ten objects
MUTATION_COST = 10

_DIRECTIVES = frozenset({"cost", "listSize"})


@dataclass(frozen=True, slots=True)
class ListSize:
    """How long a list is expected to be: `@listSize`. *assumed* None means nothing was said."""

    assumed: int | None = None
    slicing_arguments: tuple[str, ...] = ()
    sized_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CostRules:
    """The declared weights and sizes of one supergraph; arguments' weights are by (type, field, argument)."""

    types: Mapping[str, int]
    fields: Mapping[tuple[str, str], int]
    arguments: Mapping[tuple[str, str, str], int]
    list_sizes: Mapping[tuple[str, str], ListSize]


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """*cost*, and whether other variables could have given another one."""

    cost: int
    depends_on_variables: bool


def read_cost_rules(supergraph: DocumentNode) -> CostRules:
    """Return the weights and sizes that *supergraph* declares."""
    types: dict[str, int] = {}
    fields: dict[tuple[str, str], int] = {}
    arguments: dict[tuple[str, str, str], int] = {}
    list_sizes: dict[tuple[str, str], ListSize] = {}
    for applied in find_applied_directives(supergraph, _DIRECTIVES):
        if applied.name == "listSize":
            if applied.field_name is not None:
                list_sizes[applied.type_name, applied.field_name] = ListSize(
                    assumed=applied.arguments.get("assumedSize"),
                    slicing_arguments=tuple(applied.arguments.get("slicingArguments") or ()),
                    sized_fields=tuple(applied.arguments.get("sizedFields") or ()),
                )
            continue
        weight = int(applied.arguments.get("weight", 0))
        if applied.field_name is None:
            types[applied.type_name] = weight
        elif applied.argument_name is None:
            fields[applied.type_name, applied.field_name] = weight
        else:
            arguments[applied.type_name, applied.field_name, applied.argument_name] = weight
    return CostRules(types, fields, arguments, list_sizes)


def estimate_cost(
    schema: GraphQLSchema,
    rules: CostRules,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    *,
    assumed_list_size: int,
) -> CostEstimate:
    """Return what *operation* is expected to cost, as if every condition held and every fragment applied.

    A list without `@listSize` is taken to have *assumed_list_size* items.
    """
    root_type = schema.get_root_type(operation.operation)
    if root_type is None:
        return CostEstimate(0, False)
    defaults = {
        definition.variable.name.value: definition.default_value
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, IntValueNode)
    }
    estimating = _Estimating(
        schema,
        rules,
        document,
        variables,
        {name: int(node.value) for name, node in defaults.items()},
        assumed_list_size,
    )
    base = MUTATION_COST if operation.operation is OperationType.MUTATION else 0
    cost = base + estimating.selection_set(root_type, operation.selection_set, {})
    return CostEstimate(cost, estimating.used_variables)


@dataclass(slots=True)
class _Estimating:
    """Estimates one operation. Mutable: remembers fragments and whether a variable was looked at."""

    schema: GraphQLSchema
    rules: CostRules
    document: DocumentNode
    variables: Mapping[str, Any]
    defaults: Mapping[str, int]
    assumed_list_size: int
    used_variables: bool = False
    known: dict[tuple[str, tuple[tuple[str, int], ...]], int] = field(default_factory=dict)

    def selection_set(self, parent: GraphQLNamedType, selection_set: SelectionSetNode, sizes: Mapping[str, int]) -> int:
        """Return the cost of one object's selections; *sizes* are those that the field above gives to fields here."""
        cost = 0
        for selection in selection_set.selections:
            match selection:
                case FieldNode():
                    cost += self.field(parent, selection, sizes)
                case InlineFragmentNode():
                    condition = selection.type_condition
                    type_ = self.schema.get_type(condition.name.value) if condition else parent
                    cost += self.selection_set(type_ or parent, selection.selection_set, sizes)
                case FragmentSpreadNode():
                    cost += self.fragment(selection.name.value, sizes)
                case _:
                    raise TypeError(f"not a selection: {selection.kind}")
        return cost

    def fragment(self, name: str, sizes: Mapping[str, int]) -> int:
        key = (name, tuple(sorted(sizes.items())))
        if key not in self.known:
            definition = fragments_of(self.document)[name]
            type_ = self.schema.get_type(definition.type_condition.name.value)
            self.known[key] = self.selection_set(type_, definition.selection_set, sizes) if type_ else 0
        return self.known[key]

    def field(self, parent: GraphQLNamedType, node: FieldNode, sizes: Mapping[str, int]) -> int:
        name = node.name.value
        # Introspection is answered from memory
        definition = None if name.startswith("__") else getattr(parent, "fields", {}).get(name)
        if definition is None:
            return 0
        coordinate = (parent.name, name)
        size_rule = self.rules.list_sizes.get(coordinate, ListSize())
        size = self.size(size_rule, node)
        named_type = get_named_type(definition.type)
        own = self.rules.fields.get(coordinate)
        if own is None:
            own = self.rules.types.get(named_type.name, 1 if is_composite_type(named_type) else 0)
        inner = 0
        if node.selection_set is not None:
            expected = size if size is not None else self.assumed_list_size
            below = dict.fromkeys(size_rule.sized_fields, expected)
            inner = self.selection_set(named_type, node.selection_set, below)
        count = 1
        if _is_list(definition.type):
            count = sizes.get(name, size if size is not None else self.assumed_list_size)
        given = sum(
            self.rules.arguments.get((*coordinate, argument.name.value), 0) for argument in node.arguments or ()
        )
        return given + count * (own + inner)

    def size(self, rule: ListSize, node: FieldNode) -> int | None:
        """Return the size that the field's slicing arguments ask for, or else the assumed one."""
        asked = [
            size
            for argument in node.arguments or ()
            if argument.name.value in rule.slicing_arguments and (size := self.integer(argument.value)) is not None
        ]
        return max(asked) if asked else rule.assumed

    def integer(self, value: Any) -> int | None:
        match value:
            case IntValueNode():
                return max(0, int(value.value))
            case VariableNode():
                self.used_variables = True
                name = value.name.value
                given = self.variables.get(name, self.defaults.get(name))
                return max(0, given) if isinstance(given, int) and not isinstance(given, bool) else None
        return None


def _is_list(type_: GraphQLOutputType) -> bool:
    return isinstance(type_.of_type if isinstance(type_, GraphQLNonNull) else type_, GraphQLList)
