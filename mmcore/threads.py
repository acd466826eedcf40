"""How many of PyTorch's threads compute, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def on_one_core(is_better: bool) -> Iterator[None]:
    """Let PyTorch compute on one core, where that is better, and on as many as before afterwards.

    Operations are so small sometimes that threads wait for each other longer than they compute.
    """
    before = torch.get_num_threads()
    if is_better:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
