"""L-BFGS in single precision for many weights, with a preconditioner.

SciPy's keeps ten pairs of vectors in double precision and runs on one thread: of eight million
weights that alone is 1.3 GB. Here the curvature that is known beforehand does most of the work, so
that few pairs are enough.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

MAX_PAIRS = 5
_SUFFICIENT = 1e-4  # share of the promised decrease that a step has to keep (Armijo)
_SMALLEST_STEP = 1e-4

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class Limits:
    """When to stop.

    Attributes:
        tolerance: share of the value by which a step has to lower it, or it is the last.
    """

    max_iterations: int
    tolerance: float


def minimise(
    objective: Objective,
    start: np.ndarray,
    precondition: Callable[[np.ndarray], np.ndarray],
    limits: Limits,
) -> np.ndarray:
    """Return the point at which a convex objective is about lowest.

    Args:
        objective: point -> its value, and its gradient in the point's shape.
        start: float32 of any shape.
        precondition: gradient -> gradient by the inverse of a rough Hessian; linear, symmetric.
    """
    point = start.copy()
    value, gradient = objective(point)
    pairs: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=MAX_PAIRS)
    for _ in range(limits.max_iterations):
        way = _way(gradient, pairs, precondition)
        slope = -_dot(gradient, way)
        if slope >= 0:  # rounding: nothing is left to gain
            break
        found = _step(objective, point, value, way, slope)
        if found is None:
            break
        step, new_value, new_gradient = found
        way *= -step
        point += way
        change = new_gradient - gradient
        curvature = _dot(way, change)
        if curvature > 0:
            pairs.append((way, change, curvature))
        gained, value, gradient = value - new_value, new_value, new_gradient
        if gained <= limits.tolerance * abs(value):
            break
    return point


def _way(
    gradient: np.ndarray,
    pairs: deque[tuple[np.ndarray, np.ndarray, float]],
    precondition: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return the gradient by the inverse of the Hessian as far as it is known: two loops."""
    rest, shares = gradient.copy(), []
    for moved, change, curvature in reversed(pairs):
        shares.append(_dot(moved, rest) / curvature)
        _add(rest, change, -shares[-1])
    way = precondition(rest)
    if pairs:
        _, change, curvature = pairs[-1]
        way *= np.float32(curvature / _dot(change, precondition(change)))
    for (moved, change, curvature), share in zip(pairs, reversed(shares), strict=True):
        _add(way, moved, share - _dot(change, way) / curvature)
    return way


def _step(
    objective: Objective, point: np.ndarray, value: float, way: np.ndarray, slope: float
) -> tuple[float, float, np.ndarray] | None:
    """Return the length of a step against `way` that pays, with value and gradient there."""
    step = 1.0
    while step >= _SMALLEST_STEP:
        new_value, gradient = objective(_add(point.copy(), way, -step))
        if new_value <= value + _SUFFICIENT * step * slope:
            return step, new_value, gradient
        # where a parabola through what is known has its lowest point
        lowest = -slope * step / (2 * (new_value - value - slope * step)) if new_value < 1e30 else 0
        step *= min(0.5, max(0.1, lowest))
    return None


def _add(to: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """Return `to`, with a share of the other added to it: by PyTorch, in place and on all cores."""
    torch.from_numpy(to).add_(torch.from_numpy(other), alpha=share)
    return to


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    return float(torch.dot(torch.from_numpy(a).ravel(), torch.from_numpy(b).ravel()))
