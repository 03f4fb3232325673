"""Make up valid operations over a schema: aliases, arguments, fragments, conditions, variables."""

import json
import random
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    parse,
    validate,
)
from graphql.type import GraphQLInputType


@dataclass
class OperationMaker:
    """Makes operations from a random source; *variables* are those of the operation being made."""

    schema: GraphQLSchema
    dice: random.Random
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    alias_chance: float = 0.45

    def make(self, kind: str = "query", depth: int = 4) -> tuple[str, dict[str, Any]]:
        """Return a valid operation's text and its variables' values."""
        root = {
            "query": self.schema.query_type,
            "mutation": self.schema.mutation_type,
            "subscription": self.schema.subscription_type,
        }[kind]
        assert root is not None
        for attempt in count():
            self.variables = {}
            # Aliases are drawn freely, so that some operations contradict themselves; fewer when that goes on.
            self.alias_chance = 0.45 / (1 + attempt // 4)
            body = self._selections(root, depth)
            definitions = ", ".join(f"${name}: {type_}" for name, (type_, _) in self.variables.items())
            text = f"{kind}{f'({definitions})' if definitions else ''} {body}"
            if not validate(self.schema, parse(text)):
                break
        return text, {name: value for name, (_, value) in self.variables.items()}

    def _selections(self, type_: GraphQLNamedType, depth: int) -> str:
        parts: list[str] = []
        for _ in range(self.dice.randint(1, 4)):
            roll = self.dice.random()
            if isinstance(type_, GraphQLUnionType) or (roll < 0.3 and isinstance(type_, GraphQLInterfaceType)):
                condition = self._overlapping(type_)
                parts.append(f"... on {condition.name}{self._condition()} {self._selections(condition, depth)}")
            elif roll < 0.08:
                parts.append(f"...{self._condition()} {self._selections(type_, depth)}")
            elif roll < 0.16:
                parts.append(f"{self.dice.choice(['', 't: '])}__typename")
            else:
                parts.append(self._field(type_, depth))
        parts = [part for part in parts if part]
        return "{ " + " ".join(parts or ["__typename"]) + " }"

    def _overlapping(self, type_: GraphQLNamedType) -> GraphQLNamedType:
        assert isinstance(type_, GraphQLInterfaceType | GraphQLUnionType)
        possible = list(self.schema.get_possible_types(type_))
        chosen = self.dice.choice(possible)
        if self.dice.random() < 0.25 and chosen.interfaces:
            interface: GraphQLNamedType = self.dice.choice(chosen.interfaces)
            return interface
        return chosen

    def _field(self, type_: GraphQLNamedType, depth: int) -> str:
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        names = sorted(type_.fields)
        if depth <= 0:
            names = [name for name in names if not _has_fields(type_.fields[name].type)]
            if not names:
                return "__typename"
        name = self.dice.choice(names)
        definition = type_.fields[name]
        # An alias may well be another field's name.
        alias = ""
        if self.dice.random() < self.alias_chance:
            alias = self.dice.choice(["x: ", "y: ", f"{self.dice.choice(names)}: "])
        arguments = []
        for key, argument in definition.args.items():
            if isinstance(argument.type, GraphQLNonNull) or self.dice.random() < 0.6:
                arguments.append(f"{key}: {self._value(argument.type)}")
        given = f"({', '.join(arguments)})" if arguments else ""
        text = f"{alias}{name}{given}{self._condition()}"
        returned = get_named_type(definition.type)
        return f"{text} {self._selections(returned, depth - 1)}" if _has_fields(returned) else text

    def _condition(self) -> str:
        if self.dice.random() > 0.15:
            return ""
        directive = self.dice.choice(["skip", "include"])
        if self.dice.random() < 0.2:
            return f" @{directive}(if: {self.dice.choice(['true', 'false'])})"
        name = self.dice.choice(["p", "q"])
        self.variables.setdefault(name, ("Boolean!", self.dice.random() < 0.5))
        return f" @{directive}(if: ${name})"

    def _value(self, type_: GraphQLInputType) -> str:
        value = self._plain(type_)
        if self.dice.random() < 0.4:
            name = f"v{len(self.variables)}"
            self.variables[name] = (str(type_), value)
            return f"${name}"
        return _literal(value, type_)

    def _plain(self, type_: GraphQLInputType) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return self._plain(type_.of_type)
        if isinstance(type_, GraphQLList):
            return [self._plain(type_.of_type) for _ in range(self.dice.randint(0, 2))]
        if isinstance(type_, GraphQLEnumType):
            return self.dice.choice(sorted(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            return {name: self._plain(one.type) for name, one in sorted(type_.fields.items())}
        match type_.name:
            case "Int":
                return self.dice.randint(0, 9)
            case "Float":
                return self.dice.randint(0, 9) + 0.25
            case "Boolean":
                return self.dice.random() < 0.5
            case _:
                return self.dice.choice(["a", "b"])


def _literal(value: Any, type_: GraphQLInputType) -> str:
    if isinstance(type_, GraphQLNonNull):
        return _literal(value, type_.of_type)
    if isinstance(type_, GraphQLList):
        return "[" + ", ".join(_literal(one, type_.of_type) for one in value) + "]"
    if isinstance(type_, GraphQLInputObjectType):
        return "{" + ", ".join(f"{key}: {_literal(one, type_.fields[key].type)}" for key, one in value.items()) + "}"
    return str(value) if isinstance(type_, GraphQLEnumType) else json.dumps(value)


def _has_fields(type_: object) -> bool:
    return isinstance(get_named_type(type_), GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)  # type: ignore[call-overload]
