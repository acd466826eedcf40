"""One optimiser step, the same on CPU and GPU, in full or mixed precision: switches as data."""

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmcore.config import PhaseConfig, RunConfig

MAX_GRADIENT_NORM = 5.0  # clipping bounds the harm of one odd batch; rarely reached


@dataclass(frozen=True)
class SavedStep:
    """The state of a Stepper as a checkpoint holds it."""

    optimizer: dict[str, Tensor]
    scaler: dict[str, float]


class Stepper:
    """AdamW with warm-up and cosine, mixed precision on a GPU and a guard against NaN."""

    def __init__(self, model: nn.Module, phase: PhaseConfig, config: RunConfig) -> None:
        """Build the optimiser over the parameters that the phase trains."""
        self._phase = phase
        self._warmup = config.warmup_share
        self._params = [p for p in model.parameters() if p.requires_grad]
        device = self._params[0].device
        # biases, BatchNorm and the learned missing vectors are no weights to shrink
        groups = [
            {
                "params": [p for p in self._params if p.ndim > 1],
                "weight_decay": config.weight_decay,
            },
            {"params": [p for p in self._params if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.AdamW(groups, lr=phase.lr, fused=device.type != "mps")
        self._device_type = device.type
        self._amp_dtype = amp_dtype(device)
        # bf16 has the range of float32; only fp16 needs its losses scaled
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._amp_dtype is torch.float16)

    def autocast(self) -> AbstractContextManager:
        """Return the context of a forward pass."""
        enabled = self._amp_dtype is not None
        return torch.autocast(self._device_type, dtype=self._amp_dtype, enabled=enabled)

    def step(self, loss: Tensor, progress: float) -> bool:
        """Take one step and return True, or leave the weights alone and return False.

        Args:
            loss: scalar.
            progress: share of the phase's steps done before this one, 0 to 1.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = self._phase.lr * rate_share(progress, self._warmup)
        self._optimizer.zero_grad(set_to_none=True)
        if not bool(torch.isfinite(loss)):
            return False
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(self._optimizer)
        norm = nn.utils.clip_grad_norm_(self._params, MAX_GRADIENT_NORM)
        is_finite = bool(torch.isfinite(norm))
        if is_finite:
            self._scaler.step(self._optimizer)
        self._scaler.update()
        # fp16 overflows now and then by design: the scaler lowers its scale and goes on
        return is_finite

    def state(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Return the optimiser's tensors by "<parameter index>/<name>", and the scaler's state."""
        saved = self._optimizer.state_dict()["state"]
        tensors = {f"{i}/{k}": t.detach().cpu() for i, row in saved.items() for k, t in row.items()}
        return tensors, self._scaler.state_dict()

    def restore(self, saved: SavedStep | None) -> None:
        """Take over a saved state; None leaves a fresh optimiser."""
        if saved is None:
            return
        rows: dict[int, dict[str, Tensor]] = {}
        for key, tensor in saved.optimizer.items():
            index, _, name = key.partition("/")
            rows.setdefault(int(index), {})[name] = tensor
        whole = self._optimizer.state_dict()
        self._optimizer.load_state_dict({**whole, "state": rows})
        if saved.scaler:
            self._scaler.load_state_dict(saved.scaler)


def rate_share(progress: float, warmup: float) -> float:
    """Return the share of the peak rate at `progress`: linear rise, then half a cosine to 0."""
    if progress < warmup:
        # never 0: the first step must already move
        return max(progress / warmup, 0.05)
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def amp_dtype(device: torch.device) -> torch.dtype | None:
    """Return the type for mixed precision on a device, None where full precision is used."""
    if device.type != "cuda":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
