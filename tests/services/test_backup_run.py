"""Backups beside the screen: whole or nothing, cancelled in time, an admin's."""

import threading

import pytest
from app_shop import open_app_shop

from mmcore.errors import BackupError, JobCancelledError, RefusedError
from mmcore.services import backup_run
from mmcore.services.backup import BackupOptions, verify_backup
from mmcore.services.backup_run import BackupRun, list_backups, new_backup_path

NOW = 1_700_000_000.0


@pytest.fixture
def shop(tmp_path):
    found = open_app_shop(tmp_path / "home")
    yield found
    found.store.close()


def begin(shop, person="adam", now=NOW):
    options = BackupOptions(new_backup_path(shop.workspace, "", now))
    return BackupRun(shop.store, shop.people[person], shop.workspace, options, now)


def test_backups_are_whole_and_listed_with_the_newest_first(shop):
    for now in (NOW, NOW + 60):
        run = begin(shop, now=now)
        run.wait(60)
        assert run.error is None and run.report.target == run.target
        assert run.done == run.total and not run.is_running
    (shop.workspace.backups / ".half.rayon").write_bytes(b"")
    first, second = list_backups(shop.workspace)
    assert first.path == run.target and first.at >= second.at
    assert verify_backup(first.path).has_photos


def test_a_cancelled_backup_leaves_nothing(shop, monkeypatch):
    asked, real = threading.Event(), backup_run.backup

    def wait_and_back_up(*task):
        asked.wait(10)
        return real(*task)

    monkeypatch.setattr(backup_run, "backup", wait_and_back_up)
    run = begin(shop)
    run.cancel()
    asked.set()
    run.wait(60)
    assert run.is_cancelled and not run.is_running and run.report is None
    assert isinstance(run.error, JobCancelledError)
    assert list(shop.workspace.backups.iterdir()) == []


def test_the_end_is_never_told_before_it(shop, monkeypatch):
    seen = []
    real = BackupRun._progress

    def note(run, done, total):
        seen.append((done, total))
        real(run, done, total)

    monkeypatch.setattr(BackupRun, "_progress", note)
    begin(shop).wait(60)
    assert len(seen) > 10  # the copy of the database, its packing, the photos
    assert all(done < total for done, total in seen[:-1]) and seen[-1][0] == seen[-1][1]
    assert seen[0][0] >= 4096  # bytes, not pages, of which this database has few


def test_below_an_admin_nothing_begins(shop):
    with pytest.raises(RefusedError, match="admin"):
        begin(shop, "lena")
    assert list(shop.workspace.backups.iterdir()) == []


def test_a_defect_is_told_instead_of_running_for_ever(shop, monkeypatch):
    raised = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    monkeypatch.setattr(backup_run, "backup", lambda *task: 1 / 0)
    run = begin(shop)
    run.wait(10)
    assert isinstance(run.error, BackupError) and "a defect of ours" in str(run.error)
    assert raised[0].exc_type is ZeroDivisionError  # its traceback reaches the log


def test_a_folder_is_named_in_full(shop, tmp_path):
    with pytest.raises(BackupError, match="'here' isn't named in full; begin with"):
        new_backup_path(shop.workspace, "here", NOW)
    assert new_backup_path(shop.workspace, f" {tmp_path} ", NOW).parent == tmp_path
    assert not shop.workspace.backups.exists()  # it is made when something goes into it
    shop.workspace.backups.write_bytes(b"")
    with pytest.raises(BackupError, match="can't be made.*choose another"):
        new_backup_path(shop.workspace, "", NOW)
