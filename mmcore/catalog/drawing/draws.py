"""Named random streams for the drawn catalogue: one more draw in one place moves nothing elsewhere.

Python's generator and not NumPy's: a product takes hundreds of single numbers, which it draws
several times faster, and it can choose among objects.
"""

import random
from collections.abc import Sequence

from mmcore.seeds import stream_seed


def stream(seed: int, *names: object) -> random.Random:
    """Return the random stream that belongs to a seed and a path of names."""
    return random.Random(stream_seed(seed, "drawn catalogue", *names))


def ranked(seed: int, purpose: str, keys: Sequence[str]) -> list[str]:
    """Return the keys in an order drawn for one purpose, each placed by its own stream.

    Taking the first `share * len(keys)` gives an exact share, and slices of one ranking never
    overlap, so that a product has at most one fault of a kind.
    """
    return sorted(keys, key=lambda key: (stream(seed, purpose, key).random(), key))
