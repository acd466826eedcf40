"""Towers: one network a modality, from its input to a feature vector.

Legend: B products, T token places (60), D embedding width, F columns, P photo side (224).
"""

import torch
from torch import Tensor, nn

from mmcore.backbones import FEATURE_DIM, Backbone
from mmcore.text import PAD_ID, VOCABULARY_WORDS

EMBEDDING_DIM = 128
KERNELS = (2, 3, 4)
FILTERS = 64
TEXT_DIM = 128
IMAGE_DIM = 256
TABULAR_DIM = 32
TOWER_DROPOUT = 0.3


def dense(width_in: int, width_out: int, dropout: float) -> nn.Sequential:
    """Return the drawing's dense block: linear, ReLU, BatchNorm, dropout."""
    return nn.Sequential(
        nn.Linear(width_in, width_out),
        nn.ReLU(),
        nn.BatchNorm1d(width_out),
        nn.Dropout(dropout),
    )


class TextTower(nn.Module):
    """Word CNN after Kim 2014 (https://arxiv.org/abs/1408.5882): windows of 2, 3 and 4 words."""

    dim = TEXT_DIM

    def __init__(self, vocabulary_rows: int = VOCABULARY_WORDS + 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_rows, EMBEDDING_DIM, padding_idx=PAD_ID)
        self.convs = nn.ModuleList(nn.Conv1d(EMBEDDING_DIM, FILTERS, k) for k in KERNELS)
        self.norms = nn.ModuleList(nn.BatchNorm1d(FILTERS) for _ in KERNELS)
        self.project = dense(FILTERS * len(KERNELS), TEXT_DIM, TOWER_DROPOUT)

    def forward(self, token_ids: Tensor) -> Tensor:
        """Return text features.

        Args:
            token_ids: (B, 60) int64, 0 = padding at the end. A row of padding alone gives
                something finite that the caller masks out.

        Returns:
            (B, 128).
        """
        embedded = self.embedding(token_ids)  # (B, T, D)
        is_token = (token_ids != PAD_ID).unsqueeze(1)  # (B, 1, T)
        branches = [
            self._branch(embedded.transpose(1, 2), is_token, conv, norm)
            for conv, norm in zip(self.convs, self.norms, strict=True)
        ]
        return self.project(torch.cat(branches, dim=1))  # (B, 192) -> (B, 128)

    def _branch(self, embedded: Tensor, is_token: Tensor, conv: nn.Module, norm: nn.Module):
        """Return (B, 64): the strongest answer of each filter over windows that start on a word.

        Padding on the right gives every word a window of its own, so that a title of one word
        has an answer, too; windows that start beyond the last word don't count.
        """
        padded = nn.functional.pad(embedded, (0, conv.kernel_size[0] - 1))
        answers = norm(torch.relu(conv(padded)))  # (B, 64, T)
        lowest = torch.finfo(answers.dtype).min
        strongest = answers.masked_fill(~is_token, lowest).amax(dim=2)  # (B, 64)
        return torch.where(is_token.any(dim=2), strongest, torch.zeros_like(strongest))


class ImageTower(nn.Module):
    """Pretrained backbone, global average, dense block."""

    dim = IMAGE_DIM

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.project = dense(FEATURE_DIM, IMAGE_DIM, TOWER_DROPOUT)

    def forward(self, photo: Tensor) -> Tensor:
        """Return image features.

        Args:
            photo: (B, 3, 224, 224) pixels in [-1, 1]; or (B, 1280, 7, 7) feature maps; or
                (B, 1280) pooled features, which a frozen backbone needs to give only once.

        Returns:
            (B, 256).
        """
        return self.project(self.pooled(photo))

    def pooled(self, photo: Tensor) -> Tensor:
        """Return (B, 1280): the backbone's features averaged over the photo."""
        if photo.ndim == 4 and photo.shape[1] == 3:
            photo = self.backbone(photo)  # (B, 1280, 7, 7)
        return photo.mean(dim=(2, 3)) if photo.ndim == 4 else photo


class TabularTower(nn.Module):
    """Numbers and categories of a product (price, brand), already encoded as (B, F) floats."""

    dim = TABULAR_DIM

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.project = dense(num_features, TABULAR_DIM, TOWER_DROPOUT)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, 32) from (B, F)."""
        return self.project(features)
