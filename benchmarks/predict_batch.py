"""What predict-batch takes at 1,000, 10,000 and 100,000 products: peak memory and pace.

python benchmarks/predict_batch.py [--sizes 1000 10000] [--photos 1000 10000] [--keep]

Runs the command as people do, a process each, on files of drawn products; the text alone at
`--sizes`, with photos at `--photos`. 100,000 products with photos take about eight minutes on two
cores, so they are asked for with `--photos 1000 10000 100000`. A second run of the smallest file
with photos is killed half-way and gone on with; its result is held to the first one's bytes.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench
from made_models import make_demo, make_file

SIZES, PHOTO_SIZES = [1000, 10_000, 100_000], [1000, 10_000]


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=SIZES, help="of files without photos"
    )
    parser.add_argument("--photos", type=int, nargs="*", default=PHOTO_SIZES, help="with photos")
    parser.add_argument("--suffix", default=".csv", help=".csv, .jsonl or .parquet")
    parser.add_argument("--home", type=Path, help="workspace of a demo that is there already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as name:
        folder = Path(name)
        home = arguments.home or folder / "home"
        model = make_demo(home)
        runs = [(size, False) for size in arguments.sizes] + [(s, True) for s in arguments.photos]
        made = {size: make_file(folder, size) for size in {size for size, _ in runs}}
        figures: dict = {"model": model, "suffix": arguments.suffix}
        for size, has_photos in runs:
            name = f"{size} {'with photos' if has_photos else 'text alone'}"
            command = command_of(home, made[size], has_photos, folder / f"{name}{arguments.suffix}")
            figures[name] = measured(command)
            print(name, json.dumps(figures[name]), file=sys.stderr, flush=True)
        figures["memory"] = growth(figures, arguments)
        if arguments.photos:
            size = min(arguments.photos)
            target = folder / f"{size} with photos{arguments.suffix}"
            killed = folder / f"killed{arguments.suffix}"
            figures["killed"] = gone_on(command_of(home, made[size], True, killed), killed, target)
    largest = max(size for size, _ in runs)
    bench.report(__file__, figures, (f"{largest}-products",), arguments.keep)


def command_of(home: Path, made: tuple[Path, Path], has_photos: bool, target: Path) -> list[str]:
    """Return the command that predicts a file."""
    path, photos = made
    columns = ["--id", "product_id", "--title", "title", "--description", "description"]
    columns += ["--image", "image", "--images", str(photos)] if has_photos else ["--image", ""]
    words = ["predict-batch", str(path), str(target), *columns, "--home", str(home), "--json"]
    return [sys.executable, "-m", "mmcore", *words]


def measured(command: list[str]) -> dict:
    """Return pace and peak memory of one run of the command."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)  # peak memory of this process alone
        whole_s = time.perf_counter() - started
        if status:
            sys.exit(f"{' '.join(command)} ended with {status}")
        output.seek(0)
        report = json.load(output)
    return {
        "products_per_s": report["products_per_s"],
        "command_s": round(whole_s, 1),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mb": usage.ru_maxrss // 1024,
        "predicted": report["num_predicted"],
        "kept": report["num_kept"],
    }


def growth(figures: dict, arguments) -> dict:
    """Return how much more memory the largest file takes than the smallest."""
    found = {}
    for kind, sizes in (("text alone", arguments.sizes), ("with photos", arguments.photos)):
        if len(sizes) > 1:
            low, high = (figures[f"{size} {kind}"]["peak_mb"] for size in (min(sizes), max(sizes)))
            growth = {"from": min(sizes), "to": max(sizes), "more_mb": high - low}
            found[kind] = growth | {"ratio": round(high / low, 3)}
    return found


def gone_on(command: list[str], target: Path, expected: Path) -> dict:
    """Return what is said by a run that goes on where another one was killed half-way."""
    part = target.with_name(f"{target.name}.part")
    half = expected.stat().st_size // 2
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (part.exists() and part.stat().st_size > half):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if target.exists():
        sys.exit(f"{target} is there, though the command was killed")
    found = measured(command)
    return found | {"same_bytes": target.read_bytes() == expected.read_bytes()}


if __name__ == "__main__":
    main()
