"""`pasar plan`: how the router would answer an operation."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class PlanFormat(StrEnum):
    """How a plan is shown."""

    TEXT = "text"
    JSON = "json"
    SVG = "svg"


def plan(
    query: Annotated[
        str,
        typer.Argument(metavar="QUERY", help="The operation: a file, `-` for standard input, or the document itself."),
    ],
    supergraph: Annotated[
        Path | None,
        typer.Option("--supergraph", metavar="FILE", help="Supergraph SDL; none: the store's own.", show_default=False),
    ] = None,
    operation: Annotated[
        str | None, typer.Option("--operation", metavar="NAME", help="Which of the document's operations.")
    ] = None,
    format_: Annotated[
        PlanFormat,
        typer.Option("--format", help="Every stage as text, the plan as JSON (docs/plan.md), or a picture of it."),
    ] = PlanFormat.TEXT,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="LABEL", help="A label of a progressive @override that is active; repeatable."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write; default standard output.")
    ] = None,
) -> None:
    """Show which requests to which subgraphs answer an operation, and on what each waits. Asks no subgraph."""
    import sys

    from pasar.planning.question import PlanRefused, read_question
    from pasar.planning.showing import show_as_json, show_as_svg, show_as_text

    question = read_question(query, supergraph, operation, label or ())
    match format_:
        case PlanFormat.TEXT:
            text = show_as_text(question)
        case PlanFormat.JSON:
            text = show_as_json(question)
        case PlanFormat.SVG:
            text = show_as_svg(question)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise PlanRefused("OUTPUT_NOT_WRITTEN", f"{output} cannot be written: {error.strerror}") from None
