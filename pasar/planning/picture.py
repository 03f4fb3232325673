"""Draw a plan as one self-contained SVG: columns are sequential steps, lanes run in parallel, arrows are waits.

Nothing is loaded from anywhere, colours follow the reader's light or dark scheme, every text is escaped, and equal
plans give equal pictures. Hovering over a request shows it in full.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar
from xml.sax.saxutils import escape as escape_markup

from graphql import parse, print_ast

from pasar.planning.lanes import Box, Lanes, Wait, place_requests
from pasar.planning.outline import (
    ELLIPSIS,
    abridge,
    describe_target,
    outline_selection,
    outline_targets,
    shorten,
    wrap_path,
)
from pasar.planning.requests import Part, Request
from pasar.planning.stages import count_requests
from router.planner import Plan
from router.planner.plan import OperationKind
from router.planner.plan_text import print_context, print_path

_T = TypeVar("_T")

# All lengths are in px
MARGIN = 24
BOX_WIDTH = 280
GUTTER = 60
LANE_GAP = 18
HEADING_HEIGHT = 58
STEP_HEIGHT = 26
BOXES_TOP = MARGIN + HEADING_HEIGHT + STEP_HEIGHT
BOX_HEADER_HEIGHT = 32
LINE_HEIGHT = 16
BOX_FOOTER_HEIGHT = 8
# Where arrows reach a box: the middle of its header, so that those of one lane are straight
PORT = BOX_HEADER_HEIGHT // 2
TEXT_INSET = 16
# The widest usual fixed-width fonts take 0.61 of their size for a character, and lines are set in 11.5 px
LINE_COLUMNS = int((BOX_WIDTH - TEXT_INSET - 10) / (11.5 * 0.61))
NAME_COLUMNS = 26
MAX_SELECTION_LINES = 7
MAX_TARGET_LINES = 3
MAX_PATH_LINES = 2
MAX_PATHS = 4
MAX_PARTS = 4
COLOURS = 8

_STYLE = """
.pasar-plan { --back: #ffffff; --box: #f6f8fa; --edge: #c4ccd6; --ink: #1b2430; --faint: #5a6675; --line: #6b7786;
  --c0: #2563eb; --c1: #c2410c; --c2: #15803d; --c3: #9333ea; --c4: #be185d; --c5: #0e7490; --c6: #a16207;
  --c7: #4b5563;
}
@media (prefers-color-scheme: dark) {
  .pasar-plan { --back: #12161c; --box: #1c232c; --edge: #3a4554; --ink: #e8edf3; --faint: #9ba8b7; --line: #8492a3;
    --c0: #60a5fa; --c1: #fb923c; --c2: #4ade80; --c3: #c084fc; --c4: #f472b6; --c5: #22d3ee; --c6: #facc15;
    --c7: #9ca3af;
  }
}
.pasar-plan text { fill: var(--ink); font: 11.5px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  white-space: pre; }
.pasar-plan .heading { font: 600 16px system-ui, sans-serif; }
.pasar-plan .count, .pasar-plan .step { fill: var(--faint); font: 12px system-ui, sans-serif; }
.pasar-plan .name { font: 600 13px system-ui, sans-serif; }
.pasar-plan .kind { fill: var(--faint); font: 11px system-ui, sans-serif; text-anchor: end; }
.pasar-plan .faint { fill: var(--faint); }
.pasar-plan .if { font-style: italic; }
.pasar-plan .back { fill: var(--back); }
.pasar-plan .box { fill: var(--box); stroke: var(--edge); }
.pasar-plan .maybe { stroke-dasharray: 5 4; }
.pasar-plan .rule { stroke: var(--edge); }
.pasar-plan .wait { fill: none; stroke: var(--line); stroke-width: 1.5; }
.pasar-plan .head { fill: var(--line); }
"""
_STYLE += "".join(f".pasar-plan .c{number} {{ fill: var(--c{number}); }}\n" for number in range(COLOURS))

# What XML 1.0 has no way to write: https://www.w3.org/TR/xml/#charsets
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def draw_plan(plan: Plan, operation_name: str | None = None) -> str:
    """Return the picture of a plan as SVG text."""
    lanes = place_requests(plan.root, lambda request: _card_height(_write_card(request)), LANE_GAP)
    width = 2 * MARGIN + max(1, lanes.columns) * (BOX_WIDTH + GUTTER) - GUTTER
    height = (BOXES_TOP + lanes.height if lanes.boxes else HEADING_HEIGHT) + MARGIN
    # A character of the heading takes at most about 10 px
    heading = shorten(f"{plan.kind.value} {operation_name or ''}".strip(), (width - 2 * MARGIN) // 10)
    subgraphs = sorted({box.request.subgraph for box in lanes.boxes})
    colours = {name: number % COLOURS for number, name in enumerate(subgraphs)}
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pasar-plan" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" aria-labelledby="pasar-plan-title pasar-plan-desc">',
        f'<title id="pasar-plan-title">{escape(f"Plan of {heading}: {count_requests(plan)}")}</title>',
        f'<desc id="pasar-plan-desc">{escape(describe_lanes(lanes))}</desc>',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="pasar-plan-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" '
        'orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>',
        f'<rect class="back" width="{width}" height="{height}"/>',
        f'<text class="heading" x="{MARGIN}" y="{MARGIN + 14}">{escape(heading)}</text>',
        f'<text class="count" x="{MARGIN}" y="{MARGIN + 34}">{escape(_summarise(plan))}</text>',
    ]
    lines += [
        f'<text class="step" x="{_left(column)}" y="{BOXES_TOP - 16}">Step {column + 1}</text>'
        for column in range(lanes.columns)
    ]
    lines += [_draw_wait(wait, lanes) for wait in lanes.waits]
    for box in lanes.boxes:
        lines += _draw_box(box, colours[box.request.subgraph])
    return "\n".join([*lines, "</svg>", ""])


def describe_lanes(lanes: Lanes) -> str:
    """Return in words what the picture shows, for those who do not see it."""
    if not lanes.boxes:
        return "No subgraph is asked."
    steps: list[str] = []
    for column in range(lanes.columns):
        names = [_name_request(box.request) for box in lanes.boxes if box.column == column]
        steps.append(f"Step {column + 1}: {', '.join(names)}.")
    return " ".join(steps)


def escape(text: str) -> str:
    """Return *text* as it may stand in XML, in quotation marks or not."""
    return escape_markup(_NOT_XML.sub("\ufffd", text), {'"': "&quot;"})


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a box and the classes of its style."""

    text: str
    style: str = ""


