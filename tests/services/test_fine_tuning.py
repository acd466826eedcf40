"""Phase 2 is planned by photos, pace and time, and says why; afterwards it says what it gained."""

import pytest
import torch

from mmcore.config import RunChoices, build_run_config
from mmcore.services import fine_tuning
from mmcore.services.fine_tuning import MIN_PHOTOS, Photos, gain_note, plan_epochs

CPU = torch.device("cpu")
CONFIG = build_run_config(RunChoices(epochs2=3))
MANY = Photos(MIN_PHOTOS, MIN_PHOTOS // 3)


def taking(monkeypatch, seconds):
    monkeypatch.setattr(fine_tuning, "_epoch_seconds", lambda *given: seconds)


def test_few_photos_stay_with_a_frozen_backbone_and_nothing_is_measured(monkeypatch):
    monkeypatch.setattr(fine_tuning, "_epoch_seconds", None)
    epochs, why = plan_epochs(CONFIG, Photos(1753, 625), 15, CPU)
    assert epochs == 0
    assert "1,753 train photos" in why and "8,000" in why and "--epochs2" in why


@pytest.mark.parametrize(
    ("epoch_s", "minutes", "parent", "epochs"),
    [(60, 15, None, 5), (60, 5, None, 3), (600, 15, None, 0), (60, 15, "m1", 2)],
)
def test_as_many_epochs_as_fit_into_the_time(monkeypatch, epoch_s, minutes, parent, epochs):
    taking(monkeypatch, epoch_s)
    config = build_run_config(RunChoices(parent=parent))
    found, why = plan_epochs(config, MANY, minutes, CPU)
    assert found == epochs
    assert f"about {epoch_s / 60:.1f} min on this cpu" in why and f"of {minutes} min" in why
    assert ("left out" in why) is (epochs == 0)


def test_the_pace_is_this_machines(monkeypatch):
    small, large = (
        fine_tuning._epoch_seconds(CONFIG, Photos(num, 0), CPU) for num in (1_000, 100_000)
    )
    assert 0 < small < large / 10, "measured twice, on a machine that may have other work"


def row(phase, **scores):
    return {"phase": phase, "val_macro_f1": scores}


def test_what_it_gained_is_told():
    frozen = [row(1, text=0.5, fused=0.7), row(1, text=0.6, fused=0.7)]
    (lost,) = gain_note([*frozen, row(2, text=0.6, fused=0.6)], CONFIG)
    assert "gained nothing on val, so the frozen backbone is kept: 0.650 before, 0.600" in lost
    (won,) = gain_note([*frozen, row(2, text=0.6, fused=0.8)], CONFIG)
    assert "gained on val: 0.650 before, 0.700" in won
    assert gain_note(frozen, CONFIG) == []
    assert gain_note([row(1), row(2)], CONFIG) == [], "without val nothing is known"
