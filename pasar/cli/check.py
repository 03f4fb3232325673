"""`pasar check`: what a new schema means for the clients of the old one."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pasar.cli.options import DiagnosticFormat

# As diff(1) has it: 1 is an answer, 2 is that there is none
EXIT_BREAKS = 1
EXIT_NOT_CHECKED = 2


class FailOn(StrEnum):
    """From which change on the exit code is 1."""

    DANGEROUS = "dangerous"
    BREAKING = "breaking"
    NONE = "none"


def check(
    schemas: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="OLD NEW",
            help="Two files of API schema SDL or supergraph SDL. With --against, NEW alone; or none: the store's own.",
            show_default=False,
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE|FOLDER",
            help="The old schema: a file, or a folder with api.graphql or supergraph.graphql, such as schema/sdl.",
        ),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="From which change on the exit code is 1.")
    ] = FailOn.BREAKING,
    format_: Annotated[
        DiagnosticFormat, typer.Option("--format", help="How changes, and on standard error problems, are written.")
    ] = DiagnosticFormat.TEXT,
) -> None:
    """Compare the schemas that clients see: breaking, dangerous and safe changes.

    Exit code 0 when clients are safe, 1 when they are not (see --fail-on), 2 when a schema cannot be read.
    """
    from graphql import GraphQLSchema

    from pasar.cli.writing import write_findings
    from pasar.problems import SourceProblem, SourceUnusable, to_json
    from pasar.schema_check import Impact, find_changes, has_worse_than
    from pasar.schema_files import read_schema, read_schema_file
    from pasar.schema_report import format_changes, summarise_changes

    given = schemas or []
    if against is None and len(given) != 2:
        raise typer.BadParameter("give two schemas, OLD and NEW, or --against")
    if against is not None and len(given) > 1:
        raise typer.BadParameter("--against is the old schema: give at most one more, the NEW")
    files = [against, *given] if against is not None else given
    problems: list[SourceProblem] = []
    read: list[GraphQLSchema] = []
    for file in files:
        try:
            read.append(read_schema_file(file))
        except SourceUnusable as unusable:
            problems += unusable.problems
    if problems:
        write_findings(problems, format_)
        raise typer.Exit(EXIT_NOT_CHECKED)
    if len(read) == 1:
        from pasar.composing import compose_schemas, own_schemas

        read.append(read_schema(compose_schemas(own_schemas()).api_sdl, "the store's own schema"))
    old, new = read
    changes = find_changes(old, new)
    allowed = Impact.SAFE if fail_on is FailOn.DANGEROUS else Impact.DANGEROUS
    failed = fail_on is not FailOn.NONE and has_worse_than(allowed, changes)
    if format_ is DiagnosticFormat.JSON:
        print(to_json(summarise_changes(changes, failed=failed)))
    else:
        print(format_changes(changes))
    if failed:
        raise typer.Exit(EXIT_BREAKS)
