"""A printed page: text on A4, with a font that has its letters. Knows nothing of orders.

The fourteen fonts that every PDF reader has know Western European letters, and cost no bytes: most papers need no
others. A text with any other letter has the whole paper set in DejaVu Sans (bundled, of which only the letters used are
embedded); what that lacks, too, is printed as a replacement character rather than left out without a word.
"""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos
from fpdf.fonts import FontFace, TTFFont

FONT_FILE = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
# Windows' Latin-1 with the euro: the encoding of a reader's own fonts
CORE_ENCODING = "windows-1252"
REPLACEMENT = "\ufffd"

_BODY_PT, _SMALL_PT, _TITLE_PT = 10, 8, 18
_LINE_MM, _MARGIN_MM = 5.5, 18


class Paper:
    """A document that grows from top to bottom. Mutable.

    Args:
        title: stands at the top and in the document's properties.
        texts: all that will be printed, by which the font is chosen.
        made_at: the document's date, so that the same paper is the same bytes.
    """

    def __init__(self, title: str, texts: Sequence[str], *, made_at: datetime) -> None:
        pdf = FPDF(format="A4")
        pdf.set_margin(_MARGIN_MM)
        pdf.set_auto_page_break(True, _MARGIN_MM)
        pdf.set_creation_date(made_at)
        pdf.set_title(title)
        pdf.core_fonts_encoding = CORE_ENCODING
        self._is_core = all(_is_western(tidy(text)) for text in (title, *texts))
        self._family, self._letters = "helvetica", frozenset[int]()
        if not self._is_core:
            self._family = "dejavu"
            # The same letters for headings, which are told by their size
            for style in ("", "B"):
                pdf.add_font(self._family, style, FONT_FILE)
            font = pdf.fonts[self._family]
            assert isinstance(font, TTFFont)
            self._letters = frozenset(font.cmap)
        self._pdf = pdf
        pdf.add_page()
        self._write(title, _TITLE_PT, style="B")
        self.space()

    def text(self, *lines: str) -> None:
        """Print lines below each other, broken where they are too long."""
        for line in lines:
            self._write(line, _BODY_PT)

    def heading(self, text: str) -> None:
        """Print a heading."""
        self.space()
        self._write(text, _BODY_PT, style="B")

    def small(self, text: str) -> None:
        """Print what matters less."""
        self._write(text, _SMALL_PT)

    def space(self) -> None:
        """Leave a line free."""
        self._pdf.ln(_LINE_MM)

    def table(self, widths: Sequence[int], aligned: str, rows: Sequence[Sequence[str]]) -> None:
        """Print a table: relative widths, L or R per column; the first row is its head and is repeated per page."""
        self._pdf.set_font(self._family, "", _BODY_PT)
        head, *body = rows
        columns = tuple(Align.coerce(each) for each in aligned)
        with self._pdf.table(
            col_widths=tuple(widths),
            text_align=columns,
            headings_style=FontFace(emphasis="BOLD"),
            borders_layout="HORIZONTAL_LINES",
            line_height=_LINE_MM,
            padding=1,
        ) as table:
            for cells in (head, *body):
                row = table.row()
                for cell in cells:
                    row.cell(self._fit(cell))

    def sums(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Print pairs of a name and an amount at the right; the last one counts."""
        width = self._pdf.epw
        for number, (name, amount) in enumerate(pairs, start=1):
            self._pdf.set_font(self._family, "B" if number == len(pairs) else "", _BODY_PT)
            self._pdf.cell(width * 0.75, _LINE_MM, self._fit(name), align=Align.R)
            self._pdf.cell(
                width * 0.25, _LINE_MM, self._fit(amount), align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.NEXT
            )

    def render(self) -> bytes:
        """Return the document as a file."""
        return bytes(self._pdf.output())

    def _write(self, text: str, size_pt: int, *, style: str = "") -> None:
        self._pdf.set_font(self._family, style, size_pt)
        height = _LINE_MM * size_pt / _BODY_PT
        self._pdf.multi_cell(self._pdf.epw, height, self._fit(text), align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _fit(self, text: str) -> str:
        tidied = tidy(text)
        if self._is_core:
            return tidied
        return "".join(letter if ord(letter) in self._letters else REPLACEMENT for letter in tidied)


def tidy(text: str) -> str:
    """Return *text* on one line and without control characters, which names from elsewhere may have."""
    return " ".join("".join(" " if unicodedata.category(each)[0] == "C" else each for each in text).split())


def _is_western(text: str) -> bool:
    try:
        text.encode(CORE_ENCODING)
    except UnicodeEncodeError:
        return False
    return True
