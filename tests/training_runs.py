"""Tiny trainings: their products, phases and what they leave."""

from itertools import chain, repeat

import numpy as np
import torch
from networks import CPU, products, reader

from mmcore.config import PhaseConfig
from mmcore.trainer import FitOptions, TrainData, fit

FUSION = "fusion.0.0.bias"
VAL = (30, 99)  # products and seed
EMBEDDING = "towers.on_text.embedding.weight"
FROZEN = PhaseConfig("frozen", 2)
TUNED = PhaseConfig("fine-tuning", 1, 1e-4, train_backbone=True)


def data(train_seed: int = 0, num: int = 48) -> TrainData:
    train, val = products(num, train_seed), products(*VAL)
    return TrainData(
        train=lambda phase: reader(train, not phase.train_backbone),
        val=lambda phase: reader(val, not phase.train_backbone),
    )


def live_data() -> TrainData:
    rows = products(24)
    return TrainData(*[lambda phase: reader(rows, as_features=False)] * 2)


def finish(model, config, **options):
    return list(fit(model, data(), config, FitOptions(CPU, **options)))


def with_untrained_of(model, start, *inputs):
    """Return the model with what no checkpoint holds, as the start of a run makes it again: the
    backbone's weights and the vectors of words that are in none of the inputs."""
    model.image_tower.backbone.load_state_dict(start.image_tower.backbone.state_dict())
    own, starting = (next(iter(m.towers.values())).embedding.weight for m in (model, start))
    unused = np.setdiff1d(np.arange(len(own)), np.concatenate([np.unique(ids) for ids in inputs]))
    with torch.no_grad():
        own[unused] = starting[unused]
    return model


def stop_at(num_asked):
    """Return a function that says stop the time after it was asked so often."""
    answers = chain(repeat(False, num_asked), repeat(True))
    return lambda: next(answers)


def backbone_state(model):
    return {k: t.clone() for k, t in model.state_dict().items() if ".backbone." in k}


def moved(before, after):
    return {k for k in before if not torch.equal(before[k], after[k])}


def without_val(num: int = 24) -> TrainData:
    train, none = products(num), products(0)
    return TrainData(
        lambda phase: reader(train, not phase.train_backbone), lambda phase: reader(none)
    )
