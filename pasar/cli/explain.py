"""`pasar explain`: what a code means."""

from typing import Annotated

import typer


def explain(
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="A code; none: a list of all.", show_default=False)
    ] = None,
) -> None:
    """Say what an error or hint of `compose` and `check` means, with an example and the remedy.

    A code that does not exist ends with exit code 1 and the codes that may have been meant.
    """
    from pasar.explaining import explain as find_entry
    from pasar.explaining import explainable_codes, format_list
    from router.composition.registry.page import render_entry

    if code is None:
        print(format_list(explainable_codes()))
        return
    print(render_entry(find_entry(code)), end="")
