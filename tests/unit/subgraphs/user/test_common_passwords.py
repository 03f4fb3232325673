from importlib.resources import files

import pytest

from subgraphs.user.common_passwords import is_common
from subgraphs.user.model import MIN_PASSWORD_LENGTH


@pytest.mark.parametrize(
    "password",
    [
        *("trustno1", "princess", "Liverpool", "ILOVEYOU", "1qaz2wsx", "p@ssw0rd", "sayangkamu"),
        *("Password1", "password2026", "Password123!", "!password!", "Pasar2026", "pasar_2026!", "Welcome!!!"),
        *("Liverpool1892", "katasandi99", "2026password", "admin@2026", "Summer25!"),
        *("aaaaaaaa", "abababab", "abcabcabc", "12341234", "xyxyxyxyx", " " * 12, "é" * 40),
        *("12345678", "87654321", "90123456", "qwertyuiop", "poiuytrewq", "asdfghjkl", "zxcvbnm,.", "abcdefgh"),
        *("1q2w3e4r5t", "q1w2e3r4"),
        *("01011990", "19900101", "12311990", "31-12-1999", "2001/02/28"),
    ],
)  # fmt: skip
def test_what_everybody_tries_first_is_common(password: str) -> None:
    assert is_common(password)
    assert is_common(password.upper())


@pytest.mark.parametrize(
    "password",
    [
        *("correct horse battery", "korrekte-pferde-batterie", "rahasia-pasar", "something else", "caf\u00e9 au lait"),
        *("tr0ub4dor&3", "pasar-2026-secret", "qwerty keyboards", "passwordless entry", "admin of pasar"),
        *("Jl. Melati 7", "99001199", "13131990x", "qwertasdfg", "my1stHouse!"),
    ],
)  # fmt: skip
def test_a_password_of_ones_own_is_not(password: str) -> None:
    assert not is_common(password)


@pytest.mark.parametrize(
    ("password", "common"),
    [("ab" * 127 + "xy", False), ("0" * 255 + "x", True), ("(" * 256, True), ("abc!" * 63 + "1234", False)],
)
def test_the_longest_password_is_judged_too(password: str, common: bool) -> None:
    assert is_common(password) is common


def test_the_list_is_sorted_folded_and_holds_what_the_rules_do_not_find() -> None:
    words = files("subgraphs.user").joinpath("common_passwords.txt").read_text("utf-8").splitlines()
    assert len(words) > 700
    assert words == sorted(set(words))
    assert all(word == word.casefold() and len(word) >= MIN_PASSWORD_LENGTH for word in words)
    assert all(map(is_common, words))
