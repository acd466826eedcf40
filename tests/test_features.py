"""The feature cache: computed once, kept, shared, safe against crashes."""

import numpy as np
import pytest
import torch
from networks import CPU, TinyBackbone

from mmcore.features import FeatureCache, backbone_features, fill_cache, open_cache
from mmcore.photos import PhotoStore
from mmcore.pixels import PhotoReader


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
    keys = [*store.keys, "", store.keys[0]]
    last = list(fill_cache(FeatureCache(tmp_path / "c"), backbone, reader, keys, CPU))[-1]
    assert (last.done, last.total, last.num_unreadable) == (5, 5, 0)
    assert list(fill_cache(FeatureCache(tmp_path / "c"), backbone, reader, keys, CPU)) == []
    assert backbone.num_seen == 5


def test_cached_features_are_the_backbones(tmp_path, store, reader):
    backbone = TinyBackbone().eval()
    cache = FeatureCache(tmp_path / "c")
    list(fill_cache(cache, backbone, reader, store.keys, CPU))
    pixels, is_readable = reader.read(store.keys)
    assert is_readable.all()
    direct = backbone_features(backbone, pixels, CPU)
    # float16 keeps three digits
    assert np.allclose(cache.gather(store.keys), direct, rtol=2e-3, atol=1e-4)


def test_unreadable_photos_are_counted_and_left_out(tmp_path, store, reader):
    store.path(store.keys[1]).write_bytes(b"no photo any more")
    store.path(store.keys[2]).unlink()
    cache = FeatureCache(tmp_path / "c")
    last = list(fill_cache(cache, TinyBackbone(), reader, store.keys, CPU))[-1]
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
