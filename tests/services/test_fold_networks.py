"""Networks on folds: nobody is asked about what it has learnt, and a kill costs one fold."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from mmcore.artifact import load_artifact
from mmcore.catalog.csv_columns import CsvColumns
from mmcore.config import TEXT, RunChoices, parse_modality
from mmcore.errors import TrainingInterrupted, WarmStartError
from mmcore.services import fold_networks
from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.finished import Finished
from mmcore.services.fold_networks import FoldResult
from mmcore.services.opening import opened_store
from mmcore.services.people import ensure_actor
from mmcore.services.training import resume, train
from mmcore.settings import Settings
from mmcore.workspace import Workspace

WORDS = ("piscine gonflable", "livre roman", "jouet bois")
NUM = 48
CHOICES = RunChoices(modalities=(TEXT, parse_modality("price")), epochs1=2)
PARTS = ("model.safetensors", "vocab.json", "combiner.json", "predictions.parquet")


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    """Return the settings of a workspace of 48 products of three classes; folds pay for them."""
    monkeypatch.setattr("mmcore.config.MIN_REFIT", 20)
    monkeypatch.setattr("mmcore.linear_folds.NUM_FOLDS", 3)
    with (tmp_path / "shop.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "title", "price", "label", "split"])
        for i in range(NUM):
            split = ("train", "train", "val", "test")[i // 3 % 4]
            table.writerow([f"p{i}", f"{WORDS[i % 3]} n{i}", 10 ** (i % 3), i % 3, split])
    home = tmp_path / "home"
    columns = CsvColumns("id", title="title", label="label", split="split", extra=("price",))
    settings = Settings(home, "cpu", 1, offline=True)
    with opened_store(Workspace(home), settings) as store:
        actor = ensure_actor(store, "lea", "lead", 0.0)
        import_csv(store, actor, Workspace(home), CsvImport(tmp_path / "shop.csv", columns), 0.0)
    return settings


@pytest.fixture
def workspace(settings) -> Workspace:
    return Workspace(settings.home)


@pytest.fixture
def trained_on(monkeypatch) -> list[set[str]]:
    """Return the products that each network learns from, filled as they are trained."""
    seen, fit = [], fold_networks.fit

    def spied(model, data, config, options):
        seen.append(set(data.train(config.phases[0]).products.product_ids))
        assert not len(data.val(config.phases[0]).products), "nobody is left to stop it"
        return fit(model, data, config, options)

    monkeypatch.setattr(fold_networks, "fit", spied)
    return seen


def config_of(workspace, name):
    return json.loads((workspace.models / name / "config.json").read_text())["run"]


def test_each_product_is_judged_by_a_network_that_has_not_seen_it(
    workspace, settings, trained_on, monkeypatch
):
    judged, decide = [], fold_networks.decide

    def spied(model, reader):
        judged.append(set(reader.products.product_ids))
        return decide(model, reader)

    monkeypatch.setattr(fold_networks, "decide", spied)
    events = list(train(workspace, settings, CHOICES, "m1"))
    learnt = {f"p{i}" for i in range(NUM) if i // 3 % 4 != 3}
    *folds, last = trained_on
    assert len(folds) == len(judged) == 3 and last == learnt
    assert all(
        not seen & asked and seen | asked == learnt
        for seen, asked in zip(folds, judged, strict=True)
    )
    assert set.union(*judged) == learnt
    told = [event for event in events if isinstance(event, FoldResult)]
    assert [t.done for t in told] == list(range(1, told[0].total + 1))
    assert [t.place for t in told][:: told[0].total // 4] == [
        *("fold 1 of 3", "fold 2 of 3", "fold 3 of 3"),
        "all products",
    ]


def test_val_is_scored_by_networks_that_have_not_seen_it(workspace, settings):
    finished = list(train(workspace, settings, replace(CHOICES, epochs1=8), "m1"))[-1]
    assert set(finished.scores) == {"val", "test"}
    assert finished.scores["val"]["fused"]["n"] == 12
    assert config_of(workspace, "m1")["refit"] is True
    assert any("weighed on folds" in note for note in finished.notes)
    assert all("products" in why for why in finished.decided.values())
    words = json.loads((workspace.models / "m1" / "vocab.json").read_text())["text"]["words"]
    assert {"n6", "n7", "n8"} <= set(words), "words of val are learnt as well"
    assert not {"n9", "n10", "n11"} & set(words), "those of test never"


@pytest.mark.parametrize("damage", [None, b"", b"no archive"])
def test_a_run_killed_in_a_fold_goes_on_there_and_ends_the_same(
    workspace, settings, trained_on, damage
):
    list(train(workspace, settings, CHOICES, "whole"))
    with pytest.raises(TrainingInterrupted, match="while it trained on fold 3 of 3"):
        stops = []
        events = train(workspace, settings, CHOICES, "killed", lambda: bool(stops))
        for event in events:
            if isinstance(event, FoldResult) and event.place == "fold 3 of 3":
                stops.append(True)
    kept = sorted(path.name for path in (workspace.runs / "killed").glob("fold-*"))
    assert kept == ["fold-1.npz", "fold-2.npz"]
    if damage is not None:
        (workspace.runs / "killed" / "fold-2.npz").write_bytes(damage)
    trained_on.clear()
    assert isinstance(list(resume(workspace, settings, "killed"))[-1], Finished)
    assert len(trained_on) == (2 if damage is None else 3), "fold 3 and all; a damaged one again"
    for part in PARTS:
        files = [(workspace.models / name / part).read_bytes() for name in ("whole", "killed")]
        assert files[0] == files[1], part
    assert list(workspace.runs.iterdir()) == []


def test_a_fold_of_other_settings_is_not_taken(workspace, settings, tmp_path):
    from networks import products

    from mmcore.services.fold_file import load_fold, save_fold
    from mmcore.views import Decisions

    rows = np.ones((4, 3), np.float32)
    found = Decisions(products(4), {"a": rows[:, 0] > 0}, {"a": rows}, {("a",): rows})
    save_fold(tmp_path / "fold-1.npz", "mine", found)
    again = load_fold(tmp_path / "fold-1.npz", "mine", products(4))
    assert again.fused[("a",)].tolist() == rows.tolist() and again.available["a"].all()
    assert load_fold(tmp_path / "fold-1.npz", "another's", products(4)) is None
    assert load_fold(tmp_path / "fold-1.npz", "mine", products(5)) is None
    assert load_fold(tmp_path / "nowhere.npz", "mine", products(4)) is None


@pytest.mark.parametrize(
    "choices",
    [
        replace(CHOICES, preset="seed"),
        replace(CHOICES, values=("refit=false",)),
        replace(CHOICES, values=("use_combiner=false",)),
    ],
    ids=["seed", "by wish", "nothing to weigh"],
)
def test_without_folds_val_stops_and_weighs(workspace, settings, trained_on, choices):
    list(train(workspace, settings, choices, "m1"))
    assert trained_on == [] and config_of(workspace, "m1")["refit"] is False


def test_few_products_are_not_split(workspace, settings, trained_on, monkeypatch):
    monkeypatch.setattr("mmcore.config.MIN_REFIT", 37)
    list(train(workspace, settings, CHOICES, "m1"))
    assert trained_on == []


def test_a_start_from_such_a_network_learns_from_val_and_keeps_its_weights(
    workspace, settings, trained_on
):
    list(train(workspace, settings, CHOICES, "m1"))
    trained_on.clear()
    finished = list(train(workspace, settings, RunChoices(parent="m1", epochs1=1), "m2"))[-1]
    assert trained_on == [] and set(finished.scores) == {"test"}, "nobody has not seen val"
    before, after = (load_artifact(workspace.models / name).combiner for name in ("m1", "m2"))
    assert {p: dict(r.weights) for p, r in after.rules.items()} == {
        p: dict(r.weights) for p, r in before.rules.items()
    }
    assert set(finished.decided.values()) == {"weighted as in m1, from which it started"}
    assert config_of(workspace, "m2")["refit"] is True


def test_fine_tuning_from_such_a_network_is_refused_with_the_remedy(workspace, settings):
    list(train(workspace, settings, CHOICES, "m1"))
    with pytest.raises(WarmStartError, match="has learnt from val.*2 epochs.*--fresh"):
        list(train(workspace, settings, RunChoices(parent="m1", epochs2=2), "m2"))
