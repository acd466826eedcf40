"""One model answers; who made it so is known; the way back works; nothing needed is deleted."""

import multiprocessing
import sys
import types
from pathlib import Path

import pytest
from model_folders import damage, make_model
from sqlalchemy import func, select
from store_rows import add_predictions, add_products

from mmcore.errors import (
    ArtifactError,
    ConfigError,
    NotFoundError,
    RefusedError,
    StaleWriteError,
    StoreError,
)
from mmcore.holding import using
from mmcore.services import registry, registry_upkeep
from mmcore.services.models import model_folder, production_name
from mmcore.services.people import Actor, ensure_actor
from mmcore.services.registry_view import list_versions
from mmcore.settings import Settings
from mmcore.store.engine import Store
from mmcore.store.tables import Job, ModelVersion, Prediction, StageChange
from mmcore.workspace import Workspace

SPAWN = multiprocessing.get_context("spawn")
NOW = 1_000.0


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home").create()


@pytest.fixture
def lead(store):
    return ensure_actor(store, "lea", "lead", NOW)


@pytest.fixture(autouse=True)
def refreshed(monkeypatch):
    """Stand in for the queue, and keep what it was asked to refresh."""
    calls = []
    fake_queue(monkeypatch, calls)
    return calls


def fake_queue(monkeypatch, calls):
    module = types.ModuleType("mmcore.services.queue")
    module.refresh = lambda store, version_id: calls.append(version_id)
    monkeypatch.setitem(sys.modules, "mmcore.services.queue", module)
    monkeypatch.setattr(sys.modules["mmcore.services"], "queue", module, raising=False)


@pytest.fixture
def abc(store, workspace):
    """Three candidates; returns name -> id."""
    found = {}
    for i, name in enumerate("abc"):
        make_model(workspace, name)
        found[name] = registry.register_folder(store, workspace, name, NOW + i)
    return found


def stages(store):
    with store.reading() as session:
        return dict(session.execute(select(ModelVersion.name, ModelVersion.stage)).all())


def in_production(store):
    return [name for name, stage in stages(store).items() if stage == "production"]


def add_job(store, state="running", attempt=1):
    with store.writing() as session:
        job = Job(kind="retrain", state=state, attempt=attempt, created_at=NOW)
        session.add(job)
        session.flush()
        return job.id


def facts(**changes):
    return {"name": "m", "snapshot": "s", "scores": {"fused": None}, "now": NOW, **changes}


# -- registering ---------------------------------------------------------------------------------


def test_a_first_model_is_a_candidate_and_registering_again_changes_nothing(store):
    first = registry.register_candidate(store, **facts())
    assert registry.register_candidate(store, **facts(now=NOW + 9)) == first
    assert stages(store) == {"m": "candidate"}
    with store.reading() as session:
        (change,) = session.scalars(select(StageChange))
        assert (change.act, change.stage_before, change.stage) == ("register", "", "candidate")


def test_another_model_of_the_same_name_is_refused(store):
    registry.register_candidate(store, **facts())
    with pytest.raises(RefusedError, match="another model is registered as 'm'.*another name"):
        registry.register_candidate(store, **facts(snapshot="t"))


def test_the_parent_is_kept_by_name_and_may_be_unknown(store):
    registry.register_candidate(store, **facts(name="old"))
    registry.register_candidate(store, **facts(name="child", parent="old"))
    registry.register_candidate(store, **facts(name="orphan", parent="never seen"))
    rows = {v.name: v.parent for v in list_versions(store, Workspace(Path()))}
    assert rows == {"old": None, "child": "old", "orphan": None}


@pytest.mark.parametrize(
    ("state", "attempt", "message"),
    [
        ("running", 2, "running in attempt 2, this worker's is attempt 1"),
        ("cancelled", 1, "job .* is cancelled"),
        ("queued", 1, "job .* is queued"),
    ],
)
def test_a_worker_that_lost_its_job_registers_nothing(store, state, attempt, message):
    job = add_job(store, state, attempt)
    with pytest.raises(StaleWriteError, match=f"{message}.*nothing was written"):
        registry.register_candidate(store, **facts(job_id=job, attempt=1))
    assert stages(store) == {}


