"""The loop: phases, early stopping, interruption, resuming, the guard against NaN."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from networks import CPU, products, reader, run_config, tiny_model
from training_runs import (
    EMBEDDING,
    FROZEN,
    TUNED,
    backbone_state,
    data,
    finish,
    live_data,
    moved,
    without_val,
)

from mmcore import trainer
from mmcore.checkpoint import CheckpointFile
from mmcore.config import PhaseConfig
from mmcore.errors import NonFiniteLossError
from mmcore.threads import on_one_core
from mmcore.trainer import EpochResult, FitOptions, StepResult, TrainData, fit


def test_phase_1_moves_no_backbone_tensor_and_phase_2_does():
    # phase 1 over live pixels here, so that a backbone left in training mode would show
    live = live_data()
    model = tiny_model()
    start = backbone_state(model)
    list(fit(model, live, run_config(PhaseConfig("frozen", 2)), FitOptions(CPU)))
    assert moved(start, backbone_state(model)) == set()

    tuned = PhaseConfig("fine-tuning", 1, 1e-3, train_backbone=True)
    list(fit(model, live, run_config(tuned), FitOptions(CPU)))
    changed = moved(start, backbone_state(model))
    assert "towers.on_image.backbone.conv.weight" in changed
    assert not any("running" in key for key in changed), "BatchNorm stays in eval"


def test_batchnorm_statistics_of_the_backbone_move_only_when_asked():
    live = live_data()
    model = tiny_model()
    start = backbone_state(model)
    phase = PhaseConfig("fine-tuning", 1, 1e-4, train_backbone=True, update_batchnorm=True)
    list(fit(model, live, run_config(phase), FitOptions(CPU)))
    changed = moved(start, backbone_state(model))
    assert "towers.on_image.backbone.norm.running_mean" in changed


def test_yields_every_step_and_epoch_in_order():
    results = finish(tiny_model(), run_config(FROZEN, TUNED))
    epochs = [r for r in results if isinstance(r, EpochResult)]
    steps = [r for r in results if isinstance(r, StepResult)]
    assert [(e.phase, e.epoch) for e in epochs] == [(1, 1), (1, 2), (2, 1)]
    assert [s.step for s in steps] == [1, 2, 3, 4, 5, 6] * 3
    assert {s.num_steps for s in steps} == {6} and {s.num_phases for s in steps} == {2}
    assert set(epochs[0].val_macro_f1) == {"text", "image", "fused"}


def test_it_learns():
    config = run_config(PhaseConfig("frozen", 12))
    results = finish(tiny_model(), config)
    best = max(r.val_macro_f1["fused"] for r in results if isinstance(r, EpochResult))
    assert best > 0.9  # three classes: chance is a third


def test_early_stopping_keeps_the_best_epoch():
    config = run_config(PhaseConfig("frozen", 40, 5e-3, patience=2))
    model = tiny_model()
    epochs = [r for r in finish(model, config) if isinstance(r, EpochResult)]
    assert len(epochs) < 40
    assert not any(e.is_best for e in epochs[-2:]) and epochs[-3].is_best
    # the weights at the end are those of the best epoch, not of the last one
    best = tiny_model()
    short = run_config(PhaseConfig("frozen", 40, 5e-3, patience=2))
    run = fit(best, data(), short, FitOptions(CPU))
    for result in run:
        if isinstance(result, EpochResult) and result.epoch == epochs[-3].epoch:
            break
    run.close()
    same = [torch.equal(a, b) for a, b in zip(model.parameters(), best.parameters(), strict=True)]
    assert all(same)


def test_a_worse_second_phase_leaves_the_first_ones_backbone():
    model = tiny_model()
    start = backbone_state(model)
    ruin = PhaseConfig("fine-tuning", 1, 0.1, train_backbone=True)
    config = run_config(PhaseConfig("frozen", 8), ruin)
    epochs = [r for r in finish(model, config) if isinstance(r, EpochResult)]
    assert not epochs[-1].is_best, "the test needs a ruinous phase 2"
    assert moved(start, backbone_state(model)) == set()


def test_a_few_non_finite_losses_are_skipped_and_counted():
    config = run_config(PhaseConfig("frozen", 1))
    rows = products(48, missing=0.0)
    model = tiny_model()
    poisoned = Poison(reader(rows), bad_batches={1, 3})
    source = TrainData(lambda phase: poisoned, lambda phase: reader(products(12, 9)))
    results = list(fit(model, source, config, FitOptions(CPU)))
    assert results[-1].skipped_steps == 2
    assert np.isfinite(results[-1].train_loss)
    assert all(torch.isfinite(t).all() for t in model.state_dict().values())


@pytest.mark.parametrize("train_backbone", [False, True])
def test_a_skipped_step_leaves_no_trace(tmp_path, train_backbone):
    # BatchNorm's statistics move in the forward pass, before the loss is known
    phase = PhaseConfig("p", 1, train_backbone=train_backbone, update_batchnorm=train_backbone)
    rows = products(48, missing=0.0)
    poisoned = Poison(reader(rows, as_features=not train_backbone), bad_batches=set(range(6)))
    source = TrainData(lambda phase: poisoned, lambda phase: reader(products(0)))
    model, file = tiny_model(), CheckpointFile(tmp_path / "c.safetensors", "r")
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    run = fit(model, source, run_config(phase, max_bad_steps=7), FitOptions(CPU, file))
    steps = [next(run) for _ in range(6)]
    assert steps[-1].skipped_steps == 6
    assert moved(before, model.state_dict()) == {EMBEDDING}  # has the words in use alone
    epoch = next(run)
    assert np.isnan(epoch.train_loss)
    list(run)
    assert moved(before, model.state_dict()) == set()
    assert file.load().optimizer == {} and file.load().state.history[0]["train_loss"] is None


def test_non_finite_losses_in_a_row_end_the_run_with_advice():
    config = run_config(PhaseConfig("frozen", 1), max_bad_steps=3)
    poisoned = Poison(reader(products(48, missing=0.0)), bad_batches={1, 2, 3, 4, 5})
    source = TrainData(lambda phase: poisoned, lambda phase: reader(products(12, 9)))
    with pytest.raises(NonFiniteLossError, match=r"3 steps in a row \(limit 3\).*lower the learn"):
        list(fit(tiny_model(), source, config, FitOptions(CPU)))


class Poison:
    """A reader some of whose batches hold an infinite photo."""

    def __init__(self, inner, bad_batches):
        self._inner, self._bad = inner, bad_batches
        self.products = inner.products
        self.all_in_order = inner.all_in_order

    def stream(self, batches):
        for i, batch in enumerate(self._inner.stream(batches)):
            if i in self._bad:
                batch.inputs["image"][0] = float("inf")
            yield batch


class PoisonVal:
    """A reader whose passes over all products hold an infinite photo, but for the good ones."""

    def __init__(self, inner, good_passes):
        self._inner, self._good = inner, good_passes
        self.products = inner.products
        self.num_passes = 0

    def all_in_order(self):
        for batch in self._inner.all_in_order():
            if self.num_passes not in self._good:
                batch.inputs["image"][:] = float("inf")
            yield batch
        self.num_passes += 1


def test_an_epoch_whose_val_loss_is_not_finite_is_never_the_best(tmp_path):
    val = PoisonVal(reader(products(12, 9, missing=0.0)), good_passes={1})
    source = TrainData(lambda phase: reader(products(24)), lambda phase: val)
    file = CheckpointFile(tmp_path / "c.safetensors", "r")
    run = fit(tiny_model(), source, run_config(PhaseConfig("p", 3)), FitOptions(CPU, file))
    epochs = [r for r in run if isinstance(r, EpochResult)]
    assert [e.is_best for e in epochs] == [False, True, False]
    assert not np.isfinite(epochs[0].val_loss)
    history = file.load().state.history
    assert history[0]["val_loss"] is None and np.isfinite(history[1]["val_loss"])


def test_a_run_without_any_finite_val_loss_ends_with_advice():
    val = PoisonVal(reader(products(12, 9, missing=0.0)), good_passes=())
    source = TrainData(lambda phase: reader(products(24)), lambda phase: val)
    message = r"not finite after any of the 2 epochs of phase 1 \(frozen\).*lower the learning rate"
    with pytest.raises(NonFiniteLossError, match=message):
        list(fit(tiny_model(), source, run_config(FROZEN, TUNED), FitOptions(CPU)))


def test_without_val_products_the_last_epoch_of_the_last_phase_counts():
    model = tiny_model()
    start = backbone_state(model)
    tuned = PhaseConfig("fine-tuning", 2, 1e-3, train_backbone=True, patience=1)
    config = run_config(PhaseConfig("frozen", 3, patience=1), tuned)
    run = fit(model, without_val(), config, FitOptions(CPU))
    epochs, last = [], {}
    for result in run:
        if isinstance(result, EpochResult):
            epochs.append(result)
            last = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    assert all(e.is_best and e.val_loss is None for e in epochs)
    assert [(e.phase, e.epoch) for e in epochs] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]
    assert moved(last, model.state_dict()) == {EMBEDDING}
    used = np.unique(products(24).inputs["text"])
    assert torch.equal(last[EMBEDDING], model.state_dict()[EMBEDDING][used])
    assert "towers.on_image.backbone.conv.weight" in moved(start, backbone_state(model))


def test_a_caller_may_stop_asking_at_any_time():
    run = fit(tiny_model(), data(), run_config(FROZEN), FitOptions(CPU))
    next(run)
    run.close()
    assert next(run, None) is None


def test_without_the_backbone_one_core_computes_and_afterwards_all_do():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        frozen = PhaseConfig("frozen", 1)
        for phase, inside in ((frozen, 1), (replace(frozen, train_backbone=True), 2)):
            with on_one_core(trainer._is_small(phase, CPU)):
                assert torch.get_num_threads() == inside
            assert torch.get_num_threads() == 2
        with pytest.raises(ValueError), on_one_core(trainer._is_small(frozen, CPU)):
            raise ValueError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
