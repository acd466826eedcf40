"""Check the labels of the whole catalogue, so that the queue of suspects begins with wrong ones.

A model version can't judge the labels it was trained on (see `cross_check.py`). So after its
predictions are stored, and before the queue is refreshed, `cross_check` writes what models say
that have not seen the label. What becomes of it when the label changes: `store/suspicions.py`.
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmcore.errors import WeightsError
from mmcore.services.watch import Watch
from mmcore.store.engine import Store
from mmcore.store.suspicions import labelled_products, write_suspicions
from mmcore.workspace import Workspace

if TYPE_CHECKING:
    from mmcore.cross_check import PhotoFeatures
    from mmcore.settings import Settings

PIECE = 2_000  # products a transaction, so that labelling goes on meanwhile
SUSPECT_FROM = 0.4  # suspicion from which a label is counted as suspect in reports

_STOPPED = "the check of the labels was stopped; what they were held for before stays"


@dataclass(frozen=True)
class CrossCheck:
    """What came of checking the labels.

    Attributes:
        has_photos: whether photos were looked at; without features of them, texts alone decide.
    """

    num_checked: int
    num_suspect: int
    has_photos: bool
    seconds: float


def cross_check(
    store: Store,
    model_version_id: int,
    features: "PhotoFeatures | None" = None,
    watch: Watch = Watch(),  # noqa: B008 - frozen
) -> CrossCheck:
    """Write how suspect each label is into the predictions of a model version.

    A part of `predict_missing`, whose callers have checked who asks.

    Args:
        features: frozen features of the photos, e.g. from `photo_features`.

    Raises:
        TrainingInterrupted: if it was asked to stop, within a second or two.
        WorkspaceError: if there is no room for the texts' n-grams while they are checked.
    """
    import numpy as np

    from mmcore.cross_check import Checked, Steps, cross_checked_suspicions

    def tell(done: int, total: int) -> None:
        watch.check(_STOPPED)
        watch.checking(done, total)

    started = time.perf_counter()
    with store.reading() as session:
        rows = labelled_products(session)
    ids, titles, descriptions, photos, class_ids, groups = (
        zip(*rows, strict=True) if rows else ((),) * 6
    )
    labels = np.unique(np.array(class_ids, dtype=np.int64), return_inverse=True)[1]
    products = Checked(titles, descriptions, photos, labels, groups)
    found = cross_checked_suspicions(products, features, Steps(tell))
    written = list(zip(ids, class_ids, found.tolist(), strict=True))
    for start in range(0, len(written), PIECE):
        watch.check(_STOPPED)
        with store.writing() as session:
            write_suspicions(session, model_version_id, written[start : start + PIECE])
    seconds = round(time.perf_counter() - started, 2)
    num_suspect = int((found >= SUSPECT_FROM).sum())
    return CrossCheck(len(written), num_suspect, features is not None, seconds)


def photo_features(
    workspace: Workspace, settings: "Settings", model: str
) -> "PhotoFeatures | None":
    """Return the features of photos that training kept, from before the model learnt anything.

    None where the model looks at no photo, or its starting weights aren't here any more.
    """
    from mmcore.artifact import load_artifact
    from mmcore.features import open_cache
    from mmcore.services.images import starting_backbone

    config = load_artifact(workspace.models / model).config
    try:
        backbone = starting_backbone(config, workspace.weights, settings)
    except WeightsError:
        return None
    return open_cache(workspace.cache, backbone) if backbone is not None else None
