"""A backup holds everything, taken while people write; damaged or foreign ones are refused."""

import json
import multiprocessing
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from backup_content import NOW, everything, files, settings_of
from model_folders import make_model
from sqlalchemy import insert, select, text
from store_rows import add_classes, add_predictions, add_products, add_version

from mmcore.errors import BackupError, RefusedError
from mmcore.photos import PhotoStore
from mmcore.services.backup import BackupOptions, backup, verify_backup
from mmcore.services.opening import open_store
from mmcore.services.people import OPERATOR, Actor
from mmcore.services.restore import RestoreOptions, restore
from mmcore.store.copying import check_sqlite, copy_sqlite
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate, newest_revision
from mmcore.store.tables import Act, Annotation, Annotator, ProductClass
from mmcore.workspace import Workspace

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home").create()


@pytest.fixture
def full(store, workspace):
    """Fill the store with rows of every awkward kind, and the workspace with files."""
    ids = add_classes(store)
    photos = [PhotoStore(workspace.photos).add(bytes([i]) * 5000) for i in range(3)]
    products = add_products(
        store,
        5,
        photo=lambda i: photos[i % 3],
        extra=lambda i: {"price": "12,50", "ü": ["é", None, 1.5]},
        title=lambda i: 'été "x";\n\t\\ 日本' if i else "",
        random_rank=lambda i: 0.1 + i * 1e-17,
    )
    with store.writing() as session:
        session.add(Annotator(name="ann", role="annotator", is_active=False, created_at=NOW))
        session.flush()
        # refers to a class with a higher id, and an act to a later one
        session.get(ProductClass, ids["10"]).merged_into_id = ids["30"]
        session.add_all([Act(kind="single", annotator_id=1, token=t, created_at=0) for t in "ab"])
        session.flush()
        session.get(Act, 1).undoes_id = 2
        session.add(
            Annotation(
                act_id=1,
                product_id=products[0],
                annotator_id=1,
                kind="label",
                class_id=None,
                class_before_id=ids["20"],
                version=1,
                seconds=None,
                suggestion={"class": "10", "probability": 1 / 3, "hidden": False},
                created_at=NOW + 0.123456,
            )
        )
    child = add_version(store, "m2")
    parent = add_version(store, "m1")
    with store.writing() as session:
        session.execute(text(f"UPDATE model_version SET parent_id = {parent} WHERE id = {child}"))
    add_predictions(store, child, products, top=lambda i: {"fused": [[1, 0.25]]})
    make_model(workspace, "m1")
    return store


@pytest.fixture
def saved(full, workspace, tmp_path):
    """Return the path of a backup of the full store."""
    return backup(full, OPERATOR, workspace, BackupOptions(tmp_path / "b.rayon"), NOW).target


# -- round trip ----------------------------------------------------------------------------------


def test_everything_comes_back_in_a_new_workspace(full, workspace, saved, tmp_path):
    """From SQLite and from PostgreSQL, into SQLite."""
    other = Workspace(tmp_path / "other")
    report = restore(saved, other, settings_of(other), RestoreOptions(OPERATOR), NOW)
    assert report.kept is None and report.info.counts()["annotations"] == 1
    store = open_store(other, settings_of(other))
    assert everything(store) == everything(full)
    store.close()
    assert files(other) == files(workspace)
    assert sorted(p.name for p in other.home.iterdir() if p.name.startswith(".")) in (
        [],
        [".restore.lock"],
    )


def test_everything_comes_back_in_the_database_it_came_from(full, workspace, saved):
    """Into SQLite over the old file, into PostgreSQL over the old rows."""
    before, photos = everything(full), files(workspace)
    url = full.url
    with full.writing() as session:
        session.execute(
            insert(Annotator),
            [{"name": "new", "role": "lead", "is_active": True, "created_at": 0.0}],
        )
    shutil.rmtree(workspace.models / "m1")
    full.close()
    settings = settings_of(workspace, url)
    with pytest.raises(BackupError, match="isn't empty; choose another.*--replace"):
        restore(saved, workspace, settings, RestoreOptions(OPERATOR), NOW)
    report = restore(saved, workspace, settings, RestoreOptions(OPERATOR, replace=True), NOW)
    assert report.kept is not None and report.kept.is_dir()
    store = Store(url)
    assert everything(store) == before
    with store.writing() as session:  # the counters go on after the restored ids
        session.add(Annotator(name="later", role="lead", created_at=0.0))
    store.close()
    assert files(workspace) == photos