def test_a_worker_that_holds_its_job_registers_and_a_later_attempt_finds_the_row(store):
    job = add_job(store)
    first = registry.register_candidate(store, **facts(job_id=job, attempt=1))
    with store.writing() as session:
        session.get(Job, job).attempt = 2
    assert registry.register_candidate(store, **facts(job_id=job, attempt=2)) == first


def test_a_job_that_never_was(store):
    with pytest.raises(StaleWriteError, match="job 7 doesn't exist"):
        registry.register_candidate(store, **facts(job_id=7, attempt=1))


def register_at(url, barrier, results):
    store = Store(url)
    barrier.wait(60)
    results.put(registry.register_candidate(store, **facts()))
    store.close()


def test_two_processes_registering_one_name_get_one_row(store):
    assert len(set(in_processes(register_at, store, 4))) == 1


def in_processes(target, store, num, *arguments):
    barrier, results = SPAWN.Barrier(num), SPAWN.Queue()
    workers = [
        SPAWN.Process(target=target, args=(store.url, barrier, results, *(a[i] for a in arguments)))
        for i in range(num)
    ]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * num
    return found


# -- activating ----------------------------------------------------------------------------------


def test_activating_archives_the_one_before_and_tells_who_when_why(
    store, workspace, lead, abc, refreshed
):
    assert registry.activate(store, lead, workspace, "a", NOW + 10).before is None
    done = registry.activate(
        store, lead, workspace, "b", NOW + 20, registry.Consent(reason="better")
    )
    assert (done.before, done.has_changed) == ("a", True)
    assert stages(store) == {"a": "archived", "b": "production", "c": "candidate"}
    assert refreshed == [abc["a"], abc["b"]]
    history = {v.name: v.changes for v in list_versions(store, workspace)}
    told = [(e.act, e.stage_before, e.stage, e.who, e.reason, e.at) for e in history["a"]]
    assert told == [
        ("register", "", "candidate", None, "", NOW),
        ("activate", "candidate", "production", "lea", "", NOW + 10),
        ("activate", "production", "archived", "lea", "better", NOW + 20),
    ]


def test_activating_twice_is_one_act(store, workspace, lead, abc):
    registry.activate(store, lead, workspace, "a", NOW)
    assert not registry.activate(store, lead, workspace, "a", NOW + 1).has_changed
    with store.reading() as session:
        acts = session.scalars(select(StageChange.act)).all()
    assert acts.count("activate") == 1


def test_a_model_that_was_not_compared_with_this_production_is_activated_with_a_note(
    store, workspace, lead, abc
):
    registry.activate(store, lead, workspace, "a", NOW)
    assert "never compared with a" in registry.activate(store, lead, workspace, "b", NOW).notes[0]
    set_verdict(store, "c", {"passed": True, "against": "a"})
    assert (
        "compared with a, not with b"
        in (registry.activate(store, lead, workspace, "c", NOW).notes[0])
    )


def set_verdict(store, name, verdict):
    with store.writing() as session:
        session.scalar(select(ModelVersion).where(ModelVersion.name == name)).verdict = verdict


def test_what_the_gate_refused_needs_a_reason(store, workspace, lead, abc):
    check = {"sentence": "class 10 fell by 0.20", "passed": False}
    set_verdict(store, "a", {"passed": False, "against": None, "checks": [check]})
    with pytest.raises(RefusedError, match="gate said no to a: class 10 fell by 0.20; give a rea"):
        registry.activate(store, lead, workspace, "a", NOW, registry.Consent(reason="  "))
    assert in_production(store) == []
    registry.activate(
        store, lead, workspace, "a", NOW, registry.Consent(reason="class 10 is going away")
    )
    assert in_production(store) == ["a"]


