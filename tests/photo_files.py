"""Photo files made from pixels, for tests."""

import io

import numpy as np
from PIL import Image


def encode_photo(pixels: np.ndarray, format: str = "JPEG", **options) -> bytes:
    """Return pixels as the bytes of a photo file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **options)
    return buffer.getvalue()
