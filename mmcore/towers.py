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


class WindowNorm(nn.BatchNorm1d):
    """BatchNorm over all windows of a text, where those of padding alone needn't be computed.

    They all give the same answer, so one number a filter stands for them in mean and deviation.
    """

    def forward(self, answers: Tensor, blank: Tensor, places: int) -> Tensor:
        """Return the answers, normalised as if the blank ones were among them.

        Args:
            answers: (B, C, T) of the windows in the first T places.
            blank: (C,) the answer of every window in the other places.
            places: of a text in all, at least T.

        Returns:
            (B, C, T).
        """
        share = answers.shape[2] / places  # of the windows that were computed
        if not self.training or share == 1:
            return super().forward(answers)
        exact = self.weight.dtype  # not that of mixed precision
        mean, variance = self._moments(answers.to(exact), blank.to(exact), share)
        self._move(mean, variance, answers.shape[0] * places)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        return torch.addcmul(shift[:, None], answers, scale[:, None])

    def _moments(self, answers: Tensor, blank: Tensor, share: float) -> tuple[Tensor, Tensor]:
        """Return mean and variance over all windows, (C,) each."""
        part_variance, part_mean = torch.var_mean(answers, dim=(0, 2), correction=0)
        mean = torch.lerp(blank, part_mean, share)
        around = part_variance + (part_mean - mean).square()
        return mean, torch.lerp((blank - mean).square(), around, share)

    @torch.no_grad()
    def _move(self, mean: Tensor, variance: Tensor, num_windows: int) -> None:
        """Move the running statistics, whose variance is that of a sample."""
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (num_windows / (num_windows - 1)), self.momentum)


class TextTower(nn.Module):
    """Word CNN after Kim 2014 (https://arxiv.org/abs/1408.5882): windows of 2, 3 and 4 words."""

    dim = TEXT_DIM

    def __init__(self, vocabulary_rows: int = VOCABULARY_WORDS + 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_rows, EMBEDDING_DIM, padding_idx=PAD_ID)
        self.convs = nn.ModuleList(nn.Conv1d(EMBEDDING_DIM, FILTERS, k) for k in KERNELS)
        self.norms = nn.ModuleList(WindowNorm(FILTERS) for _ in KERNELS)
        self.project = dense(FILTERS * len(KERNELS), TEXT_DIM, TOWER_DROPOUT)

    def forward(self, token_ids: Tensor) -> Tensor:
        """Return text features.

        Args:
            token_ids: (B, 60) int64, 0 = padding at the end. A row of padding alone gives
                something finite that the caller masks out.

        Returns:
            (B, 128).
        """
        is_token = token_ids != PAD_ID  # (B, 60)
        # most titles are short: beyond the longest there is nothing to compute. The exporter
        # traces this with texts of full length, so its graphs read all places
        used = is_token.any(dim=0).nonzero()  # places where any text has a word
        longest = int(used[-1]) + 1 if len(used) else 1  # T
        # padding on the right gives every word a window of its own, so that a title of one word
        # has an answer, too
        width = longest + max(KERNELS) - 1
        embedded = self.embedding(token_ids[:, :width]).transpose(1, 2)
        embedded = nn.functional.pad(embedded, (0, width - embedded.shape[2]))  # (B, D, T + 3)
        branches = [
            self._branch(embedded, is_token, conv, norm)
            for conv, norm in zip(self.convs, self.norms, strict=True)
        ]
        return self.project(torch.cat(branches, dim=1))  # (B, 192) -> (B, 128)

    def _branch(self, embedded: Tensor, is_token: Tensor, conv: nn.Conv1d, norm: WindowNorm):
        """Return (B, 64): the strongest answer of each filter over windows that start on a word.

        Windows that start beyond the last word don't count.
        """
        longest = embedded.shape[2] - max(KERNELS) + 1
        windows = conv(embedded[:, :, : longest + conv.kernel_size[0] - 1])  # (B, 64, T)
        answers = norm(windows.relu(), conv.bias.relu(), is_token.shape[1])
        lowest = torch.finfo(answers.dtype).min
        is_start = is_token[:, None, :longest]  # (B, 1, T)
        strongest = answers.masked_fill(~is_start, lowest).amax(dim=2)  # (B, 64)
        return torch.where(is_start.any(dim=2), strongest, torch.zeros_like(strongest))


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
