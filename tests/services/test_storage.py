"""What a workspace takes of its disk."""

import os

import pytest
from app_shop import settings_of

from mmcore.services.opening import opened_store
from mmcore.services.storage import NEVER, storage
from mmcore.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home").create()


@pytest.fixture
def store(workspace):
    with opened_store(workspace, settings_of(workspace.home)) as opened:
        yield opened


def test_each_folder_is_counted_and_told_of(workspace, store):
    (workspace.photos / "ab").mkdir()
    (workspace.photos / "ab" / "one").write_bytes(b"12345")
    found = storage(workspace, store)
    parts = {part.name: part for part in found.parts}
    assert (parts["photos"].num_files, parts["photos"].num_bytes) == (1, 5)
    assert parts["database"].num_bytes >= workspace.database_file.stat().st_size > 0
    assert found.num_bytes == sum(part.num_bytes for part in found.parts) and found.free_bytes > 0
    assert parts["thumbnails"].may_go.startswith("yes")
    assert parts["database"].may_go == parts["photos"].may_go == NEVER


def test_what_is_in_no_known_folder_is_counted_too(workspace, store):
    assert "other" not in [part.name for part in storage(workspace, store).parts]
    aside = workspace.home / "before-restore-1" / "photos"
    aside.mkdir(parents=True)
    (aside / "one").write_bytes(b"123")
    (workspace.home / "notes.txt").write_bytes(b"1234")
    (other,) = [part for part in storage(workspace, store).parts if part.name == "other"]
    assert (other.num_files, other.num_bytes) == (2, 7)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_links_are_not_followed(workspace, store, tmp_path):
    big = tmp_path / "elsewhere"
    big.mkdir()
    (big / "file").write_bytes(b"1" * 100_000)
    (workspace.cache / "link").symlink_to(big)
    (cache,) = [part for part in storage(workspace, store).parts if part.name == "cache"]
    assert cache.num_bytes < 100_000


def test_a_database_elsewhere_is_counted_where_it_is(workspace, tmp_path):
    from dataclasses import replace

    settings = replace(
        settings_of(workspace.home), database_url=f"sqlite:///{tmp_path / 'other.db'}"
    )
    with opened_store(workspace, settings) as store:
        database = storage(workspace, store).parts[0]
    assert database.name == "database" and database.num_bytes > 0
