"""Reading what a subgraph answered into a SubgraphResponse."""

from collections.abc import Mapping
from typing import Any

from router.transports.base import MalformedResponse, SubgraphResponse


def read_response(answer: Any) -> SubgraphResponse:
    """Take a decoded response map and return it as a SubgraphResponse.

    https://spec.graphql.org/draft/#sec-Response-Format

    Raises:
        MalformedResponse: it is no map, or `data`, `errors` or `extensions` has the wrong shape, or neither data nor
            errors are there.
    """
    if not isinstance(answer, Mapping):
        raise MalformedResponse(f"the response is no object but {_kind(answer)}")
    data = answer.get("data")
    if data is not None and not isinstance(data, dict):
        raise MalformedResponse(f"data is no object but {_kind(data)}")
    errors = answer.get("errors")
    if errors is None:
        errors = []
    if not isinstance(errors, list) or not all(isinstance(error, dict) for error in errors):
        raise MalformedResponse("errors is no list of objects")
    if data is None and not errors:
        raise MalformedResponse("the response has neither data nor errors")
    extensions = answer.get("extensions")
    # what is wrong with extensions does not make the data worse
    return SubgraphResponse(data, errors, extensions if isinstance(extensions, dict) else {})


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case list():
            return "a list"
        case str():
            return "text"
        case bool():
            return "a Boolean"
        case int() | float():
            return "a number"
        case dict():
            return "an object"
    return f"a {type(value).__name__}"
