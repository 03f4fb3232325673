"""Ids are readable and sort by the time at which they were made."""

import pytest

from core.ids import encode_base32, new_id


@pytest.mark.parametrize(
    ("value", "length", "text"),
    [(0, 3, "000"), (31, 1, "z"), (32, 2, "10"), (32, 3, "010"), (1023, 2, "zz"), (1024, 3, "100"), (5, 0, "")],
)
def test_base_32_has_the_most_significant_character_first(value: int, length: int, text: str) -> None:
    assert encode_base32(value, length) == text


def test_what_does_not_fit_is_left_out() -> None:
    assert encode_base32(32 * 32 + 7, 2) == "07"
    assert encode_base32((1 << 130) - 1, 25) == "z" * 25


def test_an_id_names_its_kind_and_has_26_characters() -> None:
    prefix, _, rest = new_id("ord").partition("_")
    assert (prefix, len(rest)) == ("ord", 26)
