"""Which tensors of a network are whose, and whether saved ones fit it."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from mmcore.checkpoint import Checkpoint
from mmcore.fusion import FusionClassifier


def backbone_names(model: FusionClassifier) -> frozenset[str]:
    """Return the names of the image backbone's tensors in the model's state_dict.

    They are found by the module itself: a modality may be called anything, "backbone", too.
    """
    tower = model.image_tower
    if tower is None:
        return frozenset()
    prefix = next(name for name, module in model.named_modules() if module is tower.backbone)
    return frozenset(f"{prefix}.{key}" for key in tower.backbone.state_dict())


def unfit(found: Checkpoint, model: FusionClassifier, needed: Iterable[str]) -> str | None:
    """Return why a checkpoint's weights can't replace the network's, None where they can.

    `load_state_dict` would take fewer in silence, and the run would go on from random ones.

    Args:
        needed: names of all tensors that the run may have changed by then.
    """
    own = model.state_dict()
    problem = _misfit(own, found.model, needed)
    if found.best and not problem:
        # of an earlier phase, maybe, which had left the backbone alone
        problem = _misfit(own, found.best, set(own) - backbone_names(model))
    return problem


def _misfit(
    own: Mapping[str, Tensor], saved: Mapping[str, Tensor], needed: Iterable[str]
) -> str | None:
    absent = sorted(set(needed) - set(saved))
    if absent:
        return f"tensor {absent[0]!r} is missing ({len(absent)} in all)"
    for name, tensor in saved.items():
        if name not in own:
            return f"the network has no tensor {name[:80]!r}"
        if tensor.shape != own[name].shape or tensor.dtype != own[name].dtype:
            return (
                f"tensor {name!r} is {tuple(tensor.shape)} {tensor.dtype}, the network needs "
                f"{tuple(own[name].shape)} {own[name].dtype}"
            )
    return None
