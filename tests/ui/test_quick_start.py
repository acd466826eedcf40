"""No screen waits for a library that it may never need."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_all_screens_together_load_neither_scikit_learn_nor_scipy():
    folder = ROOT / "mmcore" / "ui"
    files = [path.relative_to(ROOT).with_suffix("") for path in folder.rglob("*.py")]
    assert len(files) > 30
    modules = [".".join(file.parts).removesuffix(".__init__") for file in files]
    code = f"import importlib, sys; [importlib.import_module(m) for m in {modules}]; "
    code += "print({'torch', 'torchvision', 'timm', 'sklearn', 'scipy'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.stdout.strip() == "set()", result.stdout + result.stderr[-2000:]
