"""Bad input of every kind through the command line: how it ends, what it says, what still goes in.

One row a case. The details of each (every limit, every remedy) are tested beside the module that
finds it; here it counts that a person gets one clear line and the other products go in.
"""

import errno
import io
import json
import os
import shutil
import sqlite3
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sqlalchemy.exc import OperationalError

from mmcore.cli.app import main
from mmcore.errors import WorkspaceError
from mmcore.manifest import FILES
from mmcore.services.catalogue_frame import read_catalogue
from mmcore.settings import read_settings
from mmcore.workspace import Workspace

HEADER = "id,title,description,photo,category\n"
CLASSES = ("piscine", "livre", "jouet")
GOOD = [f"p{i},{CLASSES[i % 3]} modèle {i},,,{CLASSES[i % 3]}\n" for i in range(24)]
ODD = "odd,piscine étrange,,{},piscine\n"  # the product whose photo is bad


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("MMCORE_HOME", raising=False)
    monkeypatch.setenv("MMCORE_OFFLINE", "1")
    return tmp_path / "home"


def run(capsys, code: int, *arguments: object) -> str:
    """Run a command that must end with `code`; return its error line, or else its output."""
    capsys.readouterr()
    assert main([str(a) for a in arguments]) == code
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    lines = captured.err.strip().splitlines()
    assert sum(line.startswith("error: ") for line in lines) == code
    return lines[-1] if code else captured.out + captured.err


def import_shop(capsys, home: Path, data: str | bytes, *options: object, code: int = 0) -> str:
    """Import the content of a CSV file; its photos lie in `photos` beside it."""
    path = home.parent / "shop.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return run(capsys, code, "import", "csv", path, *options, "--home", home)


def products(home: Path) -> pd.DataFrame:
    return read_catalogue(Workspace(home), read_settings(home)).products.set_index("product_id")


# -- files that can't be used: exit 1, nothing is imported ------------------------------------


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ("", (), "is empty (0 bytes)"),
        ("\n\n", (), "holds nothing but blank lines"),
        (HEADER, (), "has a header and no rows"),
        (HEADER.replace(",", ";") + "1;a;;;c\n", ("--separator", ","), "';' gives 5 columns"),
        (HEADER + GOOD[0], ("--title", "titre"), "has no column 'titre' (title); did you mean 'ti"),
        (HEADER + GOOD[0], ("--extra", "prix"), "has no column 'prix' (further column)"),
        ("title,category\na,b\n", (), "no column is given as the product id"),
        ("id,category\n1,b\n", (), "no column is given as title, description or image"),
        (HEADER + ",a,,,c\n1,,,,c\n", (), "none of the 2 rows of"),
        (b"PK\x03\x04" + b"x" * 60, (), "is a ZIP archive or an Excel workbook, not a CSV file"),
        (HEADER + GOOD[0], ("--images", "nowhere"), "neither a folder nor a ZIP archive"),
    ],
    ids=[
        *("empty", "blank", "header only", "wrong separator", "missing column", "missing extra"),
        *("no id", "nothing to classify by", "bad throughout", "excel", "missing photo folder"),
    ],
)
def test_a_file_that_cannot_be_used(home, capsys, data, options, message):
    assert message in import_shop(capsys, home, data, *options, code=1)
    with pytest.raises(WorkspaceError, match="holds no catalogue yet"):
        products(home)


# -- rows that can't be used, or not as they are: exit 0, the others go in -----------------------


@pytest.mark.parametrize(
    ("row", "line", "message", "label"),
    [
        (b"p0,encore,,,livre", 26, "product id 'p0' is already on line 2; give each", None),
        (b"odd," + b"x" * 10_000_000 + b",,,livre", 26, "has 10,000,000 characters, the li", None),
        (b"odd,caf\xe9 noir,,,livre", 26, "byte E9 isn't UTF-8 and was read as Windows", "livre"),
        (b"odd,une chose,,,NaN", 26, "label 'NaN' means none; the product is kept", ""),
        (b",une chose,,,livre", 26, "no product id; give each product its own", None),
        (b"odd,une chose,,livre", 26, "number of fields is 4, the header has 5", None),
        (b"odd,,,,livre", 26, "nothing to classify: title, description empty", None),
        (b'odd,"une chose,,,livre', 26, "a quote that opens on this line isn't closed", None),
    ],
    ids=[
        *("duplicate id", "10 MB in one cell", "invalid UTF-8", "NaN label", "no id"),
        *("a field too few", "nothing to classify", "open quote"),
    ],
)
def test_a_bad_row_is_told_of_and_the_others_go_in(home, capsys, row, line, message, label):
    data = (HEADER + "".join(GOOD)).encode() + row + b"\nlast,vraiment,,,livre\n"
    shown = import_shop(capsys, home, data, "--image", "")
    assert f"line {line}" in shown and message in shown
    found = products(home)
    assert {f"p{i}" for i in range(24)} | {"last"} <= set(found.index)
    assert found["label"].get("odd") == label
    assert len(found) == 25 + (label is not None)


# -- photos ---------------------------------------------------------------------------------------


