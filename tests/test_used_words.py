"""Training with the words in use alone: the same answers, the other rows untouched."""

import numpy as np
import pytest
import torch
from networks import CPU, NUM_CLASSES, products, run_config, tiny_model
from training_runs import EMBEDDING, FROZEN, VAL, data, finish

from mmcore.fusion import FusionClassifier
from mmcore.towers import EMBEDDING_DIM, TextTower
from mmcore.trainer import FitOptions, fit
from mmcore.used_words import UsedWords, only_used_words

IDS = np.array([[3, 7, 0], [9, 3, 0]])


@pytest.fixture
def tower():
    torch.manual_seed(0)
    return TextTower(20)


def model_of(tower: TextTower) -> FusionClassifier:
    return FusionClassifier({"text": tower}, NUM_CLASSES)


def test_the_used_words_have_the_vectors_of_the_whole(tower):
    used = UsedWords(tower.embedding, [IDS])
    ids = torch.from_numpy(IDS)
    assert used.weight.shape == (4, EMBEDDING_DIM)  # padding, 3, 7 and 9
    assert torch.equal(used(ids), tower.embedding(ids))


def test_a_word_that_was_not_named_counts_as_padding(tower):
    used = UsedWords(tower.embedding, [IDS])
    assert torch.equal(used(torch.tensor([5])), used(torch.tensor([0])))


def test_padding_learns_nothing(tower):
    used = UsedWords(tower.embedding, [IDS])
    used(torch.from_numpy(IDS)).square().sum().backward()
    assert not used.weight.grad[0].any()
    assert used.weight.grad[1:].any(dim=1).all()


def test_what_was_learnt_is_in_the_whole_embedding_afterwards(tower):
    whole, before = tower.embedding, tower.embedding.weight.detach().clone()
    with only_used_words(model_of(tower), [{"text": IDS}]):
        with torch.no_grad():
            tower.embedding.weight += 1
    assert tower.embedding is whole
    changed = (whole.weight != before).any(dim=1).nonzero().flatten()
    assert changed.tolist() == [0, 3, 7, 9]
    assert torch.equal(whole.weight[[3, 7, 9]], before[[3, 7, 9]] + 1)


def test_an_error_leaves_the_whole_embedding_in_place(tower):
    whole = tower.embedding
    with pytest.raises(KeyError), only_used_words(model_of(tower), [{"text": IDS}]):
        raise KeyError
    assert tower.embedding is whole


def test_a_run_closed_early_leaves_the_whole_embedding_in_place():
    model = tiny_model()
    whole = model.towers["text"].embedding
    events = fit(model, data(), run_config(FROZEN), FitOptions(CPU))
    next(events)
    events.close()
    assert model.towers["text"].embedding is whole
    assert whole.weight.shape == (15_001, EMBEDDING_DIM)


def test_training_moves_the_words_in_use_and_no_others():
    model = tiny_model()
    before = model.state_dict()[EMBEDDING].clone()
    finish(model, run_config(FROZEN))
    moved = (model.state_dict()[EMBEDDING] != before).any(dim=1).nonzero().flatten().tolist()
    learnt, judged = (np.unique(products(*given).inputs["text"]) for given in ((48,), VAL))
    assert set(learnt[learnt > 0]) <= set(moved) <= {*learnt, *judged}
