"""The commonest passwords, which every attacker tries first.

Two parts, for neither is enough alone. `common_passwords.txt` holds passwords of eight characters and more that top the
lists of every leak. `_STEMS` holds shorter words. People who are refused one of either decorate it with a year, a few
digits or a `!`: these variants are millions, and the same word is behind all of them. Runs on the keyboard, repetitions
and dates are found by rule, not by list.

Nothing else is asked of a password: NIST SP 800-63B (5.1.1.2) wants length and a list, and no rules on kinds of
characters, because people answer those with `Password1!`. Letters replaced by digits (`p4ssw0rd`) are refused only as
far as the lists hold them.
"""

import re
import string
from importlib.resources import files

_WHOLE = frozenset(files("subgraphs.user").joinpath("common_passwords.txt").read_text("utf-8").split())

# Words that stand alone in the lists, or before a year, some digits or a `!`
_STEM_TEXT = """
    abc abcd abcde admin administrator adminpasar akses angel anjing april august autumn baby bandung bangsat batman
    bismillah bola buyer cantik changeme cinta company customer december default demo doraemon dragon facebook february
    football freedom friday ganteng google guest hello helloworld iloveyou indonesia internet january jakarta jesus july
    june katasandi kucing letmein login love march master mei merdeka michael minecraft monday monkey mypass mypassword
    naruto november oktober october office online owner pass passw0rd passwd password passwords pasar pasarku pasarbaru
    pokemon princess public qazwsx qwer qwert qwerty qwertz rahasia ramadan root sales sandi saturday sayang secret
    seller september server shadow shop shopping soccer spring staff starwars store storepass summer sunday sunshine
    superadmin superman support surabaya sysadmin system temp test tester testing thursday toko tokoku trustno tuesday
    user wednesday welcome winter work
"""
_STEMS = frozenset(_STEM_TEXT.split())

# Read in both directions, and round the end: 78901234 goes on as it began
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop[]",
    "qwertzuiop",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "azertyuiop",
    "!@#$%^&*()_+",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "q1w2e3r4t5y6u7i8o9p0",
    "1q2w3e4r5t6y7u8i9o0p",
)

_DIGITS_AND_SIGNS = f"{string.digits}{string.punctuation} "
# A year or up to six digits, and what people put before and after when a form wants a special character
_DECORATION = re.compile(r"[\W_]{0,2}[0-9]{0,6}[\W_]{0,3}")
_REPEATED = re.compile(r"(.{1,4}?)\1+.?", re.DOTALL)
_YEAR = r"(?:19[0-9]{2}|20[0-9]{2})"
_DAY, _MONTH = r"(?:0[1-9]|[12][0-9]|3[01])", r"(?:0[1-9]|1[0-2])"
_DATE = re.compile(
    rf"{_DAY}[-./ ]?{_MONTH}[-./ ]?{_YEAR}|{_MONTH}[-./ ]?{_DAY}[-./ ]?{_YEAR}|{_YEAR}[-./ ]?{_MONTH}[-./ ]?{_DAY}"
)


def is_common(password: str) -> bool:
    """Tell whether *password* is among the first that an attacker tries, or one of them with the usual decoration."""
    folded = password.casefold()
    if folded in _WHOLE or _REPEATED.fullmatch(folded) or _DATE.fullmatch(folded) or _is_run(folded):
        return True
    # A word is what is left without the digits and signs at both ends
    word = folded.strip(_DIGITS_AND_SIGNS)
    return (word in _STEMS or word in _WHOLE) and _is_decoration(*folded.split(word, 1))


def _is_run(folded: str) -> bool:
    return any(folded in row or folded in row[::-1] for row in _ROWS)


def _is_decoration(before: str, after: str) -> bool:
    return _DECORATION.fullmatch(before) is not None and _DECORATION.fullmatch(after) is not None
