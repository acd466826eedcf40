"""A decoded photo of any mode and size to a small upright RGB square, in bounded memory.

Pillow's own functions, one after the other, hold several whole copies of the photo: 50 megapixels
with transparency took 1.1 GB, of 16-bit grey 1.3 GB, for 224 x 224 pixels in the end. Here strips
of the photo go through the very same functions, and the pixels that come out are the same.
"""

import math

import numpy as np
from PIL import ExifTags, Image

STRIP_PIXELS = 1_000_000  # brought to RGB at a time: some 20 MB with all their copies
# shrink by whole factors first, down to twice the target; the same picture to the eye as a fair
# resampling, several times faster
REDUCING_GAP = 2.0

_TURNS = {  # EXIF orientation -> what brings the photo upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = (5, 6, 7, 8)
_FROM_THE_FAR_END = (3, 4, 7, 8)  # the first row of the upright photo is the file's last row/column


def to_square(image: Image.Image, size_px: int) -> Image.Image:
    """Return a loaded image as (size_px, size_px) RGB, upright, with transparency on white.

    Equal to EXIF transposition, conversion and `resize` with a reducing gap of the whole photo.
    """
    return _shrunk(image, (size_px, size_px))


def to_fit(image: Image.Image, size_px: int) -> Image.Image:
    """Return a loaded image as RGB, upright, its proportions kept, its longer side `size_px`.

    A smaller image keeps its size.
    """
    width, height = _upright_size(image)
    scale = min(1.0, size_px / max(width, height))
    return _shrunk(image, (max(1, round(width * scale)), max(1, round(height * scale))))


def _upright_size(image: Image.Image) -> tuple[int, int]:
    return image.size[::-1] if _orientation(image) in _ON_ITS_SIDE else image.size


def _shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    turn = _orientation(image)
    width, height = _upright_size(image)
    by_x, by_y = (
        int(side / wanted / REDUCING_GAP) or 1
        for side, wanted in zip((width, height), size, strict=True)
    )
    white_point = _white_point(image) if _is_deep(image) else 0.0
    small = Image.new("RGB", (math.ceil(width / by_x), math.ceil(height / by_y)))
    # whole blocks of the reduction, so that no block is cut in two
    rows = max(1, STRIP_PIXELS // width // by_y) * by_y
    for top in range(0, height, rows):
        strip = _upright_rows(image, turn, top, min(top + rows, height))
        small.paste(_to_rgb(strip, white_point).reduce((by_x, by_y)), (0, top // by_y))
    # the last block may be a part of one: the photo ends inside it
    box = (0, 0, width / by_x, height / by_y)
    return small.resize(size, Image.Resampling.BICUBIC, box=box)


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # a corrupt EXIF block must not cost the photo: leave it as it lies
        return 1


def _upright_rows(image: Image.Image, turn: int, top: int, bottom: int) -> Image.Image:
    """Return rows `top` to `bottom` of the upright photo."""
    width, height = image.size
    length = width if turn in _ON_ITS_SIDE else height
    if turn in _FROM_THE_FAR_END:
        top, bottom = length - bottom, length - top
    box = (top, 0, bottom, height) if turn in _ON_ITS_SIDE else (0, top, width, bottom)
    strip = image if box == (0, 0, width, height) else image.crop(box)
    return strip.transpose(_TURNS[turn]) if turn in _TURNS else strip


def _to_rgb(image: Image.Image, white_point: float) -> Image.Image:
    """Return an image as 8-bit RGB, with transparency on white.

    Args:
        white_point: of a deep greyscale image, the value that becomes white.
    """
    if _is_deep(image):
        return _from_deep_grey(image, white_point).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _is_deep(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def _white_point(image: Image.Image) -> float:
    """Return the value that is white in a greyscale image of more than 8 bits."""
    width, height = image.size
    rows = max(1, STRIP_PIXELS // width)
    boxes = [(0, y, width, min(y + rows, height)) for y in range(0, height, rows)]
    brightest = max(_finite(image.crop(box)).max(initial=0) for box in boxes)
    if brightest > 65535:
        return float(brightest)
    return 65535.0 if brightest > 255 else 255.0


def _from_deep_grey(image: Image.Image, white_point: float) -> Image.Image:
    """Return a 16- or 32-bit greyscale image in 8 bits, keeping its tones.

    Pillow's own convert("RGB") clips at 255, which turns a 16-bit scan white.
    """
    scaled = _finite(image) / white_point * 255
    return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))


def _finite(image: Image.Image) -> np.ndarray:
    values = np.asarray(image).astype(np.float64)
    values[~np.isfinite(values)] = 0
    return values
