"""The loop: phases, early stopping, interruption, resuming, the guard against NaN."""

import errno
import os

import numpy as np
import pytest
import torch
from networks import CPU, products, reader, run_config, tiny_model

from mmcore.checkpoint import CheckpointFile
from mmcore.config import PhaseConfig
from mmcore.errors import CheckpointError, NonFiniteLossError, TrainingInterrupted
from mmcore.trainer import EpochResult, FitOptions, StepResult, TrainData, fit

FROZEN = PhaseConfig("frozen", 2)
TUNED = PhaseConfig("fine-tuning", 1, 1e-4, train_backbone=True)


def data(train_seed: int = 0, num: int = 48) -> TrainData:
    train, val = products(num, train_seed), products(30, 99)
    return TrainData(
        train=lambda phase: reader(train, not phase.train_backbone),
        val=lambda phase: reader(val, not phase.train_backbone),
    )


def live_data() -> TrainData:
    rows = products(24)
    return TrainData(*[lambda phase: reader(rows, as_features=False)] * 2)


def finish(model, config, **options):
    return list(fit(model, data(), config, FitOptions(CPU, **options)))


def backbone_state(model):
    return {k: t.clone() for k, t in model.state_dict().items() if ".backbone." in k}


def moved(before, after):
    return {k for k in before if not torch.equal(before[k], after[k])}


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
    assert "towers.image.backbone.conv.weight" in changed
    assert not any("running" in key for key in changed), "BatchNorm stays in eval"


def test_batchnorm_statistics_of_the_backbone_move_only_when_asked():
    live = live_data()
    model = tiny_model()
    start = backbone_state(model)
    phase = PhaseConfig("fine-tuning", 1, 1e-4, train_backbone=True, update_batchnorm=True)
    list(fit(model, live, run_config(phase), FitOptions(CPU)))
    changed = moved(start, backbone_state(model))
    assert "towers.image.backbone.norm.running_mean" in changed


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


def interrupted(config, path, after_steps):
    """Train until `after_steps` steps are done, stop, and go on in a new process's stead."""
    asked = iter([False] * after_steps + [True])
    with pytest.raises(TrainingInterrupted, match="stopped in phase"):
        finish(
            tiny_model(), config, checkpoint=CheckpointFile(path, "r"), should_stop=asked.__next__
        )
    model = tiny_model(seed=1)  # other initial weights: the checkpoint must bring its own
    model.towers["image"].backbone.load_state_dict(
        tiny_model().towers["image"].backbone.state_dict()
    )
    finish(model, config, checkpoint=CheckpointFile(path, "r"))
    return model


@pytest.mark.parametrize("after_steps", [0, 1, 4, 6, 8, 12, 15])
def test_an_interrupted_run_ends_bitwise_equal(tmp_path, after_steps):
    config = run_config(FROZEN, TUNED)
    whole = tiny_model()
    finish(whole, config)
    resumed = interrupted(config, tmp_path / "c.safetensors", after_steps)
    different = moved(whole.state_dict(), resumed.state_dict())
    assert different == set()


def test_a_run_killed_after_an_epoch_ends_bitwise_equal(tmp_path):
    config = run_config(FROZEN, TUNED)
    whole = tiny_model()
    finish(whole, config)
    file = CheckpointFile(tmp_path / "c.safetensors", "r")
    options = FitOptions(CPU, file, checkpoint_every_s=0)
    killed = fit(tiny_model(), data(), config, options)
    next(r for r in killed if isinstance(r, EpochResult))
    next(killed)  # a step of the second epoch is done, then the process dies without a word
    model = tiny_model()
    finish(model, config, checkpoint=file)
    assert moved(whole.state_dict(), model.state_dict()) == set()


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "c.safetensors"
    finish(tiny_model(), run_config(FROZEN), checkpoint=CheckpointFile(path, "one"))
    with pytest.raises(CheckpointError, match="belongs to other settings.*delete it"):
        finish(tiny_model(), run_config(FROZEN), checkpoint=CheckpointFile(path, "two"))


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "c.safetensors"
    path.write_bytes(b"no tensors here")
    with pytest.raises(CheckpointError, match="can't be used.*train from the start"):
        finish(tiny_model(), run_config(FROZEN), checkpoint=CheckpointFile(path, "r"))


def test_a_full_disk_keeps_the_previous_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "c.safetensors"
    config = run_config(PhaseConfig("frozen", 3))
    options = FitOptions(CPU, CheckpointFile(path, "r"), checkpoint_every_s=0)
    run = fit(tiny_model(), data(), config, options)
    next(r for r in run if isinstance(r, EpochResult))
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"MB can't be written: No space left.*free some"):
        list(run)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"], "no half file is left"
    monkeypatch.undo()
    finish(tiny_model(), config, checkpoint=CheckpointFile(path, "r"))


def test_a_few_non_finite_losses_are_skipped_and_counted():
    config = run_config(PhaseConfig("frozen", 1))
    rows = products(48, missing=0.0)
    model = tiny_model()
    poisoned = Poison(reader(rows), bad_batches={1, 3})
    source = TrainData(lambda phase: poisoned, lambda phase: reader(products(12, 9)))
    results = list(fit(model, source, config, FitOptions(CPU)))
    assert results[-1].skipped_steps == 2
    assert np.isfinite(results[-1].train_loss)
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_non_finite_losses_in_a_row_end_the_run_with_advice():
    config = run_config(PhaseConfig("frozen", 1), max_bad_steps=3)
    poisoned = Poison(reader(products(48, missing=0.0)), bad_batches={1, 2, 3, 4, 5})
    source = TrainData(lambda phase: poisoned, lambda phase: reader(products(12, 9)))
    with pytest.raises(NonFiniteLossError, match=r"3 steps in a row \(limit 3\).*lower the learn"):
        list(fit(tiny_model(), source, config, FitOptions(CPU)))


class Poison:
    """A reader some of whose batches hold an infinite feature."""

    def __init__(self, inner, bad_batches):
        self._inner, self._bad = inner, bad_batches
        self.products = inner.products
        self.all_in_order = inner.all_in_order

    def stream(self, batches):
        for i, batch in enumerate(self._inner.stream(batches)):
            if i in self._bad:
                batch.inputs["image"][0] = float("inf")
            yield batch


def test_without_val_products_the_last_epoch_counts():
    none = products(0)
    source = TrainData(lambda phase: reader(products(24)), lambda phase: reader(none))
    results = list(fit(tiny_model(), source, run_config(FROZEN), FitOptions(CPU)))
    epochs = [r for r in results if isinstance(r, EpochResult)]
    assert all(e.is_best and e.val_loss is None for e in epochs)


def test_a_caller_may_stop_asking_at_any_time():
    run = fit(tiny_model(), data(), run_config(FROZEN), FitOptions(CPU))
    next(run)
    run.close()
    assert next(run, None) is None
