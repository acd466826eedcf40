"""The feature cache: computed once, kept, shared, safe against crashes."""

import errno
import os
import shutil
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch
from networks import CPU, TinyBackbone

from mmcore import features
from mmcore.errors import ImageError, WorkspaceError
from mmcore.extractors import TorchExtractor
from mmcore.features import FeatureCache, fill_cache, open_cache
from mmcore.photos import PhotoStore
from mmcore.pixels import PhotoReader, decoders


@pytest.fixture
def store(tmp_path, make_photo):
    store = PhotoStore(tmp_path / "photos")
    store.keys = [store.add(make_photo(seed=i)) for i in range(5)]
    return store


@pytest.fixture
def reader(store):
    reader = PhotoReader(store.read, threads=2)
    yield reader
    reader.close()


class Counting(TinyBackbone):
    """Counts the photos that went through."""

    num_seen = 0

    def forward(self, pixels):
        self.num_seen += len(pixels)
        return super().forward(pixels)


def test_a_photo_goes_through_the_backbone_once(tmp_path, store, reader):
    backbone = Counting()
    extractor = TorchExtractor(backbone, CPU)
    keys = [*store.keys, "", store.keys[0]]
    cache = FeatureCache(tmp_path / "c")
    last = list(fill_cache(cache, extractor, reader, cache.missing(keys)))[-1]
    assert (last.done, last.total, last.num_unreadable) == (5, 5, 0)
    assert FeatureCache(tmp_path / "c").missing(keys) == []
    assert backbone.num_seen == 5


def test_cached_features_are_the_backbones(tmp_path, store, reader):
    extractor = TorchExtractor(TinyBackbone(), CPU)
    cache = FeatureCache(tmp_path / "c")
    list(fill_cache(cache, extractor, reader, store.keys))
    pixels, is_readable = reader.read(store.keys)
    assert is_readable.all()
    direct = extractor.features(pixels)
    # float16 keeps three digits
    assert np.allclose(cache.gather(store.keys), direct, rtol=2e-3, atol=1e-4)


def test_unreadable_photos_are_counted_and_left_out(tmp_path, store, reader):
    store.path(store.keys[1]).write_bytes(b"no photo any more")
    store.path(store.keys[2]).unlink()
    cache = FeatureCache(tmp_path / "c")
    last = list(fill_cache(cache, TorchExtractor(TinyBackbone(), CPU), reader, store.keys))[-1]
    assert last.num_unreadable == 2 and len(cache) == 3
    assert store.keys[1] not in cache and store.keys[0] in cache
    assert not cache.gather([store.keys[1]]).any()
    assert set(reader.unreadable) == set(store.keys[1:3])


def test_a_crash_between_the_two_appends_costs_only_that_batch(tmp_path):
    cache = FeatureCache(tmp_path / "c")
    cache.append(["aa" * 32], np.ones((1, 1280)))
    with (tmp_path / "c" / "features.f16").open("ab") as file:
        file.write(b"half a row")
    again = FeatureCache(tmp_path / "c")
    again.append(["bb" * 32], np.full((1, 1280), 2.0))
    assert FeatureCache(tmp_path / "c").gather(["aa" * 32, "bb" * 32])[:, 0].tolist() == [1, 2]


def test_two_writers_do_not_overwrite_each_other(tmp_path):
    one, two = FeatureCache(tmp_path / "c"), FeatureCache(tmp_path / "c")
    one.append(["aa" * 32], np.full((1, 1280), 1.0))
    two.append(["bb" * 32], np.full((1, 1280), 2.0))
    one.refresh()
    assert one.gather(["aa" * 32, "bb" * 32])[:, 0].tolist() == [1, 2]


def rows(first: int, num: int) -> tuple[list[str], np.ndarray]:
    """Return keys and features whose every number is that of its row."""
    numbers = np.arange(first, first + num)
    return [f"{i:064x}" for i in numbers], np.repeat(numbers[:, None], 1280, axis=1)


def numbers_in(cache: FeatureCache, num: int) -> list[int]:
    return cache.gather(rows(0, num)[0]).mean(axis=1).astype(int).tolist()


def test_an_append_reads_only_what_is_new(tmp_path):
    cache = FeatureCache(tmp_path / "c")
    cache.append(*rows(0, 4))
    with (tmp_path / "c" / "keys.bin").open("r+b") as file:
        file.write(b"\xff" * 4 * 32)  # the rows that are known; nobody looks there again
    cache.append(*rows(4, 2))
    assert numbers_in(cache, 6) == [0, 1, 2, 3, 4, 5]


def test_a_row_is_kept_once_whoever_computes_it_twice(tmp_path):
    one, two = FeatureCache(tmp_path / "c"), FeatureCache(tmp_path / "c")
    one.append(*rows(0, 4))
    two.append(*rows(2, 4))
    assert (tmp_path / "c" / "keys.bin").stat().st_size == 6 * 32
    assert numbers_in(two, 6) == [0, 1, 2, 3, 4, 5]


