"""Every code that a tool may show, and those that somebody may have meant."""

from difflib import get_close_matches

from core.errors import PasarError
from pasar.tool_codes import TOOL_CODES, find_tool_code
from router.composition import ErrorCode, Severity, all_codes, find_code

MAX_SUGGESTIONS = 5
# Of difflib's 0 to 1: two letters may be swapped in a short word, and KEY is not taken for ANY
SIMILARITY = 0.75


class UnknownCode(PasarError):
    """No tool shows this code; the message names those that are spelled nearly so."""

    code = "UNKNOWN_CODE"


def explainable_codes() -> tuple[ErrorCode, ...]:
    """Return the codes of composition and of the tools, sorted by code."""
    return tuple(sorted((*all_codes(), *TOOL_CODES), key=lambda entry: entry.code))


def explain(text: str) -> ErrorCode:
    """Return the entry of a code, however its case and its gaps are written; raise UnknownCode."""
    code = _normalise(text)
    entry = find_code(code) or find_tool_code(code)
    if entry is None:
        near = suggest_codes(text)
        also = f"; did you mean {', '.join(near)}?" if near else "; `pasar explain` lists all"
        raise UnknownCode(f"there is no code {text!r}{also}")
    return entry


def suggest_codes(text: str) -> tuple[str, ...]:
    """Return the codes that *text* may have meant, the likeliest first: nearly so spelled, or with all of its words."""
    code = _normalise(text)
    known = [entry.code for entry in explainable_codes()]
    near = get_close_matches(code, known, n=MAX_SUGGESTIONS, cutoff=SIMILARITY)
    words = [word for word in code.split("_") if word]
    shortest_first = sorted(known, key=lambda name: name.count("_"))
    near += [name for name in shortest_first if words and set(words) <= set(name.split("_"))]
    near += [name for name in shortest_first if words and all(_is_near(word, name) for word in words)]
    return tuple(dict.fromkeys(near))[:MAX_SUGGESTIONS]


def _is_near(word: str, name: str) -> bool:
    return bool(get_close_matches(word, name.split("_"), n=1, cutoff=SIMILARITY))


def format_list(entries: tuple[ErrorCode, ...]) -> str:
    """Return *entries* as a list, errors before hints, each with the first sentence of its meaning."""
    width = max(len(entry.code) for entry in entries)
    blocks = []
    for severity, title in ((Severity.ERROR, "Errors"), (Severity.HINT, "Hints")):
        lines = [f"  {entry.code:{width}}  {_first_sentence(entry)}" for entry in entries if entry.severity is severity]
        blocks.append("\n".join([title, *lines]))
    return "\n\n".join(blocks)


def _first_sentence(entry: ErrorCode) -> str:
    return entry.meaning.split(". ")[0].split(":")[0].rstrip(".")


def _normalise(text: str) -> str:
    return "_".join(text.strip().upper().replace("-", " ").replace("_", " ").split())
