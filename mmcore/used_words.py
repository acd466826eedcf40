"""The embedding of the words in use, standing in for the whole one while a network is trained.

A vocabulary has 15,001 rows, of which the texts of a small shop use a tenth. The others get no
gradient, but every step would shrink them, move their moments and measure their gradients: a
quarter of a step of phase 1, and most of what is copied where an epoch is the best.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from mmcore.fusion import FusionClassifier
from mmcore.text import PAD_ID
from mmcore.towers import TextTower


class UsedWords(nn.Module):
    """Some rows of an embedding, found by the word ids of the whole one."""

    def __init__(self, whole: nn.Embedding, token_ids: Iterable[np.ndarray]) -> None:
        """Copy the rows in use.

        Args:
            token_ids: arrays of any shape, int64, below the rows of `whole`.
        """
        super().__init__()
        rows = np.unique(np.concatenate([[PAD_ID], *(np.unique(ids) for ids in token_ids)]))
        self._rows = torch.from_numpy(rows.astype(np.int64))
        places = torch.full((whole.num_embeddings,), PAD_ID)
        places[self._rows] = torch.arange(len(rows))
        self.register_buffer("_places", places, persistent=False)
        self.weight = nn.Parameter(whole.weight.detach()[self._rows].clone())

    def forward(self, token_ids: Tensor) -> Tensor:
        """Return (..., D) word vectors; a word that wasn't named counts as padding."""
        return nn.functional.embedding(self._places[token_ids], self.weight, padding_idx=PAD_ID)

    @torch.no_grad()
    def write_back(self, whole: nn.Embedding) -> None:
        """Put the rows into the embedding they were taken from, whose other rows stay."""
        whole.to(self.weight.device).weight[self._rows] = self.weight


@contextmanager
def only_used_words(
    model: FusionClassifier, inputs: Iterable[Mapping[str, np.ndarray]]
) -> Iterator[None]:
    """Let the text towers hold the words of some products alone, all of them again afterwards.

    Args:
        inputs: modality -> token ids, of all products that the network will see meanwhile.
    """
    texts = {name: tower for name, tower in model.towers.items() if isinstance(tower, TextTower)}
    wholes = {name: tower.embedding for name, tower in texts.items()}
    seen = list(inputs)
    used = {name: UsedWords(wholes[name], (part[name] for part in seen)) for name in texts}
    for name, tower in texts.items():
        tower.embedding = used[name]
    try:
        yield
    finally:
        for name, tower in texts.items():
            used[name].write_back(wholes[name])
            tower.embedding = wholes[name]
