"""Where a run's photos come from: cached features while the backbone is frozen, else pixels."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mmcore.backbones import FEATURE_DIM, Backbone, build_backbone, find_weights
from mmcore.batches import BatchReader, CachedFeatures, EncodedProducts, FreshFeatures, FreshPixels
from mmcore.build import resolve_device
from mmcore.config import PhaseConfig, RunConfig
from mmcore.errors import TrainingDataError, TrainingInterrupted, WorkspaceError
from mmcore.extractors import Extractor, extractor_of
from mmcore.features import FeatureCache, FeatureResult, fill_cache, open_cache
from mmcore.photos import PhotoStore
from mmcore.pixels import PhotoReader, photos_a_pass
from mmcore.seeds import stream_seed
from mmcore.services.training_data import MIN_TRAIN
from mmcore.settings import Settings
from mmcore.workspace import Workspace


def starting_backbone(
    config: RunConfig, weights_folder: Path, settings: Settings
) -> Backbone | None:
    """Return the backbone a run starts from, None where the model looks at no photo.

    Raises:
        WeightsError: if ImageNet weights are wanted and can't be had.
    """
    if config.model.image_name is None:
        return None
    state = None
    if config.model.weights != "random":
        state = find_weights(config.model.backbone, weights_folder, not settings.offline)
    return build_backbone(config.model.backbone, state, stream_seed(config.seed, "backbone"))


@contextmanager
def _cache_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WorkspaceError(
            f"feature cache {folder} can't be written: {error.strerror or error}; free some space "
            "(the cache itself may be deleted), or choose another workspace with --home DIR"
        ) from error


class ImageInput:
    """Feature cache and photo decoder around one backbone; without a backbone, neither."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        config: RunConfig,
        backbone: Backbone | None,
    ) -> None:
        """Open the cache that belongs to the backbone, as it is now."""
        self._config = config
        self.device = resolve_device(settings.device)
        self._name = config.model.image_name
        self._num_photos = 0
        self.backbone = backbone
        if backbone is None:
            return
        self._cache_folder = workspace.cache
        self._reader = PhotoReader(PhotoStore(workspace.photos).read, settings.decode_threads)
        with _cache_errors(self._cache_folder):
            self._cache = open_cache(workspace.cache, self.backbone)

    def prepare(
        self, photos: Sequence[str], should_stop: Callable[[], bool]
    ) -> Iterator[FeatureResult]:
        """Fill the feature cache for these photos, where any phase or the judging reads it."""
        self._num_photos = len({key for key in photos if key})
        if self.backbone is None or not self._uses_cache:
            return
        with _cache_errors(self._cache_folder):
            missing = self._cache.missing(photos)
            if not missing:
                return  # without an extractor, which takes a moment to make
            extractor = extractor_of(self.backbone, self.device)
            for result in fill_cache(self._cache, extractor, self._reader, missing):
                yield result
                if should_stop():
                    raise TrainingInterrupted(
                        f"training was stopped while reading photos ({result.done} of "
                        f"{result.total} read, and kept)"
                    )

    @property
    def _uses_cache(self) -> bool:
        has_frozen = any(p.epochs and not p.train_backbone for p in self._config.phases)
        return has_frozen or self.stays_frozen

    def require_readable(self, train: EncodedProducts) -> None:
        """Refuse to train a network that would look at photos alone, and see next to none.

        Raises:
            TrainingDataError: if too few of the train products' photos can be read.
        """
        if [m.kind for m in self._config.model.modalities] != ["image"]:
            return
        keys = [key for key in train.photos if key]
        num_readable = self._count_readable(keys)
        if num_readable >= MIN_TRAIN:
            return
        found = f"only {num_readable}" if num_readable else "none"
        reasons = list(self._reader.unreadable.values())
        first = f", e.g.: {reasons[0]}" if reasons else ""
        raise TrainingDataError(
            f"the model is to look at photos alone, and {found} of the {len(keys):,} of the train "
            f"products can be read (at least {MIN_TRAIN} are needed){first}; import the catalogue "
            "again with its photos (--images), or let the model read text, too: --modalities "
            "text,image"
        )

    def _count_readable(self, keys: Sequence[str]) -> int:
        """Return how many of the photos can be read, counting no further than is needed."""
        if self._uses_cache:
            return sum(key in self._cache for key in keys)
        size = photos_a_pass(self.device)
        found = 0
        for _, is_readable in self._reader.stream(
            keys[i : i + size] for i in range(0, len(keys), size)
        ):
            found += int(is_readable.sum())
            if found >= MIN_TRAIN:
                break
        return found

    @property
    def stays_frozen(self) -> bool:
        """Return True where no phase moves the backbone, so cached features stay true."""
        return not any(p.epochs and p.train_backbone for p in self._config.phases)

    def reader(self, products: EncodedProducts, phase: PhaseConfig) -> BatchReader:
        """Return the reader of a phase."""
        if self.backbone is None or not phase.train_backbone:
            return self._cached_reader(products)
        pixels = FreshPixels(self._reader, self.device)
        return BatchReader(products, self._name, pixels, self.device)

    def final_reader(self, products: EncodedProducts, extractor: Extractor | None) -> BatchReader:
        """Return the reader for judging the trained network.

        Args:
            extractor: of the network; not needed while its backbone stays frozen.
        """
        if self.backbone is None or self.stays_frozen:
            return self._cached_reader(products)
        images = FreshFeatures(extractor, self._reader, self.device)
        return BatchReader(products, self._name, images, self.device)

    def _cached_reader(self, products: EncodedProducts) -> BatchReader:
        if self.backbone is None:
            return BatchReader(products, None, None, self.device)
        images = CachedFeatures(self._cache, self.device)
        return BatchReader(products, self._name, images, self.device)

    def features(self, products: EncodedProducts) -> tuple["PhotoRows", np.ndarray]:
        """Return (N, 1280) float32 frozen features and (N,) bool: whether they are there."""
        has = np.array([key in self._cache for key in products.photos], dtype=bool)
        return PhotoRows(self._cache, products.photos), has

    def notes(self) -> list[str]:
        """Return what is to be said about photos that could not be read."""
        number = self._reader.num_unreadable if self.backbone is not None else 0
        if not number:
            return []
        first = next(iter(self._reader.unreadable.values()))
        notes = [f"{number:,} photos can't be read and count as missing, e.g.: {first}"]
        if number > self._num_photos / 2:
            notes.append(
                f"that is most of the {self._num_photos:,} photos: what is said of images rests "
                "on few; import the catalogue again with its photos (--images)"
            )
        return notes

    def close(self) -> None:
        """Stop the decoders."""
        if self.backbone is not None:
            self._reader.close()


class PhotoRows:
    """(N, 1280) float32 frozen features, read when they are asked for."""

    def __init__(self, cache: FeatureCache, photos: np.ndarray) -> None:
        """Bind a cache to the N photo keys; a photo that it lacks has a row of zeros."""
        self._cache, self._photos = cache, photos
        self.shape = (len(photos), FEATURE_DIM)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        return self._cache.gather(self._photos[rows]).astype(np.float32)
