"""The photo store: one file a content, and no way out of its folder."""

import hashlib
import os

import pytest

from mmcore.errors import ImageError, WorkspaceError
from mmcore.photos import PhotoStore


def test_a_photo_is_stored_once_under_its_hash(tmp_path):
    store = PhotoStore(tmp_path)
    key = store.add(b"pixels")
    before = store.path(key).stat()
    assert key == store.add(b"pixels") == hashlib.sha256(b"pixels").hexdigest()
    assert store.path(key) == tmp_path / key[:2] / key
    assert (store.path(key).stat().st_ino, store.path(key).stat().st_mtime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
    )
    assert key in store and store.read(key) == b"pixels"
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [key]


def test_a_part_of_a_photo_is_written_again(tmp_path):
    store = PhotoStore(tmp_path)
    key = store.add(b"pixels")
    store.path(key).write_bytes(b"pix")
    store.add(b"pixels")
    assert store.read(key) == b"pixels"


@pytest.mark.parametrize(
    "key", ["", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n", "/" + "a" * 63]
)
def test_a_key_that_isnt_one_is_refused(tmp_path, key):
    store = PhotoStore(tmp_path)
    assert key not in store
    for use in (store.path, store.read):
        with pytest.raises(ImageError, match="isn't a content hash .64 .*import it again"):
            use(key)


def test_a_missing_photo_says_which_and_what_to_do(tmp_path):
    with pytest.raises(ImageError, match="photo abababababab is missing .*import the catalogue"):
        PhotoStore(tmp_path).read("ab" * 32)


@pytest.mark.skipif(os.name == "nt", reason="a file in place of a folder fails differently there")
def test_a_store_that_cant_be_written_says_so(tmp_path):
    (tmp_path / "store").write_text("in the way")
    with pytest.raises(WorkspaceError, match="photo of 6 bytes can't be stored.*--home"):
        PhotoStore(tmp_path / "store").add(b"pixels")
