"""Filling a store with demonstration data, shown as it goes."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from core.settings import Settings
from pasar.running import run_async
from pasar.seed.fill import Report, fill_store
from pasar.seed.load import load_store
from pasar.seed.people import PASSWORD
from pasar.seed.plan import Filled, Plan
from pasar.store import open_store


class _RateColumn(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """Return the speed since the bar began to move."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "")


@contextmanager
def shown_progress() -> Iterator[Report]:
    """Yield a function that shows how far things are, in bars on standard error."""
    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), _RateColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars: dict[str, TaskID] = {}

        def report(what: str, written: int, total: int) -> None:
            if what not in bars:
                # What an interrupted run has written is not of this one's speed
                bars[what] = progress.add_task(what, total=total, completed=written)
            progress.update(bars[what], completed=written, total=total)

        yield report


def fill_with_progress(settings: Settings, mongodb_uri: str, plan: Plan) -> Filled:
    """Write what *plan* says into a store that may be in use; raise StoreNotEmpty."""
    with shown_progress() as report:

        async def fill() -> Filled:
            async with open_store(settings, mongodb_uri) as store:
                await store.start()
                try:
                    return await fill_store(store, plan, report=report)
                finally:
                    await store.stop()

        return run_async(fill())


def load_with_progress(settings: Settings, mongodb_uri: str, plan: Plan, *, is_until_chosen: bool) -> Filled | None:
    """Write what *plan* says into a mongod of ours alone, as load_store does."""
    with shown_progress() as report:
        return run_async(
            load_store(mongodb_uri, settings.database_prefix, plan, is_until_chosen=is_until_chosen, report=report)
        )


def describe_filled(filled: Filled) -> str:
    """Return what was written, and who can log in."""
    accounts = "\n".join(f"  {person.email:24} {', '.join(person.roles)}" for person in filled.people)
    return (
        f"{filled.products} products in {filled.categories} categories, {filled.users} users,"
        f" {filled.orders} orders; sales of {filled.sales}\n"
        f"Log in with the password {PASSWORD} as:\n{accounts}"
    )
