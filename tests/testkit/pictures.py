"""Pictures to upload: made here, with whatever a camera or an attacker puts into one."""

from io import BytesIO

from PIL import Image

RED, BLUE = (200, 30, 30), (30, 30, 200)
# Jakarta, as a telephone writes it
GPS = {1: "S", 2: (6.0, 10.0, 30.0), 3: "E", 4: (106.0, 49.0, 36.0)}


def picture(
    size: tuple[int, int] = (400, 300),
    *,
    format_: str = "JPEG",
    mode: str = "RGB",
    orientation: int | None = None,
    with_place: bool = False,
    colour: tuple[int, ...] = RED,
) -> bytes:
    """Return a picture whose left half is of *colour*, and whose right half is blue."""
    image = Image.new("RGB", size, BLUE)
    image.paste(colour, (0, 0, size[0] // 2, size[1]))
    image = image.convert(mode)
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    if with_place:
        exif[0x010F] = "A telephone"
        exif.get_ifd(0x8825).update(GPS)
    out = BytesIO()
    image.save(out, format_, exif=exif)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    """Return a picture as it is shown, decoded."""
    image = Image.open(BytesIO(content))
    image.load()
    return image


def is_red(image: Image.Image, x: float, y: float) -> bool:
    """Tell whether the pixel at these fractions of width and height is more red than blue."""
    red, _, blue = image.convert("RGB").getpixel((int(x * (image.width - 1)), int(y * (image.height - 1))))  # type: ignore[misc]
    return bool(red > blue)
