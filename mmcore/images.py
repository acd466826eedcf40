"""Photos from untrusted bytes to pixels.

A photo is believed by its content, never by its name. Limits are checked on the header, before
any pixel is decoded, so that a decompression bomb costs nothing. JPEG is decoded at the smallest
scale that still covers the target ("draft"), which halves the time of a 500 px photo. What becomes
of the decoded photo stands in `shrinking.py`.
"""

import contextlib
import io
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from mmcore.errors import ImageError
from mmcore.shrinking import to_fit, to_square

IMAGE_PX = 224  # input side of all three backbones
PREPROCESS_VERSION = 1  # raise when the pixels of a given photo change: it is part of cache keys

MAX_BYTES = 20 * 1024**2
MAX_PIXELS = 50_000_000  # about 150 MB of RGB; the largest phone cameras in common use make 50 MP
MIN_SIDE_PX = 8  # smaller ones are tracking pixels and placeholders, nothing to classify
# What decoding may take: 50 megapixels of RGB are 200 MB. Few photos come near it: WEBP beyond 20
# megapixels (its decoder holds four copies), TIFF of 16 bits a channel in one piece.
MAX_DECODE_BYTES = 320 * 1000**2
LARGE_BYTES = 64 * 1000**2  # from here on photos are decoded one at a time, whatever the threads
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")

_WARNING_FILTERS = threading.Lock()
_LARGE_PHOTO = threading.Lock()
# Pillow's bytes a pixel by mode, 4 for all others (even those of one or two channels)
_MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
# TIFF 6.0 tag numbers
_BITS_PER_SAMPLE, _ORIENTATION, _ROWS_PER_STRIP = 258, 274, 278
_TILE_WIDTH, _TILE_LENGTH = 322, 323


def decode_photo(data: bytes, size_px: int = IMAGE_PX) -> np.ndarray:
    """Return the photo as (size_px, size_px, 3) uint8 RGB.

    The whole photo is squeezed to a square, as the drawing has it: cropping would lose the ends
    of long products. EXIF rotation is applied and transparency is laid on white.

    Raises:
        ImageError: if the bytes are no photo of a known format, or are beyond the limits.
    """
    return np.array(_decoded(data, size_px, to_square))  # a copy: Pillow's own is read-only


