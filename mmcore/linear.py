"""Linear heads beside the towers: fitted by `linear_fit.py`, so buffers and no parameters.

They answer beside the towers' own heads; what each is worth is decided by the combiner.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, normalize

SMALLEST_DEVIATION = 1e-4  # of a feature; below it is constant, but for rounding


@dataclass(frozen=True)
class SparseRows:
    """Rows of n-gram weights, one after the other: B products with E n-grams in all."""

    ids: Tensor  # (E,) int64
    values: Tensor  # (E,) float32
    starts: Tensor  # (B,) int64, where the n-grams of each product begin

    def to(self, device: torch.device) -> "SparseRows":
        return SparseRows(self.ids.to(device), self.values.to(device), self.starts.to(device))


class LinearHead(nn.Module):
    """Class logits from features that nothing here trains."""

    def __init__(self, width: int, num_classes: int, is_sparse: bool, is_unit: bool = True) -> None:
        """Make room for weights.

        Args:
            width: D, features a product.
            is_sparse: features come as SparseRows of length 1, else as (B, D) of any scale, which
                are standardised and scaled here.
            is_unit: bring each dense row to length 1, which suits the many features of a photo. A
                few columns would lose what they say (of one number only the sign would be left):
                False divides by the root of D, so that the length is about 1 over all products.
        """
        super().__init__()
        self.is_sparse, self.is_unit = is_sparse, is_unit
        self.strength: float | None = None  # it was fitted with; a later fit may start from it
        self.register_buffer("weight", torch.zeros(width, num_classes))
        self.register_buffer("bias", torch.zeros(num_classes))
        self.register_buffer("mean", torch.zeros(0 if is_sparse else width))
        self.register_buffer("deviation", torch.ones(0 if is_sparse else width))
        # most deviations seen while fitting: where a feature hardly moved, a new product's could be
        # thousands away from the mean, and nothing else of that product would count
        self.register_buffer("limit", torch.full((0 if is_sparse else width,), torch.inf))

    def fit_scale(self, pieces: Iterable[Tensor]) -> None:
        """Learn the scale of dense features.

        Args:
            pieces: (n, D) rows each; gone through twice.
        """
        width, num_rows = len(self.mean), 0
        total = torch.zeros(width, dtype=torch.float64)
        for rows in pieces:
            total += rows.sum(dim=0, dtype=torch.float64)
            num_rows += len(rows)
        mean = total / num_rows
        squares, farthest = torch.zeros_like(total), torch.zeros(width)
        for rows in pieces:
            distance = rows - mean.float()
            squares += distance.square().sum(dim=0, dtype=torch.float64)
            farthest = torch.maximum(farthest, distance.abs().amax(dim=0))
        self.mean.copy_(mean)
        self.deviation.copy_((squares / num_rows).sqrt().clamp(min=SMALLEST_DEVIATION))
        self.limit.copy_(farthest / self.deviation)

    def forward(self, features: Tensor | SparseRows) -> Tensor:
        """Return logits (B, K)."""
        if isinstance(features, SparseRows):
            total = embedding_bag(
                features.ids,
                self.weight,
                features.starts,
                mode="sum",
                per_sample_weights=features.values,
            )
        else:
            total = self.scaled(features) @ self.weight
        return total + self.bias

    def scaled(self, features: Tensor) -> Tensor:
        """Return (B, D) dense features as the weights expect them."""
        deviations = (features.float() - self.mean) / self.deviation
        deviations = deviations.clamp(-self.limit, self.limit)
        return normalize(deviations) if self.is_unit else deviations / len(self.mean) ** 0.5

    def spec(self) -> dict:
        """Return what is needed to build an empty one of the same shape, as JSON values."""
        return {
            "width": self.weight.shape[0],
            "is_sparse": self.is_sparse,
            "is_unit": self.is_unit,
            "strength": self.strength,
        }


def heads_from_specs(specs: Mapping[str, Mapping], num_classes: int) -> dict[str, LinearHead]:
    """Return empty heads by modality, ready to take saved weights."""
    return {name: _head_from_spec(spec, num_classes) for name, spec in specs.items()}


def _head_from_spec(spec: Mapping, num_classes: int) -> LinearHead:
    is_sparse, is_unit = bool(spec["is_sparse"]), bool(spec["is_unit"])
    head = LinearHead(int(spec["width"]), num_classes, is_sparse, is_unit)
    if spec.get("strength") is not None:  # earlier model folders don't tell it
        head.strength = float(spec["strength"])
    return head
