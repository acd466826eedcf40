"""Models in a registry: their stages, jobs and facts."""

import sys
import types

from model_folders import make_model
from sqlalchemy import select

from mmcore.services import registry
from mmcore.store.tables import Job, ModelVersion

NOW = 1_000.0


def fake_queue(monkeypatch, calls):
    module = types.ModuleType("mmcore.services.queue")
    module.refresh = lambda store, version_id: calls.append(version_id)
    monkeypatch.setitem(sys.modules, "mmcore.services.queue", module)
    monkeypatch.setattr(sys.modules["mmcore.services"], "queue", module, raising=False)


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


def add_abc(store, workspace):
    """Register three candidates; return name -> id."""
    found = {}
    for i, name in enumerate("abc"):
        make_model(workspace, name)
        found[name] = registry.register_folder(store, workspace, name, NOW + i)
    return found
