"""`pasar compose`: subgraph schemas in, supergraph out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pasar.cli.options import DiagnosticFormat


def compose(
    subgraphs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=FILE | NAME=URL | NAME=FILE@URL]...",
            help="Subgraphs by file or by the URL of a running one; none: the store's own.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="A list of subgraphs in YAML, as rover reads it.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write; default standard output.")
    ] = None,
    api: Annotated[bool, typer.Option("--api", help="Write the schema that clients see instead.")] = False,
    format_: Annotated[
        DiagnosticFormat, typer.Option("--format", help="How errors and hints are written, on standard error.")
    ] = DiagnosticFormat.TEXT,
) -> None:
    """Compose subgraphs into standard supergraph SDL, or say why they do not fit together (exit code 1).

    `pasar explain CODE` tells more about a code. Hints change nothing about the result.
    """
    from pasar.cli.writing import write_findings
    from pasar.problems import SourceProblem, SourceUnusable
    from pasar.running import run_async
    from pasar.subgraph_sources import parse_sources, read_schemas, read_source_list
    from router.composition import compose as compose_schemas

    files: dict[str, str] = {}
    try:
        sources = parse_sources(subgraphs or ())
        if config is not None:
            sources += read_source_list(config)
        names = [source.name for source in sources]
        # Of two subgraphs with one name nobody knows whose place is meant
        files = {
            source.name: source.location for source in sources if not source.is_url and names.count(source.name) == 1
        }
        if sources:
            schemas = run_async(read_schemas(sources))
        else:
            from pasar.composing import own_schemas

            schemas = own_schemas()
        with _without_garbage_collection():
            result = compose_schemas(schemas)
        text = result.api_sdl if api else result.supergraph_sdl
        if text is not None and output is not None:
            try:
                output.write_text(text, "utf-8")
            except OSError as error:
                message = f"{output} cannot be written: {error.strerror}"
                raise SourceUnusable(SourceProblem("OUTPUT_NOT_WRITTEN", message, str(output))) from None
    except SourceUnusable as unusable:
        write_findings(unusable.problems, format_)
        raise typer.Exit(1) from None
    write_findings(result.errors + result.hints, format_, files)
    if text is None:
        raise typer.Exit(1)
    if output is None:
        # SDL is UTF-8 whatever the terminal speaks
        typer.echo(text.encode(), nl=False)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    # Composition makes millions of nodes that live until its end. Looking for garbage among them, again and again, took
    # more than half of the time for 10 MB of SDL (43 s against 19 s, with the same peak of memory).
    import gc

    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
