import json
from math import nan
from pathlib import Path

import pytest

from benchmarks.report import Result, publish


def test_results_are_printed_and_written_also_without_a_peer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish([Result("plan", 3.0, 6.0, "ms"), Result("read", 3.0, nan, "ms")], tmp_path / "new" / "results.json")
    assert capsys.readouterr().out.splitlines() == [
        "",
        "plan: ours 3 ms, baseline 6 ms, ratio 0.50",
        "read: ours 3 ms, baseline nan ms, ratio nan",
    ]
    assert json.loads((tmp_path / "new" / "results.json").read_text()) == [
        {"name": "plan", "ours": 3.0, "baseline": 6.0, "unit": "ms", "ratio": 0.5},
        {"name": "read", "ours": 3.0, "baseline": None, "unit": "ms", "ratio": None},
    ]
