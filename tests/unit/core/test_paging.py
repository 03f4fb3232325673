"""Cursors and page requests; the pages themselves are in tests/integration/core/test_paging.py."""

import base64
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput
from core.paging import PageRequest, decode_cursor, encode_cursor, read_page_request

milliseconds = st.integers(-62_000_000_000_000, 253_000_000_000_000).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
values = st.one_of(
    st.text(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    milliseconds,
)


@given(st.lists(values, max_size=4))
def test_a_cursor_gives_back_what_it_was_made_of(row: list[Any]) -> None:
    assert decode_cursor(encode_cursor(row)) == tuple(row)


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading_of_cursors(text: str) -> None:
    with suppress(BadUserInput):
        decode_cursor(text)


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "1",
        "[[1]]",
        '[{"ms": "soon"}]',
        '[{"ms": 1.5}]',
        '[{"ms": 999999999999999999}]',
        '[{"x": 1}]',
        "[9223372036854775808]",
        "[NaN]",
        "[",
        "",
    ],
)
def test_what_no_list_ever_gave_out_is_refused(content: str) -> None:
    cursor = base64.urlsafe_b64encode(content.encode()).decode()
    with pytest.raises(BadUserInput) as caught:
        decode_cursor(cursor, field="before")
    assert caught.value.field == "before"


def test_a_page_request_is_read_from_relays_arguments() -> None:
    cursor = encode_cursor(["a", 1])
    assert read_page_request(None, None, None, None) == PageRequest(20)
    assert read_page_request(0, None, None, None) == PageRequest(0)
    assert read_page_request(100, cursor, None, None) == PageRequest(100, cursor=("a", 1))
    assert read_page_request(None, None, 5, None) == PageRequest(5, backward=True)
    assert read_page_request(None, None, None, cursor) == PageRequest(20, backward=True, cursor=("a", 1))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((-1, None, None, None), "first"),
        ((101, None, None, None), "first"),
        ((None, None, -1, None), "last"),
        ((None, None, 101, None), "last"),
        ((1, None, 1, None), "first"),
        ((1, None, None, "x"), "first"),
        ((None, "x", None, "x"), "first"),
        ((None, "?", None, None), "after"),
        ((None, None, None, "?"), "before"),
    ],
)
def test_arguments_that_contradict_or_exceed_are_refused(arguments: tuple[Any, Any, Any, Any], field: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        read_page_request(*arguments)
    assert caught.value.field == field
