import re

import pytest

from subgraphs.user.second_factor.codes import AppCode, Code, RecoveryCode, generate_recovery_codes, read_code


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("123456", AppCode("123456")),
        (" 123 456 ", AppCode("123456")),
        ("123-456", AppCode("123456")),
        ("000000", AppCode("000000")),
        ("abcde-fghjk", RecoveryCode("abcdefghjk")),
        ("ABCDE FGHJK", RecoveryCode("abcdefghjk")),
        ("OOIIL-23456", RecoveryCode("0011123456")),
        ("12345-67890", RecoveryCode("1234567890")),
        ("", None),
        ("12345", None),
        ("1234567", None),
        ("abcde-fghj", None),
        ("abcde_fghjk", None),
        ("\u0661\u0662\u0663\u0664\u0665\u0666", None),
        ("\ud800", None),
        ("1" * 1_000_000, None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_codes_are_read_as_people_type_them(typed: str, code: Code | None) -> None:
    assert read_code(typed) == code


def test_there_are_ten_recovery_codes_which_read_as_they_are_shown() -> None:
    codes = generate_recovery_codes()
    assert len(set(codes)) == 10
    for code in codes:
        assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}", code)
        assert read_code(code) == RecoveryCode(code.replace("-", ""))
