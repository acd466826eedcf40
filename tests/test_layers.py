"""The direction of dependencies, and the sizes of files and functions, as the design has them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "mmcore"

# lower rooms first: a module may import its own level and those below, never those above
LEVELS = (
    {
        "errors",
        "figures",
        "seeds",
        "settings",
        "workspace",
        "config",
        "text",
        "images",
        "shrinking",
        "photos",
        "manifest",
        "memory",
        "holding",
        "results",
        "overrides",
        "times",
        "weight_files",
        "threads",
    },
    {"catalog", "store"},
    {
        *("metrics", "scoring", "cross_check", "bootstrap", "gate"),
        *("ngrams", "linear", "linear_folds", "linear_fit", "lbfgs", "row_blocks", "stored_rows"),
        *("encoders", "backbones", "pixels", "towers", "features", "batches", "generator"),
        *("onnx_graphs", "fixed_padding", "extractors", "quantizing"),
        *("inverted", "photo_likeness"),
    },
    {
        *("fusion", "build", "combiner", "views", "reports", "losses", "optim", "checkpoint"),
        "folding",
        *("validation", "weights", "warm_start", "onnx_export", "engines"),
        "used_words",
    },
    {"trainer", "artifact", "runtime", "explain", "jobs"},
    {"services"},
    {"ui"},
    {"cli", "__main__"},
)
HEAVY = {"torch", "torchvision", "timm", "captum"}
# modules that may import torch when they are imported themselves
NETWORKS = {
    *(
        "backbones",
        "pixels",
        "towers",
        "linear",
        "features",
        "batches",
        "fusion",
        "build",
        "views",
        "reports",
    ),
    *("losses", "optim", "folding", "checkpoint", "validation", "weights", "warm_start"),
    "used_words",
    *("lbfgs", "row_blocks", "linear_fit", "cross_check", "threads"),
    *("onnx_graphs", "extractors", "quantizing", "onnx_export", "engines", "photo_likeness"),
    "fixed_padding",
    *("trainer", "artifact", "runtime", "explain"),
}
NETWORK_FILES = {
    "services/images.py",
    "services/assembly.py",
    "services/judging.py",
    "services/linear_heads.py",
    "services/fold_networks.py",
    "services/fold_file.py",
    "cli/training_view.py",
}  # imported inside functions only
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 6


def sources() -> list[Path]:
    # migrations are written once, by Alembic, and then history
    files = sorted(p for p in PACKAGE.rglob("*.py") if "migrations" not in p.parts)
    assert len(files) > 30, f"{PACKAGE} holds {len(files)} files: this test would pass on nothing"
    return files


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def level(name: str) -> int:
    found = [i for i, names in enumerate(LEVELS) if name in names]
    assert found, f"mmcore.{name} has no level: give it one in LEVELS"
    return found[0]


def imports(tree: ast.AST, inside_functions: bool) -> set[str]:
    """Return the dotted names a file imports; those under TYPE_CHECKING don't count."""
    names: set[str] = set()
    stack = list(ast.iter_child_nodes(tree))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not inside_functions:
            continue
        stack += ast.iter_child_nodes(node)
    return names


def rooms_imported(tree: ast.AST) -> set[str]:
    dotted = [name.split(".") for name in imports(tree, inside_functions=True)]
    known = set().union(*LEVELS)
    return {d[1] for d in dotted if d[0] == "mmcore" and len(d) > 1 and d[1] in known}


def upward(path: Path, tree: ast.AST) -> list[str]:
    name = room(path)
    if name == "__init__":
        return [f"{path}: imports {r}" for r in rooms_imported(tree)]
    return [
        f"{path.relative_to(ROOT)} (level {level(name)}) imports mmcore.{other} ({level(other)})"
        for other in rooms_imported(tree)
        if level(other) > level(name)
    ]