def test_a_sqlite_backup_moves_to_postgresql(empty_url, tmp_path, workspace):
    if empty_url.startswith("sqlite"):
        pytest.skip("the other half of this test is the round trip above")
    source = Store(sqlite_url(workspace.database_file))
    migrate(source)
    products = add_products(source, 2)
    path = backup(source, OPERATOR, workspace, BackupOptions(tmp_path / "b.rayon"), NOW).target
    before = everything(source)
    source.close()
    other = Workspace(tmp_path / "other")
    restore(path, other, settings_of(other, empty_url), RestoreOptions(OPERATOR), NOW)
    target = Store(empty_url)
    assert everything(target) == before and products
    target.close()


def test_photos_and_models_may_be_left_out_and_stay_where_they_are(full, workspace, tmp_path):
    small = backup(
        full, OPERATOR, workspace, BackupOptions(tmp_path / "s.rayon", False, False), NOW
    )
    assert not any(p.name.startswith(("photos", "models")) for p in small.info.parts)
    url, kept = full.url, files(workspace)
    full.close()
    options = RestoreOptions(OPERATOR, replace=True)
    restore(small.target, workspace, settings_of(workspace, url), options, NOW)
    assert files(workspace) == kept


def test_the_manifest_tells_what_is_inside(full, saved):
    info = verify_backup(saved)
    assert info.counts() == {
        "products": 5,
        "annotations": 1,
        "classes": 3,
        "model versions": 2,
        "photos": 3,
    }
    assert (info.created_at, info.revision, info.is_sqlite) == (
        NOW,
        newest_revision(),
        full.is_sqlite,
    )
    with zipfile.ZipFile(saved) as archive:
        kinds = {i.filename.split("/")[0]: i.compress_type for i in archive.infolist()}
    assert kinds["photos"] == kinds["models"] == zipfile.ZIP_STORED


def test_a_backup_never_overwrites(full, workspace, saved, tmp_path):
    before = saved.read_bytes()
    with pytest.raises(BackupError, match="exists; choose another name"):
        backup(full, OPERATOR, workspace, BackupOptions(saved), NOW)
    with pytest.raises(BackupError, match="folder .*nowhere doesn't exist"):
        backup(full, OPERATOR, workspace, BackupOptions(tmp_path / "nowhere" / "b"), NOW)
    assert saved.read_bytes() == before


def test_what_is_damaged_or_strange_in_the_workspace_is_told_or_left_out(full, workspace, tmp_path):
    key = next(p.name for p in workspace.photos.glob("??/*"))
    PhotoStore(workspace.photos).path(key).write_bytes(b"half")
    (workspace.photos / "README").write_text("x")
    (workspace.models / "m1" / ".DS_Store").write_text("x")
    (workspace.models / ".m9.0123").mkdir()
    report = backup(full, OPERATOR, workspace, BackupOptions(tmp_path / "b"), NOW)
    assert report.notes == (f"photo {key[:12]} is damaged on the disk; it went in as it is",)
    names = [part.name for part in report.info.parts]
    assert not any("DS_Store" in n or "README" in n or ".m9" in n for n in names)


# -- while people write --------------------------------------------------------------------------


def annotate(url, number, ready, stop, results):
    """Acknowledge an annotation, then say so with the time it was acknowledged at."""
    store = Store(url)
    done = []
    ready.wait(60)
    i = 0
    while not stop.is_set():
        token = f"{number}-{i}"
        with store.writing() as session:
            session.execute(
                insert(Act),
                [{"kind": "single", "annotator_id": 1, "token": token, "created_at": 0.0}],
            )
        done.append((token, time.time()))
        i += 1
    results.put(done)
    store.close()


