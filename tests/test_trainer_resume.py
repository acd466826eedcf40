"""Interrupted trainings: resumed to the bit, checkpoints refused where they don't fit."""

import errno
import os
from dataclasses import replace

import pytest
import torch
from networks import CPU, NUM_CLASSES, TinyBackbone, products, reader, run_config, tiny_model
from training_runs import (
    FROZEN,
    FUSION,
    TUNED,
    VAL,
    data,
    finish,
    moved,
    stop_at,
    with_untrained_of,
    without_val,
)

from mmcore import optim
from mmcore.checkpoint import CheckpointFile
from mmcore.config import PhaseConfig
from mmcore.errors import CheckpointError, TrainingInterrupted
from mmcore.fusion import FusionClassifier
from mmcore.towers import ImageTower, TextTower
from mmcore.trainer import EpochResult, FitOptions, TrainData, fit


def interrupted(config, path, after_steps):
    """Train until `after_steps` steps are done, stop, and go on in a new process's stead."""
    asked = iter([False] * after_steps + [True])
    with pytest.raises(TrainingInterrupted, match="stopped in phase"):
        finish(
            tiny_model(), config, checkpoint=CheckpointFile(path, "r"), should_stop=asked.__next__
        )
    seen = [products(*given).inputs["text"] for given in ((48,), VAL)]
    # other initial weights: the checkpoint must bring its own
    model = with_untrained_of(tiny_model(seed=1), tiny_model(), *seen)
    finish(model, config, checkpoint=CheckpointFile(path, "r"))
    return model


@pytest.mark.parametrize("after_steps", [0, 1, 4, 6, 8, 12, 15, 18, 22])
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


@pytest.mark.parametrize("after_steps", [7, 8, 11])
def test_interrupted_fine_tuning_ends_bitwise_equal(tmp_path, after_steps):
    # without val products its weights are kept whatever they are worth
    config = run_config(PhaseConfig("frozen", 2), PhaseConfig("t", 2, 1e-3, train_backbone=True))
    whole = tiny_model()
    list(fit(whole, without_val(), config, FitOptions(CPU)))
    file = CheckpointFile(tmp_path / "c.safetensors", "r")
    with pytest.raises(TrainingInterrupted):
        list(fit(tiny_model(), without_val(), config, FitOptions(CPU, file, stop_at(after_steps))))
    resumed = tiny_model()
    list(fit(resumed, without_val(), config, FitOptions(CPU, file)))
    assert moved(whole.state_dict(), resumed.state_dict()) == set()


def test_a_run_stopped_during_validation_ends_bitwise_equal(tmp_path):
    config = run_config(FROZEN)
    whole = tiny_model()
    finish(whole, config)
    file = CheckpointFile(tmp_path / "c.safetensors", "r")
    with pytest.raises(TrainingInterrupted):  # 6 steps of the first epoch, then val's first batch
        finish(tiny_model(), config, checkpoint=file, should_stop=stop_at(6))
    assert (file.load().state.epoch, file.load().state.step) == (0, 6)
    resumed = tiny_model()
    finish(resumed, config, checkpoint=file)
    assert moved(whole.state_dict(), resumed.state_dict()) == set()


def test_mixed_precision_in_fp16_resumes_with_its_loss_scale(tmp_path, monkeypatch):
    # a GPU's path, on the CPU: the scaler is the same code
    monkeypatch.setattr(optim, "amp_dtype", lambda device: torch.float16)
    config = run_config(FROZEN)
    whole, results = tiny_model(), []
    for result in fit(whole, without_val(), config, FitOptions(CPU)):
        results.append(result)
    file = CheckpointFile(tmp_path / "c.safetensors", "r")
    with pytest.raises(TrainingInterrupted):
        list(fit(tiny_model(), without_val(), config, FitOptions(CPU, file, stop_at(4))))
    assert file.load().scaler["scale"] > 1
    resumed = tiny_model()
    list(fit(resumed, without_val(), config, FitOptions(CPU, file)))
    assert moved(whole.state_dict(), resumed.state_dict()) == set()


def test_a_modality_called_backbone_is_in_the_checkpoint(tmp_path):
    rows = products(24)
    rows = replace(
        rows,
        inputs={"backbone": rows.inputs["text"]},
        present={"backbone": rows.present["text"], "image": rows.present["image"]},
    )
    source = TrainData(lambda phase: reader(rows), lambda phase: reader(rows))

    def model(seed=0):
        torch.manual_seed(seed)
        towers = {"backbone": TextTower(), "image": ImageTower(TinyBackbone())}
        return FusionClassifier(towers, NUM_CLASSES)

    config = run_config(PhaseConfig("frozen", 3))
    whole = model()
    list(fit(whole, source, config, FitOptions(CPU)))
    file = CheckpointFile(tmp_path / "c.safetensors", "r")
    with pytest.raises(TrainingInterrupted):
        list(fit(model(), source, config, FitOptions(CPU, file, stop_at(4))))
    saved = file.load().model
    assert not any("conv.weight" in key for key in saved), "a frozen backbone is left out"
    resumed = with_untrained_of(model(seed=1), model(), rows.inputs["backbone"])
    list(fit(resumed, source, config, FitOptions(CPU, file)))
    assert moved(whole.state_dict(), resumed.state_dict()) == set()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: c.model.popitem(), r"is missing \(1 in all\)"),
        (lambda c: c.best.popitem(), "is missing"),
        (lambda c: c.model.update(more=torch.zeros(1)), "the network has no tensor 'more'"),
        (lambda c: c.model.update({FUSION: torch.zeros(9)}), r"is \(9,\) torch.float32, the netw"),
        (lambda c: c.best.clear(), r"its best epoch is \(0, 1\) with 0 tensors"),
        (lambda c: setattr(c.state, "phase", 4), "it stands in phase 5, the run has 2"),
        (lambda c: c.optimizer.update({"0/exp_avg": torch.zeros(2)}), "tensor '0/exp_avg' is"),
        (lambda c: c.optimizer.update({"999/step": torch.zeros(1)}), "there is no parameter '999'"),
        (lambda c: c.optimizer.pop("0/step"), "of a parameter are incomplete"),
    ],
)
def test_a_checkpoint_that_does_not_fit_the_network_is_refused(tmp_path, spoil, message):
    file = CheckpointFile(tmp_path / "c.safetensors", "r")
    config = run_config(FROZEN, TUNED)
    with pytest.raises(TrainingInterrupted):
        finish(tiny_model(), config, checkpoint=file, should_stop=stop_at(18))
    checkpoint = file.load()
    spoil(checkpoint)
    file.save(checkpoint)
    with pytest.raises(CheckpointError, match=f"{message}.*; delete it and train from the start"):
        finish(tiny_model(), config, checkpoint=file)
