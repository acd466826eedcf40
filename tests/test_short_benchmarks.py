"""`make bench` asks its scripts for what they know."""

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.append(str(FOLDER))

from run_short import SHORT  # noqa: E402


@pytest.mark.parametrize("name", SHORT)
def test_a_script_knows_every_option_it_is_given(name):
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    options = [word for word in SHORT[name] if word.startswith("--")]
    assert [option for option in options if f'"{option}"' not in source] == []
