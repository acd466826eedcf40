"""A run from beginning to end, stopped and killed at every place where it matters."""

import csv
import json
from dataclasses import replace
from itertools import count

import pytest

from mmcore.artifact import load_artifact
from mmcore.catalog.csv_columns import CsvColumns
from mmcore.config import IMAGE, TEXT, RunChoices
from mmcore.errors import TrainingDataError, TrainingInterrupted, WorkspaceError
from mmcore.features import FeatureResult
from mmcore.lbfgs import Limits
from mmcore.photos import PhotoStore
from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.catalogue_frame import read_catalogue
from mmcore.services.finished import Finished
from mmcore.services.opening import opened_store
from mmcore.services.people import ensure_actor
from mmcore.services.runs import Run
from mmcore.services.training import Started, resume, train
from mmcore.settings import Settings
from mmcore.trainer import EpochResult, StepResult
from mmcore.workspace import Workspace

COLUMNS = CsvColumns("id", title="title", image="photo", label="label", split="split")
WORDS = ("piscine", "livre", "jouet")
TEXT_ONLY = RunChoices(modalities=(TEXT,), epochs1=2)
IMAGES = RunChoices(
    modalities=(IMAGE,), backbone="mobilenet_v2", weights="random", epochs1=1, epochs2=0
)


