"""Fixtures shared by all tests: a tiny catalogue whose classes can be read and seen."""

import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from photo_files import encode_photo

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True, scope="session")
def heed_ctrl_c():
    """Let SIGINT be heard, as in a terminal: whoever starts the tests in the background of a shell
    has it ignored, and so would every command under test."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the real catalogues; skips where it is absent."""
    if not (SHARED_DATA / "README.md").exists():
        pytest.skip("the real catalogues (../shared/data) are not on this machine")
    return SHARED_DATA


@pytest.fixture(scope="session")
def make_photo() -> Callable[..., bytes]:
    """Return a function that makes a JPEG of one colour with noise, by seed."""

    def make(colour: tuple[int, int, int] = (200, 30, 30), seed: int = 0, px: int = 64) -> bytes:
        noise = np.random.default_rng(seed).normal(0, 25, (px, px, 3))
        return encode_photo(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8))

    return make


@pytest.fixture(scope="module")
def artifact():
    """Return an untrained model of two classes that knows three words, as its folder holds it."""
    from mmcore.artifact import Artifact
    from mmcore.backbones import build_backbone
    from mmcore.build import build_model
    from mmcore.catalog.class_names import ClassName
    from mmcore.combiner import equal_shares
    from mmcore.config import IMAGE, TEXT, RunChoices, build_run_config
    from mmcore.encoders import TextEncoder
    from mmcore.manifest import Manifest
    from mmcore.text import Vocabulary

    choices = RunChoices(weights="random", modalities=(TEXT, IMAGE), backbone="mobilenet_v2")
    config = build_run_config(choices)
    encoders = {"text": TextEncoder(TEXT.columns, Vocabulary(("piscine", "livre", "été")))}
    backbone = build_backbone("mobilenet_v2", None, seed=3)
    model = build_model(config.model, encoders, 2, backbone, seed=3).eval()
    manifest = Manifest("m1", "2026-01-01T00:00:00+00:00", "ab" * 32, "0.1.0", None, False)
    classes = (ClassName("10", "Livres", "Books"), ClassName("2583", "Piscine", "Pool"))
    combiner = equal_shares(model.names, "test")
    return Artifact(manifest, config, model, encoders, classes, combiner, {"scores": {}})
