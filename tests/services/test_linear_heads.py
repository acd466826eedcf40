"""The linear heads of a run, fitted on what it learns from."""

import numpy as np

from mmcore.batches import EncodedProducts
from mmcore.services.linear_heads import LinearData, LinearHeads

N, NUM_CLASSES = 90, 3


def test_one_column_tells_three_classes_apart():
    labels = np.arange(N) % NUM_CLASSES
    draw = np.random.default_rng(0)
    prices = (labels + draw.normal(0, 0.05, N)).astype(np.float32)[:, None]
    has = np.ones(N, bool)
    ids = np.array([f"p{i}" for i in range(N)], dtype=object)
    products = EncodedProducts(
        ids, {"price": prices}, {"price": has}, np.full(N, "", dtype=object), labels
    )
    data = LinearData(products, np.arange(N) >= 60, list(ids), {}, {"price": (prices, has)})
    heads = LinearHeads(data, NUM_CLASSES, seed=0)
    [result] = heads.fit(lambda: None)
    assert result.modality == "price"
    assert (heads.unseen["linear:price"].argmax(axis=1) == labels).mean() > 0.95
