"""What a network takes over: every layer, rows by class code, words by their ids."""

import numpy as np
import pandas as pd
import pytest
import torch
from networks import TinyBackbone

from mmcore.encoders import NumericColumn, TabularEncoder, TextEncoder
from mmcore.fusion import FusionClassifier
from mmcore.linear import LinearHead
from mmcore.ngrams import NgramEncoder
from mmcore.text import Vocabulary
from mmcore.towers import ImageTower, TextTower
from mmcore.warm_start import carry_encoder, carry_weights, kept_classes, linear_starts

OLD, NEW = ["10", "20", "30"], ["05", "30", "10", "40"]  # 20 was merged away, 05 and 40 came


def network(num_classes: int, seed: int) -> FusionClassifier:
    torch.manual_seed(seed)
    return FusionClassifier({"text": TextTower(), "image": ImageTower(TinyBackbone())}, num_classes)


@pytest.fixture
def carried():
    old, new = network(3, seed=1), network(4, seed=2)
    drawn = {name: tensor.clone() for name, tensor in new.state_dict().items()}
    carry_weights(old, new, kept_classes(OLD, NEW))
    return old, new, drawn


def test_classes_are_found_by_their_codes():
    kept = kept_classes(OLD, NEW)
    assert [(OLD[a], NEW[b]) for a, b in zip(kept.old, kept.new, strict=True)] == [
        ("30", "30"),
        ("10", "10"),
    ]
    assert kept.num_new == 4


def test_a_class_keeps_its_rows_wherever_it_stands_now(carried):
    old, new, _ = carried
    layers = [(old.heads["text"], new.heads["text"]), (old.fusion[-1], new.fusion[-1])]
    for before, after in layers:
        for code in ("10", "30"):
            a, b = OLD.index(code), NEW.index(code)
            assert torch.equal(before.weight[a], after.weight[b])
            assert before.bias[a] == after.bias[b]


def test_a_new_class_has_the_rows_that_were_drawn_for_it(carried):
    _, new, drawn = carried
    for place in (NEW.index("05"), NEW.index("40")):
        row = new.heads["image"].weight[place]
        assert torch.equal(row, drawn["heads.on_image.weight"][place])


def test_everything_but_the_classes_is_taken_over(carried):
    old, new, drawn = carried
    before, after = old.state_dict(), new.state_dict()
    same = [name for name in after if before[name].shape == after[name].shape]
    assert len(same) == len(after) - 6, "weight and bias of two heads and of the fusion"
    assert all(torch.equal(before[name], after[name]) for name in same)
    changed = [name for name in same if not torch.equal(drawn[name], after[name])]
    assert "towers.on_text.embedding.weight" in changed and len(changed) > 15


def test_known_words_keep_their_ids_and_new_ones_come_behind():
    old = TextEncoder(("title",), Vocabulary(("livre", "piscine")))
    train = pd.DataFrame({"title": ["jouet jouet piscine", "jouet bois"]})
    assert carry_encoder(old, train).vocabulary.words == ("livre", "piscine", "jouet", "bois")


def test_a_full_vocabulary_takes_no_more_words(monkeypatch):
    monkeypatch.setattr("mmcore.warm_start.VOCABULARY_WORDS", 3)
    old = TextEncoder(("title",), Vocabulary(("livre", "piscine")))
    train = pd.DataFrame({"title": ["jouet jouet bois"]})
    assert carry_encoder(old, train).vocabulary.words == ("livre", "piscine", "jouet")


def test_columns_are_scaled_as_the_tower_has_learnt_them():
    old = TabularEncoder((NumericColumn("price", 2.0, 0.5),))
    assert carry_encoder(old, pd.DataFrame({"price": ["1", "1000"]})) is old


def ngrams(*hashes: int) -> NgramEncoder:
    found = np.array(hashes, np.int64)
    return NgramEncoder((("title",),), found, np.full(len(found), 2, np.int32), 9)


def encoders(*hashes: int) -> dict:
    return {"text": TextEncoder(("title",), Vocabulary(("a",)), ngrams=ngrams(*hashes))}


def test_a_linear_head_starts_from_the_weights_of_the_same_ngram_and_class():
    old = network(3, seed=1)
    head = LinearHead(3, 3, is_sparse=True)
    head.weight.copy_(torch.arange(9.0).reshape(3, 3) + 1)
    head.bias.copy_(torch.tensor([-1.0, -2.0, -3.0]))
    head.strength = 30.0
    old.linear["text"] = head
    kept = kept_classes(OLD, NEW)
    start = linear_starts(old, encoders(5, 7, 9), encoders(2, 5, 9, 11), kept)["text"]
    assert start.strength == 30.0
    expected = [[0, 0, 0, 0], [0, 3, 1, 0], [0, 9, 7, 0], [0, 0, 0, 0]]
    assert start.weights.tolist() == expected  # 5 and 9 are known; 30 and 10 in their new places
    assert start.bias.tolist() == [0, -3, -1, 0]


def test_a_linear_head_over_photo_features_starts_feature_by_feature():
    old = network(3, seed=1)
    head = LinearHead(4, 3, is_sparse=False)
    head.weight.copy_(torch.arange(12.0).reshape(4, 3))
    old.linear["image"] = head
    start = linear_starts(old, {}, {}, kept_classes(OLD, NEW))["image"]
    assert start.weights[:, 1].tolist() == [2, 5, 8, 11] and start.strength is None
    assert not start.weights[:, [0, 3]].any()
