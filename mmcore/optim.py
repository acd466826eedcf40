"""One optimiser step, the same on CPU and GPU, in full or mixed precision: switches as data."""

import enum
import math
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmcore.config import PhaseConfig, RunConfig

MAX_GRADIENT_NORM = 5.0  # clipping bounds the harm of one odd batch
MIN_SCALE = 1.0  # of fp16 losses; an overflow below it is no matter of scale any more
MOMENTS = ("exp_avg", "exp_avg_sq")  # AdamW's, of the shape of their parameter


class StepOutcome(enum.Enum):
    """What became of a step."""

    TAKEN = "taken"
    RESCALED = "rescaled"  # skipped: fp16 overflowed, as it does by design until the scale fits
    NOT_FINITE = "not finite"  # skipped: the loss or its gradient is no number


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
        shrunk, kept = ([p for p in self._params if (p.ndim > 1) is big] for big in (True, False))
        groups = [
            {"params": shrunk, "weight_decay": config.weight_decay},
            {"params": kept, "weight_decay": 0.0},
        ]
        self._numbered = shrunk + kept  # as the optimiser counts them
        self._optimizer = torch.optim.AdamW(groups, lr=phase.lr, fused=device.type != "mps")
        self._device_type = device.type
        self._amp_dtype = amp_dtype(device)
        # bf16 has the range of float32; only fp16 needs its losses scaled
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._amp_dtype is torch.float16)

    def autocast(self) -> AbstractContextManager:
        """Return the context of a forward pass."""
        enabled = self._amp_dtype is not None
        return torch.autocast(self._device_type, dtype=self._amp_dtype, enabled=enabled)

    def step(self, loss: Tensor, progress: float) -> StepOutcome:
        """Take one step, or leave weights and moments alone and say why.

        Args:
            loss: scalar.
            progress: share of the phase's steps done before this one, 0 to 1.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = self._phase.lr * rate_share(progress, self._warmup)
        self._optimizer.zero_grad(set_to_none=True)
        if not bool(torch.isfinite(loss)):
            return StepOutcome.NOT_FINITE
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(self._optimizer)
        gradients = [p.grad for p in self._params if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        if bool(torch.isfinite(norm)):
            if norm > MAX_GRADIENT_NORM:  # else it would be a pass over all gradients, times 1
                nn.utils.clip_grads_with_norm_(self._params, MAX_GRADIENT_NORM, norm)
            self._scaler.step(self._optimizer)
            self._scaler.update()
            return StepOutcome.TAKEN
        self._optimizer.zero_grad(set_to_none=True)
        before = self._scaler.get_scale()
        self._scaler.update()
        # without fp16 the scale is 1 throughout
        is_lowered = MIN_SCALE <= self._scaler.get_scale() < before
        return StepOutcome.RESCALED if is_lowered else StepOutcome.NOT_FINITE

    def state(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Return the optimiser's tensors by "<parameter index>/<name>", and the scaler's state."""
        saved = self._optimizer.state_dict()["state"]
        tensors = {f"{i}/{k}": t.detach().cpu() for i, row in saved.items() for k, t in row.items()}
        return tensors, self._scaler.state_dict()

    def restore(self, saved: SavedStep | None) -> None:
        """Take over a saved state; None leaves a fresh optimiser.

        Raises:
            ValueError: if it isn't that of an optimiser over these parameters.
        """
        if saved is None:
            return
        rows: dict[int, dict[str, Tensor]] = {}
        for key, tensor in saved.optimizer.items():
            index, name, param = self._place(key, tensor)
            # as the parameter lies in memory: the fused kernels walk over moments and weights in
            # step, and a checkpoint knows no channels_last
            moment = torch.empty_like(param).copy_(tensor) if name in MOMENTS else tensor
            rows.setdefault(index, {})[name] = moment
        if any(row.keys() != {"step", *MOMENTS} for row in rows.values()):
            raise ValueError("the optimiser's tensors of a parameter are incomplete")
        whole = self._optimizer.state_dict()
        self._optimizer.load_state_dict({**whole, "state": rows})
        if saved.scaler and self._scaler.is_enabled():
            try:
                self._scaler.load_state_dict(saved.scaler)
            except KeyError as error:
                raise ValueError(f"the state of the loss scale lacks {error}") from error

    def _place(self, key: str, tensor: Tensor) -> tuple[int, str, Tensor]:
        """Return the parameter's number, the name and the parameter of a saved tensor."""
        index, _, name = key.partition("/")
        if not index.isdecimal() or int(index) >= len(self._numbered):
            raise ValueError(f"there is no parameter {index[:20]!r} to its tensor {key[:40]!r}")
        param = self._numbered[int(index)]
        shape = param.shape if name in MOMENTS else torch.Size([])
        if name not in ("step", *MOMENTS) or tensor.shape != shape:
            raise ValueError(
                f"optimiser tensor {key[:40]!r} is {tuple(tensor.shape)}, the network "
                f"needs {tuple(shape)}"
            )
        return int(index), name, param


class RunningStatistics:
    """BatchNorm's statistics before a forward pass, to be put back where its step is skipped.

    They move in the forward pass, before anyone knows that the loss isn't finite; one such batch
    would turn them to NaN for good.
    """

    def __init__(self, model: nn.Module) -> None:
        """Find the statistics that a forward pass moves, in the mode the model is in now."""
        self._moving = [
            buffer
            for module in model.modules()
            if isinstance(module, _BatchNorm) and module.training
            for buffer in module.buffers(recurse=False)
        ]
        self._kept: list[Tensor] = []

    def remember(self) -> None:
        """Keep them as they are now."""
        self._kept = [buffer.clone() for buffer in self._moving]

    @torch.no_grad()
    def restore(self) -> None:
        """Put back what was remembered last."""
        for buffer, before in zip(self._moving, self._kept, strict=True):
            buffer.copy_(before)


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
    # cards before Ampere only emulate bf16, at a fraction of their speed in fp16
    has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if has_bf16 else torch.float16
