"""Named streams of randomness: one seed a run, one stream a use.

Each draw names its stream, so that one more draw in the split can't move the shuffle, and a
position in training (phase, epoch, step) is all that is needed to draw the same numbers again:
that is what makes a resumed run equal to an uninterrupted one.
"""

import hashlib

import numpy as np


def stream_seed(seed: int, *names: object) -> int:
    """Return a 63-bit seed for the stream called `names` of the run seeded with `seed`."""
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def stream(seed: int, *names: object) -> np.random.Generator:
    """Return a generator for the stream called `names` of the run seeded with `seed`."""
    return np.random.default_rng(stream_seed(seed, *names))
