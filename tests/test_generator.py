"""The seed's generator, exactly, and the trainer's faster path held equal to it."""

import numpy as np
import pandas as pd
import pytest
import torch
from networks import CPU

from mmcore.batches import BatchReader, FreshPixels, encode_products
from mmcore.config import IMAGE, TEXT, ModelConfig
from mmcore.encoders import fit_encoder
from mmcore.errors import ConfigError
from mmcore.generator import MultimodalDataGenerator, generator_frame
from mmcore.photos import PhotoStore
from mmcore.pixels import PhotoReader

NUM = 11
CODES = ["10", "40", "50"]


@pytest.fixture
def catalogue(tmp_path, make_photo):
    """Return products, their encoder and the frame the seed asks for; one photo is missing."""
    store = PhotoStore(tmp_path / "photos")
    keys = [store.add(make_photo((20 * i, 100, 50), seed=i)) for i in range(NUM)]
    keys[3] = ""
    products = pd.DataFrame(
        {
            "product_id": [f"p{i}" for i in range(NUM)],
            "title": [f"livre {i} {'mot' * (i % 3)}" for i in range(NUM)],
            "description": "",
            "photo": keys,
            "label": [CODES[i % 3] for i in range(NUM)],
        }
    )
    encoder = fit_encoder(TEXT, products)
    frame = generator_frame(products, encoder.vocabulary, CODES, store.path)
    return products, encoder, frame, store


def test_contract(catalogue):
    frame = catalogue[2]
    generator = MultimodalDataGenerator(frame, batch_size=4, num_classes=27)
    assert len(generator) == 3
    (text, image), label = generator[0]
    assert (text.shape, text.dtype) == ((4, 60), np.int64)
    assert (image.shape, image.dtype) == ((4, 224, 224, 3), np.float32)
    assert (label.shape, label.dtype) == ((4, 27), np.float32)
    assert image.min() >= -1 and image.max() <= 1
    assert label.sum(axis=1).tolist() == [1.0] * 4
    assert label.argmax(axis=1).tolist() == frame["label"][:4].tolist()
    assert text[0].tolist()[:2] == frame["comb_tokens_fr"][0][:2]


def test_the_last_batch_is_short_and_there_is_none_after_it(catalogue):
    generator = MultimodalDataGenerator(catalogue[2], batch_size=4)
    assert generator[2][1].shape == (3, 3)
    with pytest.raises(IndexError, match="batch 3 was asked for; there are 3"):
        generator[3]
    assert [len(label) for _, label in generator] == [4, 4, 3]


def test_default_batch_size_is_32(catalogue):
    assert len(MultimodalDataGenerator(pd.concat([catalogue[2]] * 6))) == 3  # 66 products


def test_a_missing_or_unreadable_photo_is_zero_and_remembered(catalogue, tmp_path):
    frame = catalogue[2].copy()
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    frame.loc[0, "imagepath"] = str(tmp_path / "broken.jpg")
    generator = MultimodalDataGenerator(frame, batch_size=4)
    (_, image), _ = generator[0]
    assert not image[0].any() and not image[3].any() and image[1].any()
    assert list(generator.unreadable) == [str(tmp_path / "broken.jpg")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="label"), "lacks column 'label'; it has ProductID"),
        (lambda f: f.assign(label=-1), "must be class ids from 0"),
        (lambda f: f.assign(comb_tokens_fr=[[1] * 61] * NUM), "61 tokens, the limit is 60"),
    ],
)
def test_a_wrong_frame_is_refused(catalogue, change, message):
    with pytest.raises(ConfigError, match=message):
        MultimodalDataGenerator(change(catalogue[2]))


def test_the_frame_has_the_seeds_columns(catalogue):
    products, encoder, frame, store = catalogue
    assert list(frame.columns) == ["ProductID", "comb_tokens_fr", "imagepath", "label"]
    assert frame["label"].tolist() == [i % 3 for i in range(NUM)]
    assert frame["imagepath"][3] == ""
    with pytest.raises(ConfigError, match="label '60' is none of the 3 class codes"):
        generator_frame(products.assign(label="60"), encoder.vocabulary, CODES, store.path)


def test_the_trainers_path_gives_the_same_products(catalogue):
    products, encoder, frame, store = catalogue
    encoded = encode_products(products, ModelConfig((TEXT, IMAGE)), {"text": encoder}, CODES)
    reader = PhotoReader(store.read, threads=2)
    fast = BatchReader(encoded, "image", FreshPixels(reader, CPU), CPU)
    generator = MultimodalDataGenerator(frame, batch_size=4)
    compared = 0
    for batch, ((text, image), label) in zip(
        fast.stream(np.split(np.arange(NUM), [4, 8])), generator, strict=True
    ):
        assert np.array_equal(batch.inputs["text"].numpy(), text)
        has = batch.present["image"].numpy()
        pixels = batch.inputs["image"].permute(0, 2, 3, 1).numpy()
        assert np.array_equal(pixels[has], image[has])  # bit for bit
        one_hot = torch.nn.functional.one_hot(batch.labels, 3).float().numpy()
        assert np.array_equal(one_hot, label)
        compared += len(batch)
    reader.close()
    assert compared == NUM
