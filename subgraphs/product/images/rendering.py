"""Pictures as they are shown: decoded, turned upright, without anything that is not picture, in several widths.

What was uploaded is never served. It is decoded here, and what is served was encoded here: so it is a picture whatever
the file was said to be, there is no place in it where a camera wrote down where somebody lives, and nothing behind its
end that a browser could take for a page.
"""

from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

from PIL import Image, ImageCms, ImageOps

from core.errors import BadUserInput
from subgraphs.product.images.model import FORMATS
from subgraphs.product.picture_model import Picture, Rendition

# A file of a few kilobytes can be a picture of gigabytes. 50 megapixels are beyond any telephone's, and 200 MB at most
MAX_PIXELS = 50_000_000
MAX_SIDE_PX = 20_000
# Beyond it, no screen shows more of it
FULL_SIDE_PX = 2560
# Of the lists, of the page of a product, and of each on a screen with twice the pixels
THUMBNAIL_WIDTHS_PX = (160, 320, 640, 1280)
QUALITY = 82

_UNREADABLE = "this is no picture that can be read"


@dataclass(frozen=True, slots=True)
class RenderedPicture:
    """A picture, and the WebP file of each of its renditions."""

    picture: Picture
    files: tuple[bytes, ...]


def render(content: bytes, content_type: str) -> RenderedPicture:
    """Decode *content* and encode it anew, once as large as it is shown at most and once for each smaller width.

    Takes up to a second or two of a processor: it is for a thread.

    Raises:
        BadUserInput: it is not a picture of this type, or has too many pixels.
    """
    image = _decode(content, content_type)
    scale = min(1.0, FULL_SIDE_PX / max(image.size))
    full_width = max(1, round(image.width * scale))
    widths = (*(width for width in THUMBNAIL_WIDTHS_PX if width < full_width), full_width)
    renditions, files = [], []
    for width in widths:
        size = (width, max(1, round(image.height * width / image.width)))
        resized = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        renditions.append(Rendition(*size))
        files.append(_encode(resized))
    digest = sha256()
    for file in files:
        digest.update(len(file).to_bytes(8, "big"))
        digest.update(file)
    return RenderedPicture(Picture(digest.hexdigest(), tuple(renditions)), tuple(files))


def _decode(content: bytes, content_type: str) -> Image.Image:
    """Return the picture with its colours in sRGB, upright, as RGB or RGBA."""
    try:
        # Only its header is read here. Of what a file says of itself nothing is believed but its first bytes
        with Image.open(BytesIO(content), formats=tuple(FORMATS.values())) as image:
            _check_header(image, content_type)
            if image.format == "JPEG":
                # Decoded at a half, a quarter or an eighth where that is large enough: much faster, in less memory
                image.draft(None, (FULL_SIDE_PX, FULL_SIDE_PX))
            image.load()
            return _in_srgb(ImageOps.exif_transpose(image))
    except BadUserInput:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    except Exception as error:
        # A broken file makes Pillow raise whatever it meets: OSError, SyntaxError, ValueError, struct.error ...
        raise BadUserInput(_UNREADABLE) from error


def _check_header(image: Image.Image, content_type: str) -> None:
    if image.format != FORMATS[content_type]:
        raise BadUserInput(f"this is no picture of type {content_type}")
    if max(image.size) > MAX_SIDE_PX or image.width * image.height > MAX_PIXELS:
        raise _too_large()


def _too_large() -> BadUserInput:
    return BadUserInput(
        f"a picture has at most {MAX_PIXELS // 1_000_000} megapixels, and {MAX_SIDE_PX} pixels on a side"
    )


def _in_srgb(image: Image.Image) -> Image.Image:
    """Return *image* as RGB or RGBA; colours that a profile explains are translated, for the profile is not kept."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16"):
        # Grey with 16 bits: the upper eight are what is seen
        plain = image.point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    else:
        plain = image
    has_alpha = plain.has_transparency_data
    colours = plain if plain.mode in ("RGB", "CMYK", "L") and not has_alpha else plain.convert("RGB")
    translated = _translate(colours, profile) if profile else None
    found = translated or colours.convert("RGB")
    if has_alpha:
        found = found.copy()
        found.putalpha(plain.convert("RGBA").getchannel("A"))
    # Whatever the file had beside its pixels ends here
    clean = Image.new(found.mode, found.size)
    clean.paste(found)
    return clean


def _translate(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Return *image* in sRGB, None where the profile is none for it."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        # A picture without its profile is a little off; that is no reason to refuse it
        return None


def _encode(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=4, exif=b"", icc_profile=b"", xmp=b"")
    return out.getvalue()
