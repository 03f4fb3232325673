"""`pasar import products`: the catalogue from a file."""

from pathlib import Path
from typing import Annotated

import typer

from pasar.cli.options import DataOption
from pasar.importing.product_format import ProductFormat

# More refusals are counted, and written to --refused FILE
MAX_SHOWN = 20


def products(
    file: Annotated[Path, typer.Argument(help="The products: .csv or .jsonl.", show_default=False)],
    format_: Annotated[ProductFormat, typer.Option("--format", help="How products are written.")] = ProductFormat.AUTO,
    currency: Annotated[
        str | None,
        typer.Option("--currency", help="Of prices that name none.  [default: the store's]", show_default=False),
    ] = None,
    refused: Annotated[
        Path | None,
        typer.Option("--refused", metavar="FILE", help="Write refused lines and their reasons there, as CSV."),
    ] = None,
    data: DataOption = None,
) -> None:
    """Add products, or change those that have the same sku. Each line is written as a whole, or refused.

    Importing a file again changes nothing. Exit code 0: every line is in the store; 1: some were refused.
    """
    import csv
    import sys
    from contextlib import ExitStack

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from core.money import CURRENCY_EXPONENTS
    from pasar.configuration import ConfigurationInvalid, read_settings
    from pasar.database import open_mongodb
    from pasar.importing.product_file import ProductFileUnusable, RefusedProduct, format_of, read_rows
    from pasar.importing.products import ImportedProducts, import_products
    from pasar.keys import complete_settings
    from pasar.logs import configure_logs
    from pasar.running import run_async
    from pasar.store import open_store

    settings = read_settings(data=data)
    configure_logs(settings.environment)
    chosen_currency = currency or settings.currency
    if chosen_currency not in CURRENCY_EXPONENTS:
        raise ConfigurationInvalid(f"--currency: {chosen_currency} is not one of {', '.join(CURRENCY_EXPONENTS)}")
    chosen = format_of(file.name, format_)
    settings = complete_settings(settings)
    with ExitStack() as open_files:
        try:
            text = open_files.enter_context(file.open(encoding="utf-8-sig", errors="surrogateescape", newline=""))
            total = sum(1 for _ in text) - (chosen is ProductFormat.CSV)
            text.seek(0)
            if refused is not None:
                refusals = csv.writer(open_files.enter_context(refused.open("w", encoding="utf-8", newline="")))
                refusals.writerow(["line", "sku", "code", "reason"])
        except OSError as error:
            raise ProductFileUnusable(f"{error.filename} cannot be opened: {error.strerror}") from None
        shown = 0

        def note_refusal(row: RefusedProduct) -> None:
            nonlocal shown
            shown += 1
            if refused is not None:
                refusals.writerow([row.line, row.sku, row.code, row.reason])
            if shown <= MAX_SHOWN:
                print(f"line {row.line} [{row.code}] {row.reason}", file=sys.stderr)

        async def run(uri: str) -> ImportedProducts:
            async with open_store(settings, uri) as store:
                await store.start()
                try:
                    return await import_products(
                        store,
                        read_rows(text, chosen, chosen_currency),
                        on_refused=note_refusal,
                        on_progress=lambda lines: progress.update(bar, completed=lines),
                    )
                finally:
                    await store.stop()

        columns = (TextColumn("products"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("products", total=max(total, 0))
            with open_mongodb(settings, share=True) as mongodb:
                result = run_async(run(mongodb.uri))
    if result.refused > MAX_SHOWN:
        print(f"... and {result.refused - MAX_SHOWN} more; --refused FILE has them all", file=sys.stderr)
    print(f"{result.created} created, {result.updated} updated, {result.unchanged} unchanged, {result.refused} refused")
    if result.refused:
        raise typer.Exit(1)
