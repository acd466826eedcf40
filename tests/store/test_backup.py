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
from model_folders import make_model
from sqlalchemy import insert, select, text
from store_rows import add_classes, add_predictions, add_products, add_version

from mmcore.errors import BackupError, RefusedError, StoreError
from mmcore.photos import PhotoStore
from mmcore.services import restore_swap
from mmcore.services.backup import BackupOptions, backup, verify_backup
from mmcore.services.backup_file import BackupWriter, Part, is_part_name, write_backup
from mmcore.services.opening import open_store
from mmcore.services.people import OPERATOR, Actor
from mmcore.services.restore import RestoreOptions, restore
from mmcore.settings import Settings
from mmcore.store.copying import check_sqlite, copy_sqlite
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate, newest_revision
from mmcore.store.tables import Act, Annotation, Annotator, Base, Lease, Product, ProductClass
from mmcore.workspace import Workspace

SPAWN = multiprocessing.get_context("spawn")
NOW = 1_700_000_000.0


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


def everything(store):
    """Return table -> its rows, as Python values."""
    with store.engine.connect() as connection:
        return {
            table.name: [
                tuple(r)
                for r in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in Base.metadata.sorted_tables
        }


def files(workspace):
    """Return relative path -> bytes of what a backup includes."""
    found = [*workspace.photos.rglob("*"), *workspace.models.rglob("*")]
    return {str(p.relative_to(workspace.home)): p.read_bytes() for p in found if p.is_file()}


def settings_of(workspace, url=None):
    return Settings(workspace.home, "cpu", 1, database_url=url)


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


# -- what is refused -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Return the bytes of a small SQLite backup."""
    folder = tmp_path_factory.mktemp("good")
    workspace = Workspace(folder / "home").create()
    store = Store(sqlite_url(workspace.database_file))
    migrate(store)
    add_products(store, 3)
    PhotoStore(workspace.photos).add(b"photo" * 100)
    path = backup(store, OPERATOR, workspace, BackupOptions(folder / "b"), NOW).target
    store.close()
    return path.read_bytes()


def refused(path, tmp_path, match):
    other = Workspace(tmp_path / "untouched")
    for act in (
        lambda: verify_backup(path),
        lambda: restore(path, other, settings_of(other), RestoreOptions(OPERATOR), NOW),
    ):
        with pytest.raises(BackupError, match=match):
            act()
    assert not other.database_file.exists()


def test_a_flipped_bit_is_found_wherever_it_is(good, tmp_path):
    path = tmp_path / "b"
    size = len(good)
    places = {*range(0, size, max(1, size // 60)), *range(size - 90, size), 0, 30, size // 2}
    for place in sorted(places):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(BackupError):
            verify_backup(path)
    path.write_bytes(good)
    assert verify_backup(path).rows["product"] == 3


@pytest.mark.parametrize("length", [0, 1, 50, 1000, -1])
def test_a_file_that_was_cut_off(good, tmp_path, length):
    path = tmp_path / "b"
    path.write_bytes(good[:length])
    refused(path, tmp_path, "no Rayon backup, or its end is missing")


def test_a_foreign_zip_and_no_file_at_all(tmp_path):
    with zipfile.ZipFile(tmp_path / "b", "w") as archive:
        archive.writestr("rayon.db", b"x")
    refused(tmp_path / "b", tmp_path, "no Rayon backup")
    refused(tmp_path / "nowhere", tmp_path, "can't be read: No such file")


def sealed(path, parts, **facts):
    """Write a file that is sealed like a backup but holds what we like."""

    def fill(writer: BackupWriter):
        for name, data in parts.items():
            writer.add(name, [data])
        writer.parts = facts.pop("listed", writer.parts)
        usual = {
            "created_at": NOW,
            "code_version": "0",
            "revision": newest_revision(),
            "is_sqlite": True,
            "has_photos": True,
            "has_models": True,
            "rows": {},
        }
        writer.finish(usual | facts)

    with path.open("xb") as file:
        write_backup(file, path, fill)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/passwd",
        "models/../../evil",
        "photos/ab/../../../evil",
        "models/m1/../../evil",
        "models/.hidden/x",
        "C:\\evil",
        "tables/../x.jsonl",
        "models/a/b/c",
    ],
)
def test_names_that_lead_elsewhere(tmp_path, name):
    assert not is_part_name(name)
    refused(sealed(tmp_path / "b", {name: b"x"}), tmp_path, "which no backup holds")
    assert not (tmp_path / "evil").exists()


def test_a_manifest_that_does_not_fit(tmp_path):
    listed = [Part("rayon.db", 1, "00")]
    refused(sealed(tmp_path / "a", {}, listed=listed), tmp_path, "exactly what its manifest lists")
    refused(
        sealed(tmp_path / "b", {"rayon.db": b"xy"}, listed=listed),
        tmp_path,
        "isn't what was packed",
    )
    refused(sealed(tmp_path / "c", {}, format=9), tmp_path, "of format 9, this version reads 1")
    refused(sealed(tmp_path / "d", {}, surprise=1), tmp_path, "no readable manifest")


def test_a_newer_backup_is_refused(good, tmp_path):
    path = sealed(tmp_path / "b", {"rayon.db": b""}, revision="ffff")
    other = Workspace(tmp_path / "other")
    with pytest.raises(BackupError, match="newer version of Rayon .tables ffff.; update Rayon"):
        restore(path, other, settings_of(other), RestoreOptions(OPERATOR), NOW)


def test_a_database_inside_that_is_damaged_or_has_lost_rows(good, tmp_path):
    (tmp_path / "good").write_bytes(good)
    with zipfile.ZipFile(tmp_path / "good") as archive:
        database = archive.read("rayon.db")
    other = Workspace(tmp_path / "other")
    settings = settings_of(other)
    torn = sealed(tmp_path / "torn", {"rayon.db": database[:8192] + bytes(4096) + database[12288:]})
    with pytest.raises(StoreError, match="is damaged"):
        restore(torn, other, settings, RestoreOptions(OPERATOR), NOW)
    short = sealed(tmp_path / "short", {"rayon.db": database}, rows={"product": 4})
    with pytest.raises(BackupError, match="table product has 3 rows, its manifest says 4"):
        restore(short, other, settings, RestoreOptions(OPERATOR), NOW)
    assert not other.database_file.exists()
    assert [p.name for p in other.home.glob(".restore-*")] == []


# -- when something goes wrong -------------------------------------------------------------------


@pytest.fixture
def old(tmp_path, good):
    """Return (a workspace with other content, its files, the path of a good backup)."""
    workspace = Workspace(tmp_path / "old").create()
    store = open_store(workspace, settings_of(workspace))
    add_products(store, 7)
    store.close()
    PhotoStore(workspace.photos).add(b"old photo")
    make_model(workspace, "old-model")
    (tmp_path / "b").write_bytes(good)
    return workspace, files(workspace), tmp_path / "b"


def is_as_it_was(workspace, before):
    store = open_store(workspace, settings_of(workspace))
    with store.reading() as session:
        assert len(session.scalars(select(Product.id)).all()) == 7
    store.close()
    assert files(workspace) == before
    left = [p.name for p in workspace.home.iterdir() if "restore" in p.name]
    assert left in ([], [".restore.lock"])
    return True


def test_a_restore_killed_between_any_two_renames_never_happened(old, monkeypatch):
    workspace, before, path = old
    settings = settings_of(workspace)
    real, options = restore_swap.os.replace, RestoreOptions(OPERATOR, replace=True)
    for survivors in range(20):
        calls = []

        def replace(source, target, allowed=survivors, calls=calls):
            calls.append(target)
            # the journal itself is written by `write_atomically`, which isn't counted here
            if len(calls) > allowed:
                raise KeyboardInterrupt("power cut")
            real(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(
                restore_swap, "undo", lambda workspace: False
            )  # dead men clean up nothing
            patch.setattr("mmcore.services.restore.undo", lambda workspace: False)
            patch.setattr("mmcore.services.restore.shutil.rmtree", lambda *a, **k: None)
            patch.setattr(restore_swap.os, "replace", replace)
            try:
                restore(path, workspace, settings, options, NOW)
            except KeyboardInterrupt:
                pass
            else:
                break
        assert restore_swap.undo_interrupted(workspace) in (True, False)
        for folder in workspace.home.glob(".restore-*"):
            shutil.rmtree(folder)
        assert is_as_it_was(workspace, before)
    assert survivors >= 6, "no rename was ever cut off: the test proves nothing"


def test_a_workspace_that_somebody_has_open_is_not_restored(old):
    workspace, before, path = old
    settings = settings_of(workspace)
    holder = open_store(workspace, settings)
    with holder.engine.connect() as connection:
        connection.execute(select(Lease.product_id))
        with pytest.raises(BackupError, match="is in use .another process has .*rayon.db open"):
            restore(path, workspace, settings, RestoreOptions(OPERATOR, replace=True), NOW)
    holder.close()
    assert is_as_it_was(workspace, before)
    restore(path, workspace, settings, RestoreOptions(OPERATOR, replace=True), NOW)


def test_a_database_in_use_on_the_server_is_not_restored(store, workspace, good, tmp_path):
    if store.is_sqlite:
        pytest.skip("told by the test above")
    (tmp_path / "b").write_bytes(good)
    add_products(store, 2)
    settings, options = settings_of(workspace, store.url), RestoreOptions(OPERATOR, replace=True)
    with pytest.raises(BackupError, match="is in use .* other connections"):
        restore(tmp_path / "b", workspace, settings, options, NOW)
    forced = RestoreOptions(OPERATOR, replace=True, force=True)
    restore(tmp_path / "b", workspace, settings, forced, NOW)
    with store.reading() as session:
        assert len(session.scalars(select(Product.id)).all()) == 3


def test_who_opens_it_in_the_last_moment_stops_the_restore(old, monkeypatch):
    workspace, before, path = old
    settings = settings_of(workspace)
    holders = []

    def open_it(*_):
        connection = Store(sqlite_url(workspace.database_file)).engine.connect()
        connection.execute(select(Product.id))
        holders.append(connection)

    monkeypatch.setattr("mmcore.services.restore.require_space", open_it)
    with pytest.raises(BackupError, match="another process has just opened"):
        restore(path, workspace, settings, RestoreOptions(OPERATOR, replace=True), NOW)
    holders[0].close()
    holders[0].engine.dispose()
    assert is_as_it_was(workspace, before)


def test_a_disk_that_is_too_small_is_told_before(old, monkeypatch):
    workspace, before, path = old
    usage = shutil.disk_usage(workspace.home)._replace(free=10**6)
    monkeypatch.setattr("mmcore.services.restore_checks.shutil.disk_usage", lambda path: usage)
    with pytest.raises(BackupError, match="0.0 GB free, restoring needs 0.1"):
        restore(
            path, workspace, settings_of(workspace), RestoreOptions(OPERATOR, replace=True), NOW
        )
    assert is_as_it_was(workspace, before)


def test_below_admin_nobody_takes_everything_away_or_puts_it_back(full, workspace, saved):
    lead = Actor(1, "lea", "lead")
    target = saved.parent / "mine.rayon"
    with pytest.raises(RefusedError, match="lea is lead, this needs admin"):
        backup(full, lead, workspace, BackupOptions(target), NOW)
    assert not target.exists()
    with pytest.raises(RefusedError, match="lea is lead, this needs admin"):
        restore(saved, workspace, settings_of(workspace), RestoreOptions(lead, replace=True), NOW)
    assert not list(workspace.home.glob("before-restore-*"))


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