@pytest.fixture
def workspace(tmp_path, make_photo) -> Workspace:
    """Return a workspace of 36 products of three classes with text and photo."""
    (tmp_path / "photos").mkdir()
    with (tmp_path / "shop.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "title", "photo", "label", "split"])
        for i in range(36):
            split = ("train", "train", "val", "test")[i // 3 % 4]
            (tmp_path / "photos" / f"{i}.jpg").write_bytes(make_photo(seed=i))
            table.writerow([f"p{i}", f"{WORDS[i % 3]} numéro {i}", f"{i}.jpg", i % 3, split])
    workspace = Workspace(tmp_path / "home")
    options = CsvImport(tmp_path / "shop.csv", COLUMNS, tmp_path / "photos")
    with opened_store(workspace, Settings(workspace.home, "cpu", 1)) as store:
        import_csv(store, ensure_actor(store, "lea", "lead", 0.0), workspace, options, 0.0)
    return workspace


@pytest.fixture
def settings(workspace) -> Settings:
    return Settings(workspace.home, "cpu", 1, offline=True)


def stop_at(number):
    """Return a function that says stop the time after it was asked so often."""
    asked = count()
    return lambda: next(asked) >= number


def test_a_run_ends_with_its_model_and_leaves_nothing(workspace, settings):
    events = list(train(workspace, settings, TEXT_ONLY, "m1"))
    assert isinstance(events[0], Started) and isinstance(events[-1], Finished)
    assert (workspace.models / "m1").is_dir() and list(workspace.runs.iterdir()) == []


def test_a_run_can_be_stopped_wherever_it_asks_and_resumed(workspace, settings, monkeypatch):
    # a linear head asks at each of its many iterations: a handful of them is enough here
    monkeypatch.setattr("mmcore.linear_fit.LIMITS", Limits(1, 0))
    monkeypatch.setattr("mmcore.linear_fit.STRENGTHS", (30.0,))
    monkeypatch.setattr("mmcore.linear_folds.NUM_FOLDS", 2)
    where = []
    for number in count():
        name = f"m{number}"
        try:
            list(train(workspace, settings, TEXT_ONLY, name, stop_at(number)))
            break
        except TrainingInterrupted as error:
            assert error.run == name
            where.append(str(error))
        finished = list(resume(workspace, settings, name))[-1]
        assert finished.name == name and (workspace.models / name).is_dir()
    assert any("in phase 1, epoch 1;" in text for text in where)
    assert any("in phase 1, epoch 2;" in text for text in where)
    assert any("while it fitted heads" in text for text in where)
    assert "while it was judged on val; its checkpoint is kept" in where[-3]
    assert "while it was judged on test" in where[-2] and "before its model was saved" in where[-1]
    assert list(workspace.runs.iterdir()) == []


def test_a_run_stopped_while_it_fitted_heads_ends_as_if_it_had_not_been(
    workspace, settings, monkeypatch
):
    list(train(workspace, settings, TEXT_ONLY, "whole"))
    asked = count()

    def stopped(should_stop, where):
        if "fitted heads" in where and next(asked) == 20:
            raise TrainingInterrupted(where)

    monkeypatch.setattr("mmcore.services.linear_heads.stop_if_asked", stopped)
    with pytest.raises(TrainingInterrupted, match="fitted heads"):
        list(train(workspace, settings, TEXT_ONLY, "stopped"))
    list(resume(workspace, settings, "stopped"))
    parts = ("model.safetensors", "vocab.json", "combiner.json", "predictions.parquet")
    for part in parts:
        files = [(workspace.models / name / part).read_bytes() for name in ("whole", "stopped")]
        assert files[0] == files[1], part
    assert "text" in load_artifact(workspace.models / "stopped").model.linear


def test_a_run_stopped_between_phases_or_while_reading_photos_resumes(workspace, settings):
    both = replace(IMAGES, modalities=(TEXT, IMAGE), epochs2=1)
    with pytest.raises(
        TrainingInterrupted, match="reading photos .32 of 36 read, and kept"
    ) as caught:
        list(train(workspace, settings, both, None, stop_at(0)))
    name = caught.value.run
    assert (workspace.runs / name / "run.json").exists()

    asked = []
    events, seen = resume(workspace, settings, name, lambda: bool(asked)), []
    with pytest.raises(TrainingInterrupted, match="in phase 2, epoch 1"):
        for event in events:
            seen.append(event)
            if isinstance(event, EpochResult):
                asked.append(True)
    assert [e.total for e in seen if isinstance(e, FeatureResult)][0] == 4, "32 were kept"
    seen = list(resume(workspace, settings, name))
    assert {e.phase for e in seen if isinstance(e, StepResult)} == {2}
    assert isinstance(seen[-1], Finished)


def test_a_live_run_is_not_resumed_beside_itself(workspace, settings):
    events = train(workspace, settings, TEXT_ONLY, "m1")
    assert isinstance(next(events), Started)
    with pytest.raises(WorkspaceError, match=r"'m1' is going on already, in process \d+ on .*wait"):
        next(resume(workspace, settings, "m1"))
    events.close()
    assert isinstance(list(resume(workspace, settings, "m1"))[-1], Finished)


class Killed(BaseException):
    """The process dies."""


def killed(*_):
    raise Killed


@pytest.fixture
def saved_but_not_put_away(workspace, settings, monkeypatch):
    """Return the name of a run that was killed after its model was saved."""
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Run, "remove", killed)
        list(train(workspace, settings, TEXT_ONLY, "m1"))
    assert (workspace.models / "m1").is_dir() and (workspace.runs / "m1" / "run.json").exists()
    return "m1"


def test_a_run_killed_after_its_model_was_saved_just_ends(
    workspace, settings, saved_but_not_put_away
):
    before = (workspace.models / "m1" / "MANIFEST.json").read_bytes()
    metrics = json.loads((workspace.models / "m1" / "metrics.json").read_text())
    (finished,) = resume(workspace, settings, "m1")
    assert finished.name == "m1" and finished.folder == workspace.models / "m1"
    assert finished.scores == metrics["scores"] and finished.notes == tuple(metrics["notes"])
    assert set(finished.decided) == {"text"}
    assert (workspace.models / "m1" / "MANIFEST.json").read_bytes() == before
    assert list(workspace.runs.iterdir()) == []


def test_a_run_killed_while_it_was_put_away_just_ends(workspace, settings, saved_but_not_put_away):
    (workspace.runs / "m1" / "checkpoint.safetensors").unlink()
    (finished,) = resume(workspace, settings, "m1")
    assert finished.name == "m1" and list(workspace.runs.iterdir()) == []


def test_a_model_of_another_run_is_not_taken_for_this_ones(
    workspace, settings, saved_but_not_put_away
):
    record = workspace.runs / "m1" / "run.json"
    record.write_text(record.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(WorkspaceError, match="holds a model of other settings.*move that folder"):
        list(resume(workspace, settings, "m1"))


def lose(workspace, num):
    """Damage so many of the stored photos, the train products' first."""
    frame = read_catalogue(workspace, Settings(workspace.home, "cpu", 1)).products
    store = PhotoStore(workspace.photos)
    is_other = frame["split"] != "train"
    for key in frame.loc[is_other.sort_values(kind="stable").index, "photo"][:num]:
        store.path(key).write_bytes(b"no photo any more")


@pytest.mark.parametrize("phases", [{}, {"epochs1": 0, "epochs2": 1}])
@pytest.mark.parametrize(("num", "found"), [(36, "none"), (13, "only 5")])
def test_a_model_that_would_see_nothing_is_refused(workspace, settings, phases, num, found):
    lose(workspace, num)
    message = rf"{found} of the 18 .* can be read .at least 8.*not that of a photo.*--images"
    events = train(workspace, settings, replace(IMAGES, **phases))
    with pytest.raises(TrainingDataError, match=message):
        list(events)
    assert list(workspace.runs.iterdir()) == [], "there is nothing to resume"


def test_a_model_that_also_reads_trains_without_photos_and_says_so(workspace, settings):
    lose(workspace, 36)
    both = replace(IMAGES, modalities=(TEXT, IMAGE))
    finished = list(train(workspace, settings, both))[-1]
    assert "36 photos can't be read and count as missing, e.g.: " in finished.notes[-2]
    assert "that is most of the 36 photos: what is said of images" in finished.notes[-1]


def test_a_few_unreadable_photos_are_only_counted(workspace, settings):
    lose(workspace, 5)
    finished = list(train(workspace, settings, IMAGES))[-1]
    assert "5 photos can't be read and count as missing" in finished.notes[-1]
