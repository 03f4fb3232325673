"""A selection in few short lines: what a glance at a request should tell."""

import unicodedata
from collections.abc import Sequence

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    print_ast,
)

from pasar.planning.requests import Part
from router.planner.plan import (
    EntityTarget,
    RepresentationField,
    RepresentationFragment,
    RepresentationSelection,
)

ELLIPSIS = "\u2026"
# In columns: a nested selection that has less room than this is not worth showing
_NARROWEST = 12


def outline_selection(part: Part, width: int, max_lines: int) -> list[str]:
    """Return what is asked (of entities, where there are targets), in lines of at most *width* columns.

    Fields are set one after the other like words; what does not fit into one line is nested by indentation.
    """
    selections = part.asked
    if len(selections) == 1 and len(part.targets) == 1:
        [only] = selections
        if isinstance(only, InlineFragmentNode) and not only.directives and _is_target(only, part.targets[0]):
            # What is sent names the type already
            selections = tuple(only.selection_set.selections)
    return abridge(_lines(selections, width), max_lines)


def outline_targets(targets: Sequence[EntityTarget], width: int, max_lines: int) -> list[str]:
    """Return what is sent about the entities: `Product { upc price }`, a line for each type."""
    return abridge([shorten(describe_target(target), width) for target in targets], max_lines)


def describe_target(target: EntityTarget) -> str:
    """Return `Book|Film as Media { id }`: the types, the name they are sent under, what is sent."""
    types = "|".join(target.type_names)
    sent = "" if target.type_names == (target.sent_typename,) else f" as {target.sent_typename}"
    return f"{types}{sent} {{{_sent(target.selections)} }}"


def abridge(lines: list[str], max_lines: int) -> list[str]:
    """Return at most *max_lines* lines, the last of which tells how many are left out."""
    if len(lines) <= max_lines:
        return lines
    kept = max_lines - 1
    return [*lines[:kept], f"{ELLIPSIS} {len(lines) - kept} more lines"]


def shorten(text: str, width: int) -> str:
    """Return *text* in at most *width* columns, its end replaced by an ellipsis where it is longer."""
    if measure_width(text) <= width:
        return text
    kept = ""
    room = width - 1
    for character in text:
        room -= measure_width(character)
        if room < 0:
            break
        kept += character
    return kept + ELLIPSIS


def wrap_path(path: str, width: int, max_lines: int) -> list[str]:
    """Return a path in at most *max_lines* lines, broken after dots.

    What does not fit is left out at the start: of a path the end tells more.
    """
    elements = path.split(".")
    lines: list[str] = []
    while elements and len(lines) < max_lines:
        line = elements.pop()
        # All but the last line end with a dot, and the first may have to begin with an ellipsis
        room = width - 1 if lines else width
        reserved = 2 if len(lines) == max_lines - 1 else 0
        while elements:
            longer = f"{elements[-1]}.{line}"
            if len(longer) + (reserved if len(elements) > 1 else 0) > room:
                break
            line = longer
            elements.pop()
        if elements and len(lines) == max_lines - 1:
            line = f"{ELLIPSIS}.{line}"
        lines.append(shorten(line, room) + ("." if lines else ""))
    return lines[::-1]


def measure_width(text: str) -> int:
    """Return how many columns *text* takes in a fixed-width font; a wide character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _is_target(fragment: InlineFragmentNode, target: EntityTarget) -> bool:
    return fragment.type_condition is not None and fragment.type_condition.name.value == target.sent_typename


def _lines(nodes: Sequence[SelectionNode], width: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for node in nodes:
        word = _one_line(node, width)
        if word is not None and line and len(line) + 1 + len(word) <= width:
            line += f" {word}"
            continue
        if line:
            lines.append(line)
        line = ""
        if word is not None:
            line = word
            continue
        lines.append(shorten(_head(node), width))
        inner = _inner(node)
        if inner and width - 2 >= _NARROWEST:
            lines += [f"  {one}" for one in _lines(inner, width - 2)]
    return [*lines, line] if line else lines


def _one_line(node: SelectionNode, room: int) -> str | None:
    """Return the selection as it stands in a document, or None if that is longer than *room*."""
    text = _head(node)
    inner = _inner(node)
    if inner:
        text += " {"
        for one in inner:
            if measure_width(text) > room:
                return None
            below = _one_line(one, room - measure_width(text))
            if below is None:
                return None
            text += f" {below}"
        text += " }"
    return text if measure_width(text) <= room else None


def _head(node: SelectionNode) -> str:
    """Return the selection without what it selects."""
    match node:
        case FieldNode():
            alias = f"{node.alias.value}: " if node.alias else ""
            arguments = ", ".join(print_ast(argument) for argument in node.arguments or ())
            head = f"{alias}{node.name.value}" + (f"({arguments})" if arguments else "")
        case InlineFragmentNode():
            head = f"... on {node.type_condition.name.value}" if node.type_condition else "..."
        case FragmentSpreadNode():
            head = f"...{node.name.value}"
        case _:
            raise TypeError(f"not a selection: {node!r}")
    return " ".join((head, *(print_ast(directive) for directive in node.directives or ())))


def _inner(node: SelectionNode) -> tuple[SelectionNode, ...]:
    selection_set: SelectionSetNode | None = getattr(node, "selection_set", None)
    return tuple(selection_set.selections) if selection_set else ()


def _sent(selections: tuple[RepresentationSelection, ...]) -> str:
    text = ""
    for selection in selections:
        match selection:
            case RepresentationField(name, response_key, inner):
                text += f" {name}" if name == response_key else f" {name}: {response_key}"
            case RepresentationFragment(type_names, inner):
                text += f" ... on {'|'.join(type_names)}"
        if inner:
            text += f" {{{_sent(inner)} }}"
    return text
