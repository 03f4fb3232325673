"""What becomes of an uploaded picture, and what is not taken for one."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageCms

from core.errors import BadUserInput
from subgraphs.product.images.rendering import render
from subgraphs.product.picture_model import Rendition
from tests.testkit.pictures import is_red, opened, picture


@pytest.mark.parametrize(
    ("format_", "content_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_a_picture_is_shown_as_webp_in_each_width_below_its_own(format_: str, content_type: str) -> None:
    rendered = render(picture((700, 350), format_=format_), content_type)
    assert rendered.picture.renditions == (
        Rendition(160, 80),
        Rendition(320, 160),
        Rendition(640, 320),
        Rendition(700, 350),
    )
    for rendition, file in zip(rendered.picture.renditions, rendered.files, strict=True):
        image = opened(file)
        assert (image.format, image.size) == ("WEBP", (rendition.width, rendition.height))
        assert (is_red(image, 0.1, 0.5), is_red(image, 0.9, 0.5)) == (True, False)


@pytest.mark.parametrize(
    ("size", "renditions"),
    [
        ((100, 50), [(100, 50)]),
        ((160, 160), [(160, 160)]),
        ((1, 300), [(1, 300)]),
        ((5120, 2560), [(160, 80), (320, 160), (640, 320), (1280, 640), (2560, 1280)]),
        ((2, 5120), [(1, 2560)]),
    ],
)
def test_nothing_is_made_larger_and_nothing_larger_than_any_screen(
    size: tuple[int, int], renditions: list[tuple[int, int]]
) -> None:
    found = render(picture(size, format_="PNG"), "image/png").picture.renditions
    assert [(each.width, each.height) for each in found] == renditions


@pytest.mark.parametrize(
    ("orientation", "red_at"), [(1, (0.1, 0.5)), (3, (0.9, 0.5)), (6, (0.5, 0.1)), (8, (0.5, 0.9))]
)
@pytest.mark.parametrize(("format_", "content_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_a_camera_that_was_turned_makes_an_upright_picture(
    orientation: int, red_at: tuple[float, float], format_: str, content_type: str
) -> None:
    content = picture((400, 300), format_=format_, orientation=orientation)
    rendered = render(content, content_type)
    full = opened(rendered.files[-1])
    assert full.size == ((400, 300) if orientation < 5 else (300, 400))
    assert is_red(full, *red_at)
    assert not is_red(full, 1 - red_at[0], 1 - red_at[1])


def test_where_it_was_taken_and_by_what_is_not_in_what_is_shown() -> None:
    content = picture(with_place=True, orientation=6)
    assert b"A telephone" in content
    for file in render(content, "image/jpeg").files:
        assert b"telephone" not in file
        assert not any(chunk in file for chunk in (b"EXIF", b"ICCP", b"XMP "))
        assert dict(opened(file).getexif()) == {}


def test_what_stands_behind_a_picture_is_not_in_what_is_shown() -> None:
    tail = b"<script>alert(document.cookie)</script>"
    plain, with_tail = (render(content, "image/png") for content in (PNG, PNG + tail))
    assert plain == with_tail
    assert all(b"script" not in file for file in with_tail.files)


PNG = picture(format_="PNG")


def test_transparency_stays() -> None:
    image = Image.new("RGBA", (200, 100), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 100, 100))
    out = BytesIO()
    image.save(out, "PNG")
    shown = opened(render(out.getvalue(), "image/png").files[0])
    assert shown.mode == "RGBA"
    assert [shown.getchannel("A").getpixel((x, 40)) for x in (10, 150)] == [255, 0]


@pytest.mark.parametrize(
    ("mode", "format_", "content_type"),
    [
        ("L", "JPEG", "image/jpeg"),
        ("CMYK", "JPEG", "image/jpeg"),
        ("1", "PNG", "image/png"),
        ("P", "PNG", "image/png"),
        ("LA", "PNG", "image/png"),
        ("I;16", "PNG", "image/png"),
    ],
)
def test_every_kind_of_pixel_is_shown(mode: str, format_: str, content_type: str) -> None:
    if mode == "I;16":
        image = Image.new("I;16", (200, 100), 0xFFFF)
        image.paste(0, (100, 0, 200, 100))
        out = BytesIO()
        image.save(out, format_)
        content = out.getvalue()
    else:
        content = picture((200, 100), mode=mode, format_=format_, colour=(250, 250, 250))
    [*_, full] = render(content, content_type).files
    shown = opened(full).convert("L")
    left, right = (shown.getpixel((x, 50)) for x in (40, 160))
    assert isinstance(left, int | float)
    assert isinstance(right, int | float)
    assert left > 230
    assert right < 100


def _profile_with_red_for_green() -> bytes:
    """Return the profile of sRGB, but for red and green, which are the other way round."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_of_another_profile_are_translated(mode: str) -> None:
    out = BytesIO()
    Image.new("RGB", (50, 50), (230, 20, 20)).convert(mode).save(out, "PNG", icc_profile=_profile_with_red_for_green())
    shown = opened(render(out.getvalue(), "image/png").files[-1]).convert("RGB").getpixel((25, 25))
    assert isinstance(shown, tuple)
    assert shown[1] > 200 > 60 > shown[0]


def test_a_profile_that_is_none_is_passed_over() -> None:
    out = BytesIO()
    opened(PNG).save(out, "PNG", icc_profile=b"nonsense")
    assert render(out.getvalue(), "image/png") == render(PNG, "image/png")


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"", "image/png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "image/png"),
        (b"<!doctype html><script>alert(1)</script>", "image/jpeg"),
        (PNG[:8], "image/png"),
        (PNG[:200], "image/png"),
        (picture()[:2000], "image/jpeg"),
        (picture(format_="WEBP")[:60], "image/webp"),
        (PNG.replace(b"IDAT", b"IDAX"), "image/png"),
        # What it is said to be and what it is are two things
        (PNG, "image/jpeg"),
        (picture(), "image/webp"),
        # Pictures, and none that are read
        (picture(format_="GIF"), "image/png"),
        (picture(format_="TIFF"), "image/jpeg"),
        (picture(format_="BMP"), "image/png"),
    ],
)
def test_what_is_no_picture_of_the_type_is_refused(content: bytes, content_type: str) -> None:
    with pytest.raises(BadUserInput, match=r"this is no picture"):
        render(content, content_type)


def _png_of(width: int, height: int) -> bytes:
    """Return a PNG that says it has so many pixels, in a few bytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "size", [(7_100, 7_100), (10_000, 10_000), (50_000, 50_000), (20_001, 1), (1, 20_001), (2**31 - 1, 2**31 - 1)]
)
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_: Image.Image) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(Image.Image, "load", load)
    with pytest.raises(BadUserInput, match=r"at most 50 megapixels"):
        render(_png_of(*size), "image/png")


def test_the_same_picture_has_the_same_id_and_another_has_another() -> None:
    first, again, other = render(PNG, "image/png"), render(PNG, "image/png"), render(picture((399, 300)), "image/jpeg")
    assert first == again
    assert first.picture.id != other.picture.id
