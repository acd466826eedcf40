"""One model answers; who made it so is known; the way back works; nothing needed is deleted."""

import multiprocessing
import shutil
import sys
import types
from pathlib import Path

import pytest
from model_folders import damage, make_model
from registry_models import NOW, add_abc, add_job, facts, fake_queue, in_production, stages
from sqlalchemy import select

from mmcore.errors import (
    ArtifactError,
    NotFoundError,
    RefusedError,
    StaleWriteError,
)
from mmcore.services import registry, registry_upkeep
from mmcore.services.people import Actor, ensure_actor
from mmcore.services.registry_view import list_versions
from mmcore.store.engine import Store
from mmcore.store.tables import Job, ModelVersion, StageChange
from mmcore.workspace import Workspace

SPAWN = multiprocessing.get_context("spawn")


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


@pytest.fixture
def abc(store, workspace):
    return add_abc(store, workspace)


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


def test_a_foreign_folder_says_what_is_foreign_about_it(store, workspace, lead, abc):
    shutil.rmtree(workspace.models / "b")
    make_model(workspace, "b", snapshot="other labels")
    with pytest.raises(ArtifactError, match="another training.*hash other labels, not labels of b"):
        registry.activate(store, lead, workspace, "b", NOW)
    shutil.rmtree(workspace.models / "b")
    (workspace.models / "a").rename(workspace.models / "b")
    with pytest.raises(ArtifactError, match=r"another model \(a\) lies in its folder"):
        registry.activate(store, lead, workspace, "b", NOW)
    assert in_production(store) == []


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
