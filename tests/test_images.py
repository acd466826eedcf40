"""Photos from hostile bytes to pixels: each bad input has its clear error."""

import io
import os
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_files import encode_photo
from PIL import Image

from mmcore import images
from mmcore.errors import ImageError
from mmcore.images import MAX_BYTES, decode_file, decode_photo, to_model_range

GRADIENT = np.dstack([np.tile(np.arange(0, 240, 4, dtype=np.uint8), (40, 1))] * 3)


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and holds almost nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9))


def test_a_photo_becomes_224_px_rgb_bytes():
    pixels = decode_photo(encode_photo(GRADIENT))
    assert pixels.shape == (224, 224, 3) and pixels.dtype == np.uint8


def test_model_range_is_minus_one_to_one():
    assert to_model_range(np.array([0, 255], np.uint8)).tolist() == [-1.0, 1.0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"empty \(0 bytes\); upload it again"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG .* save it as one of JPEG"),
        (b"<?xml version='1.0'?><svg/>", "SVG"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"%PDF-1.4", "PDF"),
        (b"PK\x03\x04....", "ZIP"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"hello", "not that of a photo"),
        (encode_photo(GRADIENT)[:100], "begins like a photo, but is cut short or damaged; save"),
        (encode_photo(GRADIENT, "PNG")[:12], "begins like a photo, but is cut short"),
        (png_header(50_000, 50_000), r"pixels.*limit.*50,000,000.*scale it down"),
        (png_header(8000, 8000), r"8000 x 8000 pixels, the limit is 50,000,000"),
        (png_header(100, 100), r"truncated or corrupt"),
        (b"x" * (MAX_BYTES + 1), r"20,971,521 bytes, the limit is 20,971,520"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else None,
)
def test_bad_bytes_say_what_and_what_to_do(data, message):
    with pytest.raises(ImageError, match=message):
        decode_photo(data)


def test_a_truncated_jpeg_is_refused():
    whole = encode_photo(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8))
    with pytest.raises(ImageError, match="truncated or corrupt.*upload the original"):
        decode_photo(whole[: len(whole) // 2])


def test_a_photo_of_one_pixel_is_refused():
    with pytest.raises(ImageError, match="1 x 1 pixels, the smallest side accepted is 8"):
        decode_photo(encode_photo(np.zeros((1, 1, 3), np.uint8), "PNG"))


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(ImageError, match="nowhere.jpg can't be read: No such file"):
        decode_file(tmp_path / "nowhere.jpg")


@pytest.mark.parametrize("name", ["", "pipe", "/dev/zero"])
def test_what_is_no_regular_file_is_not_read(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageError, match="is no regular file; name the photo itself"):
        decode_file(tmp_path / name)


def test_a_name_with_a_nul_character_is_a_clear_error(tmp_path):
    with pytest.raises(ImageError, match="can't be read: .*null"):
        decode_file(tmp_path / "a\0.jpg")


def test_exif_rotation_is_applied():
    pixels = np.zeros((60, 60, 3), np.uint8)
    pixels[:30] = 255  # white above black
    exif = Image.Exif()
    exif[0x0112] = 3  # rotated by 180 degrees
    turned = decode_photo(encode_photo(pixels, quality=95, exif=exif))
    assert turned[:50].mean() < 10 and turned[-50:].mean() > 245


def test_transparency_is_laid_on_white():
    pixels = np.zeros((20, 20, 4), np.uint8)  # black, fully transparent
    assert decode_photo(encode_photo(pixels, "PNG")).min() == 255


def test_a_palette_gif_gives_its_first_frame():
    buffer = io.BytesIO()
    red, blue = (Image.new("RGB", (20, 20), c) for c in ("red", "blue"))
    red.save(buffer, "GIF", save_all=True, append_images=[blue])
    assert decode_photo(buffer.getvalue())[100, 100].tolist() == [255, 0, 0]


def test_a_cmyk_jpeg_keeps_its_colour():
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), (250, 20, 20)).convert("CMYK").save(buffer, "JPEG", quality=95)
    red, green, blue = decode_photo(buffer.getvalue())[100, 100].tolist()
    assert red > 200 and green < 60 and blue < 60


def test_16_bit_grey_keeps_its_tones():
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    pixels = decode_photo(encode_photo(ramp, "PNG"))
    assert pixels[112, 3].max() < 20 and pixels[112, 220].min() > 235
    assert 100 < pixels[112, 112].mean() < 155  # clipping at 255 would make it white


def test_a_photo_whose_decoder_would_take_too_much_memory_is_refused():
    buffer = io.BytesIO()
    Image.new("RGB", (4700, 4700)).save(buffer, "WEBP", quality=1, method=0)
    message = r"WEBP, 4700 x 4700\) would take 353 MB to decode, the limit is 320; scale it down"
    with pytest.raises(ImageError, match=message):
        decode_photo(buffer.getvalue())


def test_large_photos_are_decoded_one_at_a_time(monkeypatch):
    running, seen = [], []

    def to_square(image, size_px):
        running.append(1)
        seen.append(len(running))
        time.sleep(0.02)
        running.pop()
        return Image.new("RGB", (size_px, size_px))

    monkeypatch.setattr(images, "to_square", to_square)
    photos = [encode_photo(GRADIENT)] * 4
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(decode_photo, photos))
        assert max(seen) > 1, "small ones go side by side"
        seen.clear()
        monkeypatch.setattr(images, "LARGE_BYTES", 0)
        list(pool.map(decode_photo, photos))
    assert seen == [1, 1, 1, 1]


@given(st.binary(max_size=400))
def test_random_bytes_raise_nothing_but_image_error(data):
    for candidate in (data, b"\x89PNG\r\n\x1a\n" + data, b"\xff\xd8\xff" + data, b"GIF89a" + data):
        with pytest.raises(ImageError):
            decode_photo(candidate)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_damaged_photo_decodes_or_raises_image_error(data):
    photo = bytearray(encode_photo(GRADIENT, data.draw(st.sampled_from(["JPEG", "PNG", "GIF"]))))
    for _ in range(data.draw(st.integers(1, 8))):
        photo[data.draw(st.integers(0, len(photo) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert decode_photo(bytes(photo)).shape == (224, 224, 3)
    except ImageError:
        pass
