"""What one run works with, made from the catalogue and the run's configuration."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from mmcore.artifact import Artifact
from mmcore.batches import EncodedProducts, concatenate, encode_products, take
from mmcore.build import build_model, resolve_device
from mmcore.catalog.products import Catalogue
from mmcore.combiner import Combiner
from mmcore.config import RunConfig
from mmcore.encoders import Encoder, fit_encoder, with_ngrams
from mmcore.features import FeatureResult
from mmcore.fusion import FusionClassifier
from mmcore.linear_fit import LinearStart
from mmcore.services.images import ImageInput, starting_backbone
from mmcore.services.parents import load_parent
from mmcore.services.training_data import Selection, select
from mmcore.settings import Settings
from mmcore.trainer import TrainData
from mmcore.warm_start import carry_encoder, carry_weights, kept_classes, linear_starts
from mmcore.workspace import Workspace


@dataclass(frozen=True)
class Inherited:
    """What a run has of the model it starts from, beside weights; nothing in a fresh run.

    Attributes:
        combiner: of a parent that has learnt from val, too: nothing of the network is held out any
            more to weigh it by, so the parent's weights stay.
        linear_starts: modality -> what the parent's head leaves to this run's.
        has_tuned_backbone: the backbone has learnt from train products.
    """

    combiner: Combiner | None = None
    linear_starts: Mapping[str, LinearStart] = field(default_factory=dict)
    has_tuned_backbone: bool = False


@dataclass(frozen=True)
class Assembly:
    """The network of a run, and the products it learns from, is stopped by and judged on.

    Attributes:
        products: split -> its labelled products, encoded.
        images: where the photos come from; to be closed at the end.
    """

    source: str
    config: RunConfig
    selection: Selection
    device: torch.device
    encoders: Mapping[str, Encoder]
    products: Mapping[str, EncodedProducts]
    images: ImageInput
    model: FusionClassifier
    inherited: Inherited

    @property
    def codes(self) -> list[str]:
        """Return the K class codes in the order of the network's answers."""
        return [c.code for c in self.selection.classes]

    def read_photos(self, should_stop: Callable[[], bool]) -> Iterator[FeatureResult]:
        """Compute the features that are not in the cache yet, yielding after each batch.

        Raises:
            TrainingInterrupted: if asked to stop.
            TrainingDataError: if the network would see next to nothing.
        """
        photos = [key for part in self.products.values() for key in part.photos]
        yield from self.images.prepare(photos, should_stop)
        self.images.require_readable(self.products["train"])

    def train_data(self) -> TrainData:
        """Return the readers of each phase."""
        # n-grams are for the linear heads, which no step trains
        train, val = (replace(self.products[s], ngrams={}) for s in ("train", "val"))
        if self.inherited.combiner:  # val was learnt by the parent and can't stop anything
            train, val = concatenate([train, val]), take(val, np.zeros(0, int))
        return TrainData(
            train=lambda phase: self.images.reader(train, phase),
            val=lambda phase: self.images.reader(val, phase),
        )


def assemble(
    workspace: Workspace, settings: Settings, catalogue: Catalogue, config: RunConfig
) -> Assembly:
    """Return the parts of a run: its network untrained, its photos not yet read.

    Raises:
        MmcoreError: if the catalogue, the machine or the parent lacks what is needed.
    """
    selection = select(catalogue)
    codes = [c.code for c in selection.classes]
    parent = load_parent(workspace, config.parent) if config.parent else None
    # what the network will have learnt from in the end
    read = selection.learnt if config.refit else selection.train
    if parent:
        encoders = {n: carry_encoder(e, read) for n, e in parent.encoders.items()}
        backbone = parent.model.image_tower and parent.model.image_tower.backbone
    else:
        told = [m for m in config.model.modalities if m.kind != "image"]
        encoders = {m.name: fit_encoder(m, read) for m in told}
        backbone = starting_backbone(config, workspace.weights, settings)
    if config.model.linear_heads:
        encoders |= with_ngrams(encoders, selection.learnt)
    images = ImageInput(workspace, settings, config, backbone)
    products = {
        split: encode_products(frame, config.model, encoders, codes)
        for split, frame in selection.by_split.items()
    }
    model = build_model(config.model, encoders, len(codes), backbone, config.seed)
    inherited = _take_over(parent, model, encoders, codes) if parent else Inherited()
    device = resolve_device(settings.device)
    return Assembly(
        catalogue.source, config, selection, device, encoders, products, images, model, inherited
    )


def _take_over(
    parent: Artifact, model: FusionClassifier, encoders: Mapping[str, Encoder], codes: Sequence[str]
) -> Inherited:
    """Put the parent's weights into the network; returns what is for the linear heads."""
    kept = kept_classes(parent.class_codes, codes)
    carry_weights(parent.model, model, kept)
    name = parent.config.model.image_name
    return Inherited(
        parent.combiner if parent.config.refit else None,
        linear_starts(parent.model, parent.encoders, encoders, kept),
        # a head over photo features is left out where the backbone has learnt from them
        has_tuned_backbone=name is not None and name not in parent.model.linear,
    )
