"""Filling a store with demonstration data, shown as it goes."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from core.settings import Settings
from pasar.running import run_async
from pasar.seed.fill import Filled, Plan, fill_store
from pasar.seed.people import PASSWORD
from pasar.store import open_store


def fill_with_progress(settings: Settings, mongodb_uri: str, plan: Plan) -> Filled:
    """Write what *plan* says, with progress bars on standard error; raise StoreNotEmpty."""
    console = Console(stderr=True)
    with Progress(TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), console=console) as progress:
        bars = {name: progress.add_task(name, total=None) for name in ("orders", "products", "users")}

        def report(what: str, written: int, total: int) -> None:
            progress.update(bars[what], completed=written, total=total)

        async def fill() -> Filled:
            async with open_store(settings, mongodb_uri) as store:
                await store.start()
                try:
                    return await fill_store(store, plan, report=report)
                finally:
                    await store.stop()

        return run_async(fill())


def describe_filled(filled: Filled) -> str:
    """Return what was written, and who can log in."""
    accounts = "\n".join(f"  {person.email:24} {', '.join(person.roles)}" for person in filled.people)
    return (
        f"{filled.products} products in {filled.categories} categories, {filled.users} users,"
        f" {filled.orders} orders; sales of {filled.sales}\n"
        f"Log in with the password {PASSWORD} as:\n{accounts}"
    )
