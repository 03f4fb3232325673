"""The client's variables, made to fit the API schema before any subgraph is asked."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, get_variable_values

from router.executor.prepared import PreparedOperation

#: Reporting stops here: a client with so many wrong values has one cause to mend, not fifty.
MAX_VARIABLE_ERRORS = 20


class BadVariables(Exception):
    """The variables do not fit the operation; *errors* are formatted for the client."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(errors)} bad variables")
        self.errors = errors


def coerce_variables(prepared: PreparedOperation, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the operation's variables, defaults filled in; a variable without a value is left out.

    https://spec.graphql.org/draft/#CoerceVariableValues()

    Raises:
        BadVariables: a value is missing or does not fit, or a condition is null.
    """
    if not prepared.variable_definitions:
        return {}
    values = get_variable_values(
        prepared.api_schema,
        prepared.variable_definitions,
        dict(variables),
        max_errors=MAX_VARIABLE_ERRORS,
    )
    if isinstance(values, list):
        raise BadVariables([_format_variable_error(error) for error in values])
    for name in prepared.conditions:
        # a Boolean with a default may be set to null by the client, but nothing can be decided by null
        if values.coerced.get(name, False) is None:
            raise BadVariables([_bad_user_input(f"Variable '${name}' decides a condition and must not be null.")])
    return values.coerced


def _format_variable_error(error: GraphQLError) -> dict[str, Any]:
    formatted = _bad_user_input(error.message)
    if error.locations:
        formatted["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    return formatted


def _bad_user_input(message: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": "BAD_USER_INPUT"}}
