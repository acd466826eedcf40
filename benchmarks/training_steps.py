"""What a step of each phase saves, in turns: still BatchNorm folded or not, short texts or full.

    PYTHONPATH=. python benchmarks/training_steps.py [--backbone mobilenet_v2] [--rounds 5] [--keep]

  folded / plain   photos a second through a backbone, forward and back: BatchNorm with still
                   statistics as part of the convolution before it, and by itself
  short / full     texts a second through the text tower, forward and back: titles of five words,
                   of which padding is left out, and texts that fill all 60 places

Photos are noise and weights random; neither costs more or less for it.
"""

import time
from contextlib import AbstractContextManager, nullcontext

import torch
from bench import pairs, parser, peak_mb, report

from mmcore.backbones import SPECS, build_backbone
from mmcore.build import resolve_device
from mmcore.folding import FoldedNorms
from mmcore.images import IMAGE_PX
from mmcore.text import TEXT_LENGTH
from mmcore.towers import TextTower

BATCH = 32  # as a run trains
TITLE_WORDS = 5
TEXT_STEPS = 20  # a text step takes milliseconds


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--backbone", default="mobilenet_v2", choices=sorted(SPECS))
    made.add_argument("--rounds", type=int, default=5)
    options = made.parse_args()
    resolve_device("cpu")  # tells the allocator what a training tells it
    figures = {
        "phase2": phase2(options.backbone, options.rounds),
        "text": text(options.rounds),
        "peak_mb": peak_mb(),
    }
    report(__file__, figures, (options.backbone,), options.keep)


def phase2(name: str, rounds: int) -> dict:
    backbone = build_backbone(name, None).to(memory_format=torch.channels_last)
    backbone.train()
    for module in backbone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()  # as in phase 2
    folded = FoldedNorms(backbone)
    photos = torch.rand(BATCH, 3, IMAGE_PX, IMAGE_PX) * 2 - 1
    photos = photos.contiguous(memory_format=torch.channels_last)

    def rate(context: AbstractContextManager) -> float:
        started = time.perf_counter()
        backbone.zero_grad()
        with context:
            maps = backbone(photos)
        maps.mean().backward()
        return BATCH / (time.perf_counter() - started)

    rate(folded.active()), rate(nullcontext())
    return pairs(
        {"folded": lambda: rate(folded.active()), "plain": lambda: rate(nullcontext())}, rounds
    )


def text(rounds: int) -> dict:
    tower = TextTower().train()
    full = torch.randint(1, len(tower.embedding.weight), (BATCH, TEXT_LENGTH))
    short = full.clone()
    short[:, TITLE_WORDS:] = 0

    def rate(rows: torch.Tensor) -> float:
        started = time.perf_counter()
        for _ in range(TEXT_STEPS):
            tower.zero_grad()
            tower(rows).square().mean().backward()
        return TEXT_STEPS * BATCH / (time.perf_counter() - started)

    rate(short), rate(full)
    return pairs({"short": lambda: rate(short), "full": lambda: rate(full)}, rounds)


if __name__ == "__main__":
    main()
