"""Fixtures shared by all tests: a tiny catalogue whose classes can be read and seen."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the real catalogues; skips where it is absent."""
    if not (SHARED_DATA / "README.md").exists():
        pytest.skip("the real catalogues (../shared/data) are not on this machine")
    return SHARED_DATA


def encode_photo(pixels: np.ndarray, format: str = "JPEG", **options) -> bytes:
    """Return pixels as the bytes of a photo file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def make_photo() -> Callable[..., bytes]:
    """Return a function that makes a JPEG of one colour with noise, by seed."""

    def make(colour: tuple[int, int, int] = (200, 30, 30), seed: int = 0, px: int = 64) -> bytes:
        noise = np.random.default_rng(seed).normal(0, 25, (px, px, 3))
        return encode_photo(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8))

    return make
