"""Photos from untrusted bytes to pixels.

A photo is believed by its content, never by its name. Limits are checked on the header, before
any pixel is decoded, so that a decompression bomb costs nothing. JPEG is decoded at the smallest
scale that still covers the target ("draft"), which halves the time of a 500 px photo.
"""

import io
import stat
import threading
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from mmcore.errors import ImageError

IMAGE_PX = 224  # input side of all three backbones
PREPROCESS_VERSION = 1  # raise when the pixels of a given photo change: it is part of cache keys

MAX_BYTES = 20 * 1024**2
MAX_PIXELS = 50_000_000  # about 150 MB of RGB; the largest phone cameras in common use make 50 MP
MIN_SIDE_PX = 8  # smaller ones are tracking pixels and placeholders, nothing to classify
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")

_WARNING_FILTERS = threading.Lock()


def decode_photo(data: bytes, size_px: int = IMAGE_PX) -> np.ndarray:
    """Return the photo as (size_px, size_px, 3) uint8 RGB.

    The whole photo is squeezed to a square, as the drawing has it: cropping would lose the ends
    of long products. EXIF rotation is applied and transparency is laid on white.

    Raises:
        ImageError: if the bytes are no photo of a known format, or are beyond the limits.
    """
    with _open(data) as image:
        image = _upright(_load(image, size_px))
        rgb = to_rgb(image)
    # reducing_gap: shrink by whole factors first; the same picture to the eye, several times faster
    square = rgb.resize((size_px, size_px), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return np.array(square)  # a copy: Pillow's own buffer is read-only


def fit_photo(data: bytes, size_px: int) -> Image.Image:
    """Return the whole photo on a white square of at most `size_px`, its proportions kept.

    A smaller photo is not enlarged: its square has the photo's longer side.

    Raises:
        ImageError: as `decode_photo`.
    """
    with _open(data) as image:
        image = _upright(_load(image, size_px))
        rgb = to_rgb(image)
    rgb.thumbnail((size_px, size_px), Image.Resampling.BICUBIC, reducing_gap=2.0)
    side = max(rgb.size)
    square = Image.new("RGB", (side, side), (255, 255, 255))
    square.paste(rgb, ((side - rgb.width) // 2, (side - rgb.height) // 2))
    return square


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
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):  # reading a pipe or a device might never end
            raise ImageError(f"photo file {path.name} is no regular file; name the photo itself")
        _check_bytes(facts.st_size)
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: the name holds a NUL character
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"photo file {path.name} can't be read: {reason}") from error


def to_model_range(pixels: np.ndarray) -> np.ndarray:
    """Return uint8 pixels as float32 in [-1, 1]: 0 -> -1, 255 -> 1, any shape."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_rgb(image: Image.Image) -> Image.Image:
    """Return a loaded image as 8-bit RGB, with transparency on white."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _from_deep_grey(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _open(data: bytes) -> Image.Image:
    """Return an opened, not yet decoded image that is within the limits."""
    _check_bytes(len(data))
    if not data:
        raise ImageError("the photo file is empty (0 bytes); upload it again")
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


def _load(image: Image.Image, size_px: int) -> Image.Image:
    """Return the image with its pixels decoded (the first frame of an animation)."""
    try:
        if image.format == "JPEG":
            image.draft(None, (size_px, size_px))
        image.load()
    except Exception as error:  # truncated and corrupt streams raise many types
        width, height = image.size
        raise ImageError(
            f"the photo ({image.format}, {width} x {height}) is truncated or corrupt: {error}; "
            "upload the original file again"
        ) from error
    return image


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a corrupt EXIF block must not cost the photo: leave it as it lies
        return image


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """Return a 16- or 32-bit greyscale image in 8 bits, keeping its tones.

    Pillow's own convert("RGB") clips at 255, which turns a 16-bit scan white.
    """
    values = np.asarray(image).astype(np.float64)
    values[~np.isfinite(values)] = 0
    top = 65535.0 if values.max(initial=0) > 255 else 255.0
    if values.max(initial=0) > 65535:
        top = values.max()
    return Image.fromarray(np.clip(values / top * 255, 0, 255).astype(np.uint8))


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
    return "its content is not that of a photo"
