"""Runs the short ones of the scripts here, one after the other; `make bench` calls it.

python benchmarks/run_short.py [--keep] [NAME ...]

Sizes are small: what is wanted are ratios and waits to hold against the table of the README. Each
script prints its figures as JSON; --keep keeps them in results/.
"""

import subprocess
import sys
import time
from pathlib import Path

from bench import parser

FOLDER = Path(__file__).parent
SHORT = {
    "start": (),
    "one_product": ("--times", "50"),
    "prediction": ("--photos", "256", "--rounds", "3"),
    "predict_batch": ("--sizes", "1000", "4000"),
    "training_speed": ("--photos", "400"),
    "training_scale": ("--products", "1000"),
    "queue_refresh": ("--sizes", "1000", "10000"),
    "neighbours": ("--sizes", "1000", "10000"),
    "catalogue": ("--sizes", "10000"),
    "screens": ("--sizes", "1000"),
    "labelling_ui": ("--sizes", "1000", "--labels", "50"),
}


def main() -> None:
    options = parser(__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SHORT)}")
    arguments = options.parse_args()
    unknown = [name for name in arguments.names if name not in SHORT]
    if unknown:
        sys.exit(f"no short benchmark is called {', '.join(unknown)}; there are {', '.join(SHORT)}")
    failed = [name for name in arguments.names or SHORT if not succeeds(name, arguments.keep)]
    if failed:
        sys.exit(f"these failed: {', '.join(failed)}")


def succeeds(name: str, is_kept: bool) -> bool:
    """Run one script and return whether it came to its end."""
    words = [sys.executable, str(FOLDER / f"{name}.py"), *SHORT[name], *(["--keep"] * is_kept)]
    print(f"== {name}", flush=True)
    started = time.perf_counter()
    code = subprocess.run(words, check=False).returncode
    print(f"== {name}: {time.perf_counter() - started:.0f} s, exit code {code}\n", flush=True)
    return code == 0


if __name__ == "__main__":
    main()
