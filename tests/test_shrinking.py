"""A strip at a time gives the very pixels of the whole at once, in a fraction of the memory."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from mmcore import shrinking
from mmcore.shrinking import to_square

MODES = ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16", "I", "F")
# 50 megapixels of RGB, Pillow's widest mode, are 200 MB; the limit of decoding is 320
PEAK_MB = 350


def noise(mode: str, width: int = 301, height: int = 977) -> Image.Image:
    """Return noise whose sides are multiples of no factor."""
    draw = np.random.default_rng(0)
    if mode in ("I;16", "I", "F"):
        values = draw.integers(0, 60_000, (height, width))
        return Image.fromarray(
            values.astype({"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode])
        )
    rgba = Image.fromarray(draw.integers(0, 256, (height, width, 4), np.uint8))
    return rgba.convert(mode) if mode in ("RGBA", "LA") else rgba.convert("RGB").convert(mode)


def at_once(image: Image.Image, size_px: int) -> Image.Image:
    """Return the square by Pillow's own functions over the whole photo."""
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I;16", "I", "F"):
        grey = np.asarray(image).astype(np.float64) / 65535 * 255
        image = Image.fromarray(grey.astype(np.uint8))
    if image.mode in ("RGBA", "LA"):
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    rgb = image.convert("RGB")
    return rgb.resize((size_px, size_px), Image.Resampling.BICUBIC, reducing_gap=2.0)


@pytest.mark.parametrize("strip_pixels", [1, 20_000, 10**6])
@pytest.mark.parametrize("mode", MODES)
def test_strips_give_the_pixels_of_the_whole(monkeypatch, mode, strip_pixels):
    monkeypatch.setattr(shrinking, "STRIP_PIXELS", strip_pixels)
    image = noise(mode)
    assert np.array_equal(to_square(image, 33), at_once(image, 33))


@pytest.mark.parametrize("orientation", range(1, 10))
def test_strips_of_a_turned_photo_give_the_pixels_of_the_whole(monkeypatch, orientation):
    monkeypatch.setattr(shrinking, "STRIP_PIXELS", 20_000)
    image = noise("RGB")
    image.getexif()[0x0112] = orientation
    assert np.array_equal(to_square(image, 33), at_once(image, 33))


def test_a_small_photo_is_enlarged():
    image = noise("RGB", 20, 9)
    assert np.array_equal(to_square(image, 224), at_once(image, 224))


def test_deep_grey_brighter_than_16_bits_keeps_its_tones():
    ramp = Image.fromarray(np.linspace(0, 1e6, 64 * 64, dtype=np.float32).reshape(64, 64))
    rows = np.asarray(to_square(ramp, 64))[:, 32, 0].astype(int)
    assert rows[0] < 5 and rows[-1] > 250 and 120 < rows[32] < 135


PEAK = """
import sys
from pathlib import Path
from PIL import Image
from mmcore.images import decode_photo

def peak_mb():  # of this process image alone; getrusage would count the parent's before exec
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x)
    return int(line.split()[1]) / 1024

Image.init()
data = sys.stdin.buffer.read()
before = peak_mb()
assert decode_photo(data).shape == (224, 224, 3)
print(peak_mb() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("mode", ["RGBA", "I;16"])
def test_the_largest_photo_takes_little_memory(mode):
    side = 7000
    image = Image.linear_gradient("L").resize((side, side))
    if mode == "RGBA":
        image = image.convert("RGBA")
        image.putalpha(200)
    else:
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    command = [sys.executable, "-c", PEAK]
    result = subprocess.run(command, input=buffer.getvalue(), capture_output=True, check=True)
    assert float(result.stdout) < PEAK_MB