def test_a_cache_that_was_deleted_and_begun_anew_is_read_anew(tmp_path):
    cache = FeatureCache(tmp_path / "c")
    cache.append(*rows(0, 2))
    assert numbers_in(cache, 2) == [0, 1]
    shutil.move(tmp_path / "c", tmp_path / "gone")
    FeatureCache(tmp_path / "c").append(*rows(3, 3))
    cache.append(*rows(6, 1))
    assert len(cache) == 4 and numbers_in(cache, 7) == [0, 0, 0, 3, 4, 5, 6]
    shutil.rmtree(tmp_path / "c")
    cache.append(*rows(1, 1))
    assert len(cache) == 1 and numbers_in(cache, 2) == [0, 1]


def test_an_infinite_feature_is_kept_as_a_large_one(tmp_path):
    cache = FeatureCache(tmp_path / "c")
    cache.append(["aa" * 32], np.full((1, 1280), 1e30))
    assert np.isfinite(cache.gather(["aa" * 32])).all()


@pytest.mark.parametrize("failing_write", [1, 2, 3, 4])
def test_a_full_disk_costs_one_batch_and_a_rerun_goes_on(
    tmp_path, store, reader, monkeypatch, failing_write
):
    backbone = Counting()
    extractor = TorchExtractor(backbone, CPU)
    extractor.batch_size = 2
    writes = []

    def full(path, place, data):
        writes.append(path)
        if len(writes) == failing_write:
            write_at(path, place, data[: len(data) // 2 + 1])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_at(path, place, data)

    write_at = features._write_at
    monkeypatch.setattr(features, "_write_at", full)
    cache = FeatureCache(tmp_path / "c")
    left = 5 if failing_write <= 2 else 3
    message = rf"can't be kept in .*/c: No space left.*{left} photos are left.*0.0 MB.*free some"
    with pytest.raises(WorkspaceError, match=message):
        list(fill_cache(cache, extractor, reader, store.keys))
    # of a half-written batch whole rows count, parts of rows are cut off
    num_kept = len(FeatureCache(tmp_path / "c"))
    sizes = {name: (tmp_path / "c" / name).stat().st_size for name in ("features.f16", "keys.bin")}
    assert sizes == {"features.f16": num_kept * 2560, "keys.bin": num_kept * 32}
    monkeypatch.setattr(features, "_write_at", write_at)

    again, backbone.num_seen = FeatureCache(tmp_path / "c"), 0
    list(fill_cache(again, extractor, reader, again.missing(store.keys)))
    assert backbone.num_seen == 5 - num_kept and len(again) == 5
    pixels, _ = reader.read(store.keys)
    direct = extractor.features(pixels)
    assert np.allclose(again.gather(store.keys), direct, rtol=2e-3, atol=1e-4)


def test_a_cache_that_cannot_be_made_says_what_to_do(tmp_path):
    (tmp_path / "features").write_text("a file where the folder should be")
    with pytest.raises(WorkspaceError, match="can't be used: Not a directory; make the folder"):
        open_cache(tmp_path, TinyBackbone())


WRITER = """
import sys
import threading
import time
from pathlib import Path
import numpy as np
from mmcore.features import FeatureCache
folder, first = Path(sys.argv[1]), int(sys.argv[2])
cache = FeatureCache(folder)
for i in range(first, first + 150, 3):
    numbers = np.arange(i, i + 3)
    cache.append([f"{n:064x}" for n in numbers], np.repeat(numbers[:, None], 1280, axis=1))
"""


def test_two_processes_fill_one_cache(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path / "c")]
    writers = [subprocess.Popen([*command, str(first)]) for first in (0, 150)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert numbers_in(FeatureCache(tmp_path / "c"), 300) == list(range(300))


def test_other_weights_have_another_cache(tmp_path):
    torch.manual_seed(0)
    one, two = TinyBackbone(), TinyBackbone()
    open_cache(tmp_path, one).append(["aa" * 32], np.ones((1, 1280)))
    assert len(open_cache(tmp_path, one)) == 1
    assert len(open_cache(tmp_path, two)) == 0


def test_photos_are_decoded_in_order_whatever_the_batches(store, reader):
    whole, _ = reader.read(store.keys)
    parts = [pixels for pixels, _ in reader.stream([store.keys[:2], [], store.keys[2:]])]
    assert np.array_equal(np.concatenate(parts), whole)


def test_every_unreadable_photo_is_counted_though_not_every_reason_kept():
    def load(key):
        raise ImageError(f"{key} is gone")

    reader = PhotoReader(load, threads=1)
    reader.read([str(i) for i in range(1200)] * 2)
    reader.close()
    assert reader.num_unreadable == 1200 and len(reader.unreadable) == 1000


def test_closing_one_of_several_readers_leaves_the_others_their_decoders(store):
    asked, may_go_on = [], threading.Event()

    def load(key):
        asked.append(key)
        may_go_on.wait(10)
        return store.read(store.keys[0])

    with decoders(1) as pool:
        first, second = PhotoReader(load, 1, pool), PhotoReader(store.read, 1, pool)
        first.begin([f"photo {i}" for i in range(20)])
        while not asked:
            time.sleep(0.001)
        threading.Timer(0.05, may_go_on.set).start()
        first.close()
        assert asked == ["photo 0"], "the one in hand is waited for, the others are dropped"
        _, is_readable = second.read(store.keys[:1])
        assert is_readable.all()
