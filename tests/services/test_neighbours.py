"""Products that are alike: by words, by photos, by what both have; the same as by plain products
of matrices."""

import os
import threading
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sqlalchemy import insert, update

from mmcore.config import RunChoices, build_run_config
from mmcore.encoders import TextEncoder
from mmcore.errors import TrainingInterrupted, WorkspaceError
from mmcore.features import FeatureCache
from mmcore.ngrams import fit_ngrams
from mmcore.runtime import ProductInput
from mmcore.services import neighbour_texts, neighbours
from mmcore.services.neighbour_reading import LiveIndex
from mmcore.services.neighbours import Neighbour, build_index, plan_of
from mmcore.services.watch import Watch
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate
from mmcore.store.tables import Product
from mmcore.text import Vocabulary
from mmcore.workspace import Workspace

ROWS = (
    ("a", "livre roman ancien", "red"),
    ("b", "livre roman neuf", "blue"),
    ("c", "piscine gonflable", "red"),
    ("d", "", "blue"),
    ("e", "drone pliable", ""),
)
KEYS = {"red": "aa" * 32, "blue": "bb" * 32, "": ""}


def product(number, title, photo, description=""):
    return {
        "id": number,
        "product_id": f"p{number}",
        "title": title,
        "description": description,
        "photo": photo,
        "group_id": str(number),
        "split": "train",
        "extra": {},
        "random_rank": 0.5,
        "created_at": 0.0,
    }


class Place:
    """A catalogue, and a model that knows the n-grams of its titles."""

    def __init__(self, folder, rows, features):
        self.workspace = Workspace(folder / "home").create()
        self.store = Store(sqlite_url(self.workspace.database_file))
        migrate(self.store)
        self.rows = rows
        with self.store.writing() as session:
            session.execute(insert(Product), rows)
        self.cache = FeatureCache(folder / "features")
        self.cache.append(list(features), np.array(list(features.values()), np.float32))
        frame = pd.DataFrame(rows)[["title", "description"]]
        columns = ("title", "description")
        text = TextEncoder(columns, Vocabulary(()), ngrams=fit_ngrams(columns, frame))
        model = SimpleNamespace(towers={"image": SimpleNamespace(backbone=object())})
        artifact = SimpleNamespace(
            model=model,
            config=build_run_config(RunChoices()),
            encoders={"text": text},
            manifest=SimpleNamespace(name="m1"),
        )
        self.encoder = text
        self.runtime = SimpleNamespace(artifact=artifact, device=torch.device("cpu"))

    def index(self):
        return build_index(self.runtime, self.store, self.workspace)


@pytest.fixture
def place_of(tmp_path, monkeypatch):
    """Return what makes a place of rows and features; their cache is the model's."""
    made = []

    def make(rows, features):
        made.append(Place(tmp_path, rows, features))
        monkeypatch.setattr("mmcore.features.open_cache", lambda root, backbone: made[0].cache)
        return made[0]

    yield make
    for place in made:
        place.store.close()


@pytest.fixture
def index(place_of):
    rows = [
        product(i, title, KEYS[photo]) | {"product_id": name}
        for i, (name, title, photo) in enumerate(ROWS, start=1)
    ]
    features = {KEYS["red"]: [4.0, 1, 1] + [0] * 1277, KEYS["blue"]: [1, 4.0, 1] + [0] * 1277}
    return place_of(rows, features).index()


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


@pytest.fixture
def many(place_of, monkeypatch):
    """Return 230 products of drawn words in segments of 64 numbers; some lack words or photo."""
    monkeypatch.setattr(neighbour_texts, "SEGMENT", 64)
    monkeypatch.setattr("mmcore.photo_likeness.PIECE", 50)
    draw = np.random.default_rng(0)
    words = [f"{a}{b}{c}" for a in "bdfg" for b in ("ou", "é", "a") for c in "lrst"]
    keys = [f"{i:064x}" for i in range(60)]
    rows = [
        product(
            i,
            " ".join(draw.choice(words, 4)) if i % 11 else "",
            keys[draw.integers(60)] if i % 5 else "",
            " ".join(draw.choice(words, 9)) if i % 3 else "",
        )
        for i in range(1, 461, 2)
    ]
    # the others' features aren't there; those of two photos are that no product has any more
    kept = ["ee" * 32, *keys[:50], "ff" * 32]
    features = np.abs(draw.standard_normal((52, 1280))) + draw.random(1280)
    return place_of(rows, dict(zip(kept, features, strict=True)))


def by_matrices(place, row):
    """Return (likeness, by text, by photo) of every product with one, the plain way."""
    frame = pd.DataFrame(place.rows)
    texts = place.encoder.encode_ngrams(frame[["title", "description"]])[0]
    has = np.array([key in place.cache for key in frame["photo"]])
    features = place.cache.gather(list(frame["photo"])).astype(np.float32)
    features = features - features[has].mean(axis=0)
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-6)
    by_text = np.clip((texts @ texts[[row]].T).toarray()[:, 0], 0, 1)
    total, parts = by_text, np.ones(len(frame))
    by_photo = np.where(has, np.clip(features @ features[row], 0, 1), 0)
    if has[row]:
        total, parts = total + by_photo, parts + has
    return total / parts, by_text, by_photo, has


