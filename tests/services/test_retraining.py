"""A retrain job from click to candidate, through kills, cancels, full disks and damage."""

import errno
import os
import threading
import time

import pytest
import tiny_shop
from tiny_shop import Shop, epoch_lines, scores

from mmcore.catalog.snapshot import snapshot_hash
from mmcore.errors import JobCancelledError, JobLostError
from mmcore.jobs.records import record
from mmcore.manifest import read_manifest
from mmcore.services.catalogue_frame import load_catalogue
from mmcore.services.job_runs import JobRuns, run_name
from mmcore.services.retraining import Parts
from mmcore.store import jobs
from mmcore.store.tables import ModelVersion

PATIENCE_S = 30


@pytest.fixture
def shop(tmp_path, monkeypatch):
    import mmcore.artifact
    import mmcore.services.images  # noqa: F401

    tiny_shop.shrink(monkeypatch.setattr)
    shop = Shop(tmp_path / "home")
    yield shop
    shop.store.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a shop whose retrain was never interrupted."""
    import mmcore.artifact
    import mmcore.services.images  # noqa: F401

    with pytest.MonkeyPatch.context() as patch:
        tiny_shop.shrink(patch.setattr)
        shop = Shop(tmp_path_factory.mktemp("whole") / "home")
        shop.work()
    yield shop
    shop.store.close()


# -- the usual case ----------------------------------------------------------------------------


def test_a_retrain_ends_as_one_candidate_with_its_snapshot(whole):
    job = whole.job
    assert (job.state, job.attempt, job.error) == ("succeeded", 1, "")
    name = run_name(job)
    assert tiny_shop.versions(whole.store) == [(name, "candidate")]
    assert job.result["model"] == name
    frozen = snapshot_hash(load_catalogue(whole.store))
    assert read_manifest(whole.model).snapshot == job.result["snapshot"] == frozen
    with whole.store.reading() as session:
        version = session.get(ModelVersion, job.result["model_version_id"])
        assert version.scores == scores(whole)["test"] and version.verdict == {"passed": True}
    assert whole.leftovers() == []
    assert len(epoch_lines(whole)) == 5


def test_the_last_progress_tells_the_whole_story(whole):
    seen = whole.job.progress
    assert (seen["stage"], seen["done"], seen["total"]) == ("checking labels", 1, 1)
    assert (seen["phase"], seen["num_phases"], seen["epoch"]) == (2, 2, 2)
    assert (seen["num_train"], seen["num_val"], seen["num_test"]) == (36, 18, 18)
    assert 0 <= seen["macro_f1"] <= seen["best_macro_f1"] <= 1 and seen["loss"] > 0


# -- being stopped -----------------------------------------------------------------------------


def test_a_worker_that_is_told_to_end_keeps_a_checkpoint_and_another_goes_on(shop, whole):
    asked = []

    def is_stopping():
        asked.append(1)
        return len(asked) > 12  # some steps into the training

    shop.work(is_stopping=is_stopping)
    job = shop.job
    assert (job.state, job.num_lost) == ("queued", 0) and "checkpoint is kept" in shop.log
    shop.work()
    assert (shop.job.state, shop.job.attempt) == ("succeeded", 2)
    assert scores(shop) == scores(whole)


def test_progress_never_goes_back(shop, monkeypatch):
    seen = []

    def write(session, held, progress):
        seen.append(dict(progress))
        return True

    monkeypatch.setattr(jobs, "write_progress", write)
    monkeypatch.setattr("mmcore.jobs.context.REPORT_EVERY_S", 0)
    shop.work()
    order = [
        (p["stage_number"], p.get("phase", 0), p.get("epoch", 0), p.get("step", 0)) for p in seen
    ]
    assert order == sorted(order) and len(set(order)) == 1 + 1 + 5 * 2 + 4
    # the shop is too small for folds
    assert {p["stage"] for p in seen} == {*tiny_shop.STAGES} - {"training on folds"}
    assert all(p["eta_s"] is None or p["eta_s"] >= 0 for p in seen)
    photos = [p["done"] for p in seen if p["stage"] == "reading photos"]
    assert photos == sorted(photos) and len(photos) > 1


# -- cancel ------------------------------------------------------------------------------------


def slow_reading(monkeypatch):
    from mmcore import pixels

    decode = pixels.decode_photo
    monkeypatch.setattr(pixels, "decode_photo", lambda data: time.sleep(0.1) or decode(data))


def slow_training(monkeypatch):
    from mmcore import trainer

    step = trainer._Run._train_step
    slowly = lambda self, *a: time.sleep(0.3) or step(self, *a)  # noqa: E731
    monkeypatch.setattr(trainer._Run, "_train_step", slowly)


def slow_judging(monkeypatch):
    from mmcore import batches

    def forever(self):
        while True:
            time.sleep(0.2)
            self._check()
            yield from self._reader.all_in_order()

    monkeypatch.setattr(batches.InterruptibleReader, "all_in_order", forever)


def endless_comparison(store, workspace, settings, version_id, now, watch):
    done = 0
    while not watch.should_stop():
        done += 1
        watch.progress(done, 10_000)
        time.sleep(0.1)


SLOW = {
    "reading photos": slow_reading,
    "training": slow_training,
    "judging": slow_judging,
    "comparing": lambda monkeypatch: None,
}


@pytest.mark.parametrize("stage", SLOW)
def test_a_cancel_is_obeyed_within_5_s_and_leaves_production_alone(shop, monkeypatch, stage):
    SLOW[stage](monkeypatch)
    with shop.store.writing() as session:
        production = ModelVersion(name="p", stage="production", snapshot="s", created_at=0.0)
        session.add(production)
    parts = Parts(tiny_shop.PARTS.load, tiny_shop.register, endless_comparison)
    thread = threading.Thread(target=shop.work, args=(parts,))
    thread.start()
    deadline = time.monotonic() + PATIENCE_S
    while shop.job.progress.get("stage") != stage:
        assert time.monotonic() < deadline and shop.job.is_active, shop.log
        time.sleep(0.02)
    asked_at = time.monotonic()
    with shop.store.writing() as session:
        jobs.request_cancel(session, shop.job_id, time.time())
    while shop.job.state == "running":
        time.sleep(0.02)
    took_s = time.monotonic() - asked_at
    thread.join(PATIENCE_S)
    assert shop.job.state == "cancelled" and took_s < 5
    made = [(run_name(shop.job), "candidate")] if stage == "comparing" else []
    assert tiny_shop.versions(shop.store) == [("p", "production"), *made]
    assert shop.leftovers() == [] and shop.model.exists() == bool(made)


def test_a_cancel_before_the_next_attempt_takes_over_leaves_nothing_of_the_last(shop, monkeypatch):
    interrupt(shop)
    assert shop.leftovers() != []

    def cancelled(runs):
        raise JobCancelledError

    monkeypatch.setattr(JobRuns, "take_over", cancelled)
    shop.work()
    assert shop.job.state == "cancelled" and shop.leftovers() == []


# -- failing -----------------------------------------------------------------------------------


def no_space(*arguments, **named):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


FULL_AT = {
    "feature cache": "mmcore.features.FeatureCache.append",
    "checkpoint": "mmcore.checkpoint.write_atomically",
    "model folder": "mmcore.artifact._write_parts",
    "labels": "mmcore.catalog.snapshot.write_atomically",
    "run folder": "mmcore.services.runs.write_atomically",
}


@pytest.mark.parametrize("place", FULL_AT)
def test_a_full_disk_fails_the_job_with_a_clear_message_and_leaves_nothing(
    shop, monkeypatch, place
):
    monkeypatch.setattr(FULL_AT[place], no_space)
    shop.work()
    job = shop.job
    assert job.state == "failed" and "internal error" not in job.error
    assert "free some" in job.error
    assert tiny_shop.versions(shop.store) == []
    assert shop.leftovers() == [] and not shop.model.exists()


def test_a_registry_that_fails_leaves_no_model_folder(shop):
    def refuse(store, **facts):
        raise ZeroDivisionError

    shop.work(Parts(tiny_shop.PARTS.load, refuse, tiny_shop.judge))
    assert shop.job.error == "internal error: ZeroDivisionError: "
    assert shop.leftovers() == [] and not shop.model.exists()


def test_too_few_labels_are_the_jobs_message(shop):
    tiny_shop.relabel(shop.store)
    shop.work()
    assert shop.job.state == "failed"
    assert "the train products have 1 class (10), at least 2 are needed" in shop.job.error


def interrupt(shop, after=14):
    asked = []

    def is_stopping():
        asked.append(1)
        return len(asked) > after

    shop.work(is_stopping=is_stopping)
    assert shop.job.state == "queued"
    found = list(shop.workspace.runs.rglob("checkpoint.safetensors"))
    assert len(found) == 1, "interrupted while it trained"
    return found[0]


DAMAGES = {
    "cut off": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "another header": lambda data: data.replace(b"rayon-checkpoint-2", b"rayon-checkpoint-9"),
    "broken state": lambda data: data.replace(b'\\"phase\\"', b'\\"phxse\\"'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_makes_the_attempt_start_again_with_a_note(shop, whole, damage):
    path = interrupt(shop)
    data = path.read_bytes()
    path.write_bytes(DAMAGES[damage](data))
    assert path.read_bytes() != data
    shop.work()
    assert shop.job.state == "succeeded" and "the checkpoint is damaged" in shop.log
    assert scores(shop) == scores(whole)


@pytest.mark.parametrize("what", ["run.json", "labels"])
def test_a_damaged_run_is_begun_again_with_a_note(shop, whole, what):
    path = interrupt(shop).with_name("run.json")
    if what == "labels":
        (path,) = shop.workspace.snapshots.iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    shop.work()
    assert shop.job.state == "succeeded" and "starting over" in shop.log
    assert scores(shop) == scores(whole)


# -- the late worker ---------------------------------------------------------------------------


def test_a_late_worker_cannot_show_its_model(shop):
    """Its attempt is over; a trained and saved network stays where nobody looks."""
    with shop.store.writing() as session:
        late = record(jobs.claim(session, "late", 0.0, 60.0))
        jobs.claim(session, "next", 100.0, 1e12)
    staged = shop.workspace.models / f".{run_name(late)}.0001"
    staged.mkdir()
    runs = JobRuns(shop.workspace, late)
    with pytest.raises(JobLostError):
        runs.publish(shop.store, staged)
    assert not shop.model.exists()
    shop.model.mkdir()
    with pytest.raises(JobLostError):
        runs.unpublish(shop.store)
    assert shop.model.exists(), "nor take back the other's"


def test_a_late_worker_that_wakes_up_while_training_leaves_the_next_ones_files_alone(
    shop, whole, monkeypatch
):
    """The next attempt takes over, runs to its end, and then the late one goes on."""
    from mmcore import trainer

    step, is_first = trainer._Run._train_step, threading.Lock()

    def stall(self, *arguments):
        if self.state.phase == 1 and is_first.acquire(blocking=False):
            monkeypatch.setattr("mmcore.jobs.leash.Leash._listen", lambda self: None)
            other = threading.Thread(target=shop.work, kwargs={"ahead_s": 100.0})
            other.start()
            other.join(PATIENCE_S)
            assert shop.job.state == "succeeded"
        return step(self, *arguments)

    monkeypatch.setattr(trainer._Run, "_train_step", stall)
    shop.work()
    job = shop.job
    assert (job.state, job.attempt) == ("succeeded", 2)
    assert "no longer attempt 1's" in shop.log
    assert tiny_shop.versions(shop.store) == [(run_name(job), "candidate")]
    assert scores(shop) == scores(whole) and shop.leftovers() == []
