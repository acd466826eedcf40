"""What the scripts here share: the machine's conditions, pairs in turn, one JSON file a run.

On a shared machine seconds mean little by themselves, so two ways are timed in turn, again and
again, and held to each other within each pair.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("torch", "onnxruntime", "numpy", "streamlit", "sqlalchemy")


def parser(description: str) -> argparse.ArgumentParser:
    """Return a parser with the option that all scripts have."""
    made = argparse.ArgumentParser(description=description.partition("\n")[0])
    made.add_argument("--keep", action="store_true", help="write the figures to results/, too")
    return made


def pairs(ways: dict[str, Callable[[], float]], rounds: int) -> dict:
    """Return what each way gave, run in turn, and the first one's ratio to each other one.

    Args:
        ways: name -> a call that does the work once and returns its figure (a rate, or seconds).
        rounds: how often each is run.
    """
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            found[name].append(run())
    first, *others = found
    ratios = {
        f"{first} / {other}": spread(
            [a / b for a, b in zip(found[first], found[other], strict=True)]
        )
        for other in others
    }
    return {name: spread(values) for name, values in found.items()} | {"ratios": ratios}


def seconds(run: Callable[[], object]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def percentiles(waits: list[float]) -> dict:
    """Return the spread of waits in seconds, as milliseconds."""
    ordered = sorted(waits)
    place = {"p50_ms": 0.5, "p95_ms": 0.95}
    found = {
        name: ordered[min(len(ordered) - 1, int(p * len(ordered)))] for name, p in place.items()
    }
    found["longest_ms"] = ordered[-1]
    return {name: round(1000 * value, 1) for name, value in found.items()} | {"times": len(waits)}


def peak_mb(pid: int | str = "self") -> int:
    """Return the most memory a process has held so far (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024


def report(script: str, figures: dict, facts: tuple[str, ...], is_kept: bool) -> None:
    """Print figures with their conditions, and keep them where asked to.

    Args:
        script: the script's file, whose name the file of figures begins with.
        facts: what else the file's name tells, e.g. "100000-products".
    """
    data = {"script": Path(script).name, "arguments": sys.argv[1:], "conditions": conditions()}
    text = json.dumps(data | {"figures": figures}, indent=1, ensure_ascii=False)
    print(text, flush=True)
    if is_kept:
        RESULTS.mkdir(exist_ok=True)
        parts = (Path(script).stem, f"{os.cpu_count()}-cores", *facts)
        (RESULTS / f"{'--'.join(parts)}.json").write_text(text + "\n")


def conditions() -> dict:
    """Return what the figures depend on beside the code."""
    return {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {_memory_gb()} GB",
        "device": "cpu",
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def spread(values: list[float]) -> dict:
    """Return median, low and high of some figures."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return {"median": _short(middle), "low": _short(low), "high": _short(high)}


def _short(value: float) -> float:
    return float(f"{value:.3g}")


def _memory_gb() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