@pytest.mark.parametrize("role", ["viewer", "annotator"])
def test_only_a_lead_moves_models(store, workspace, abc, role):
    actor = Actor(1, "ann", role)
    for act in (
        lambda: registry.activate(store, actor, workspace, "a", NOW),
        lambda: registry.rollback(store, actor, workspace, NOW),
        lambda: registry_upkeep.prune(store, actor, workspace, 0),
        lambda: registry_upkeep.add(store, actor, workspace, "a", NOW),
    ):
        with pytest.raises(RefusedError, match=f"ann is {role}, this needs lead"):
            act()


def test_a_damaged_missing_or_foreign_folder_is_not_activated(store, workspace, lead, abc):
    damage(workspace.models / "a")
    (workspace.models / "b").rename(workspace.models / "elsewhere")
    make_model(workspace, "b", snapshot="other labels")
    (workspace.models / "c").rename(workspace.models / "gone")
    for name, message in (("a", "vocab.json was altered"), ("b", "another"), ("c", "is missing")):
        with pytest.raises(ArtifactError, match=message):
            registry.activate(store, lead, workspace, name, NOW)
    with pytest.raises(NotFoundError, match="no model named 'x' is registered; there are: c, b, a"):
        registry.activate(store, lead, workspace, "x", NOW)
    assert in_production(store) == []


def activate_at(url, barrier, results, home, name):
    module = types.ModuleType("mmcore.services.queue")
    module.refresh = lambda *_: None
    sys.modules["mmcore.services.queue"] = module
    sys.modules["mmcore.services"].queue = module
    store = Store(url)
    barrier.wait(60)
    done = registry.activate(store, Actor(1, "lea", "lead"), Workspace(home), name, NOW)
    results.put((done.before, done.name))
    store.close()


def test_simultaneous_activations_leave_one_production(store, workspace, lead, abc):
    names = ["a", "b", "c", "a"]
    steps = in_processes(activate_at, store, 4, [workspace.home] * 4, names)
    assert len(in_production(store)) == 1
    assert {name for _, name in steps} == set(names)
    with store.reading() as session:
        rows = session.execute(
            select(StageChange.model_version_id, StageChange.stage)
            .where(StageChange.act == "activate")
            .order_by(StageChange.id)
        ).all()
    now = set()
    for version, stage in rows:  # the history is one line of acts, none between two others
        now = now | {version} if stage == "production" else now - {version}
        assert len(now) <= 1


# -- rolling back --------------------------------------------------------------------------------


def test_a_click_on_a_screen_that_is_old_activates_nothing(store, workspace, lead, abc, refreshed):
    """Two leads look at the same page; one activates b, the other wants c instead of a."""
    registry.activate(store, lead, workspace, "a", NOW, registry.Consent(seen=""))
    registry.activate(store, lead, workspace, "b", NOW, registry.Consent(seen="a"))
    for seen in ("a", ""):
        with pytest.raises(StaleWriteError, match="b is in production by now, not .*look again"):
            registry.activate(store, lead, workspace, "c", NOW, registry.Consent(seen=seen))
    assert refreshed == [abc["a"], abc["b"]]
    twice = registry.activate(store, lead, workspace, "b", NOW, registry.Consent(seen="a"))
    assert not twice.has_changed, "a second click on the same button"


def test_rolling_back_again_goes_back_further(store, workspace, lead, abc, refreshed):
    for i, name in enumerate("abc"):
        registry.activate(store, lead, workspace, name, NOW + i)
    done = registry.rollback(store, lead, workspace, NOW + 5)
    assert (done.before, done.name) == ("c", "b") and in_production(store) == ["b"]
    assert registry.rollback(store, lead, workspace, NOW + 6).name == "a"
    assert refreshed[-2:] == [abc["b"], abc["a"]]
    with pytest.raises(RefusedError, match="no model before a to go back to"):
        registry.rollback(store, lead, workspace, NOW + 7)
    assert stages(store) == {"a": "production", "b": "archived", "c": "archived"}