# Between the parts of a batch
_RULE = _Line("", "rule")


def _write_card(request: Request) -> tuple[_Line, ...]:
    """Return the lines below the header of a box."""
    lines = [_Line(shorten(condition, LINE_COLUMNS), "if") for condition in request.conditions]
    shown = _within(request.parts, MAX_PARTS)
    for number, part in enumerate(shown):
        if number:
            lines.append(_RULE)
        lines += _write_part(part)
    if len(shown) < len(request.parts):
        lines.append(_Line(f"{ELLIPSIS} {len(request.parts) - len(shown)} more parts", "faint"))
    return tuple(lines)


def _write_part(part: Part) -> Iterator[_Line]:
    if part.condition:
        yield _Line(shorten(part.condition, LINE_COLUMNS), "if")
    shown = _within(part.paths, MAX_PATHS)
    for path in shown:
        for number, text in enumerate(wrap_path(print_path(path), LINE_COLUMNS - 3, MAX_PATH_LINES)):
            yield _Line(f"{'   ' if number else 'at '}{text}")
    if len(shown) < len(part.paths):
        yield _Line(f"{ELLIPSIS} {len(part.paths) - len(shown)} more paths", "faint")
    for text in outline_targets(part.targets, LINE_COLUMNS - 5, MAX_TARGET_LINES):
        yield _Line(f"with {text}", "faint")
    for text in abridge([shorten(print_context(one), LINE_COLUMNS) for one in part.contexts], MAX_TARGET_LINES):
        yield _Line(text, "faint")
    for text in outline_selection(part, LINE_COLUMNS, MAX_SELECTION_LINES):
        yield _Line(text)


