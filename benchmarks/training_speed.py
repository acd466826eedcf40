"""Our training beside the same design in Keras, in turns: phase 1 cold and warm, phase 2.

    PYTHONPATH=. python benchmarks/training_speed.py [products.csv IMAGES] [--label category]
        [--keras-python PYTHON --keras-script keras_seed.py] [--rounds 2] [--keep]

Ours is preset `seed`, MobileNetV2 with random weights (which cost no less), by what every
training is made and run by. The first --photos products with a photo and a label learn, the next
--val stop it. Importing, which looks at every photo once, is before the clock. What is timed:

  cold     from the catalogue to the network after ten epochs of phase 1, no photo seen before:
           texts encoded, the backbone exported, each photo of train and val decoded and its
           features kept, ten epochs with val judged after each, checkpoints as always
  warm     the same where an earlier run has left the features in the cache
  phase 2  train photos a second through steps that train everything, decoding included

Keras is timed by its own script, in a process of its own: `fit`, whose every epoch reads and
decodes each photo; a small `fit` comes before the clock. It judges no val, keeps nothing and its
texts are 60 random words (`words_mean`: how many ours have), so what differs beside the design is
to our cost but for short texts. It runs one epoch over --keras-photos; ten epochs over --photos are
set at ten times --photos at that rate, as each epoch of its does the same work.

Without --keras-python ours is measured alone.
"""

import argparse
import csv
import itertools
import shutil
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bench import parser, peak_mb, report, seconds, spread
from bench_shop import add_catalogue, make_photos

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.checkpoint import CheckpointFile
from mmcore.config import RunChoices, RunConfig, build_run_config
from mmcore.results import StepResult
from mmcore.services.assembly import Assembly, assemble
from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.catalogue_frame import read_catalogue
from mmcore.services.opening import opened_store
from mmcore.services.people import ensure_actor
from mmcore.settings import read_settings
from mmcore.trainer import FitOptions, fit
from mmcore.workspace import Workspace

EPOCHS = 10
WARM_UP_STEPS = 3  # of phase 2, before the clock
TARGETS = {"cold": "at most 1/12", "warm": "at most 1/40", "phase2": "at least 1.3"}
COLUMNS = CsvColumns("id", "title", "description", "image", "label", split="split")


def main() -> None:
    options = parse()
    with tempfile.TemporaryDirectory(prefix="rayon-training-") as name:
        folder = Path(name)
        if options.products is None:
            count = options.photos + options.val
            options.products = make_photos(folder / "drawn", count, None, None)
            options.images, options.image = options.products.parent, "image_path"
        rows = usable_rows(options)
        ours = Ours(folder, rows, options)
        rounds = []
        for _ in range(options.rounds):
            found = ours.measure()
            if options.keras_python:
                found |= keras_rates(folder, rows, options)
            rounds.append(found)
    figures = told(rounds, options) | ours.facts() | {"peak_mb": peak_mb()}
    report(__file__, figures, (f"{options.photos}-photos",), options.keep)


def parse() -> argparse.Namespace:
    made = parser(__doc__)
    add_catalogue(made)
    for field in ("id", "title", "description", "image", "label"):
        usual = {"id": "product_id", "label": "category"}.get(field, field)
        made.add_argument(f"--{field}", default=usual, help=f"column; without: {usual}")
    made.add_argument("--photos", type=int, default=2000, help="train products")
    made.add_argument("--val", type=int, default=200, help="val products")
    made.add_argument("--phase2-photos", type=int, default=320, help="that the clock sees")
    made.add_argument("--keras-photos", type=int, default=512)
    made.add_argument("--rounds", type=int, default=2)
    made.add_argument("--keras-python", type=Path, help="an interpreter that has Keras")
    made.add_argument("--keras-script", type=Path, default=Path("../shared/peers/keras_seed.py"))
    options = made.parse_args()
    if options.keras_python and not options.keras_script.exists():
        made.error(f"--keras-script {options.keras_script} isn't there; name keras_seed.py")
    return options


def usable_rows(options: argparse.Namespace) -> list[dict[str, str]]:
    """Return the first products with label and photo, under our column names and with a split."""
    csv.field_size_limit(10**9)
    columns = {name: getattr(options, name) for name in ("id", "title", "description", "image")}
    columns["label"] = options.label
    with options.products.open(encoding="utf-8-sig", newline="") as file:
        named = ({k: row.get(c) or "" for k, c in columns.items()} for row in csv.DictReader(file))
        usable = (row for row in named if row["label"] and row["image"])
        rows = list(itertools.islice(usable, options.photos + options.val))
    if len(rows) < options.photos + options.val:
        raise SystemExit(
            f"{options.products.name} has {len(rows)} products with {options.label!r} and "
            f"{options.image!r}, --photos and --val ask for {options.photos + options.val}"
        )
    for number, row in enumerate(rows):
        row["split"] = "train" if number < options.photos else "val"
    return rows


