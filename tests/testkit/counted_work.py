"""Count work instead of taking time: a machine's mood does not change how many lines are executed."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parent.parent.parent


def count_lines(work: Callable[[], object], folder: str) -> int:
    """Return how many lines of *folder*'s code run during *work*; each round of a loop or comprehension counts."""
    place = str(ROOT / folder)
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        return trace_line if frame.f_code.co_filename.startswith(place) else None

    def trace_line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace_line

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