def test_after_a_rollback_the_way_back_leaves_out_what_was_left(store, workspace, lead, abc):
    for name in "ab":
        registry.activate(store, lead, workspace, name, NOW)
    registry.rollback(store, lead, workspace, NOW)  # b was a mistake
    registry.activate(store, lead, workspace, "c", NOW)
    assert registry.rollback(store, lead, workspace, NOW).name == "a"


def test_a_model_activated_again_is_rolled_back_to_the_one_between(store, workspace, lead, abc):
    for name in "aba":
        registry.activate(store, lead, workspace, name, NOW)
    assert registry.rollback(store, lead, workspace, NOW).name == "b"
    assert registry.rollback(store, lead, workspace, NOW).name == "a"


def test_a_second_click_on_rollback_changes_nothing(store, workspace, lead, abc):
    for name in "abc":
        registry.activate(store, lead, workspace, name, NOW)
    registry.rollback(store, lead, workspace, NOW, registry.Consent(seen="c"))
    with pytest.raises(StaleWriteError, match="b is in production by now, not c"):
        registry.rollback(store, lead, workspace, NOW, registry.Consent(seen="c"))
    assert in_production(store) == ["b"]


def test_without_production_there_is_nothing_to_roll_back(store, workspace, lead, abc):
    with pytest.raises(RefusedError, match="no model is in production; activate one"):
        registry.rollback(store, lead, workspace, NOW)


def test_a_damaged_predecessor_is_refused_and_production_stays(store, workspace, lead, abc):
    for name in "ab":
        registry.activate(store, lead, workspace, name, NOW)
    damage(workspace.models / "a")
    with pytest.raises(ArtifactError, match="vocab.json was altered"):
        registry.rollback(store, lead, workspace, NOW)
    assert in_production(store) == ["b"]


# -- pruning -------------------------------------------------------------------------------------


@pytest.fixture
def many(store, workspace, lead):
    """Eight models; m4 in production after m1, m2, m3."""
    for i in range(8):
        make_model(workspace, f"m{i}")
        registry.register_folder(store, workspace, f"m{i}", NOW + i)
    for name in ("m1", "m2", "m3", "m4"):
        registry.activate(store, lead, workspace, name, NOW + 50)
    return workspace


def folders(workspace):
    return sorted(p.name for p in workspace.models.glob("*"))


def test_pruning_keeps_production_the_way_back_and_the_newest(store, many, lead):
    done = registry_upkeep.prune(store, lead, many, keep=1)
    assert set(done.deleted) == {"m0", "m1", "m5", "m6"} and done.num_bytes > 0
    assert folders(many) == ["m2", "m3", "m4", "m7"]
    assert done.kept["m4"] == "in production" and "rollback" in done.kept["m3"]
    states = {v.name: v.folder for v in list_versions(store, many, check_files=True)}
    assert {n for n, s in states.items() if s == "pruned"} == set(done.deleted)
    assert registry_upkeep.compare_folders(store, many) == []
    with pytest.raises(ArtifactError, match="m1 was pruned"):
        registry.activate(store, lead, many, "m1", NOW)


def test_rolling_back_passes_over_the_pruned(store, many, lead):
    registry_upkeep.prune(store, lead, many, keep=0)
    names = [registry.rollback(store, lead, many, NOW + 60).name for _ in range(2)]
    assert names == ["m3", "m2"]
    with pytest.raises(RefusedError, match="no model before m2"):
        registry.rollback(store, lead, many, NOW + 61)


def test_a_model_that_is_read_or_judged_stays(store, many, lead):
    job = add_job(store)
    with store.writing() as session:
        session.scalar(select(ModelVersion).where(ModelVersion.name == "m5")).job_id = job
    with using(many.models / "m6"):
        done = registry_upkeep.prune(store, lead, many, keep=0)
    assert "job has not ended" in done.kept["m5"] and "reading" in done.kept["m6"]
    assert {"m5", "m6"} <= set(folders(many)) and "m7" in done.deleted
    assert "m6" in registry_upkeep.prune(store, lead, many, keep=0).deleted


