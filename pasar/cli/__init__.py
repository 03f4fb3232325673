"""The command `pasar`: one file per command, each importing what it needs only when it runs."""

import sys

import typer

from core.errors import PasarError
from pasar.cli.check import check as run_check
from pasar.cli.compose import compose as run_compose
from pasar.cli.db import app as db_app
from pasar.cli.doctor import doctor as run_doctor
from pasar.cli.explain import explain as run_explain
from pasar.cli.export_products import app as export_app
from pasar.cli.import_orders import app as import_app
from pasar.cli.import_products import products as import_products
from pasar.cli.inventory import app as inventory_app
from pasar.cli.keys import app as keys_app
from pasar.cli.plan import plan as run_plan
from pasar.cli.router import router as run_router
from pasar.cli.sandbox import sandbox as run_sandbox
from pasar.cli.schema import app as schema_app
from pasar.cli.seed import seed as run_seed
from pasar.cli.subgraph import subgraph as run_subgraph
from pasar.cli.token import token as run_token
from pasar.cli.up import up as run_up
from pasar.cli.worker import worker as run_worker

# Beside 0, and 2 for a command line that is not understood
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def report_error(error: PasarError) -> None:
    """Say what went wrong on standard error."""
    style = ("\033[31m", "\033[0m") if sys.stderr.isatty() else ("", "")
    print(f"{style[0]}error [{error.code}]{style[1]} {error.message}", file=sys.stderr)


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A store's backend behind one GraphQL endpoint, and the federation router that serves it.",
    epilog="Every setting is an environment variable PASAR_...; see docs/settings.md.",
)
app.command("up")(run_up)
app.command("seed")(run_seed)
import_app.command("products")(import_products)
app.add_typer(import_app, name="import")
app.add_typer(export_app, name="export")
app.add_typer(db_app, name="db")
app.command("token")(run_token)
app.add_typer(keys_app, name="keys")
app.add_typer(inventory_app, name="inventory")
app.command("doctor")(run_doctor)
app.command("compose")(run_compose)
app.command("check")(run_check)
app.command("explain")(run_explain)
app.command("plan")(run_plan)
app.command("router")(run_router)
app.command("subgraph")(run_subgraph)
app.command("worker")(run_worker)
app.command("sandbox")(run_sandbox)
app.add_typer(schema_app, name="schema")


def main() -> None:
    """Run the command line; an error of ours is one line with its code."""
    try:
        app()
    except PasarError as error:
        report_error(error)
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
