"""Restoring over a workspace: whole or not at all, never while somebody has it open."""

import shutil

import pytest
from backup_content import NOW, files, good_backup, settings_of
from model_folders import make_model
from sqlalchemy import select
from store_rows import add_products

from mmcore.errors import BackupError
from mmcore.photos import PhotoStore
from mmcore.services import restore_swap
from mmcore.services.opening import open_store
from mmcore.services.people import OPERATOR
from mmcore.services.restore import RestoreOptions, restore
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.tables import Lease, Product
from mmcore.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home").create()


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return good_backup(tmp_path_factory.mktemp("good"))


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
