"""What a training of many products takes: seconds and peak memory, stage by stage.

Draws a catalogue, imports it with `python -m mmcore import csv`, and trains on it in a process of
its own (phase 1, photo features computed once and kept in the workspace). Then production predicts
the whole catalogue and its labels are checked, as after every retrain.

    PYTHONPATH=. python benchmarks/training_scale.py --products 1000 --presets seed,strong
    PYTHONPATH=. python benchmarks/training_scale.py --products 85000 --home DIR --keep

With --home the workspace stays, and what is in it already isn't made again.

Memory is what the process holds resident. Of that, `file` pages are of files (photo features,
n-grams, libraries), which the operating system takes back where memory is short; `own` are not.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import bench
import training_catalogue

TICK_S = 0.05  # between two looks at a process's memory


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--products", type=int, default=1_000)
    parser.add_argument("--presets", default="seed,strong", help="separated by commas")
    parser.add_argument("--epochs1", type=int, default=None, help="without: the preset's own")
    parser.add_argument("--home", type=Path, help="a workspace that stays, with its catalogue")
    parser.add_argument("--train", metavar="PRESET", help="train in this very process, alone")
    options = parser.parse_args()
    if options.train:
        train_here(options.home, options.train, options.epochs1)
        return
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        figures = measure(home, options.products, options.presets.split(","), options.epochs1)
    facts = (f"{options.products}-products", options.presets.replace(",", "-"))
    bench.report(__file__, figures, facts, options.keep)


def measure(home: Path, num_products: int, presets: list[str], epochs1: int | None) -> dict:
    """Return the figures of an import and of a training by each preset."""
    figures: dict = {}
    drawn = home / "drawn"
    if not (drawn / "products.csv").exists():
        taken = bench.seconds(lambda: training_catalogue.draw(drawn, num_products))
        figures["draw_s"] = round(taken, 1)
    if not (home / "rayon.db").exists():
        command = ["import", "csv", drawn / "products.csv", "--images", drawn / "photos"]
        figures["import"], _ = watched(["-m", "mmcore", *command, "--home", home])
    for preset in presets:
        epochs = ["--epochs1", epochs1] if epochs1 else []
        whole, told = watched([__file__, "--home", home, "--train", preset, *epochs])
        figures[preset] = {"whole": whole, **json.loads(told)}
    return figures


def watched(arguments: list) -> tuple[dict, str]:
    """Return seconds and peak memory of a Python process, and the last line that it printed."""
    started = time.perf_counter()
    command = [sys.executable, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        memory = Memory(process.pid)
        printed = process.stdout.read()
        peaks = memory.end()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    seconds = round(time.perf_counter() - started, 1)
    return {"seconds": seconds, **peaks}, printed.strip().rpartition("\n")[2]


class Memory:
    """Looks at a process's memory again and again, on a thread of its own."""

    def __init__(self, pid: int | str = "self") -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._peaks: dict[str, int] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._is_over.wait(TICK_S):
            try:
                lines = self._status.read_text().splitlines()
            except OSError:
                return
            kilobytes = {x.partition(":")[0]: x.split()[1] for x in lines if x.endswith(" kB")}
            for name, field in (("peak_mb", "VmRSS"), ("peak_own_mb", "RssAnon")):
                found = int(kilobytes.get(field, 0)) // 1024
                self._peaks[name] = max(self._peaks.get(name, 0), found)

    def peaks(self) -> dict[str, int]:
        """Return the peaks since the last time that they were asked for."""
        found, self._peaks = self._peaks, {}
        return found

    def end(self) -> dict[str, int]:
        self._is_over.set()
        self._thread.join()
        return self.peaks()


class Stages:
    """Adds up how long each stage took and what memory it held at most."""

    def __init__(self) -> None:
        self._memory, self._since = Memory(), time.perf_counter()
        self.found: dict[str, dict] = {}
        self._last = ""

    def add(self, name: str) -> None:
        """Count what was done since the last call as a part of a stage."""
        now, stage = time.perf_counter(), self.found.setdefault(name, {"seconds": 0.0})
        stage["seconds"] = round(stage["seconds"] + now - self._since, 2)
        for key, value in self._memory.peaks().items():
            stage[key] = max(stage.get(key, 0), value)
        self._since = now
        if self._last and name != self._last:
            print(f"{self._last} {self.found[self._last]}", file=sys.stderr, flush=True)
        self._last = name


def train_here(home: Path, preset: str, epochs1: int | None) -> None:
    """Train in this process, predict the catalogue, and print a line of JSON."""
    stages = Stages()
    from mmcore.config import RunChoices
    from mmcore.services.training import train
    from mmcore.settings import read_settings
    from mmcore.workspace import Workspace

    workspace, settings = Workspace(home), read_settings(home)
    stages.add("loading libraries")
    # its weights are at hand everywhere, and both presets share the features
    model = {"preset": preset, "backbone": "efficientnet_lite0"}
    choices = RunChoices(**model, epochs1=epochs1, epochs2=0)
    heads, epochs, last = {}, 0, None
    for event in train(workspace, settings, choices):
        kind = type(event).__name__
        stages.add(f"linear head: {event.modality}" if kind == "LinearResult" else STAGES[kind])
        if kind == "LinearResult":
            heads[event.modality] = {"strength": event.strength, "log_loss": event.log_loss}
        epochs += kind == "EpochResult"
        last = event
    predict_here(workspace, settings, last.name, stages)
    fused = {split: views["fused"]["macro_f1"] for split, views in last.scores.items()}
    print(json.dumps({"stages": stages.found, "epochs": epochs, "macro_f1": fused, "heads": heads}))


# what was going on before an event of a training came
STAGES = {
    "Started": "reading and encoding",
    "FeatureResult": "photo features",
    "StepResult": "network",
    "EpochResult": "network",
    "FoldResult": "network on folds",
    "Judging": "judging",
    "Finished": "saving",
}


def predict_here(workspace, settings, name: str, stages: Stages) -> None:
    """Predict the whole catalogue with a new model, and check the labels."""
    from mmcore.services.opening import opened_store
    from mmcore.services.predictions import predict_missing
    from mmcore.services.registry import register_folder
    from mmcore.services.watch import Watch

    watch = Watch(
        progress=lambda done, total: stages.add("predicting the catalogue"),
        checking=lambda done, total: stages.add("checking labels"),
    )
    with opened_store(workspace, settings) as store:
        version = register_folder(store, workspace, name, time.time())
        predict_missing(store, workspace, settings, version, watch)
    stages.add("checking labels")


if __name__ == "__main__":
    main()
