"""API schemas out of files: the schema itself, or the supergraph that it is part of."""

from pathlib import Path

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    Source,
    build_ast_schema,
    parse,
    validate_schema,
)
from graphql.validation.validate import validate_sdl

from pasar.problems import SourceProblem, SourceUnusable
from router.supergraph import SupergraphError, SupergraphErrorCode, read_supergraph

# What a folder of schemas is asked for, the first that is there: `pasar schema write` makes both
_IN_A_FOLDER = ("api.graphql", "supergraph.graphql")


def read_schema_file(path: Path) -> GraphQLSchema:
    """Return the schema that clients see by *path*: a file, or a folder with `api.graphql` or `supergraph.graphql`.

    Raises SourceUnusable, with file, line and column of everything that is wrong.
    """
    file = path
    if path.is_dir():
        found = next((path / name for name in _IN_A_FOLDER if (path / name).is_file()), None)
        if found is None:
            message = f"{path} is a folder without {' or '.join(_IN_A_FOLDER)}"
            raise SourceUnusable(SourceProblem("SCHEMA_UNREADABLE", message, str(path)))
        file = found
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}"
        raise SourceUnusable(SourceProblem("SCHEMA_UNREADABLE", message, str(file))) from None
    except UnicodeDecodeError as error:
        message = f"{file} is not UTF-8 (byte {error.start})"
        raise SourceUnusable(SourceProblem("SCHEMA_UNREADABLE", message, str(file))) from None
    return read_schema(text, str(file))


def read_schema(sdl: str, name: str) -> GraphQLSchema:
    """Return the schema that clients see, from API schema SDL or supergraph SDL; *name* is how problems call it.

    Raises SourceUnusable, with line and column of everything that is wrong.
    """
    try:
        document = parse(Source(sdl, name))
    except GraphQLSyntaxError as error:
        raise SourceUnusable(_problem(error, name)) from None
    try:
        return read_supergraph(sdl).api_schema
    except SupergraphError as error:
        if error.code != SupergraphErrorCode.NO_JOIN_SPEC:
            message = f"{name}: {error.message}"
            raise SourceUnusable(
                SourceProblem(error.code, message, name, line=error.line, column=error.column)
            ) from None
    return _build(document, name)


def _build(document: DocumentNode, name: str) -> GraphQLSchema:
    faults = validate_sdl(document)
    if not faults:
        try:
            schema = build_ast_schema(document, assume_valid_sdl=True)
            faults = validate_schema(schema)
        except (GraphQLError, TypeError) as error:
            faults = [error if isinstance(error, GraphQLError) else GraphQLError(str(error))]
    if faults:
        raise SourceUnusable(*(_problem(fault, name) for fault in faults))
    return schema


def _problem(error: GraphQLError, name: str) -> SourceProblem:
    place = error.locations[0] if error.locations else None
    return SourceProblem(
        "SCHEMA_INVALID",
        f"{name}: {error.message}",
        name,
        line=place.line if place else None,
        column=place.column if place else None,
    )
