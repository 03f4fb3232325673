"""A seeded store in both of its modes, started once for all tests that only add to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testkit.running import RunningStore, pasar, running_store

MODES = {"up": (), "split": ("--split",)}


@pytest.fixture(scope="package", params=list(MODES))
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    data: Path = tmp_path_factory.mktemp(f"store-{request.param}")
    seeded = pasar("seed", "--data", str(data), "--orders", "400")
    assert seeded.returncode == 0, seeded.stderr
    with running_store(data, *MODES[request.param]) as running:
        yield running
