"""A process that has loaded everything once and forks an attempt at a job for each line it reads.

A line is HOME, the seconds its clock is ahead, and where the attempt kills itself ("-": nowhere).
"""

import os
import signal
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

import tiny_shop  # noqa: E402
import torch._dynamo  # noqa: E402, F401  (seconds, and the first optimiser asks for it)

import mmcore.artifact  # noqa: E402, F401
import mmcore.reports  # noqa: E402, F401
import mmcore.services.images  # noqa: E402, F401
import mmcore.trainer  # noqa: E402
from mmcore.features import FeatureResult  # noqa: E402
from mmcore.jobs.context import Surroundings  # noqa: E402
from mmcore.jobs.worker import Worker, WorkerOptions  # noqa: E402
from mmcore.services import job_runs, judging, retraining  # noqa: E402
from mmcore.services.opening import open_store  # noqa: E402
from mmcore.settings import Settings  # noqa: E402
from mmcore.store import jobs  # noqa: E402
from mmcore.workspace import Workspace  # noqa: E402


def die(*arguments, **named):
    os.kill(os.getpid(), signal.SIGKILL)


def is_at(place, event):
    """Return whether an event of the training is the place to die at."""
    if isinstance(event, FeatureResult):
        return place == "reading photos" and event.done < event.total
    if isinstance(event, mmcore.trainer.StepResult):
        return place == f"phase {event.phase}" and (event.epoch, event.step) == (2, 1)
    return place == "judging" and isinstance(event, judging.Judging)


def prepare(place):
    """Have the attempt die at a place, and return its parts."""
    follow = retraining._Retrain._follow

    def follow_or_die(self, event):
        follow(self, event)
        if is_at(place, event):
            die()

    retraining._Retrain._follow = follow_or_die
    parts = tiny_shop.PARTS
    if place == "saved":
        job_runs.JobRuns.publish = die
    if place == "published":
        parts = retraining.Parts(parts.load, die, parts.judge)
    if place == "comparing":
        parts = retraining.Parts(parts.load, parts.register, die)
    if place == "registered and judged":
        jobs.finish = die
    return parts


def attempt(home, ahead_s, place):
    import torch

    torch.set_num_threads(1)
    tiny_shop.shrink(set_by_name)
    parts = prepare(place)
    workspace = Workspace(Path(home))
    settings = Settings(workspace.home, "cpu", 1, offline=True)

    def clock():
        return time.time() + ahead_s

    around = Surroundings(open_store(workspace, settings), workspace, settings, clock)
    runners = {"retrain": lambda context: retraining.run_retrain(context, parts)}
    options = WorkerOptions(times=tiny_shop.TIMES, max_attempts=99)
    return 0 if Worker(around, runners, options).step(clock()) else 1


def set_by_name(name, value):
    module, _, attribute = name.rpartition(".")
    setattr(sys.modules[module], attribute, value)


def main():
    for line in sys.stdin:
        home, ahead_s, place = line.rstrip("\n").split("\t")
        child = os.fork()
        if not child:
            code = 99
            try:
                code = attempt(home, float(ahead_s), place)
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
