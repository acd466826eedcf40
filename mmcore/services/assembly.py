"""What one run works with, made from the catalogue and the run's configuration."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch

from mmcore.batches import EncodedProducts, encode_products
from mmcore.build import build_model, resolve_device
from mmcore.catalog.products import Catalogue
from mmcore.config import RunConfig
from mmcore.encoders import Encoder, fit_encoder, with_ngrams
from mmcore.features import FeatureResult
from mmcore.fusion import FusionClassifier
from mmcore.services.images import ImageInput, starting_backbone
from mmcore.services.training_data import Selection, select
from mmcore.settings import Settings
from mmcore.trainer import TrainData
from mmcore.workspace import Workspace


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
        return TrainData(
            train=lambda phase: self.images.reader(self.products["train"], phase),
            val=lambda phase: self.images.reader(self.products["val"], phase),
        )


def assemble(
    workspace: Workspace, settings: Settings, catalogue: Catalogue, config: RunConfig
) -> Assembly:
    """Return the parts of a run: its network untrained, its photos not yet read.

    Raises:
        MmcoreError: if the catalogue or the machine lacks what the configuration needs.
    """
    selection = select(catalogue)
    device = resolve_device(settings.device)
    codes = [c.code for c in selection.classes]
    encoders = {
        m.name: fit_encoder(m, selection.train)
        for m in config.model.modalities
        if m.kind != "image"
    }
    if config.model.linear_heads:
        encoders |= with_ngrams(encoders, selection.learnt)
    backbone = starting_backbone(config, workspace.weights, settings)
    images = ImageInput(workspace, settings, config, backbone)
    products = {
        split: encode_products(frame, config.model, encoders, codes)
        for split, frame in selection.by_split.items()
    }
    model = build_model(config.model, encoders, len(codes), backbone, config.seed)
    return Assembly(catalogue.source, config, selection, device, encoders, products, images, model)
