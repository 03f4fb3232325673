"""Random valid operations over a schema, for hypothesis: they shrink to small ones."""

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
)
from hypothesis import strategies as st

MAX_DEPTH = 5
MAX_SELECTIONS = 4


@dataclass(frozen=True, slots=True)
class RandomOperation:
    """An operation as text with the variables for it."""

    text: str
    variables: dict[str, Any]


@st.composite
def operations(draw: st.DrawFn, schema: GraphQLSchema, *, kind: str = "query", defers: bool = False) -> RandomOperation:
    """Draw a query, mutation or subscription with fragments, aliases, arguments, variables and conditions.

    With *defers*, a third of the fragments has `@defer`.

    Nearly all are valid; selections whose response keys do not agree are for the caller to throw away.
    """
    roots = {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}
    root = roots[kind]
    assert root is not None
    return _Drawing(draw, schema, defers).draw_operation(kind, root)


@dataclass(slots=True)
class _Drawing:
    draw: st.DrawFn
    schema: GraphQLSchema
    defers: bool = False
    deferrals: int = 0
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)

    def draw_operation(self, kind: str, root: GraphQLObjectType) -> RandomOperation:
        if kind == "subscription":
            name = self.draw(st.sampled_from(sorted(root.fields)))
            selections = f"{{ {self._field(name, root.fields[name], 0)} }}"
        else:
            selections = self._selection_set(root, 0)
        declared = " ".join(f"${name}: {type_}" for name, (type_, _) in self.variables.items())
        text = f"{kind}{f'({declared})' if declared else ''} {selections}"
        values = {name: value for name, (_, value) in self.variables.items() if value is not ...}
        return RandomOperation("\n".join([text, *self.fragments]), values)

    def _selection_set(self, type_: GraphQLNamedType, depth: int) -> str:
        count = self.draw(st.integers(1, MAX_SELECTIONS))
        return "{ " + " ".join(self._selection(type_, depth) for _ in range(count)) + " }"

    def _selection(self, type_: GraphQLNamedType, depth: int) -> str:
        kind = self.draw(st.integers(0, 9))
        if kind == 9 or isinstance(type_, GraphQLUnionType):
            return self._fragment(type_, depth) if depth < MAX_DEPTH else "__typename"
        if kind == 8:
            return f"{self._alias('__typename', 1)}__typename"
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        fields = [
            each
            for each in sorted(type_.fields)
            if depth < MAX_DEPTH or is_leaf_type(get_named_type(type_.fields[each].type))
        ]
        if not fields:
            return "__typename"
        name = self.draw(st.sampled_from(fields))
        return self._field(name, type_.fields[name], depth)

    def _field(self, name: str, definition: GraphQLField, depth: int) -> str:
        arguments = self._arguments(definition)
        # the same field with other arguments needs another key
        alias = self._alias(name, 5) if not arguments else f"{name}_{self.draw(st.integers(0, 9))}: "
        named_type = get_named_type(definition.type)
        inner = "" if is_leaf_type(named_type) else f" {self._selection_set(named_type, depth + 1)}"
        return f"{alias}{name}{arguments}{self._condition()}{inner}"

    def _fragment(self, type_: GraphQLNamedType, depth: int) -> str:
        condition = self.draw(st.sampled_from(self._overlapping(type_)))
        inner = self._selection_set(condition, depth + 1)
        match self.draw(st.integers(0, 3)):
            case 0:
                name = f"F{len(self.fragments)}"
                self.fragments.append(f"fragment {name} on {condition.name} {inner}")
                return f"...{name}{self._condition()}{self._defer(depth)}"
            case 1 if condition is type_:
                return f"...{self._condition()}{self._defer(depth)} {inner}"
        return f"... on {condition.name}{self._condition()}{self._defer(depth)} {inner}"

    def _defer(self, depth: int) -> str:
        if not self.defers or self.draw(st.integers(0, 2)) > 0:
            return ""
        self.deferrals += 1
        return self.draw(st.sampled_from([" @defer", f' @defer(label: "d{self.deferrals}")']))

    def _overlapping(self, type_: GraphQLNamedType) -> list[GraphQLNamedType]:
        """Return the types on which a fragment may be spread here, sorted."""
        possible = self._possible(type_)
        return sorted(
            (
                each
                for each in self.schema.type_map.values()
                if not each.name.startswith("__")
                and isinstance(each, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
                and self._possible(each) & possible
            ),
            key=lambda each: each.name,
        )

    def _possible(self, type_: GraphQLNamedType) -> set[str]:
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            return {each.name for each in self.schema.get_possible_types(type_)}
        return {type_.name}

    def _alias(self, name: str, rarity: int) -> str:
        match self.draw(st.integers(0, 2 + rarity)):
            case 0:
                return f"{name.strip('_')}Alias: "
            case 1:
                # another field's key, now and then: keys of the router's own must keep out of its way
                return f"{self.draw(st.sampled_from(['id', 'name', 'x']))}: "
        return ""

    def _condition(self) -> str:
        if self.draw(st.integers(0, 9)) > 0:
            return ""
        directive = self.draw(st.sampled_from(["skip", "include"]))
        match self.draw(st.integers(0, 3)):
            case 0:
                return f" @{directive}(if: {self.draw(st.sampled_from(['true', 'false']))})"
            case 1:
                return (
                    f" @{directive}(if: ${self._variable('Boolean = true', self.draw(st.sampled_from([True, ...])))})"
                )
        return f" @{directive}(if: ${self._variable('Boolean!', self.draw(st.booleans()))})"

    def _variable(self, type_: str, value: Any) -> str:
        existing = [name for name, (known, _) in self.variables.items() if known == type_]
        reuses: bool = self.draw(st.booleans())
        if existing and reuses:
            return existing[0]
        name = f"v{len(self.variables)}"
        self.variables[name] = (type_, value)
        return name

    def _arguments(self, definition: GraphQLField) -> str:
        given = []
        for name, argument in definition.args.items():
            if not is_required_argument(argument) and self.draw(st.booleans()):
                continue
            value = self._value(argument.type)
            if self.draw(st.booleans()):
                given.append(f"{name}: ${self._variable(str(argument.type), value)}")
            else:
                given.append(f"{name}: {self._literal(argument.type, value)}")
        return f"({', '.join(given)})" if given else ""

    def _value(self, argument_type: GraphQLInputType) -> Any:
        type_: Any = get_nullable_type(argument_type)
        if is_list_type(type_):
            return [self._value(type_.of_type) for _ in range(self.draw(st.integers(0, 2)))]
        if is_enum_type(type_):
            return self.draw(st.sampled_from(sorted(type_.values)))
        if is_input_object_type(type_):
            return {
                name: self._value(each.type)
                for name, each in type_.fields.items()
                if get_nullable_type(each.type) is not each.type or self.draw(st.booleans())
            }
        match get_named_type(type_).name:
            case "Int":
                return self.draw(st.integers(0, 3))
            case "Float":
                return self.draw(st.sampled_from([0.5, 1.5]))
            case "Boolean":
                return self.draw(st.booleans())
            case "ID":
                return self.draw(st.sampled_from(["1", "2", "9"]))
        return self.draw(st.sampled_from(["a", 'quote " and \\ backslash', "é"]))

    def _literal(self, argument_type: GraphQLInputType, value: Any) -> str:
        type_: Any = get_nullable_type(argument_type)
        if isinstance(value, list):
            return "[" + ", ".join(self._literal(type_.of_type, item) for item in value) + "]"
        if isinstance(value, dict):
            fields = type_.fields
            return (
                "{" + ", ".join(f"{key}: {self._literal(fields[key].type, each)}" for key, each in value.items()) + "}"
            )
        if is_enum_type(type_):
            return str(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return str(value)
