"""kill -9 of the worker in each phase of a retrain job: another attempt ends as if nothing was."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_shop
from sqlalchemy import update
from tiny_shop import CHOICES, Shop, epoch_lines, scores

from mmcore.manifest import read_manifest
from mmcore.services.job_runs import run_name
from mmcore.store.tables import ModelVersion

PATIENCE_S = 30
BEFORE_REGISTERED = (*("reading photos", "phase 1", "phase 2", "judging", "saved", "published"),)
WARM = replace(CHOICES, fresh=False)
PLACES = (*BEFORE_REGISTERED, "comparing", "registered and judged")


@pytest.fixture(scope="module")
def attempts():
    """Return a function that makes a process attempt a shop's job, and returns its exit code."""
    script = Path(tiny_shop.__file__).with_name("retrain_process.py")
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )

    def attempt(shop, ahead_s, place="-"):
        process.stdin.write(f"{shop.workspace.home}\t{ahead_s}\t{place}\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield attempt
    process.stdin.close()
    process.wait(PATIENCE_S)
    process.stdout.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory, attempts):
    """Return a shop whose retrain was never interrupted."""
    shop = Shop(tmp_path_factory.mktemp("whole") / "home")
    assert attempts(shop, 0.0) == 0
    yield shop
    shop.store.close()


@pytest.mark.parametrize("place", PLACES)
def test_a_worker_killed_at_any_place_costs_nothing_but_time(whole, attempts, tmp_path, place):
    shop = Shop(tmp_path / "home")
    assert attempts(shop, 0.0, place) == -9
    killed = shop.job
    assert (killed.state, killed.attempt) == ("running", 1)
    assert len(tiny_shop.versions(shop.store)) == (0 if place in BEFORE_REGISTERED else 1)
    tiny_shop.relabel(shop.store, ("20-0", "30-1"))  # labelling goes on meanwhile

    assert attempts(shop, 100.0) == 0
    job = shop.job
    assert (job.state, job.attempt, job.num_lost) == ("succeeded", 2, 1)
    assert tiny_shop.versions(shop.store) == [(run_name(job), "candidate")]
    assert scores(shop) == scores(whole)
    weights = [(s.model / "model.safetensors").read_bytes() for s in (shop, whole)]
    assert weights[0] == weights[1], "resumed, it is the very same network"
    assert read_manifest(shop.model).snapshot == job.result["snapshot"]
    assert job.result["snapshot"] == whole.job.result["snapshot"], "the frozen labels"
    assert epoch_lines(shop) == epoch_lines(whole), "no epoch was lost or done twice"
    assert shop.leftovers() == []
    shop.store.close()


def warm_shop(home, attempts):
    """Return a shop with a model in production and a retrain submitted that starts from it."""
    shop = Shop(home)
    assert attempts(shop, 0.0) == 0
    production = shop.promote()
    shop.submit(WARM)
    return shop, production


@pytest.fixture(scope="module")
def whole_warm(tmp_path_factory, attempts):
    """Return a shop whose warm retrain was never interrupted."""
    shop, _ = warm_shop(tmp_path_factory.mktemp("warm") / "home", attempts)
    assert attempts(shop, 0.0) == 0
    yield shop
    shop.store.close()


@pytest.mark.parametrize("place", ["phase 1", "phase 2", "judging"])
def test_a_warm_retrain_that_is_killed_ends_as_the_very_same_network(
    whole_warm, attempts, tmp_path, place
):
    shop, production = warm_shop(tmp_path / "home", attempts)
    assert attempts(shop, 0.0, place) == -9
    with shop.store.writing() as session:  # another model answers by now
        session.execute(update(ModelVersion).values(stage="archived"))
    assert attempts(shop, 100.0) == 0
    assert (shop.job.state, shop.job.attempt) == ("succeeded", 2)
    for part in ("model.safetensors", "vocab.json", "combiner.json"):
        assert (shop.model / part).read_bytes() == (whole_warm.model / part).read_bytes(), part
    assert read_manifest(shop.model).parent == production
    assert epoch_lines(shop) == epoch_lines(whole_warm)
    assert shop.leftovers() == []
    shop.store.close()