def test_every_label_acknowledged_before_it_began_is_in_it(store, workspace, tmp_path):
    add_products(store, 300)
    with store.writing() as session:
        session.add(Annotator(name="ann", role="annotator", created_at=0.0))
    ready, stop, results = SPAWN.Barrier(5), SPAWN.Event(), SPAWN.Queue()
    writers = [
        SPAWN.Process(target=annotate, args=(store.url, n, ready, stop, results), daemon=True)
        for n in range(4)
    ]
    for writer in writers:
        writer.start()
    ready.wait(60)
    time.sleep(0.3)
    saved = []
    for i in range(2):
        began = time.time()
        report = backup(store, OPERATOR, workspace, BackupOptions(tmp_path / f"b{i}"), NOW)
        saved.append((began, time.time(), report.target))
    stop.set()
    acknowledged = [pair for _ in writers for pair in results.get(timeout=60)]
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 4
    for began, ended, path in saved:
        other = Workspace(tmp_path / f"home-of-{path.name}")
        restore(path, other, settings_of(other), RestoreOptions(OPERATOR), NOW)
        assert check_sqlite(other.database_file)["product"] == 300
        found = Store(sqlite_url(other.database_file))
        with found.reading() as session:
            tokens = set(session.scalars(select(Act.token)))
        found.close()
        before = {token for token, at in acknowledged if at < began}
        during = [token for token, at in acknowledged if began < at < ended]
        assert before and before <= tokens
        assert during, "nobody wrote meanwhile: the test proves nothing"


def test_a_copy_ends_while_others_write(tmp_path):
    """SQLite's own backup begins again at each foreign write; ours has one snapshot."""
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE t (x)")
        writer.execute("INSERT INTO t VALUES (zeroblob(30000000))")
        calls = []

        def disturb(done, total):
            calls.append(done)
            writer.execute("INSERT INTO t VALUES (1)")

        copy_sqlite(path, tmp_path / "copy.db", disturb)
    assert len(calls) == len(set(calls)) >= 3
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM t").fetchone() == (1,)
    assert [p.name for p in tmp_path.glob("copy*")] == ["copy.db"]


LIMITED = """
import resource, sys
from pathlib import Path
from mmcore.errors import MmcoreError
from mmcore.services.backup import BackupOptions, backup
from mmcore.services.people import OPERATOR
from mmcore.store.engine import Store
from mmcore.workspace import Workspace
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]),) * 2)
try:
    options = BackupOptions(Path(sys.argv[3]))
    backup(Store(sys.argv[1]), OPERATOR, Workspace(Path(sys.argv[2])), options, 0.0)
except MmcoreError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit on file sizes here")
@pytest.mark.parametrize("limit", [40_000, 200_000])
def test_a_full_disk_leaves_nothing(tmp_path, limit):
    """A file size limit stops writes like a full disk: in the database's copy, in the archive."""
    workspace = Workspace(tmp_path / "home").create()
    store = open_store(workspace, settings_of(workspace))
    add_products(store, 3)
    store.close()
    for i in range(20):
        PhotoStore(workspace.photos).add(bytes([i]) * 30_000)
    (tmp_path / "out").mkdir()
    arguments = [store.url, workspace.home, tmp_path / "out" / "b", limit]
    result = subprocess.run(
        [sys.executable, "-c", LIMITED, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert "free some disk space" in result.stdout, result.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_a_backup_that_came_out_wrong_is_not_kept(full, workspace, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    monkeypatch.setattr("mmcore.services.backup_file._digest", lambda path, length: b"0" * 64)
    monkeypatch.setattr(
        "mmcore.services.backup.part_chunks",
        lambda archive, part: (_ for _ in ()).throw(BackupError("not what was packed")),
    )
    with pytest.raises(BackupError, match="not what was packed"):
        backup(full, OPERATOR, workspace, BackupOptions(tmp_path / "out" / "b"), NOW)
    assert list((tmp_path / "out").iterdir()) == []


def test_progress_reaches_its_end(full, workspace, tmp_path):
    seen = []
    backup(
        full,
        OPERATOR,
        workspace,
        BackupOptions(tmp_path / "b"),
        NOW,
        lambda *pair: seen.append(pair),
    )
    assert seen[-1][0] == seen[-1][1] and all(done <= total for done, total in seen)


def test_the_manifest_is_plain_json(saved):
    with zipfile.ZipFile(saved) as archive:
        data = json.loads(archive.read("MANIFEST.json"))
    assert data["format"] == 1 and data["rows"]["product"] == 5


def test_below_admin_nobody_takes_everything_away_or_puts_it_back(full, workspace, saved):
    lead = Actor(1, "lea", "lead")
    target = saved.parent / "mine.rayon"
    with pytest.raises(RefusedError, match="lea is lead, this needs admin"):
        backup(full, lead, workspace, BackupOptions(target), NOW)
    assert not target.exists()
    with pytest.raises(RefusedError, match="lea is lead, this needs admin"):
        restore(saved, workspace, settings_of(workspace), RestoreOptions(lead, replace=True), NOW)
    assert not list(workspace.home.glob("before-restore-*"))
