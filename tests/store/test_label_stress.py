"""Eight processes of eight threads label one store, two of them are killed: nothing is lost.

The measuring itself is `benchmarks/label_stress.py`; RAYON_STRESS_SECONDS=60 makes it long.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "label_stress.py"
SECONDS = os.environ.get("RAYON_STRESS_SECONDS", "3")


def test_every_acknowledged_label_is_there_exactly_once(empty_url):
    command = [sys.executable, str(SCRIPT), "--seconds", SECONDS, "--kill", "2"]
    done = subprocess.run([*command, "--url", empty_url], capture_output=True, text=True)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    print(found)
    assert found["problems"] == [] and done.returncode == 0, done.stderr
    assert found["processes"] * found["threads"] == 64 and found["killed"] == 2
    assert found["acknowledged"] > 0, found


def test_the_comparison_finds_what_is_missing_or_there_twice(tmp_path):
    """The measuring stick: a lost and a doubled label must be noticed."""
    sys.path.insert(0, str(SCRIPT.parent))
    from label_stress import compare, fill
    from sqlalchemy import delete, update

    from mmcore.services.labelling import Seen, label
    from mmcore.services.people import ensure_actor
    from mmcore.store.engine import Store, sqlite_url
    from mmcore.store.tables import Annotation

    store = Store(sqlite_url(tmp_path / "rayon.db"))
    fill(store, 3)
    anna = ensure_actor(store, "anna", "annotator", 1.0)
    saved = [label(store, anna, Seen(1, n, f"t{n}"), "A", 2.0) for n in range(3)]
    told = {f"t{n}": [*vars(mark).values()] for n, mark in enumerate(saved)}
    assert compare(store, told) == []
    with store.writing() as session:
        session.execute(update(Annotation).where(Annotation.version == 3).values(version=2))
    assert any("product 1 at 3 has [1, 2, 2]" in problem for problem in compare(store, told))
    with store.writing() as session:
        session.execute(delete(Annotation).where(Annotation.id == 3))
    assert any("t2 was answered" in problem for problem in compare(store, told))
    store.close()