def _within(things: tuple[_T, ...], most: int) -> tuple[_T, ...]:
    """Return what is shown of *things*: all, or one fewer than *most*, for the rest is told in a line of its own."""
    return things if len(things) <= most else things[: most - 1]


def _card_height(card: tuple[_Line, ...]) -> int:
    return BOX_HEADER_HEIGHT + len(card) * LINE_HEIGHT + BOX_FOOTER_HEIGHT


def _left(column: int) -> int:
    return MARGIN + column * (BOX_WIDTH + GUTTER)


def _draw_box(box: Box, colour: int) -> Iterator[str]:
    request = box.request
    left, top = _left(box.column), BOXES_TOP + box.top
    maybe = " maybe" if request.conditions else ""
    yield f"<g><title>{escape(_describe_request(request))}</title>"
    yield f'<rect class="box{maybe}" x="{left}" y="{top}" width="{BOX_WIDTH}" height="{box.height}" rx="6"/>'
    yield f'<rect class="c{colour}" x="{left}" y="{top}" width="5" height="{box.height}" rx="2.5"/>'
    x = left + TEXT_INSET
    name = escape(shorten(request.subgraph, NAME_COLUMNS))
    yield f'<text class="name c{colour}" x="{x}" y="{top + PORT + 5}">{name}</text>'
    kind = _name_kind(request)
    if kind:
        yield f'<text class="kind" x="{left + BOX_WIDTH - 10}" y="{top + PORT + 4}">{escape(kind)}</text>'
    for number, line in enumerate(_write_card(request)):
        y = top + BOX_HEADER_HEIGHT + number * LINE_HEIGHT + 11
        if line is _RULE:
            yield f'<path class="rule" d="M{x} {y - 3}H{left + BOX_WIDTH - 10}"/>'
            continue
        style = f' class="{line.style}"' if line.style else ""
        # Blanks at the start are swallowed by readers that do not know white-space
        text = line.text.lstrip(" ")
        yield f'<text{style} x="{x + (len(line.text) - len(text)) * 7}" y="{y}">{escape(text)}</text>'
    yield "</g>"


def _draw_wait(wait: Wait, lanes: Lanes) -> str:
    """Draw lines from all that is waited for to one upright bar before the next column, and arrows from there."""
    before = [lanes.boxes[number] for number in wait.before]
    after = [lanes.boxes[number] for number in wait.after]
    bar = _left(after[0].column) - GUTTER // 2
    ports = [_port(box) for box in (*before, *after)]
    strokes = [f"M{_left(box.column) + BOX_WIDTH} {_port(box)}H{bar}" for box in before]
    if max(ports) > min(ports):
        strokes.append(f"M{bar} {min(ports)}V{max(ports)}")
    arrows = [
        f'<path class="wait" marker-end="url(#pasar-plan-arrow)" d="M{bar} {_port(box)}H{_left(box.column) - 2}"/>'
        for box in after
    ]
    return f'<path class="wait" d="{"".join(strokes)}"/>' + "".join(arrows)


def _port(box: Box) -> int:
    return BOXES_TOP + box.top + PORT


def _summarise(plan: Plan) -> str:
    return "No subgraph is asked." if plan.root is None else count_requests(plan)


def _name_kind(request: Request) -> str:
    if request.kind is not OperationKind.QUERY:
        return str(request.kind.value)
    return f"{len(request.parts)} in one" if len(request.parts) > 1 else ""


def _name_request(request: Request) -> str:
    places = " and ".join(print_path(path) for part in request.parts for path in part.paths)
    conditions = "".join(f" {condition}" for condition in request.conditions)
    return request.subgraph + (f" for {places}" if places else "") + conditions


def _describe_request(request: Request) -> str:
    """Return the whole request: when, where, what is sent, the document."""
    lines = [" ".join((request.subgraph, *request.conditions))]
    for part in request.parts:
        lines += [f"at {print_path(path)}" for path in part.paths]
        lines += [f"  {part.condition}"] if part.condition else []
        lines += [f"  with {describe_target(target)}" for target in part.targets]
        lines += [f"  {print_context(variable)}" for variable in part.contexts]
    return "\n".join([*lines, "", print_ast(parse(request.document))])
