"""Leaf values as subgraphs send them, made to fit the API schema: lenient where nothing is lost."""

from typing import Any

from graphql import GraphQLEnumType, GraphQLLeafType, GraphQLScalarType


class UnfitValue(Exception):
    """A value that cannot stand where it is; the message is fit for a client and holds no part of the value."""


def string_of(value: Any) -> str:
    """Return *value* as a String: text as it is, numbers and Booleans as JSON writes them."""
    match value:
        case str():
            return str.__str__(value)
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
    raise UnfitValue("String cannot represent a list or an object.")


def id_of(value: Any) -> str:
    """Return *value* as an ID: text as it is, an integer as text."""
    match value:
        case str():
            return str.__str__(value)
        case int() if not isinstance(value, bool):
            return str(value)
        case float() if value.is_integer():
            return str(int(value))
    raise UnfitValue("ID cannot represent a value that is neither text nor an integer.")


def int_of(value: Any) -> int:
    """Return *value* as an Int: also a float without a fraction, a Boolean, or the text of an integer."""
    match value:
        case int():
            return int(value)
        case float() if value.is_integer():
            return int(value)
        case str():
            try:
                return int(value)
            except ValueError:
                pass
    raise UnfitValue("Int cannot represent a non-integer value.")


def float_of(value: Any) -> float | int:
    """Return *value* as a Float: also an integer, a Boolean, or the text of a number."""
    match value:
        case bool():
            return int(value)
        case int() | float():
            return value
        case str():
            try:
                return float(value)
            except ValueError:
                pass
    raise UnfitValue("Float cannot represent a non-numeric value.")


def boolean_of(value: Any) -> bool:
    """Return *value* as a Boolean: also a number, which is true unless it is 0."""
    match value:
        case bool():
            return value
        case int() | float():
            return value != 0
    raise UnfitValue("Boolean cannot represent a non-boolean value.")


def coerce_leaf(type_: GraphQLLeafType, value: Any) -> Any:
    """Return *value* as one of *type_*, which is not null; raise UnfitValue where it is none.

    An enum value that the API schema does not show is unfit; its name is not repeated in the message. A custom scalar
    is whatever the subgraph says.
    """
    match type_:
        case GraphQLEnumType():
            if isinstance(value, str) and value in type_.values:
                return str.__str__(value)
            raise UnfitValue(f"Enum '{type_.name}' cannot represent a value that the schema does not have.")
        case GraphQLScalarType(name="String"):
            return string_of(value)
        case GraphQLScalarType(name="ID"):
            return id_of(value)
        case GraphQLScalarType(name="Int"):
            return int_of(value)
        case GraphQLScalarType(name="Float"):
            return float_of(value)
        case GraphQLScalarType(name="Boolean"):
            return boolean_of(value)
    return value