def too_early(path: Path, tree: ast.AST) -> list[str]:
    """Return imports that would load torch when a light module is merely imported."""
    relative = path.relative_to(PACKAGE).as_posix()
    if room(path) in NETWORKS or relative in NETWORK_FILES:
        return []
    found = []
    for name in imports(tree, inside_functions=False):
        parts = name.split(".")
        inner = "/".join(parts[1:3]) + ".py"
        is_network = parts[0] == "mmcore" and (parts[1:2] and parts[1] in NETWORKS)
        if parts[0] in HEAVY or is_network or inner in NETWORK_FILES:
            found.append(f"{path.relative_to(ROOT)} imports {name} outside a function")
    return found


def test_no_import_goes_upward():
    assert [e for path in sources() for e in upward(path, ast.parse(path.read_text()))] == []


def test_torch_is_loaded_only_by_what_trains_or_predicts():
    assert [e for path in sources() for e in too_early(path, ast.parse(path.read_text()))] == []


def test_help_loads_neither_pandas_nor_torch():
    code = "import sys, mmcore.cli.app; print({'torch', 'pandas', 'sklearn'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.stdout.strip() == "set()", result.stderr


def test_only_the_ui_knows_streamlit():
    for path in sources():
        names = imports(ast.parse(path.read_text()), inside_functions=True)
        if room(path) != "ui":
            assert not any(name.split(".")[0] == "streamlit" for name in names), path


def beyond_a_page(tree: ast.AST) -> set[str]:
    """Return what a page imports beside the screens' parts and the verbs: it shows, no more."""
    names = imports(tree, inside_functions=True)
    allowed = ("streamlit", "mmcore.ui", "mmcore.services", "mmcore.errors")
    own = {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}
    return {name for name in own if not name.startswith(allowed)}


def test_pages_show_and_nothing_else():
    pages = sorted((ROOT / "pages").glob("*.py"))
    assert len(pages) > 5, "there are no pages: this test would pass on nothing"
    for path in [*pages, ROOT / "app.py"]:
        assert beyond_a_page(ast.parse(path.read_text())) == set(), path
    assert beyond_a_page(ast.parse("from mmcore.store import browse")) == {"mmcore.store.browse"}


def test_no_screen_loads_torch_before_it_predicts():
    modules = [f"mmcore.ui.{path.stem}" for path in (PACKAGE / "ui").glob("*.py")]
    code = f"import importlib, sys; [importlib.import_module(m) for m in {modules}]; "
    code += "print({'torch', 'torchvision', 'timm', 'sklearn'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.stdout.strip() == "set()", result.stdout + result.stderr


@pytest.mark.parametrize(
    ("file", "code", "check"),
    [
        ("metrics.py", "from mmcore.services import training", upward),
        ("text.py", "def f():\n    import mmcore.trainer", upward),
        ("services/training.py", "import torch", too_early),
        ("services/training.py", "from mmcore.trainer import fit", too_early),
        ("cli/learn.py", "from mmcore.services.images import ImageInput", too_early),
    ],
)
def test_a_planted_violation_is_found(file, code, check):
    assert check(PACKAGE / file, ast.parse(code))


def test_allowed_imports_are_not_complained_about():
    inside = ast.parse("def f():\n    import torch\n    from mmcore.trainer import fit")
    assert too_early(PACKAGE / "services/training.py", inside) == []
    assert upward(PACKAGE / "services/training.py", inside) == []


def test_files_and_functions_stay_small():
    found = []
    for path in sources():
        text = path.read_text()
        if text.count("\n") > MAX_FILE_LINES:
            found.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found += oversized(path, node)
    assert found == []


def oversized(path: Path, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    where = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
    doc = node.body[0] if ast.get_docstring(node) else None
    lines = node.end_lineno - node.lineno + 1
    lines -= doc.end_lineno - doc.lineno + 1 if doc else 0
    found = [f"{where}: {lines} lines"] if lines > MAX_FUNCTION_LINES else []
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    count = len([a for a in arguments if a.arg not in ("self", "cls")])
    # a command's parameters are the options a person types
    if count > MAX_PARAMETERS and room(path) != "cli":
        found.append(f"{where}: {count} parameters")
    return found