class Ours:
    """A workspace with the products, trained in as often as asked."""

    def __init__(self, folder: Path, rows: list[dict[str, str]], options: argparse.Namespace):
        self._folder = folder
        self._options = options
        self._workspace = Workspace(folder / "home")
        self._settings = read_settings(self._workspace.home)
        source = folder / "ours.csv"
        write(source, rows)
        with opened_store(self._workspace, self._settings) as store:
            actor = ensure_actor(store, "lead", "lead", time.time())
            given = CsvImport(source, COLUMNS, images=options.images)
            import_csv(store, actor, self._workspace, given, time.time())
        self._catalogue = read_catalogue(self._workspace, self._settings)

    def measure(self) -> dict[str, float]:
        """Return seconds of cold and warm, and photos a second of phase 2."""
        self._fit_few()
        shutil.rmtree(self._workspace.cache, ignore_errors=True)
        phase1 = run_config(epochs1=EPOCHS, epochs2=0)
        found = {f"{how}_s": seconds(lambda: self._train(phase1)) for how in ("cold", "warm")}
        return found | {"phase2_photos_s": self._phase2_rate()}

    def facts(self) -> dict:
        parts = self._parts(run_config(epochs1=1, epochs2=0))
        parts.images.close()
        num_words = (parts.products["train"].inputs["text"] != 0).sum(axis=1)
        return {"photos": len(num_words), "words_mean": round(float(num_words.mean()), 1)}

    def _fit_few(self) -> None:
        """Take the first steps in this process, whose kernels and memory are made on the way."""
        events = self._events(self._parts(run_config(epochs1=1, epochs2=0)))
        for _ in itertools.islice(events, WARM_UP_STEPS):
            pass

    def _train(self, config: RunConfig) -> None:
        for _ in self._events(self._parts(config)):
            pass

    def _phase2_rate(self) -> float:
        events = self._events(self._parts(run_config(epochs1=0, epochs2=1)))
        steps = (event for event in events if isinstance(event, StepResult))
        first = list(itertools.islice(steps, WARM_UP_STEPS))
        num_steps = min(-(-self._options.phase2_photos // 32), first[0].num_steps - len(first) - 1)
        taken = seconds(lambda: list(itertools.islice(steps, num_steps)))
        events.close()
        return num_steps * 32 / taken

    def _parts(self, config: RunConfig) -> Assembly:
        return assemble(self._workspace, self._settings, self._catalogue, config)

    def _events(self, parts: Assembly):
        """Yield what happens, and close the decoders."""
        checkpoint = CheckpointFile(self._folder / "checkpoint", "bench")
        checkpoint.remove()
        try:
            yield from parts.read_photos(lambda: False)
            options = FitOptions(parts.device, checkpoint)
            yield from fit(parts.model, parts.train_data(), parts.config, options)
        finally:
            parts.images.close()


def run_config(epochs1: int, epochs2: int) -> RunConfig:
    choices = RunChoices(
        "seed", backbone="mobilenet_v2", weights="random", epochs1=epochs1, epochs2=epochs2
    )
    config = build_run_config(choices)
    # all ten epochs, whatever val says: random weights gain little
    return replace(config, phases=tuple(replace(p, patience=EPOCHS) for p in config.phases))


def keras_rates(folder: Path, rows: list[dict[str, str]], options) -> dict[str, float]:
    """Return Keras's photos a second in both phases, by its own script."""
    source = folder / "keras.csv"
    write(source, [{"category": row["label"], "image_path": row["image"]} for row in rows])
    words = [options.keras_python, options.keras_script, source, options.images]
    line = [*map(str, words), str(min(options.keras_photos, options.photos)), "1"]
    found: dict[str, float] = {}
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        for text in process.stdout:
            phase, _, rate, *_ = text.split()
            found[f"keras_{phase}_photos_s"] = float(rate)
            if phase == "phase2":
                process.terminate()  # prediction is another script's matter
    if len(found) < 2:
        raise SystemExit(f"{' '.join(line)} ended with {process.returncode} after {found}")
    return found


def told(rounds: list[dict[str, float]], options: argparse.Namespace) -> dict:
    """Return the spread of each figure and, within rounds, of the ratios."""
    if not options.keras_python:
        rows = rounds
        note = "ours alone: no --keras-python was given"
    else:
        rows = [row | compared(row, options.photos) for row in rounds]
        note = f"one epoch of Keras over {options.keras_photos} photos, scaled to ten epochs of all"
    keys = rows[0].keys()
    return {"rounds": len(rows), "keras": note, "targets": TARGETS} | {
        key: spread([row[key] for row in rows]) for key in keys
    }


def compared(row: dict[str, float], photos: int) -> dict[str, float]:
    ten = EPOCHS * photos / row["keras_phase1_photos_s"]
    return {
        "keras_ten_epochs_s": ten,
        "keras / cold": ten / row["cold_s"],
        "keras / warm": ten / row["warm_s"],
        "phase2 / keras": row["phase2_photos_s"] / row["keras_phase2_photos_s"],
    }


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
