"""What a PDF of fpdf2's says: the texts that its pages draw, in the order of drawing."""

import re
import zlib
from collections.abc import Iterator, Mapping

_OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_STREAM = re.compile(rb"stream\n(.*?)\nendstream", re.DOTALL)
_TOKEN = re.compile(rb"/F(\d+) [\d.]+ Tf|\(((?:[^\\()]|\\.)*)\) Tj", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def texts_of(pdf: bytes) -> list[str]:
    """Return every text that is drawn; letters of embedded fonts are read by the font's own table."""
    assert pdf.startswith(b"%PDF-")
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    fonts = {
        name: _letters_of(objects, objects[int(number)])
        for body in objects.values()
        for name, number in re.findall(rb"/F(\d+) (\d+) 0 R", body)
    }
    return [text for body in objects.values() if b"/Type" not in body for text in _drawn(_stream_of(body), fonts)]


def page_count(pdf: bytes) -> int:
    """Return how many pages there are."""
    (count,) = re.findall(rb"/Type /Pages[^>]*?/Count (\d+)|/Count (\d+)[^>]*?/Type /Pages", pdf)
    return int(count[0] or count[1])


def _letters_of(objects: Mapping[int, bytes], font: bytes) -> Mapping[int, str] | None:
    """Return the letters of an embedded font by their codes; None for one that every reader has."""
    reference = re.search(rb"/ToUnicode (\d+) 0 R", font)
    if reference is None:
        return None
    table = _stream_of(objects[int(reference.group(1))])
    # The last table: the first is the range of codes
    pairs = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>", table.split(b"beginbfchar", 1)[1])
    return {int(code, 16): bytes.fromhex(letters.decode()).decode("utf-16-be") for code, letters in pairs}


def _stream_of(body: bytes) -> bytes:
    found = _STREAM.search(body)
    if found is None:
        return b""
    return zlib.decompress(found.group(1)) if b"/FlateDecode" in body else found.group(1)


def _drawn(content: bytes, fonts: Mapping[bytes, Mapping[int, str] | None]) -> Iterator[str]:
    letters: Mapping[int, str] | None = None
    for font, escaped in _TOKEN.findall(content):
        if font:
            letters = fonts.get(font)
            continue
        raw = _ESCAPED.sub(lambda match: {b"r": b"\r"}.get(match.group(1), match.group(1)), escaped)
        if letters is None:
            yield raw.decode("windows-1252")
        else:
            yield "".join(letters[code] for code in _codes(raw))


def _codes(raw: bytes) -> Iterator[int]:
    for position in range(0, len(raw), 2):
        yield int.from_bytes(raw[position : position + 2], "big")
