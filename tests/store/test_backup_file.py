"""Backup files that are damaged, foreign or newer: refused before anything is touched."""

import zipfile

import pytest
from backup_content import NOW, good_backup, settings_of

from mmcore.errors import BackupError, StoreError
from mmcore.services.backup import verify_backup
from mmcore.services.backup_file import BackupWriter, Part, is_part_name, write_backup
from mmcore.services.people import OPERATOR
from mmcore.services.restore import RestoreOptions, restore
from mmcore.store.migrate import newest_revision
from mmcore.workspace import Workspace


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return good_backup(tmp_path_factory.mktemp("good"))


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
