"""The state of a training run on disk: written atomically, tensors and JSON, no pickle."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from mmcore.errors import CheckpointError
from mmcore.workspace import write_atomically

FORMAT = "rayon-checkpoint-2"


@dataclass
class TrainState:
    """Where a run stands. Everything random is derived from the position, so it is enough."""

    phase: int = 0  # the phase being trained, or the number of phases when all are done
    epoch: int = 0  # whole epochs done in it
    step: int = 0  # steps done in the running epoch
    loss_sum: float = 0.0  # over those steps
    loss_steps: int = 0  # steps that entered it
    best_score: float = -1.0  # val macro-F1 of the best epoch so far, over all phases
    best_loss: float = float("inf")
    best_at: tuple[int, int] = (-1, -1)  # its (phase, epoch)
    stale_epochs: int = 0  # epochs of this phase without a better one
    skipped_steps: int = 0  # steps left out for a non-finite loss
    bad_steps_in_row: int = 0
    history: list[dict] = field(default_factory=list)  # one row an epoch


@dataclass(frozen=True)
class Checkpoint:
    """A state with the tensors that belong to it."""

    state: TrainState
    model: dict[str, Tensor]
    best: dict[str, Tensor]
    optimizer: dict[str, Tensor]  # "<parameter index>/<name>" -> tensor
    scaler: dict[str, float]


class CheckpointFile:
    """One file that always holds the last complete checkpoint of one run."""

    def __init__(self, path: Path, run_hash: str) -> None:
        """Name the file.

        Args:
            path: its folder is made when the first checkpoint is saved.
            run_hash: of configuration and snapshot; a file with another one is refused.
        """
        self.path = path
        self.run_hash = run_hash

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the file with this checkpoint, durably.

        Raises:
            CheckpointError: if it can't be written; the previous checkpoint is still there.
        """
        groups = {
            "model": checkpoint.model,
            "best": checkpoint.best,
            "optimizer": checkpoint.optimizer,
        }
        tensors = {
            f"{g}:{k}": t.contiguous() for g, part in groups.items() for k, t in part.items()
        }
        header = {
            "format": FORMAT,
            "run": self.run_hash,
            "state": json.dumps(asdict(checkpoint.state)),
            "scaler": json.dumps(checkpoint.scaler),
        }
        data = save(tensors, header)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, lambda file: file.write(data))
        except OSError as error:
            kept = "the previous one is kept" if self.path.exists() else "there is none before it"
            raise CheckpointError(
                f"checkpoint {self.path} of {len(data) / 1e6:.1f} MB can't be written: "
                f"{error.strerror or error}; {kept}; free some space or choose another workspace "
                "with --home, then resume"
            ) from error

    def load(self) -> Checkpoint | None:
        """Return the checkpoint, None where there is none yet.

        Raises:
            CheckpointError: if the file is damaged or belongs to another run.
        """
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, "pt") as file:
                header = file.metadata() or {}
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except Exception as error:  # SafetensorError, OSError, and what hostile headers lead to
            raise self.unusable(str(error) or type(error).__name__) from error
        if header.get("format") != FORMAT:
            raise self.unusable(f"its format is {header.get('format')!r}, expected {FORMAT!r}")
        if header.get("run") != self.run_hash:
            raise self.unusable("it belongs to other settings or other labels")
        try:
            state = _state_from(json.loads(header["state"]))
            scaler = _scaler_from(json.loads(header["scaler"]))
            return Checkpoint(state, **_grouped(tensors), scaler=scaler)
        except KeyError as error:
            raise self.unusable(f"its header lacks {error}") from error
        except (ValueError, RecursionError) as error:  # JSONDecodeError is one
            raise self.unusable(str(error)) from error

    def remove(self) -> None:
        """Delete the file; the run has ended."""
        self.path.unlink(missing_ok=True)

    def unusable(self, reason: str) -> CheckpointError:
        """Return the error for a file that no run can go on from."""
        return CheckpointError(
            f"checkpoint {self.path} can't be used: {reason}; delete it and train from the start"
        )


def contradiction(checkpoint: Checkpoint, num_phases: int) -> str | None:
    """Return what is wrong with a position in a run of so many phases, None where nothing is."""
    state = checkpoint.state
    if state.phase > num_phases:
        return f"it stands in phase {state.phase + 1}, the run has {num_phases}"
    if bool(checkpoint.best) != (min(state.best_at) >= 0):
        return f"its best epoch is {state.best_at} with {len(checkpoint.best)} tensors"
    return None


def _state_from(data: object) -> TrainState:
    """Return the state that `asdict` made plain, every value held to its type.

    Raises:
        ValueError: if it isn't of that form.
    """
    known = {f.name: f for f in fields(TrainState)}
    if not isinstance(data, dict) or data.keys() != known.keys():
        found = sorted(data) if isinstance(data, dict) else type(data).__name__
        raise ValueError(f"its state should hold {sorted(known)}, not {found}"[:300])
    for name, value in data.items():
        if not _is_of_kind(value, known[name].type):
            raise ValueError(f"{name} of its state is {value!r}"[:200])
    return TrainState(**{**data, "best_at": tuple(data["best_at"])})


def _is_of_kind(value: object, kind: object) -> bool:
    if kind is int:
        return type(value) is int and value >= 0
    if kind is float:
        return type(value) in (int, float)
    if kind == list[dict]:
        return isinstance(value, list) and all(isinstance(row, dict) for row in value)
    return isinstance(value, list) and [type(v) for v in value] == [int, int]  # best_at


def _scaler_from(data: object) -> dict[str, float]:
    if not isinstance(data, dict) or any(type(v) not in (int, float) for v in data.values()):
        raise ValueError(f"the state of its loss scale is {data!r}"[:200])
    return data


def _grouped(tensors: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Return the tensors of "<group>:<name>" by group and name."""
    groups: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "optimizer": {}}
    for key, tensor in tensors.items():
        group, _, name = key.partition(":")
        if group not in groups:
            raise ValueError(f"it holds a tensor {key[:80]!r} that belongs to no part of a run")
        groups[group][name] = tensor
    return groups