def test_a_pruning_that_was_killed_is_finished_by_the_next(store, many, lead):
    with store.writing() as session:  # marked, and then the power went
        session.scalar(select(ModelVersion).where(ModelVersion.name == "m0")).is_pruned = True
    (many.models / ".pruned-m9-abcd").mkdir()
    assert [m.problem for m in registry_upkeep.compare_folders(store, many)] == [
        "pruned, but its folder is there",
        "unfinished or half deleted",
    ]
    registry_upkeep.prune(store, lead, many, keep=9)
    assert registry_upkeep.compare_folders(store, many) == []
    assert "m0" not in folders(many)


def test_a_negative_number_to_keep_is_refused(store, workspace, lead):
    with pytest.raises(ConfigError, match="keep is -1; it must be 0 or more"):
        registry_upkeep.prune(store, lead, workspace, -1)


# -- folders copied in, and which model answers -------------------------------------------------


def test_a_folder_copied_in_is_found_and_added(store, workspace, lead):
    make_model(workspace, "copied")
    (mismatch,) = registry_upkeep.compare_folders(store, workspace)
    assert (mismatch.name, mismatch.advice) == ("copied", "models add copied")
    registry_upkeep.add(store, lead, workspace, "copied", NOW)
    assert registry_upkeep.compare_folders(store, workspace) == []
    assert stages(store) == {"copied": "candidate"}
    damage(workspace.models / "copied")
    assert "altered" in registry_upkeep.compare_folders(store, workspace)[0].problem


def test_a_pruned_model_whose_folder_was_put_back_is_added_again(store, many, lead):
    registry_upkeep.prune(store, lead, many, keep=0)
    make_model(many, "m0")
    registry_upkeep.add(store, lead, many, "m0", NOW)
    registry.activate(store, lead, many, "m0", NOW)
    assert in_production(store) == ["m0"]


@pytest.mark.parametrize("name", ["nowhere", "../models", ".hidden", ""])
def test_only_folders_of_the_workspace_can_be_added(store, workspace, lead, name):
    with pytest.raises(NotFoundError, match="there is no folder"):
        registry_upkeep.add(store, lead, workspace, name, NOW)


def test_without_a_name_production_answers_else_the_newest(store, workspace, lead, abc):
    settings = Settings(workspace.home, "cpu", 1, database_url=store.url)
    newest = model_folder(workspace, settings, None).name
    assert newest in "abc" and production_name(workspace, settings) is None
    for name in "ab":
        registry.activate(store, lead, workspace, name, NOW)
        assert model_folder(workspace, settings, None).name == name
    assert model_folder(workspace, settings, "c").name == "c"


def test_a_workspace_without_a_database_opens_none(tmp_path):
    workspace = Workspace(tmp_path).create()
    assert production_name(workspace, Settings(tmp_path, "cpu", 1)) is None
    assert not workspace.database_file.exists()
    workspace.database_file.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="which model is in production.*name one with --model"):
        production_name(workspace, Settings(tmp_path, "cpu", 1))


def test_predictions_of_a_pruned_model_go_with_it(store, many, lead):
    ids = add_products(store, 7)
    with store.reading() as session:
        versions = dict(session.execute(select(ModelVersion.name, ModelVersion.id)).all())
    for name in ("m0", "m4"):
        add_predictions(store, versions[name], ids)
    registry_upkeep.FORGET_ROWS, before = 3, registry_upkeep.FORGET_ROWS
    try:
        registry_upkeep.prune(store, lead, many, keep=0)
    finally:
        registry_upkeep.FORGET_ROWS = before
    with store.reading() as session:
        counts = select(Prediction.model_version_id, func.count()).group_by(
            Prediction.model_version_id
        )
        assert dict(session.execute(counts).all()) == {versions["m4"]: 7}
