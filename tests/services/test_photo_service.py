"""Thumbnails: the whole photo on a square, made once, made again when lost."""

import threading

import numpy as np
import pytest
from photo_files import encode_photo
from PIL import Image

from mmcore.errors import ConfigError, ImageError, WorkspaceError
from mmcore.photos import PhotoStore
from mmcore.services.photos import CARD_PX, LIST_PX, thumbnail
from mmcore.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home").create()


def store_photo(workspace, width=800, height=400, colour=(200, 30, 30)):
    pixels = np.full((height, width, 3), colour, np.uint8)
    return PhotoStore(workspace.photos).add(encode_photo(pixels))


@pytest.mark.parametrize("size", [LIST_PX, CARD_PX])
def test_the_whole_photo_is_on_a_white_square(workspace, size):
    path = thumbnail(workspace, store_photo(workspace), size)
    with Image.open(path) as image:
        assert (image.format, image.size) == ("JPEG", (size, size))
        pixels = np.asarray(image).astype(int)
    assert (pixels[2] > 250).all(), "above the wide photo there is white"
    middle = pixels[size // 2]
    assert np.abs(middle - (200, 30, 30)).max() < 12, "from edge to edge there is the photo"


def test_a_small_photo_is_not_enlarged(workspace):
    with Image.open(thumbnail(workspace, store_photo(workspace, 40, 90), CARD_PX)) as image:
        assert image.size == (90, 90)


def test_it_is_made_once_and_again_when_lost(workspace):
    key = store_photo(workspace)
    path = thumbnail(workspace, key)
    made = path.stat().st_mtime_ns
    assert thumbnail(workspace, key) == path and path.stat().st_mtime_ns == made
    data = path.read_bytes()
    for damage in (path.unlink, lambda: path.write_bytes(b"")):
        damage()
        assert thumbnail(workspace, key).read_bytes() == data
    assert [p.name for p in path.parent.iterdir()] == [path.name], "no temporary file is left"


def test_many_may_ask_at_once(workspace):
    key, found = store_photo(workspace), []
    threads = [
        threading.Thread(target=lambda: found.append(thumbnail(workspace, key).read_bytes()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 8 and len(set(found)) == 1


def test_what_cannot_be_shown_is_refused(workspace, monkeypatch):
    key = store_photo(workspace)
    with pytest.raises(ConfigError, match="thumbnails of 100 px: use one of 160, 640"):
        thumbnail(workspace, key, 100)
    with pytest.raises(ImageError, match="isn't a content hash"):
        thumbnail(workspace, "../../etc/passwd")
    with pytest.raises(ImageError, match="photo abababababab is missing from .*import"):
        thumbnail(workspace, "ab" * 32)

    def fail(path, write):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mmcore.services.photos.write_atomically", fail)
    with pytest.raises(WorkspaceError, match="thumbnail can't be written to .*No space left.*free"):
        thumbnail(workspace, key)
