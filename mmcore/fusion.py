"""The network: towers, a head each, and feature fusion that copes with missing modalities.

Read after `trainer.py`; what the towers are stands in `towers.py`. Decision-level fusion of the
logits given here is in `combiner.py`.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from mmcore.config import FUSED, linear_source
from mmcore.linear import LinearHead, SparseRows
from mmcore.towers import ImageTower, dense

FUSION_WIDTHS = (256, 128)
FUSION_DROPOUTS = (0.4, 0.3)
MIN_BATCHNORM_ROWS = 2  # BatchNorm can't take a deviation of one row


class ByName(nn.ModuleDict):
    """Modules by modality. A modality may have any name, also that of a method ("type", "values"),
    which a ModuleDict would refuse."""

    _PREFIX = "on_"

    def __getitem__(self, name: str) -> nn.Module:
        return super().__getitem__(self._PREFIX + name)

    def __setitem__(self, name: str, module: nn.Module) -> None:
        super().__setitem__(self._PREFIX + name, module)

    def __iter__(self) -> Iterator[str]:
        return (key.removeprefix(self._PREFIX) for key in super().__iter__())

    def __contains__(self, name: str) -> bool:
        return super().__contains__(self._PREFIX + name)

    def keys(self) -> list[str]:
        return list(self)

    def items(self) -> list[tuple[str, nn.Module]]:
        return list(zip(self, self.values(), strict=True))


class FusionClassifier(nn.Module):
    """Class logits from each tower alone and from all together.

    Where a product lacks a modality, that tower's features are replaced by a learned vector, in
    training, evaluation and export alike.
    """

    def __init__(self, towers: Mapping[str, nn.Module], num_classes: int, joint: bool = True):
        """Build the layers behind the towers.

        Args:
            towers: name -> tower, in the order of concatenation. A tower has `dim` and maps its
                input (B, ...) to (B, dim).
            num_classes: K.
            joint: False keeps the fused loss out of the towers: each learns from its head alone.
        """
        super().__init__()
        self.towers = ByName(dict(towers))
        self.num_classes = num_classes
        self.joint = joint
        dims = {name: tower.dim for name, tower in towers.items()}
        self.missing = nn.ParameterList(torch.zeros(dim) for dim in dims.values())
        self.heads = ByName({name: nn.Linear(dim, num_classes) for name, dim in dims.items()})
        self.linear = ByName()  # fitted after training, see `linear.py`
        widths = (sum(dims.values()), *FUSION_WIDTHS)
        blocks = [dense(widths[i], widths[i + 1], p) for i, p in enumerate(FUSION_DROPOUTS)]
        self.fusion = nn.Sequential(*blocks, nn.Linear(FUSION_WIDTHS[-1], num_classes))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the modalities in the order of concatenation."""
        return tuple(self.towers)

    @property
    def image_tower(self) -> ImageTower | None:
        """Return the tower that looks at photos, None where there is none."""
        return next((t for t in self.towers.values() if isinstance(t, ImageTower)), None)

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        present: Mapping[str, Tensor],
        fused_present: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Return logits (B, K) of each head, and of the fusion under the name "fused".

        Args:
            inputs: name -> (B, ...), as the tower takes it; rows without the modality may hold
                anything finite.
            present: name -> (B,) bool, True where the product has the modality.
            fused_present: what the fusion may see, where less (modality dropout, "what if").
        """
        embeddings = self.embed(inputs, present)
        logits = self.head_logits(embeddings)
        logits[FUSED] = self.fuse(embeddings, fused_present or present)
        return logits

    def pooled(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the inputs with photos as (B, 1280) features: the backbone runs once for all."""
        return {
            name: tower.pooled(inputs[name]) if isinstance(tower, ImageTower) else inputs[name]
            for name, tower in self.towers.items()
        }

    def linear_logits(
        self, pooled: Mapping[str, Tensor], ngrams: Mapping[str, SparseRows]
    ) -> dict[str, Tensor]:
        """Return source -> (B, K) logits of the linear heads; none before they are fitted.

        Args:
            pooled: from `pooled`.
            ngrams: text modality -> its rows.
        """
        heads: dict[str, LinearHead] = dict(self.linear.items())
        return {
            linear_source(name): head(ngrams[name] if head.is_sparse else pooled[name])
            for name, head in heads.items()
        }

    def embed(self, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor]):
        """Return name -> (B, dim) tower features; rows without the modality are arbitrary."""
        return {
            name: self._tower_features(name, inputs[name], present[name]) for name in self.towers
        }

    def head_logits(self, embeddings: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return name -> (B, K) logits of each tower's own head."""
        return {name: head(embeddings[name]) for name, head in self.heads.items()}

    def fuse(self, embeddings: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Return the fused logits (B, K), with the missing vector where `present` is False."""
        parts = []
        for name, missing in zip(self.towers, self.missing, strict=True):
            features = embeddings[name] if self.joint else embeddings[name].detach()
            stand_in = missing.to(features.dtype).expand_as(features)
            parts.append(torch.where(present[name].unsqueeze(1), features, stand_in))
        return self.fusion(torch.cat(parts, dim=1))  # (B, 384) -> (B, K)

    def _tower_features(self, name: str, rows: Tensor, present: Tensor) -> Tensor:
        """Return (B, dim) of one tower; in training only present rows enter its BatchNorm."""
        tower = self.towers[name]
        if not self.training or bool(present.all()):
            return tower(rows)
        if int(present.sum()) < MIN_BATCHNORM_ROWS:
            # too few to normalise: this step learns nothing about this modality
            return self.missing[self.names.index(name)].detach().expand(len(rows), -1)
        some = tower(rows[present])
        features = some.new_zeros(len(rows), tower.dim)
        return features.index_put((present.nonzero(as_tuple=True)[0],), some)

    def set_backbone_trainable(self, trainable: bool) -> None:
        """Freeze or unfreeze the image backbone."""
        if self.image_tower is not None:
            self.image_tower.backbone.requires_grad_(trainable)

    def set_training_mode(self, train_backbone: bool, update_batchnorm: bool) -> None:
        """Switch to training; a frozen backbone stays in eval, else its statistics would move.

        Args:
            train_backbone: the backbone's weights are being trained (dropout of paths is on).
            update_batchnorm: its BatchNorm statistics move, too. Off by default: batches of a few
                dozen photos estimate them worse than ImageNet did.
        """
        self.train()
        if self.image_tower is None:
            return
        backbone = self.image_tower.backbone
        backbone.train(train_backbone)
        if not update_batchnorm:
            for module in backbone.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
