"""`pasar export products`: the catalogue as a file."""

from pathlib import Path
from typing import Annotated

import typer

from pasar.cli.options import DataOption
from pasar.importing.product_format import ProductFormat

app = typer.Typer(no_args_is_help=True, help="Take data out of the store.")


@app.callback()
def _group() -> None:
    # With a callback, `pasar export products` stays two words although it is the only one of its group
    return None


@app.command("products")
def products(
    file: Annotated[Path, typer.Argument(help="Where to: .csv or .jsonl; - is standard output.", show_default=False)],
    format_: Annotated[ProductFormat, typer.Option("--format", help="How products are written.")] = ProductFormat.AUTO,
    data: DataOption = None,
) -> None:
    """Write all products that are not deleted; `pasar import products` reads the file."""
    import sys

    from pasar.configuration import read_settings
    from pasar.database import open_mongodb
    from pasar.importing.product_file import ProductFileUnusable, format_of, render_csv, write_json
    from pasar.importing.products import export_products
    from pasar.keys import complete_settings
    from pasar.logs import configure_logs
    from pasar.running import run_async
    from pasar.store import open_store

    chosen = format_of(file.name, format_)
    settings = read_settings(data=data)
    configure_logs(settings.environment)
    settings = complete_settings(settings)

    async def run(uri: str) -> tuple[str, int]:
        async with open_store(settings, uri) as store:
            await store.start()
            try:
                rows = [row async for row in export_products(store)]
            finally:
                await store.stop()
        if chosen is ProductFormat.CSV:
            return render_csv(rows), len(rows)
        return "".join(f"{write_json(row)}\n" for row in rows), len(rows)

    with open_mongodb(settings, share=True) as mongodb:
        text, count = run_async(run(mongodb.uri))
    if str(file) == "-":
        sys.stdout.write(text)
    else:
        # Beside it first: an export that is interrupted leaves the file of before
        beside = file.with_name(f".{file.name}.part")
        try:
            beside.write_text(text, encoding="utf-8", newline="")
            beside.replace(file)
        except OSError as error:
            raise ProductFileUnusable(f"{file} cannot be written: {error.strerror}") from None
    print(f"{count} products", file=sys.stderr)
