"""One way to build a subgraph's schema, so that scalars, caches and problems are the same in all of them."""

import inspect
from collections.abc import Iterable
from typing import Any

import strawberry
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.federation import Schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from schema.problems import PROBLEM_HANDLERS
from schema.scalars import SCALARS

# The router sends few distinct documents; without these caches a subgraph parses and validates longer than it executes
CACHED_DOCUMENTS = 1000


class _Schema(Schema):
    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        """Leave errors to core.subgraph, which logs the unexpected ones once and with their request id."""

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """Describe a field by the first paragraph of its resolver's docstring, unless it is described already."""
        fields = super().get_fields(type_definition)
        for field in fields:
            if field.description is None and field.base_resolver is not None:
                docstring = inspect.getdoc(field.base_resolver.wrapped_func) or ""
                field.description = " ".join(docstring.split("\n\n")[0].split()) or None
        return fields


def build_schema(
    query: type,
    mutation: type | None = None,
    *,
    subscription: type | None = None,
    types: Iterable[type] = (),
    exception_handlers: Iterable[strawberry.ExceptionHandler[Any]] = (),
) -> Schema:
    """Return a Federation 2 schema; *exception_handlers* turn this subgraph's own errors into its own problems."""
    return _Schema(
        query=query,
        mutation=mutation,
        subscription=subscription,
        types=types,
        extensions=[lambda: ParserCache(maxsize=CACHED_DOCUMENTS), lambda: ValidationCache(maxsize=CACHED_DOCUMENTS)],
        exception_handlers=[*exception_handlers, *PROBLEM_HANDLERS],
        config=StrawberryConfig(scalar_map=SCALARS),
    )
