"""Whether phase 2 pays: by the photos there are, this machine's pace and the time that is given.

What it gains is seen on val: the network ends with the weights of its best epoch, of whatever
phase, and says which that was.
"""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmcore.config import RunConfig

if TYPE_CHECKING:
    import torch

# Train photos. Up to here frozen features under a linear head did as well as a tuned backbone (on
# 600, 1,200 and 1,800 photos), and take a tenth of the time.
MIN_PHOTOS = 8_000
MAX_EPOCHS, MAX_WARM_EPOCHS = 5, 2
SHARE_OF_TIME = 0.6  # of what is given; the rest is for features, phase 1 and judging
_PROBE_PASSES = 3


@dataclass(frozen=True)
class Photos:
    """How many labelled products with a photo there are, by what is done with them."""

    num_train: int
    num_val: int


def plan_epochs(
    config: RunConfig, photos: Photos, minutes: float, device: "torch.device"
) -> tuple[int, str]:
    """Return the epochs of phase 2 where nobody has asked for a number, and why, in words.

    Args:
        config: of the run, its backbone in particular.
        minutes: for the whole training.
        device: whose pace is measured, if there are enough photos for it to matter.
    """
    left_out = "phase 2 (fine-tuning of the backbone) is left out"
    if photos.num_train < MIN_PHOTOS:
        return 0, (
            f"{left_out}: there are {photos.num_train:,} train photos, and below {MIN_PHOTOS:,} "
            "frozen features do as well; --epochs2 N asks for it all the same"
        )
    epoch_s = _epoch_seconds(config, photos, device)
    given_s = minutes * 60 * SHARE_OF_TIME
    most = MAX_WARM_EPOCHS if config.parent else MAX_EPOCHS
    epochs = min(most, int(given_s // epoch_s))
    pace = (
        f"an epoch over {photos.num_train:,} photos takes about {epoch_s / 60:.1f} min on this "
        f"{device.type} (measured); {given_s / 60:.1f} of {minutes:g} min (--minutes) are for it"
    )
    if not epochs:
        return 0, f"{left_out}: {pace}"
    return epochs, f"phase 2 is planned with up to {epochs} epochs of fine-tuning: {pace}"


def gain_note(history: Sequence[dict], config: RunConfig) -> list[str]:
    """Return what fine-tuning has gained on val, nothing where there was none or no val."""
    tuned = {i for i, phase in enumerate(config.phases, start=1) if phase.train_backbone}
    scores: dict[bool, list[float]] = {True: [], False: []}
    for row in history:
        if row["val_macro_f1"]:
            views = row["val_macro_f1"].values()
            scores[row["phase"] in tuned].append(sum(views) / len(views))
    if not scores[True] or not scores[False]:
        return []
    before, after = max(scores[False]), max(scores[True])
    told = f"{before:.3f} before, {after:.3f} at its best (mean macro-F1 of the views)"
    if after <= before:
        return [f"fine-tuning gained nothing on val, so the frozen backbone is kept: {told}"]
    return [f"fine-tuning gained on val: {told}"]


def _epoch_seconds(config: RunConfig, photos: Photos, device: "torch.device") -> float:
    """Return how long one epoch takes, by a few passes of noise through an untrained backbone."""
    import torch

    from mmcore.backbones import build_backbone
    from mmcore.folding import FoldedNorms
    from mmcore.images import IMAGE_PX
    from mmcore.pixels import photos_a_pass

    backbone = build_backbone(config.model.backbone, None).to(
        device, memory_format=torch.channels_last
    )
    folded = FoldedNorms(backbone)  # as the trainer runs it
    size = photos_a_pass(device)
    noise = torch.rand(size, 3, IMAGE_PX, IMAGE_PX, device=device)
    noise = noise.contiguous(memory_format=torch.channels_last)

    def seconds(trains: bool) -> float:
        backbone.train(trains)
        durations = []
        for _ in range(_PROBE_PASSES):
            _wait_for(device)
            started = time.perf_counter()
            with torch.set_grad_enabled(trains):
                with folded.active() if trains else nullcontext():
                    maps = backbone(noise)
                if trains:
                    maps.mean().backward()
            _wait_for(device)
            durations.append(time.perf_counter() - started)
        return min(durations) / size  # the first ones pay for memory and kernels

    return photos.num_train * seconds(True) + photos.num_val * seconds(False)


def _wait_for(device: "torch.device") -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
