"""What a test needs beside Python, such as Node: its absence skips the test, except in CI, where it must be there."""

import os
from typing import NoReturn

import pytest


def do_without(reason: str) -> NoReturn:
    """Skip the running test with *reason*; in CI, fail it."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
