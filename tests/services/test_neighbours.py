"""Products that are alike: by words, by photos, by what both have."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmcore.ngrams import fit_ngrams
from mmcore.runtime import ProductInput
from mmcore.services import neighbours
from mmcore.services.neighbours import Neighbour, NeighbourIndex
from mmcore.store.products import StoredProduct

ROWS = (
    ("a", "livre roman ancien", "red"),
    ("b", "livre roman neuf", "blue"),
    ("c", "piscine gonflable", "red"),
    ("d", "", "blue"),
    ("e", "drone pliable", ""),
)


class Cache:
    """Features of two kinds of photos."""

    def __contains__(self, key):
        return key in ("red", "blue")

    def gather(self, keys):
        table = {"red": [4.0, 1, 1], "blue": [1, 4.0, 1]}
        return np.array([table.get(key, [0, 0, 0]) for key in keys], np.float16)


class Encoder:
    def __init__(self, frame):
        self.ngrams = fit_ngrams(("title", "description"), frame)

    def encode_ngrams(self, frame):
        return self.ngrams.encode(frame), None


@pytest.fixture
def index(monkeypatch):
    import pandas as pd

    frame = pd.DataFrame({"title": [title for _, title, _ in ROWS], "description": ""})
    tower = SimpleNamespace(backbone=object())
    model = SimpleNamespace(towers={"image": tower})
    config = SimpleNamespace(model=SimpleNamespace(image_name="image"))
    artifact = SimpleNamespace(model=model, config=config, encoders={"text": Encoder(frame)})
    runtime = SimpleNamespace(artifact=artifact, device=torch.device("cpu"))
    rows = [
        StoredProduct(i, key, title, "", photo, "", key, "train", "", False, {}, 0, None)
        for i, (key, title, photo) in enumerate(ROWS, start=1)
    ]
    monkeypatch.setattr("mmcore.services.neighbours.read_products", lambda session: rows)
    monkeypatch.setattr("mmcore.features.open_cache", lambda root, backbone: Cache())
    from contextlib import nullcontext

    store = SimpleNamespace(reading=lambda: nullcontext(None))
    return NeighbourIndex(runtime, store, SimpleNamespace(cache=None))


def ids(found):
    return [neighbour.product_id for neighbour in found]


def test_words_and_photos_both_count(index):
    found = index.like_product("a", 4)
    assert ids(found)[:2] == ["b", "c"] or ids(found)[:2] == ["c", "b"]
    assert "a" not in ids(found) and found[0].id in (2, 3)
    assert found[0].likeness == pytest.approx((found[0].by_text + found[0].by_photo) / 2)


def test_a_product_without_words_is_judged_by_its_photo(index):
    found = index.like_product("d", 5)
    assert ids(found)[0] == "b" and found[0].by_photo == pytest.approx(1)


def test_a_product_without_a_photo_is_judged_by_its_words(index):
    found = index.like_product("e", 5)
    assert found and all(n.by_photo is None and n.likeness == n.by_text for n in found)


def test_something_new_is_compared_by_its_words(index):
    found = index.like_input(ProductInput("un roman ancien"), 2)
    assert ids(found)[0] == "a" and found[0].by_photo is None


def test_an_unknown_product_has_no_neighbours(index):
    assert index.like_product("nobody", 3) == []


class Row:
    def __init__(self, row_id, label):
        self.id, self.product_id = row_id, f"p{row_id}"
        self.label = label


@pytest.mark.parametrize(("besides", "expected"), [("", ["p2", "p4"]), ("p2", ["p4", "p6"])])
def test_only_labelled_products_count_and_not_the_product_itself(monkeypatch, besides, expected):
    asked = []

    class Index:
        def like_input(self, product, count):
            asked.append(count)
            return [Neighbour(i, f"p{i}", 1 - i / 500, None, None) for i in range(1, 400)][:count]

    # of the nearest only every second has a label: its store is asked for what it is now
    monkeypatch.setattr(
        neighbours, "rows_of", lambda store, ids: [Row(i, None if i % 2 else "x") for i in ids]
    )
    found = neighbours.labelled_neighbours(None, Index(), None, 2, besides)
    assert [near.row.product_id for near in found] == expected and asked == [8]
    assert found[0].likeness > found[1].likeness


def test_where_few_have_labels_it_looks_further(monkeypatch):
    class Index:
        def like_input(self, product, count):
            return [Neighbour(i, f"p{i}", 1 - i / 900, None, None) for i in range(1, 600)][:count]

    monkeypatch.setattr(
        neighbours, "rows_of", lambda store, ids: [Row(i, "x" if i > 90 else None) for i in ids]
    )
    found = neighbours.labelled_neighbours(None, Index(), None, 3)
    assert [near.row.product_id for near in found] == ["p91", "p92", "p93"]
