"""The seed's generator, exactly, and the trainer's faster path held equal to it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from networks import CPU

from mmcore.batches import BatchReader, FreshPixels, encode_products
from mmcore.config import IMAGE, TEXT, ModelConfig
from mmcore.encoders import fit_encoder
from mmcore.errors import ConfigError
from mmcore.generator import COLUMNS, MultimodalDataGenerator, generator_frame
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


def test_batches_follow_the_rows_and_the_last_one_is_short(catalogue):
    frame = catalogue[2].sample(frac=1, random_state=1)  # its index is no longer 0, 1, 2, ...
    generator = MultimodalDataGenerator(frame, batch_size=4)
    assert len(generator) == 3 and [len(label) for _, label in generator] == [4, 4, 3]
    labels = np.concatenate([label.argmax(axis=1) for _, label in generator])
    assert labels.tolist() == frame["label"].tolist()
    texts = np.concatenate([text for (text, _), _ in generator])
    assert texts.tolist() == frame["comb_tokens_fr"].tolist()
    again = [generator[i] for i in range(len(generator))]
    for ((text, image), label), ((t, i), la) in zip(generator, again, strict=True):
        assert (text == t).all() and (image == i).all() and (label == la).all()


@pytest.mark.parametrize("index", [3, -1, -4, 10**9])
def test_there_is_no_batch_before_the_first_or_after_the_last(catalogue, index):
    generator = MultimodalDataGenerator(catalogue[2], batch_size=4)
    assert generator[np.int64(2)][1].shape == (3, 3)
    with pytest.raises(IndexError, match=f"batch {index} was asked for; there are 3"):
        generator[index]


def test_batches_that_just_fit_and_none_at_all(catalogue):
    assert len(MultimodalDataGenerator(catalogue[2], batch_size=NUM)) == 1
    empty = MultimodalDataGenerator(catalogue[2][:0])
    assert len(empty) == 0 and list(empty) == []
    with pytest.raises(IndexError, match="batch 0 was asked for; there are 0"):
        empty[0]


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


@pytest.mark.parametrize("path", [None, "", np.nan, pd.NA, Path("none.jpg"), "none.jpg", "a\0.jpg"])
def test_any_word_for_no_photo_will_do_and_a_wrong_one_is_remembered(catalogue, path):
    paths = pd.Series([path] * NUM, dtype=object)
    generator = MultimodalDataGenerator(catalogue[2].assign(imagepath=paths), image_folder=".")
    (_, image), _ = generator[0]
    assert not image.any()
    is_wrong = bool(isinstance(path, str | Path) and str(path))
    assert list(generator.unreadable) == ([str(path)] if is_wrong else [])


def test_relative_paths_start_from_the_folder(catalogue, tmp_path, make_photo):
    (tmp_path / "a.jpg").write_bytes(make_photo())
    frame = catalogue[2].assign(imagepath="a.jpg")
    (_, image), _ = MultimodalDataGenerator(frame, image_folder=tmp_path)[0]
    assert all(photo.any() for photo in image)


def test_tokens_may_be_short_and_labels_whole_floats(catalogue):
    # pandas makes floats of whole numbers in a column that once had a gap
    frame = catalogue[2].assign(label=catalogue[2]["label"].astype(float))
    frame["comb_tokens_fr"] = [(), [1], (2, 3), np.arange(60), *[[0] * 60] * 6, [15_000]]
    (text, _), label = MultimodalDataGenerator(frame)[0]
    assert label.argmax(axis=1).tolist() == [i % 3 for i in range(NUM)]
    assert text[1].tolist() == [1] + [0] * 59 and text[3].tolist() == list(range(60))
    assert text[10, 0] == 15_000


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_named(catalogue, column):
    with pytest.raises(ConfigError, match=f"lacks column '{column}'; it has .*, the generator"):
        MultimodalDataGenerator(catalogue[2].drop(columns=column))


BAD_ROWS = [
    *(("label", value) for value in (1.7, "a", "1", np.nan, None, pd.NA, -1, 3, np.inf, 2583)),
    *(("comb_tokens_fr", value) for value in ("[1, 2]", None, 7, np.nan, [1] * 61, [1, -1])),
    *(("comb_tokens_fr", value) for value in ([15_001], [1.5], ["a"], [[1], [2]], [[1], [2, 3]])),
    *(("imagepath", value) for value in (5, 1.5, ["a.jpg"], b"a.jpg")),
]


@pytest.mark.parametrize(("column", "value"), BAD_ROWS, ids=str)
def test_a_bad_row_is_named_with_its_value(catalogue, column, value):
    values = list(catalogue[2][column])
    values[4] = value
    frame = catalogue[2].assign(**{column: pd.Series(values, dtype=object)})
    remedy = {"label": "from 0 to 2", "comb_tokens_fr": "Vocabulary.encode", "imagepath": "path"}
    with pytest.raises(ConfigError) as caught:
        MultimodalDataGenerator(frame, num_classes=3)
    assert f"{column} of product 'p4' (row 4) is " in str(caught.value)
    assert remedy[column] in str(caught.value)


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"batch_size": 1.5}, {"num_classes": 0}])
def test_a_size_is_a_whole_number_of_at_least_one(catalogue, options):
    with pytest.raises(ConfigError, match="must be a whole number of at least 1"):
        MultimodalDataGenerator(catalogue[2], **options)


def test_product_types_dont_pass_for_class_ids(catalogue):
    with pytest.raises(ConfigError, match="label of product 'p0' .row 0. is 2000000.*to 99999"):
        MultimodalDataGenerator(catalogue[2].assign(label=2_000_000))


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
