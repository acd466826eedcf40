"""Towers: one network a modality, from its input to a feature vector.

Legend: B products, T token places (60), D embedding width, F columns, P photo side (224).
"""

from collections.abc import Sequence

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
# up to this share of words among all places, windows one by one cost less than convolutions
FEW_WORDS = 0.3


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

    def forward(self, answers: Tensor, blank: Tensor, num_windows: int) -> Tensor:
        """Return the answers, normalised as if the blank ones were among them.

        Args:
            answers: (B, C, T) of the windows that were computed.
            blank: (C,) the answer of every other window.
            num_windows: of all kinds, at least B * T.

        Returns:
            (B, C, T).
        """
        if not self.training or answers.shape[0] * answers.shape[2] == num_windows:
            return super().forward(answers)
        exact = self.weight.dtype  # not that of mixed precision
        scale, shift = window_moments([self], answers.to(exact), blank.to(exact), num_windows)
        return torch.addcmul(shift[:, None], answers, scale[:, None])


def window_moments(
    norms: Sequence[WindowNorm], answers: Tensor, blank: Tensor, num_windows: int
) -> tuple[Tensor, Tensor]:
    """Return the factor and summand (C,) that normalise answers, and move the running statistics.

    Args:
        norms: in training mode; C is the sum of their channels, in this order.
        answers: (B, C, T) or (B, C) of the windows that were computed.
        blank: (C,) the answer of every other window.
        num_windows: of all kinds.
    """
    around = [dim for dim in range(answers.ndim) if dim != 1]
    share = answers.numel() / len(blank) / num_windows  # of the windows that were computed
    own = answers.mean(around)
    mean = torch.lerp(blank, own, share)  # (C,)
    offset = mean if answers.ndim == 2 else mean[:, None]
    spread = (answers - offset).square().mean(around)
    variance = torch.lerp((blank - mean).square(), spread, share)
    start = 0
    for norm in norms:
        part = slice(start, start + norm.num_features)
        norm.num_batches_tracked.add_(1)
        norm.running_mean.lerp_(mean.detach()[part], norm.momentum)
        # the running variance is that of a sample
        sample = variance.detach()[part] * (num_windows / (num_windows - 1))
        norm.running_var.lerp_(sample, norm.momentum)
        start += norm.num_features
    scale = torch.cat([norm.weight for norm in norms]) * torch.rsqrt(variance + norms[0].eps)
    return scale, torch.cat([norm.bias for norm in norms]) - mean * scale


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
        # a batch may hold no word at all: products that are told by parts of words alone
        if self.training and 0 < int(is_token.sum()) <= FEW_WORDS * is_token.numel():
            strongest = self._by_words(token_ids, is_token)
        else:
            strongest = self._by_places(token_ids, is_token)
        return self.project(strongest)  # (B, 192) -> (B, 128)

    def _by_places(self, token_ids: Tensor, is_token: Tensor) -> Tensor:
        """Return (B, 192): the strongest answer of each filter, by convolution over all places."""
        # most titles are short: beyond the longest there is nothing to compute. The exporter
        # traces this with texts of full length, so its graphs read all places
        longest = _longest(is_token)  # T
        # padding on the right gives every word a window of its own, so that a title of one word
        # has an answer, too
        width = longest + max(KERNELS) - 1
        embedded = self.embedding(token_ids[:, :width]).transpose(1, 2)
        embedded = nn.functional.pad(embedded, (0, width - embedded.shape[2]))  # (B, D, T + 3)
        branches = [
            self._branch(embedded, is_token, conv, norm)
            for conv, norm in zip(self.convs, self.norms, strict=True)
        ]
        return torch.cat(branches, dim=1)

    def _branch(self, embedded: Tensor, is_token: Tensor, conv: nn.Conv1d, norm: WindowNorm):
        """Return (B, 64): the strongest answer of each filter over windows that start on a word.

        Windows that start beyond the last word don't count.
        """
        longest = embedded.shape[2] - max(KERNELS) + 1
        windows = conv(embedded[:, :, : longest + conv.kernel_size[0] - 1])  # (B, 64, T)
        answers = norm(windows.relu(), conv.bias.relu(), is_token.numel())
        is_start = is_token[:, None, :longest]  # (B, 1, T)
        strongest = answers.masked_fill(~is_start, _lowest(answers)).amax(dim=2)  # (B, 64)
        return torch.where(is_start.any(dim=2), strongest, torch.zeros_like(strongest))

    def _by_words(self, token_ids: Tensor, is_token: Tensor) -> Tensor:
        """Return the same, all kernels at once and in training only: (N, 4) words in windows that
        start on a word, times one matrix; N words in all."""
        starts = is_token.nonzero(as_tuple=True)
        padded = nn.functional.pad(token_ids, (0, max(KERNELS) - 1), value=PAD_ID)
        words = padded.unfold(1, max(KERNELS), 1)[starts]  # (N, 4)
        weight, bias = self._one_matrix()
        answers = nn.functional.linear(self.embedding(words).flatten(1), weight, bias).relu()
        exact = self.norms[0].weight.dtype  # not that of mixed precision
        blank = bias.relu().to(exact)
        scale, shift = window_moments(self.norms, answers.to(exact), blank, is_token.numel())
        answers = torch.addcmul(shift, answers, scale)  # (N, 192)
        shape = (len(token_ids), _longest(is_token), answers.shape[1])
        placed = answers.new_full(shape, _lowest(answers)).index_put(starts, answers)
        strongest = placed.amax(dim=1)  # (B, 192)
        return torch.where(is_token.any(dim=1, keepdim=True), strongest, 0.0)

    def _one_matrix(self) -> tuple[Tensor, Tensor]:
        """Return weight (192, 4 * D) and bias (192,) of all kernels, the narrow ones padded."""
        wide = max(KERNELS)
        filters = [
            nn.functional.pad(conv.weight, (0, wide - conv.kernel_size[0])) for conv in self.convs
        ]
        weight = torch.cat(filters).transpose(1, 2).flatten(1)  # (192, D, 4) -> (192, 4 * D)
        return weight, torch.cat([conv.bias for conv in self.convs])


def _longest(is_token: Tensor) -> int:
    """Return how many places there are up to the last word of any text; at least 1."""
    used = is_token.any(dim=0).nonzero()
    return int(used[-1]) + 1 if len(used) else 1


def _lowest(answers: Tensor) -> float:
    return torch.finfo(answers.dtype).min


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