def png(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and holds almost nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checked = kind + body
        return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0"))


def encoded(format: str, mode: str = "RGB", px: int = 64) -> bytes:
    noise = np.random.default_rng(5).integers(0, 255, (px, px, 3), dtype=np.uint8)
    image = Image.fromarray(noise).convert(mode)
    if mode == "I;16":
        image = Image.fromarray(noise[..., 0].astype(np.uint16) * 257)
    buffer = io.BytesIO()
    image.save(buffer, format)
    return buffer.getvalue()


@dataclass(frozen=True)
class Photo:
    """A photo file, and what is said of it: "" where it is a good photo."""

    name: str
    data: bytes | None
    message: str = ""


JPEG = encoded("JPEG")
PHOTOS = {
    "missing file": Photo("none.jpg", None, "photo 'none.jpg' isn't in folder"),
    "truncated JPEG": Photo("cut.jpg", JPEG[: len(JPEG) // 2], "is truncated or corrupt"),
    "PNG bomb": Photo("bomb.png", png(50_000, 50_000), "the limit is 50,000,000"),
    "1 x 1": Photo(
        "dot.png", encoded("PNG", px=1), "1 x 1 pixels, the smallest side accepted is 8"
    ),
    "SVG renamed": Photo("svg.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG or XML"),
    "empty file": Photo("empty.jpg", b"", "is empty (0 bytes)"),
    "web page": Photo("page.jpg", b"<!doctype html><p>404", "it is a web page"),
    "web address": Photo("https://shop.fr/a.jpg", None, "is a web address; Rayon downloads noth"),
    "Windows path": Photo(r"C:\x\y.jpg", None, "isn't a name inside the photo folder"),
    "GIF": Photo("a.gif", encoded("GIF")),
    "CMYK JPEG": Photo("cmyk.jpg", encoded("JPEG", "CMYK")),
    "16-bit PNG": Photo("deep.png", encoded("PNG", "I;16")),
    "JPEG named PNG": Photo("a.png", JPEG),
}


@pytest.fixture(params=PHOTOS.values(), ids=PHOTOS)
def photo(request, tmp_path) -> Photo:
    (tmp_path / "photos").mkdir()
    if request.param.data is not None:
        (tmp_path / "photos" / request.param.name).write_bytes(request.param.data)
    return request.param


def test_a_photo_at_import(home, capsys, tmp_path, photo):
    data = HEADER + "".join(GOOD) + ODD.format(photo.name)
    shown = import_shop(capsys, home, data, "--images", tmp_path / "photos")
    found = products(home)
    assert len(found) == 25 and (found["photo"] != "").sum() == (not photo.message)
    if photo.message:
        assert "line 26, photo: " in shown and photo.message in shown
        assert "it is kept without photo (kept)" in shown
    else:
        assert "line 26" not in shown


def test_a_photo_in_a_prediction(home, capsys, tmp_path, photo, model):
    shutil.copytree(model, home)
    source = tmp_path / "new.csv"
    source.write_text(HEADER + "1,piscine,,,\n" + ODD.format(photo.name) + "2,livre,,,\n")
    options = ("--images", tmp_path / "photos", "--home", home, "--json")
    shown = run(capsys, 0, "predict-batch", source, tmp_path / "out.csv", *options)
    table = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    assert list(table["product_id"]) == ["1", "odd", "2"] and (table["predicted"] != "").all()
    assert (table["image"] != "").tolist() == [False, not photo.message, False]
    told = json.loads(shown[: shown.rindex("}") + 1])["issues"]
    reasons = "; ".join([*(issue["reason"] for issue in told), table["problems"][1]])
    assert photo.message in reasons
    if photo.data is None:
        return
    arguments = ("predict", "--image", tmp_path / "photos" / photo.name, "--home", home)
    assert photo.message in run(capsys, 1 if photo.message else 0, *arguments)
    code = 0 if photo.data else 1  # an empty file is no photo that one could have meant
    assert photo.message in run(capsys, code, *arguments, "--title", "piscine")


# -- labels that can't be learnt -------------------------------------------------------------------


def test_one_class_only(home, capsys):
    import_shop(capsys, home, HEADER + "".join(r for r in GOOD if "livre" in r))
    message = run(capsys, 1, "train", "--home", home)
    assert "the train products have 1 class (livre), at least 2 are needed" in message
    assert "label some" in message and not list((home / "models").iterdir())


def test_a_class_with_one_product(home, capsys):
    import_shop(capsys, home, HEADER + "".join(GOOD) + "odd,chose unique,,,rare\n")
    shown = run(capsys, 0, "train", "--epochs1", "1", "--home", home)
    assert "rare with fewer than 5 train products: expect little" in shown
    assert run(capsys, 0, "predict", "--title", "piscine", "--home", home)


# -- what is on disk ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """Return a workspace with a model of text and image, m1; copy it, don't change it."""
    folder = tmp_path_factory.mktemp("bad input")
    (folder / "photos").mkdir()
    rows = GOOD[:]
    for i in range(len(rows)):
        (folder / "photos" / f"p{i}.jpg").write_bytes(JPEG + bytes([i]))
        rows[i] = rows[i].replace(",,,", f",,p{i}.jpg,")
    path = folder / "shop.csv"
    path.write_text(HEADER + "".join(rows))
    home = ("--home", str(folder / "home"))
    assert main(["import", "csv", str(path), "--images", str(folder / "photos"), *home]) == 0
    options = ["--weights", "random", "--epochs1", "1", "--name", "m1"]
    assert main(["train", *options, *home]) == 0
    return folder / "home"


@pytest.mark.parametrize("name", [*FILES, "MANIFEST.json"])
def test_a_flipped_byte_in_a_model_folder(home, capsys, model, name):
    shutil.copytree(model, home)
    path = home / "models" / "m1" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    for command in (("predict", "--title", "piscine"), ("evaluate",)):
        message = run(capsys, 1, *command, "--model", "m1", "--home", home)
        assert name in message and "restore the folder from a backup" in message
        assert "m1 can't be used" in message


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fail(*args: object) -> None:
    raise FULL


def full_database(*args: object) -> None:
    """Raise what SQLAlchemy does when SQLite can't grow its file."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise OperationalError("INSERT", {}, error)


@dataclass(frozen=True)
class FullDisk:
    """Where the disk is full, what is said, and what goes on once there is space again."""

    where: str
    message: str
    remedy: Callable[[Path], tuple[str, ...]]


@pytest.mark.parametrize(
    "disk",
    [
        FullDisk(
            "mmcore.checkpoint.write_atomically",
            "MB can't be written: No space left on device",
            lambda home: ("train", "--resume", "m2", "--home", str(home)),
        ),
        FullDisk(
            "mmcore.artifact._write_parts",
            "m2 can't be written: No space left on device",
            lambda home: ("train", "--resume", "m2", "--home", str(home)),
        ),
    ],
    ids=["checkpoint", "model folder"],
)
def test_a_full_disk_while_training(home, capsys, monkeypatch, disk):
    import_shop(capsys, home, HEADER + "".join(GOOD))
    with monkeypatch.context() as patched:
        patched.setattr(disk.where, fail)
        arguments = ("train", "--epochs1", "2", "--name", "m2", "--home", home)
        message = run(capsys, 1, *arguments)
        assert disk.message in message and "free some space" in message and "resume" in message
    assert not list((home / "models").iterdir())
    assert run(capsys, 0, *disk.remedy(home))
    assert (home / "models" / "m2" / "MANIFEST.json").exists()


def test_a_full_disk_while_importing(home, capsys, monkeypatch, tmp_path):
    import_shop(capsys, home, HEADER + "".join(GOOD))
    before = products(home)
    with monkeypatch.context() as patched:
        patched.setattr("mmcore.services.import_run.write_import", full_database)
        message = import_shop(capsys, home, HEADER + "new,une chose,,,livre\n", code=1)
        assert "the disk is full; free some space and try again; nothing was saved" in message
    assert products(home).equals(before)


def test_a_full_disk_while_a_file_is_predicted(home, capsys, monkeypatch, tmp_path, model):
    shutil.copytree(model, home)
    source = tmp_path / "new.csv"
    source.write_text(HEADER + "1,piscine,,,\n")
    monkeypatch.setattr("mmcore.services.batch_prediction.write_rows", fail)
    message = run(capsys, 1, "predict-batch", source, tmp_path / "out.csv", "--home", home)
    assert "out.csv can't be written: No space left on device" in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "new.csv", "out.csv.part"]


# -- a file to predict ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "left_out", "message"),
    [
        ("", 0, ""),
        (",a,,,\n", 1, "no product id; give each product its own"),
        ("1,piscine,,,\n1,livre,,,\n", 1, "product id '1' is already on line 2"),
        ("1,zzz,,,\n", 0, "1 with nothing to predict from"),
    ],
    ids=["no rows", "no id", "duplicate id", "unknown words"],
)
def test_odd_rows_of_a_file_to_predict(home, capsys, tmp_path, model, rows, left_out, message):
    shutil.copytree(model, home)
    source = tmp_path / "new.csv"
    source.write_text(HEADER + rows)
    shown = run(capsys, 0, "predict-batch", source, tmp_path / "out.csv", "--home", home)
    assert message in shown
    table = pd.read_csv(tmp_path / "out.csv")
    assert len(table) == rows.count("\n") - left_out and "predicted" in table


def test_a_file_without_a_column_that_the_model_reads(home, capsys, tmp_path):
    rows = "".join(row.replace("\n", f",{i}.90 €\n") for i, row in enumerate(GOOD))
    import_shop(capsys, home, HEADER.replace("\n", ",prix\n") + rows, "--extra", "prix")
    options = ("--modalities", "text,prix", "--epochs1", "1", "--home", home)
    run(capsys, 0, "train", *options)
    source = tmp_path / "new.csv"
    source.write_text(HEADER + "1,piscine,,,\n2,livre,,,\n")
    shown = run(capsys, 0, "predict-batch", source, tmp_path / "out.csv", "--home", home)
    assert shown.count("the model reads column 'prix', which new.csv lacks") == 1
    assert (pd.read_csv(tmp_path / "out.csv")["predicted"] != "").all()
