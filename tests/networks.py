"""Small products and networks that train in a moment, for the tests of model code."""

import numpy as np
import torch
from torch import nn

from mmcore.batches import BatchReader, EncodedProducts
from mmcore.config import IMAGE, TEXT, ModelConfig, PhaseConfig, RunConfig
from mmcore.fusion import FusionClassifier
from mmcore.towers import ImageTower, TextTower

NUM_CLASSES = 3
CPU = torch.device("cpu")


class TinyBackbone(nn.Module):
    """A backbone of the real shapes (pixels to (B, 1280, 7, 7)) at a hundredth of the cost."""

    scale, shift = torch.ones(3), torch.zeros(3)  # pixels stay as they are
    body = property(lambda self: self)

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 32, stride=32)
        self.norm = nn.BatchNorm2d(8)
        self.widen = nn.Conv2d(8, 1280, 1)

    def build(self) -> None:
        """Has its layers from the start."""

    def forward(self, pixels):
        return torch.relu(self.widen(torch.relu(self.norm(self.conv(pixels)))))


def tiny_model(seed: int = 0, joint: bool = True) -> FusionClassifier:
    torch.manual_seed(seed)
    towers = {"text": TextTower(), "image": ImageTower(TinyBackbone())}
    return FusionClassifier(towers, NUM_CLASSES, joint)


def products(num: int, seed: int = 0, missing: float = 0.2) -> EncodedProducts:
    """Return products whose class shows in their words (ids near 10 x class) and photo key."""
    draw = np.random.default_rng(seed)
    labels = np.arange(num) % NUM_CLASSES
    tokens = np.zeros((num, 60), np.int64)
    tokens[:, :6] = 1 + labels[:, None] * 10 + draw.integers(0, 12, (num, 6))
    has_text, has_image = draw.random(num) >= missing, draw.random(num) >= missing
    has_text |= ~has_image
    tokens[~has_text] = 0
    keys = [f"{labels[i]}-{i}" if has_image[i] else "" for i in range(num)]
    return EncodedProducts(
        product_ids=np.array([f"p{i}" for i in range(num)], dtype=object),
        inputs={"text": tokens},
        present={"text": has_text, "image": has_image},
        photos=np.array(keys, dtype=object),
        labels=labels,
    )


class KeyedImages:
    """Photos drawn from their key "<class>-<number>": pixels, or features of a given width."""

    batch_size = 16

    def __init__(self, as_features: bool) -> None:
        self._shape = (1280,) if as_features else (3, 224, 224)

    def stream(self, batches):
        for keys in batches:
            rows = np.zeros((len(keys), *self._shape), np.float32)
            for i, key in enumerate(keys):
                if key:
                    label, number = map(int, key.split("-"))
                    noise = np.random.default_rng(number).normal(0, 1, self._shape)
                    rows[i] = noise * 0.3 + (label - 1) * 0.5
            yield torch.from_numpy(rows), np.array([bool(k) for k in keys])


def reader(rows: EncodedProducts, as_features: bool = True) -> BatchReader:
    return BatchReader(rows, "image", KeyedImages(as_features), CPU)


def run_config(*phases: PhaseConfig, **changes) -> RunConfig:
    model = ModelConfig((TEXT, IMAGE), weights="random")
    phases = phases or (PhaseConfig("frozen", 3),)
    return RunConfig(**{"model": model, "phases": phases, "batch_size": 8, "seed": 5, **changes})
