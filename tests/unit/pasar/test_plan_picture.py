"""The picture of a plan, read as XML."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from graphql import parse

from benchmarks.workload import HEAVY, SUBGRAPH_SDL
from pasar.planning.picture import draw_plan, escape
from router.composition import compose
from router.composition.model import SubgraphSchema
from router.planner import plan_operation
from router.planner.plan import (
    BatchFetch,
    BatchPart,
    Condition,
    ContextVariable,
    EntityTarget,
    Fetch,
    Flatten,
    KeyElement,
    ListElement,
    OperationKind,
    Parallel,
    Plan,
    PlanNode,
    RepresentationField,
    Sequence,
)
from router.supergraph import read_supergraph

SVG = "{http://www.w3.org/2000/svg}"
PRODUCT = EntityTarget(("Product",), "Product", (RepresentationField("upc", "upc"),))
DOCUMENT = (
    "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on Product { name } } }"
)


def draw(root: PlanNode | None, name: str | None = "Top", kind: OperationKind = OperationKind.QUERY) -> str:
    return draw_plan(Plan(kind, root), name)


def root_fetch(subgraph: str = "products", document: str = "{ top { upc } }") -> Fetch:
    return Fetch(subgraph, OperationKind.QUERY, document)


def product_fetch(subgraph: str) -> Flatten:
    return Flatten(
        (KeyElement("top"), ListElement()), Fetch(subgraph, OperationKind.QUERY, DOCUMENT, targets=(PRODUCT,))
    )


def boxes_of(svg: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(svg).findall(f"{SVG}g")


def texts_of(element: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in element.findall(f"{SVG}text")]


def strokes_of(svg: str) -> list[str]:
    return [path.attrib["d"] for path in ElementTree.fromstring(svg).findall(f"{SVG}path")]


def rectangle_of(box: ElementTree.Element) -> tuple[int, int, int, int]:
    rectangle = box.find(f"{SVG}rect")
    assert rectangle is not None
    return (
        int(rectangle.attrib["x"]),
        int(rectangle.attrib["y"]),
        int(rectangle.attrib["width"]),
        int(rectangle.attrib["height"]),
    )


def test_a_step_and_what_waits_for_it_stand_side_by_side_with_an_arrow() -> None:
    svg = draw(Sequence((root_fetch(), product_fetch("names"))))
    first, second = boxes_of(svg)
    assert texts_of(first) == ["products", "top { upc }"]
    assert texts_of(second) == ["names", "at top.@", "with Product { upc }", "name"]
    assert rectangle_of(first) == (24, 108, 280, 56)
    assert rectangle_of(second) == (364, 108, 280, 88)
    assert strokes_of(svg) == ["M304 124H334", "M334 124H362"]


def test_parallel_requests_stand_below_each_other_and_what_follows_waits_for_both() -> None:
    svg = draw(Sequence((Parallel((root_fetch("a"), root_fetch("b"))), Parallel((root_fetch("c"), root_fetch("d"))))))
    assert [rectangle_of(box)[:2] for box in boxes_of(svg)] == [(24, 108), (24, 182), (364, 108), (364, 182)]
    assert strokes_of(svg) == ["M304 124H334M304 198H334M334 124V198", "M334 124H362", "M334 198H362"]


def test_the_picture_says_in_words_what_it_shows() -> None:
    root = ElementTree.fromstring(
        draw(Sequence((root_fetch(), Parallel((product_fetch("names"), Condition("p", product_fetch("stock"), None))))))
    )
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"].split() == [title.attrib["id"], description.attrib["id"]]
    assert title.text == "Plan of query Top: 3 requests, depth 2"
    assert description.text == "Step 1: products. Step 2: names for top.@, stock for top.@ if $p."


def test_a_request_shows_itself_in_full_when_pointed_at() -> None:
    [box] = boxes_of(draw(Condition("p", product_fetch("names"), None)))
    title = box.find(f"{SVG}title")
    assert title is not None
    assert title.text == (
        "names if $p\nat top.@\n  with Product { upc }\n\n"
        "query ($representations: [_Any!]!) {\n  _entities(representations: $representations) {\n"
        "    ... on Product {\n      name\n    }\n  }\n}"
    )


def test_what_comes_from_objects_above_is_told() -> None:
    locale = ContextVariable("locale", "String", 2, (RepresentationField("locale", "l"),))
    fetch = Fetch("names", OperationKind.QUERY, DOCUMENT, targets=(PRODUCT,), contexts=(locale,))
    [box] = boxes_of(draw(Flatten((KeyElement("top"), ListElement()), fetch)))
    assert texts_of(box) == ["names", "at top.@", "with Product { upc }", "$locale: ../../{ locale: l }", "name"]
    title = box.find(f"{SVG}title")
    assert title is not None
    assert "  with Product { upc }\n  $locale: ../../{ locale: l }\n" in (title.text or "")


def test_a_conditional_request_is_dashed_and_tells_its_condition() -> None:
    sure, maybe = boxes_of(draw(Parallel((root_fetch("a"), Condition("p", None, root_fetch("b"))))))
    assert [box.findall(f"{SVG}rect")[0].attrib["class"] for box in (sure, maybe)] == ["box", "box maybe"]
    assert texts_of(maybe) == ["b", "unless $p", "top { upc }"]


def test_a_batch_is_one_box_with_a_rule_between_its_parts() -> None:
    top, best = (KeyElement("top"), ListElement()), (KeyElement("best"),)
    batch = BatchFetch(
        "names",
        "query($r0: [_Any!]!, $r1: [_Any!]!) { _e0: _entities(representations: $r0) { ... on Product { name } }"
        " _e1: _entities(representations: $r1) { ... on Product { title } } }",
        (
            BatchPart((top, best), "_e0", "r0", (PRODUCT,)),
            BatchPart((best,), "_e1", "r1", (PRODUCT,), (), ((("p", True),),)),
        ),
    )
    [box] = boxes_of(draw(batch))
    assert texts_of(box) == [
        *("names", "2 in one"),
        *("at top.@", "at best", "with Product { upc }", "name"),
        *("if $p", "at best", "with Product { upc }", "title"),
    ]
    assert [path.attrib for path in box.findall(f"{SVG}path")] == [{"class": "rule", "d": "M40 212H294"}]


def test_many_places_and_parts_are_counted_instead_of_shown() -> None:
    paths = tuple((KeyElement(name),) for name in "abcdef")
    part = BatchPart(paths, "_e", "r", (PRODUCT,))
    batch = BatchFetch("names", "query { _e: _entities(representations: $r) { ... on Product { name } } }", (part,) * 6)
    [box] = boxes_of(draw(batch))
    shown = ["at a", "at b", "at c", "… 3 more paths", "with Product { upc }", "name"]
    assert texts_of(box) == ["names", "6 in one", *shown * 3, "… 3 more parts"]


def test_nothing_to_ask_is_a_picture_too() -> None:
    root = ElementTree.fromstring(draw(None, None))
    assert texts_of(root) == ["query", "No subgraph is asked."]
    assert root.findall(f"{SVG}g") == []


def test_other_kinds_than_queries_are_named() -> None:
    [box] = boxes_of(draw(Fetch("a", OperationKind.MUTATION, "mutation { pay { id } }"), kind=OperationKind.MUTATION))
    assert texts_of(box) == ["a", "mutation", "pay { id }"]


def test_markup_in_names_and_values_stays_text() -> None:
    svg = draw(root_fetch('<script>&"', '{ a(x: "<b>&amp;\u0007") }'), '</text><script>alert("x")</script>')
    assert "<script" not in svg
    [box] = boxes_of(svg)
    assert texts_of(box) == ['<script>&"', 'a(x: "<b>&amp;\\u0007")']


def test_what_xml_cannot_hold_is_replaced() -> None:
    assert escape('a\u0000b\u001f\ufffe\ud800<>&"\t\n') == "a\ufffdb\ufffd\ufffd\ufffd&lt;&gt;&amp;&quot;\t\n"


def test_nothing_is_loaded_from_elsewhere_and_both_colour_schemes_are_there() -> None:
    svg = draw(root_fetch())
    assert re.findall(r"(?:href|src|url\(|@import)[^ >]*", svg) == []
    assert [url for url in re.findall(r"https?://[^\"]*", svg) if url != "http://www.w3.org/2000/svg"] == []
    assert svg.count("@media (prefers-color-scheme: dark)") == 1
    light, dark = svg.split("@media (prefers-color-scheme: dark)")
    variables = re.compile(r"(--[a-z0-9]+):")
    assert variables.findall(light) == variables.findall(dark)


def heavy_plan() -> Plan:
    sdl = compose([SubgraphSchema(name, text, f"http://{name}:1/") for name, text in SUBGRAPH_SDL.items()])
    assert sdl.supergraph_sdl is not None
    return plan_operation(read_supergraph(sdl.supergraph_sdl), parse(HEAVY), "Heavy")


def test_no_text_leaves_its_box_and_no_line_crosses_one() -> None:
    svg = draw_plan(heavy_plan(), "Heavy")
    root = ElementTree.fromstring(svg)
    rectangles = [rectangle_of(box) for box in boxes_of(svg)]
    for box, (left, top, width, height) in zip(boxes_of(svg), rectangles, strict=True):
        for text in box.findall(f"{SVG}text"):
            assert top < int(text.attrib["y"]) < top + height
            if text.attrib.get("class", "") in ("", "faint", "if"):
                assert int(text.attrib["x"]) + len("".join(text.itertext())) * 7 <= left + width
        assert left + width <= int(root.attrib["width"])
        assert top + height <= int(root.attrib["height"])
    for x1, y1, x2, y2 in lines_of(svg):
        for left, top, width, height in rectangles:
            assert x2 <= left or left + width <= x1 or y2 < top or top + height < y1


def lines_of(svg: str) -> Iterator[tuple[int, int, int, int]]:
    """Yield the straight lines of all waits as left, top, right, bottom."""
    for strokes in strokes_of(svg):
        x = y = 0
        for command, first, second in re.findall(r"([MHV])(\d+)(?: (\d+))?", strokes):
            match command:
                case "M":
                    x, y = int(first), int(second)
                case "H":
                    yield min(x, int(first)), y, max(x, int(first)), y
                    x = int(first)
                case _:
                    yield x, min(y, int(first)), x, max(y, int(first))
                    y = int(first)


def test_the_same_plan_gives_the_same_picture() -> None:
    assert draw_plan(heavy_plan(), "Heavy") == draw_plan(heavy_plan(), "Heavy")


def test_a_picture_is_written_as_readers_of_files_expect(tmp_path: Path) -> None:
    (tmp_path / "plan.svg").write_text(draw(root_fetch(document='{ a(x: "漢字") }')), "utf-8")
    [box] = ElementTree.parse(tmp_path / "plan.svg").getroot().findall(f"{SVG}g")
    assert texts_of(box) == ["products", 'a(x: "漢字")']