@pytest.mark.parametrize("row", [1, 2, 30, 113, 229])
def test_it_finds_what_plain_products_of_matrices_find(many, row):
    likeness, by_text, by_photo, has = by_matrices(many, row)
    found = many.index().like_product(many.rows[row]["product_id"], 25)
    others = np.delete(np.arange(len(likeness)), row)
    best = np.sort(likeness[others])[::-1][:25]
    assert len(found) == 25
    assert [n.likeness for n in found] == pytest.approx(best, abs=2e-6)
    places = {one["product_id"]: i for i, one in enumerate(many.rows)}
    for near in found:
        i = places[near.product_id]
        assert near.id == many.rows[i]["id"] and near.likeness == pytest.approx(
            likeness[i], abs=2e-6
        )
        assert near.by_text == pytest.approx(by_text[i], abs=2e-6)
        if has[row] and has[i]:
            assert near.by_photo == pytest.approx(by_photo[i], abs=2e-6)
        else:
            assert near.by_photo is None


def made_names(plan):
    return {path.name for path in plan.folder.glob("*.npy")}


def test_only_segments_that_changed_are_made_anew(many):
    many.index()
    before = made_names(plan_of(many.runtime, many.store, many.workspace))
    with many.store.writing() as session:
        session.execute(update(Product).where(Product.id == 101).values(title="tout autre"))
        session.execute(update(Product).where(Product.id == 459).values(removed_at=1.0))
    plan = plan_of(many.runtime, many.store, many.workspace)
    assert [part.number for part in plan.missing()] == [1, 7], "64 to 127, and 448 to 511"
    assert len(plan.ids) == 229
    many.index()
    assert plan.missing() == [] and before < made_names(plan), "others may be reading the old ones"


def test_a_stopped_reading_keeps_what_is_done_and_goes_on(many):
    plan = plan_of(many.runtime, many.store, many.workspace)
    asked = iter([False, False, True])
    with pytest.raises(TrainingInterrupted, match="segments that are done stay"):
        stop = Watch(should_stop=lambda: next(asked))
        neighbour_texts.make_segments(many.store, plan, many.encoder, stop)
    assert len(made_names(plan)) == 2 and len(plan.missing()) == len(plan.parts) - 2
    neighbour_texts.make_segments(many.store, plan, many.encoder)
    assert plan.missing() == []


def test_a_folder_that_cannot_be_written_says_so(many):
    (many.workspace.cache / "neighbours").write_text("in the way")
    with pytest.raises(WorkspaceError, match="texts can't be kept in .*neighbours"):
        many.index()


def test_pages_are_given_the_index_as_it_was_while_it_is_read_anew(many, monkeypatch):
    live = LiveIndex(many.runtime, many.store, many.workspace, None)
    first = live.ask(1)
    assert first is not None and live.ask(1) is first
    gate = threading.Event()
    made = LiveIndex._made

    def slow(self):
        gate.wait(20)
        return made(self)

    monkeypatch.setattr(LiveIndex, "_made", slow)
    assert live.ask(2) is first, "nobody waits for the new one"
    gate.set()
    live._told.wait(20)
    assert live.ask(2) is not first


def test_a_reading_that_fails_is_told_once_and_tried_again(many, monkeypatch):
    live = LiveIndex(many.runtime, many.store, many.workspace, None)
    blocked = many.workspace.cache / "neighbours"
    blocked.write_text("in the way")
    with pytest.raises(WorkspaceError, match="texts can't be kept"):
        live.ask(1)
    blocked.unlink()
    assert live.ask(1) is not None


def test_texts_of_a_model_are_cleared_away_when_three_newer_ones_are_used(many):
    root = many.workspace.cache / "neighbours"
    for i in range(4):
        (root / str(i)).mkdir(parents=True)
        os.utime(root / str(i), (i, i))
    many.index()
    plan = plan_of(many.runtime, many.store, many.workspace)
    assert sorted(path.name for path in root.iterdir()) == sorted(["2", "3", plan.folder.name])


def test_a_large_catalogue_is_read_by_another_process(many, monkeypatch):
    monkeypatch.setattr("mmcore.services.neighbour_reading.FEW", 100)
    live = LiveIndex(many.runtime, many.store, many.workspace, None)
    asked, gate = [], threading.Event()

    def elsewhere(command, **options):
        asked.append(command[-2:])
        gate.wait(20)
        plan = plan_of(many.runtime, many.store, many.workspace)
        neighbour_texts.make_segments(many.store, plan, many.encoder)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr("mmcore.services.neighbour_reading.subprocess.run", elsewhere)
    monkeypatch.setattr("mmcore.jobs.local.environment_of", lambda settings: {})
    # it would be there, had the page waited until the other process ended
    assert live.ask(1, patience_s=60) is None
    assert live.progress == (0, 230)
    gate.set()
    live._thread.join(20)
    assert live.ask(1) is not None and asked == [[str(many.workspace.home), "m1"]]


def test_a_process_that_fails_is_told_with_its_log(many, monkeypatch):
    monkeypatch.setattr("mmcore.services.neighbour_reading.FEW", 100)
    failed = SimpleNamespace(returncode=3)
    path = "mmcore.services.neighbour_reading.subprocess.run"
    monkeypatch.setattr(path, lambda *_, **__: failed)
    monkeypatch.setattr("mmcore.jobs.local.environment_of", lambda settings: {})
    live = LiveIndex(many.runtime, many.store, many.workspace, None)
    live.ask(1)
    with pytest.raises(WorkspaceError, match="ended with 3, see .*neighbours.log"):
        live._thread and live._thread.join(20)
        live.ask(1)
