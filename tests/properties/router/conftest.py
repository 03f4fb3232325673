"""Nightly tests run only when they are asked for."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the nightly tests of this folder out unless they are asked for with -m."""
    if config.option.markexpr:
        return
    here = Path(__file__).parent
    nightly = [item for item in items if item.path.parent == here and item.get_closest_marker("nightly")]
    if nightly:
        config.hook.pytest_deselected(items=nightly)
        items[:] = [item for item in items if item not in nightly]
