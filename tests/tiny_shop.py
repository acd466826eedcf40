"""A catalogue of three colours and a retrain on it that takes a moment, with stand-ins for the
registry and the comparison."""

import json
import time

import numpy as np
from networks import TinyBackbone
from photo_files import encode_photo
from sqlalchemy import select, update

from mmcore.jobs.context import Surroundings
from mmcore.jobs.leash import LeaseTimes
from mmcore.jobs.logs import log_path, read_tail
from mmcore.jobs.records import record
from mmcore.jobs.worker import Worker, WorkerOptions
from mmcore.photos import PhotoStore
from mmcore.services.job_runs import run_name
from mmcore.services.opening import open_store
from mmcore.services.retrain_choices import RetrainChoices
from mmcore.services.retrain_progress import STAGES as STAGES
from mmcore.services.retraining import Parts, run_retrain, usual_load
from mmcore.settings import Settings
from mmcore.store import jobs
from mmcore.store.products import CatalogueFacts, write_facts
from mmcore.store.tables import ModelVersion, Product, ProductClass
from mmcore.workspace import Workspace

COLOURS = {"10": (200, 30, 30), "20": (30, 200, 30), "30": (30, 30, 200)}
WORDS = {"10": "livre roman", "20": "piscine gonflable", "30": "jouet bois"}
PER_CLASS = 24
CHOICES = RetrainChoices(weights="random", epochs1=3, epochs2=2, seed=5)
TIMES = LeaseTimes(lease_s=60, renew_s=10, listen_s=0.05, cancel_patience_s=3)


def fill(workspace, store):
    """Put the products into the store."""
    photos = PhotoStore(workspace.photos)
    with store.writing() as session:
        write_facts(session, CatalogueFacts("csv"))
        for place, (code, colour) in enumerate(COLOURS.items()):
            made = ProductClass(code=code, name_fr=code, name_en=code, position=place)
            session.add(made)
            session.flush()
            for i in range(PER_CLASS):
                key = photos.add(draw(colour, i)) if i % 2 else ""
                session.add(
                    Product(
                        product_id=f"{code}-{i}",
                        title=f"{WORDS[code]} {i}",
                        photo=key,
                        group_id=f"{code}-{i}",
                        split=("train", "train", "val", "test")[i % 4],
                        class_id=made.id,
                        random_rank=0.0,
                        created_at=0.0,
                    )
                )


def draw(colour, seed):
    """Return a small photo of one colour with noise."""
    noise = np.random.default_rng(seed).normal(0, 25, (48, 48, 3))
    return encode_photo(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8), "PNG")


def relabel(store, product_ids=None):
    """Give products, or all, the first class."""
    with store.writing() as session:
        first = session.scalar(select(ProductClass.id).order_by(ProductClass.id))
        wanted = update(Product).values(class_id=first)
        if product_ids is not None:
            wanted = wanted.where(Product.product_id.in_(product_ids))
        session.execute(wanted)


def shrink(setattr_):
    """Put the tiny backbone in place of the real ones, and keep a checkpoint each epoch."""
    import functools

    import torch

    from mmcore import trainer

    def tiny(name, state, seed=0):
        torch.manual_seed(seed)
        return TinyBackbone()

    setattr_("mmcore.services.images.build_backbone", tiny)
    setattr_("mmcore.artifact.build_backbone", tiny)
    setattr_("mmcore.artifact.outline_backbone", lambda name: tiny(name, None))
    options = functools.partial(trainer.FitOptions, checkpoint_every_s=0)
    setattr_("mmcore.trainer.FitOptions", options)


def register(store, *, name, job_id, attempt, snapshot, scores, parent, now):
    with store.writing() as session:
        jobs.require_held(session, jobs.Claim(job_id, attempt))
        version = ModelVersion(
            name=name, snapshot=snapshot, job_id=job_id, scores=scores, created_at=now
        )
        session.add(version)
        session.flush()
        return version.id


def judge(store, workspace, settings, model_version_id, now, watch):
    for done in range(1, 4):
        watch.progress(done, 3)
        if watch.should_stop():
            return
    watch.checking(1, 1)
    with store.writing() as session:
        session.get(ModelVersion, model_version_id).verdict = {"passed": True}


PARTS = Parts(usual_load, register, judge)


def versions(store):
    with store.reading() as session:
        return session.execute(select(ModelVersion.name, ModelVersion.stage)).all()


class Shop:
    """A workspace with the tiny catalogue, and a retrain submitted."""

    def __init__(self, home, submitted_at=1_000_000.0, choices=CHOICES):
        self.workspace = Workspace(home)
        self.settings = Settings(home, "cpu", 1, offline=True)
        self.store = open_store(self.workspace, self.settings)
        fill(self.workspace, self.store)
        self.submit(choices, submitted_at)

    def submit(self, choices=CHOICES, submitted_at=2_000_000.0):
        """Submit another retrain, which `job` is from now on."""
        with self.store.writing() as session:
            job, _ = jobs.submit(session, "retrain", choices.to_json(), None, submitted_at)
            self.job_id = job.id

    def promote(self):
        """Put the job's model in production, and return its name."""
        with self.store.writing() as session:
            found = session.execute(
                update(ModelVersion)
                .where(ModelVersion.name == run_name(self.job))
                .values(stage="production")
            )
            assert found.rowcount == 1
        return run_name(self.job)

    @property
    def job(self):
        with self.store.reading() as session:
            return record(jobs.find_job(session, self.job_id))

    @property
    def log(self):
        return read_tail(log_path(self.workspace, self.job_id))

    @property
    def model(self):
        return self.workspace.models / run_name(self.job)

    def work(self, parts=PARTS, is_stopping=lambda: False, ahead_s=0.0):
        """Run one attempt in this process."""

        def clock():
            return time.time() + ahead_s

        around = Surroundings(self.store, self.workspace, self.settings, clock)
        runners = {"retrain": lambda context: run_retrain(context, parts)}
        options = WorkerOptions(times=TIMES)
        return Worker(around, runners, options, is_stopping).step(clock())

    def leftovers(self):
        """Return what is in the folders of models and runs besides whole, shown models."""
        runs = [p for p in self.workspace.runs.rglob("*") if p.is_file()]
        return runs + [p for p in self.workspace.models.iterdir() if p.name.startswith(".")]


def epoch_lines(shop):
    lines = [line.split("] ", 1)[1] for line in shop.log.splitlines()]
    return [line.rsplit("  ", 1)[0] for line in lines if line.startswith("phase ")]


def scores(shop):
    return json.loads((shop.model / "metrics.json").read_text())["scores"]
