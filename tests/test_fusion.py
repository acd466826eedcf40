"""Feature fusion with missing and further modalities."""

import pytest
import torch
from networks import NUM_CLASSES, tiny_model

from mmcore.config import FUSED
from mmcore.fusion import FusionClassifier
from mmcore.towers import TabularTower, TextTower


def batch(size: int = 6):
    inputs = {"text": torch.randint(1, 50, (size, 60)), "image": torch.randn(size, 1280)}
    return inputs, {name: torch.ones(size, dtype=torch.bool) for name in inputs}


def test_logits_of_each_head_and_of_the_fusion():
    inputs, present = batch()
    logits = tiny_model().eval()(inputs, present)
    assert {name: tuple(rows.shape) for name, rows in logits.items()} == {
        "text": (6, NUM_CLASSES),
        "image": (6, NUM_CLASSES),
        FUSED: (6, NUM_CLASSES),
    }


def test_a_missing_photo_cannot_leak_into_the_fused_answer():
    model = tiny_model().eval()
    inputs, present = batch()
    present["image"][0] = False
    before = model(inputs, present)[FUSED]
    inputs["image"][0] = 1e4
    after = model(inputs, present)[FUSED]
    assert torch.equal(before, after)


def test_the_missing_vector_is_learnt():
    model = tiny_model().train()
    inputs, present = batch()
    present["image"][:3] = False
    model(inputs, present)[FUSED].sum().backward()
    assert model.missing[model.names.index("image")].grad.abs().sum() > 0


def test_in_training_absent_rows_do_not_move_batchnorm():
    def statistics(garbage):
        model = tiny_model().train()
        torch.manual_seed(1)
        inputs, present = batch()
        present["image"][:3] = False
        inputs["image"][:3] = garbage
        model(inputs, present)
        return model.towers["image"].project[2].running_mean

    assert torch.equal(statistics(0.0), statistics(1e4))


@pytest.mark.parametrize("num_present", [0, 1])
def test_too_few_photos_for_batchnorm_still_train(num_present):
    model = tiny_model().train()
    inputs, present = batch()
    present["image"][num_present:] = False
    logits = model(inputs, present)
    logits[FUSED].sum().backward()
    assert torch.isfinite(logits[FUSED]).all()


def test_towers_trained_apart_get_nothing_from_the_fused_loss():
    model = tiny_model(joint=False).train()
    inputs, present = batch()
    model(inputs, present)[FUSED].sum().backward()
    assert all(p.grad is None for p in model.towers.parameters())
    assert all(p.grad is not None for p in model.fusion.parameters())


def test_further_modalities_join_by_name():
    towers = {"text": TextTower(), "reviews": TextTower(), "price": TabularTower(3)}
    model = FusionClassifier(towers, 5).eval()
    inputs = {
        "text": torch.randint(1, 50, (2, 60)),
        "reviews": torch.randint(1, 50, (2, 60)),
        "price": torch.randn(2, 3),
    }
    present = {name: torch.ones(2, dtype=torch.bool) for name in inputs}
    logits = model(inputs, present)
    assert set(logits) == {"text", "reviews", "price", FUSED}
    assert model.fusion[0][0].in_features == 128 + 128 + 32