def fit_photo(data: bytes, size_px: int) -> Image.Image:
    """Return the whole photo on a white square of at most `size_px`, its proportions kept.

    A smaller photo is not enlarged: its square has the photo's longer side.

    Raises:
        ImageError: as `decode_photo`.
    """
    rgb = _decoded(data, size_px, to_fit)
    side = max(rgb.size)
    square = Image.new("RGB", (side, side), (255, 255, 255))
    square.paste(rgb, ((side - rgb.width) // 2, (side - rgb.height) // 2))
    return square


def _decoded(
    data: bytes, size_px: int, shrink: Callable[[Image.Image, int], Image.Image]
) -> Image.Image:
    """Return what `shrink` makes of the photo."""
    with _open(data) as image:
        needed = _prepare(image, size_px)
        with _LARGE_PHOTO if needed > LARGE_BYTES else contextlib.nullcontext():
            with _told_as_corrupt(image):
                image.load()  # the first frame of an animation
            return shrink(image, size_px)


def decode_file(path: Path, size_px: int = IMAGE_PX) -> np.ndarray:
    """Return the photo at `path` as (size_px, size_px, 3) uint8 RGB.

    Raises:
        ImageError: as `decode_photo`, or if the file is missing or can't be read.
    """
    return decode_photo(read_photo(path), size_px)


def read_photo(path: Path) -> bytes:
    """Return the bytes of a photo file.

    Raises:
        ImageError: if the file is missing, unreadable, no regular file or larger than MAX_BYTES.
    """
    name = path.name or path
    try:
        facts = path.stat()
        # a pipe or device may have no end, and those in /proc claim to be empty files
        if not stat.S_ISREG(facts.st_mode):
            raise ImageError(f"photo file {name} is no regular file; name the photo itself")
        _check_bytes(facts.st_size)
        if not facts.st_size:
            raise _empty()
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)  # it may have grown meanwhile
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise ImageError(
            f"photo file {name} can't be read: {reason}; check its name and its permissions"
        ) from error
    _check_bytes(len(data))
    return data


def to_model_range(pixels: np.ndarray) -> np.ndarray:
    """Return uint8 pixels as float32 in [-1, 1]: 0 -> -1, 255 -> 1, any shape."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def _open(data: bytes) -> Image.Image:
    """Return an opened, not yet decoded image that is within the limits."""
    _check_bytes(len(data))
    if not data:
        raise _empty()
    try:
        # the filters are the whole process's: two threads would undo each other's
        with _WARNING_FILTERS, warnings.catch_warnings():
            # our own limit below is stricter and says what to do
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"the photo has far too many pixels ({error}); the limit is "
            f"{MAX_PIXELS:,}; scale it down and upload it again"
        ) from error
    except Exception as error:  # Pillow's parsers raise whatever hostile bytes lead them to
        raise ImageError(
            f"the file is no photo we can read: {_sniffed(data)}; "
            f"save it as one of {', '.join(FORMATS)}"
        ) from error
    _check_size(*image.size)
    return image


def _empty() -> ImageError:
    return ImageError("the photo file is empty (0 bytes); upload it again")


def _check_bytes(size: int) -> None:
    if size > MAX_BYTES:
        raise ImageError(
            f"the photo file has {size:,} bytes, the limit is {MAX_BYTES:,}; "
            "save it smaller or with stronger compression"
        )


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"the photo is {width} x {height} pixels, the limit is {MAX_PIXELS:,} in all; "
            "scale it down and upload it again"
        )
    if min(width, height) < MIN_SIDE_PX:
        raise ImageError(
            f"the photo is {width} x {height} pixels, the smallest side accepted is "
            f"{MIN_SIDE_PX}; use a larger photo"
        )


def _prepare(image: Image.Image, size_px: int) -> int:
    """Return about how much memory decoding will take; a JPEG's scale is chosen on the way."""
    width, height = image.size
    with _told_as_corrupt(image):
        if image.format == "JPEG":
            image.draft(None, (size_px, size_px))
        needed = _decode_bytes(image, width * height)
    if needed > MAX_DECODE_BYTES:
        raise ImageError(
            f"the photo ({image.format}, {width} x {height}) would take {needed // 1000**2:,} MB "
            f"to decode, the limit is {MAX_DECODE_BYTES // 1000**2}; scale it down or save it as "
            "a plain JPEG, and upload it again"
        )
    return needed


@contextlib.contextmanager
def _told_as_corrupt(image: Image.Image) -> Iterator[None]:
    """Turn whatever hostile bytes lead Pillow's decoders to into an ImageError."""
    width, height = image.size
    try:
        yield
    except Exception as error:
        raise ImageError(
            f"the photo ({image.format}, {width} x {height}) is truncated or corrupt: {error}; "
            "upload the original file again"
        ) from error


def _decode_bytes(image: Image.Image, file_pixels: int) -> int:
    """Return about how much memory decoding takes at its peak.

    Args:
        image: opened, a JPEG already told at which scale to decode.
        file_pixels: in the file, before that scale.
    """
    own = image.width * image.height * _MODE_BYTES.get(image.mode, 4)
    if image.info.get("progressive"):
        # all coefficients of a progressive JPEG, 2 bytes each, stay until its last scan
        return own + 2 * len(image.getbands()) * file_pixels
    if image.format == "WEBP":
        return own + 12 * file_pixels  # two canvases of its decoder and the frame it returns
    if image.format == "TIFF":
        # a turned one is turned whole by Pillow itself
        return own * (1 if image.tag_v2.get(_ORIENTATION, 1) == 1 else 2) + _strip_bytes(image)
    return own


def _strip_bytes(image: Image.Image) -> int:
    """Return the bytes of one strip or tile of a TIFF, which is decoded in one piece."""
    tags = image.tag_v2
    rows = min(tags.get(_ROWS_PER_STRIP, image.height), image.height)
    width, rows = tags.get(_TILE_WIDTH, image.width), tags.get(_TILE_LENGTH, rows)
    return width * rows * sum(tags.get(_BITS_PER_SAMPLE, (8,))) // 8


def _sniffed(data: bytes) -> str:
    """Return what the first bytes look like, in words for an error message."""
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<?xml")) or b"<svg" in head:
        return "it is an SVG or XML drawing"
    if head.startswith((b"<!doctype", b"<html")):
        return "it is a web page"
    if head.startswith(b"%pdf"):
        return "it is a PDF"
    if b"ftyphei" in head or b"ftypmif1" in head or b"ftypavif" in head:
        return "it is a HEIC or AVIF photo"
    if head.startswith(b"pk\x03\x04"):
        return "it is a ZIP archive"
    if head.startswith((b"\xff\xd8\xff", b"\x89png", b"gif8")):
        return "it begins like a photo, but is cut short or damaged"
    return "its content is not that of a photo"
