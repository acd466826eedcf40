"""What a training costs when another one runs beside it on the same machine.

python benchmarks/side_by_side.py [--products 12] [--epochs 4]

Trains on the drawn catalogue alone, then twice at once, with OpenMP's threads sleeping while they
wait (as the package sets it) and spinning (OpenMP's default). Prints seconds and ratios as JSON.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--products", type=int, default=12, help="of each class")
    parser.add_argument("--epochs", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "first", Path(folder) / "second"
        run(["demo", "--home", str(first), "--products", str(arguments.products)], "PASSIVE")
        shutil.copytree(first, second)
        figures = {}
        for policy in ("PASSIVE", "ACTIVE"):
            alone = seconds([first], policy, arguments.epochs)
            both = seconds([first, second], policy, arguments.epochs)
            figures[policy] = {
                "alone_s": round(alone, 1),
                "two_at_once_s": round(both, 1),
                "ratio": round(both / alone, 2),
            }
        print(json.dumps({"cores": os.cpu_count(), **figures}))


def seconds(homes: list[Path], policy: str, epochs: int) -> float:
    """Return how long it took until trainings in all of these workspaces had ended."""
    started = time.perf_counter()
    options = ["--epochs1", str(epochs)]
    running = [start(["train", "--home", str(home), *options], policy) for home in homes]
    for process in running:
        if process.wait():
            sys.exit(f"a training ended with {process.returncode}")
    return time.perf_counter() - started


def start(words: list[str], policy: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "mmcore", *words],
        env={**os.environ, "OMP_WAIT_POLICY": policy},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def run(words: list[str], policy: str) -> None:
    if start(words, policy).wait():
        sys.exit(f"{words[0]} failed")


if __name__ == "__main__":
    main()
