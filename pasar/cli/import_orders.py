"""`pasar import orders`: a real order history from a file."""

from pathlib import Path
from typing import Annotated

import typer

from pasar.cli.options import DataOption
from pasar.importing.order_file import Delimiter

app = typer.Typer(no_args_is_help=True, help="Bring data of another system into the store.")

# More refusals are counted, and written to --refused FILE
MAX_SHOWN = 20


@app.callback()
def _group() -> None:
    # With a callback, `pasar import orders` stays two words although it is the only one of its group
    return None


@app.command("orders")
def orders(
    file: Annotated[Path, typer.Argument(help="The history: CSV, or columns separated by blanks.", show_default=False)],
    customer: Annotated[
        str, typer.Option("--customer", help="Column of the customer: its header, or a number from 1.")
    ] = "customer",
    date: Annotated[str, typer.Option("--date", help="Column of the day or moment.")] = "date",
    quantity: Annotated[str, typer.Option("--quantity", help="Column of the number of pieces.")] = "quantity",
    amount: Annotated[str, typer.Option("--amount", help="Column of what was paid for all pieces.")] = "amount",
    product: Annotated[str, typer.Option("--product", help="Column of the product's name; optional.")] = "",
    order_id: Annotated[
        str,
        typer.Option("--order-id", help="Column of the other system's order number; optional, best if there is one."),
    ] = "",
    currency: Annotated[
        str | None,
        typer.Option("--currency", help="Currency of the amounts.  [default: the store's]", show_default=False),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Timezone of the days.  [default: the store's]", show_default=False)
    ] = None,
    date_format: Annotated[
        str,
        typer.Option(
            "--date-format", help="As strptime, such as %d/%m/%Y.  [default: ISO 8601 or YYYYMMDD]", show_default=False
        ),
    ] = "",
    delimiter: Annotated[Delimiter, typer.Option("--delimiter", help="What separates columns.")] = Delimiter.AUTO,
    header: Annotated[
        bool, typer.Option("--header/--no-header", help="Whether the first line names the columns.")
    ] = True,
    source: Annotated[
        str,
        typer.Option(
            "--source",
            help="Name of the history; importing it again adds only what is new.  [default: the file's name]",
            show_default=False,
        ),
    ] = "",
    refused: Annotated[
        Path | None,
        typer.Option("--refused", metavar="FILE", help="Write refused lines and their reasons there, as CSV."),
    ] = None,
    data: DataOption = None,
) -> None:
    """Import purchases as delivered orders. Lines that are none are listed with their reason; the rest is imported.

    Exit code 0: every line is in the store; 1: some were refused.
    """
    import csv
    import sys
    from collections.abc import Callable
    from contextlib import ExitStack
    from hashlib import blake2b
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from core.clock import SystemClock
    from core.money import CURRENCY_EXPONENTS
    from pasar.cli.filling import shown_progress
    from pasar.configuration import ConfigurationInvalid, read_settings
    from pasar.database import open_for_load, open_mongodb
    from pasar.importing.load import load_orders
    from pasar.importing.order_file import Columns, FileFormat, OrderFileUnusable, RefusedRow
    from pasar.importing.run import Imported, import_orders
    from pasar.keys import complete_settings
    from pasar.logs import configure_logs
    from pasar.running import run_async
    from pasar.store import open_store

    settings = read_settings(data=data)
    configure_logs(settings.environment)
    chosen_currency = currency or settings.currency
    if chosen_currency not in CURRENCY_EXPONENTS:
        raise ConfigurationInvalid(f"--currency: {chosen_currency} is not one of {', '.join(CURRENCY_EXPONENTS)}")
    try:
        zone = ZoneInfo(timezone or settings.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationInvalid(f"--timezone: there is no timezone {timezone or settings.timezone}") from None
    format_ = FileFormat(
        Columns(customer, date, quantity, amount, product, order_id),
        chosen_currency,
        zone,
        delimiter,
        header,
        date_format,
    )
    settings = complete_settings(settings)
    source = source or file.stem
    with ExitStack() as open_files:
        digest = blake2b(repr((source, format_)).encode("utf-8", "surrogateescape"), digest_size=16)
        total = -int(header)
        try:
            for line in open_files.enter_context(file.open("rb")):
                digest.update(line)
                total += 1
            text = open_files.enter_context(file.open(encoding="utf-8-sig", errors="surrogateescape", newline=""))
            if refused is not None:
                refusals = csv.writer(open_files.enter_context(refused.open("w", encoding="utf-8", newline="")))
                refusals.writerow(["line", "reason"])
        except OSError as error:
            raise OrderFileUnusable(f"{error.filename} cannot be opened: {error.strerror}") from None
        total = max(total, 0)
        shown = 0

        def note_refusal(row: RefusedRow) -> None:
            nonlocal shown
            shown += 1
            if refused is not None:
                refusals.writerow([row.line, row.reason])
            if shown <= MAX_SHOWN:
                print(f"line {row.line}: {row.reason}", file=sys.stderr)

        async def load(uri: str, report: Callable[[str, int, int], None]) -> Imported | None:
            return await load_orders(
                uri,
                settings.database_prefix,
                text,
                format_,
                key=f"pasar import {digest.hexdigest()}",
                command=f"pasar import orders {file}",
                source=source,
                now=SystemClock().now(),
                line_count=total,
                on_refused=note_refusal,
                report=report,
            )

        async def run(uri: str, report: Callable[[str, int, int], None]) -> Imported:
            async with open_store(settings, uri) as store:
                await store.start()
                try:
                    return await import_orders(
                        store,
                        text,
                        format_,
                        source=source,
                        now=SystemClock().now(),
                        on_refused=note_refusal,
                        on_progress=lambda lines: report("orders", lines, total),
                    )
                finally:
                    await store.stop()

        result = None
        with shown_progress() as report:
            with open_for_load(settings) as load_uri:
                if load_uri is not None:
                    result = run_async(load(load_uri, report))
            if result is None:
                text.seek(0)
                with open_mongodb(settings, share=True) as mongodb:
                    result = run_async(run(mongodb.uri, report))
    if result.refused > MAX_SHOWN:
        print(f"... and {result.refused - MAX_SHOWN} more; --refused FILE has them all", file=sys.stderr)
    print(f"{result.imported} imported, {result.already_there} already there, {result.refused} refused")
    if result.first_at is not None and result.last_at is not None:
        print(
            f"purchases from {result.first_at.astimezone(zone):%Y-%m-%d} to {result.last_at.astimezone(zone):%Y-%m-%d}"
        )
    if result.refused:
        raise typer.Exit(1)
