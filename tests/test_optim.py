"""One step in full or mixed precision: what it does, what it leaves alone, what it takes over."""

import pytest
import torch
from networks import run_config
from torch import nn

from mmcore import optim
from mmcore.config import PhaseConfig
from mmcore.optim import RunningStatistics, SavedStep, StepOutcome, Stepper, amp_dtype

PHASE = PhaseConfig("p", 1, 1e-3)


@pytest.fixture
def network():
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(36, 2)
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


@pytest.fixture
def fp16(monkeypatch):
    """Take a GPU's fp16 path on the CPU: scaler and autocast are the same code there."""
    monkeypatch.setattr(optim, "amp_dtype", lambda device: torch.float16)


def loss_of(network, factor: float = 1.0):
    torch.manual_seed(1)
    return network(torch.randn(8, 3, 4, 4)).float().square().mean() * factor


def stepped(network, times: int = 3) -> Stepper:
    stepper = Stepper(network, PHASE, run_config())
    for i in range(times):
        assert stepper.step(loss_of(network), i / times) is StepOutcome.TAKEN
    return stepper


@pytest.mark.parametrize("factor", [float("inf"), float("nan"), 1e37])
def test_a_step_that_is_not_finite_leaves_weights_moments_and_gradients_alone(network, factor):
    stepper = stepped(network)
    weights = [p.detach().clone() for p in network.parameters()]
    moments = {key: tensor.clone() for key, tensor in stepper.state()[0].items()}
    # 1e37: the loss is finite, the norm of its gradient isn't
    assert stepper.step(loss_of(network, factor), 0.5) is StepOutcome.NOT_FINITE
    assert all(torch.equal(a, b) for a, b in zip(weights, network.parameters(), strict=True))
    assert all(torch.equal(moments[key], t) for key, t in stepper.state()[0].items())
    assert all(p.grad is None for p in network.parameters())


def test_running_statistics_are_put_back(network):
    network.train()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    statistics = RunningStatistics(network)
    statistics.remember()
    network(torch.full((2, 3, 4, 4), float("inf")))
    assert network[1].running_mean.isnan().all()
    statistics.restore()
    assert all(torch.equal(before[key], t) for key, t in network.state_dict().items())


def test_an_fp16_overflow_lowers_the_scale_and_is_no_failure(network, fp16):
    stepper, outcomes = Stepper(network, PHASE, run_config()), []
    for _ in range(12):
        with stepper.autocast():
            loss = loss_of(network, 1000)  # times the scale, 65,536 at first, beyond fp16
        outcomes.append(stepper.step(loss, 0.5))
    assert outcomes[0] is StepOutcome.RESCALED and outcomes[-1] is StepOutcome.TAKEN
    assert StepOutcome.NOT_FINITE not in outcomes
    assert 1 < stepper.state()[1]["scale"] < 65_536


def test_an_overflow_that_no_scale_cures_is_a_failure(network, fp16):
    stepper, outcomes = Stepper(network, PHASE, run_config()), []
    while StepOutcome.NOT_FINITE not in outcomes:
        with stepper.autocast():
            loss = loss_of(network, 1e10)
        outcomes.append(stepper.step(loss, 0.5))
        assert len(outcomes) < 40, "it would go on for ever"
    assert outcomes[:16] == [StepOutcome.RESCALED] * 16  # from 65,536 down to 1


def test_restored_moments_lie_in_memory_as_their_weights(network):
    # the fused kernels walk over both in step; a checkpoint holds them in plain order
    tensors, scaler = stepped(network).state()
    plain = {key: t.clone(memory_format=torch.contiguous_format) for key, t in tensors.items()}
    other = Stepper(network, PHASE, run_config())
    other.restore(SavedStep(plain, scaler))
    restored = other.state()[0]
    weight = network[0].weight
    assert weight.stride() != weight.contiguous().stride(), "the test needs channels_last"
    assert restored["0/exp_avg"].stride() == restored["0/exp_avg_sq"].stride() == weight.stride()
    assert all(torch.equal(tensors[key], t) for key, t in restored.items())
    assert restored["0/step"] == 3


def test_a_loss_scale_is_taken_over_and_a_damaged_one_refused(network, fp16):
    tensors, scaler = stepped(network).state()
    other = Stepper(network, PHASE, run_config())
    other.restore(SavedStep(tensors, {**scaler, "scale": 512.0}))
    assert other.state()[1]["scale"] == 512
    with pytest.raises(ValueError, match="loss scale lacks 'growth_factor'"):
        other.restore(SavedStep(tensors, {"scale": 512.0}))


def test_a_run_may_go_on_in_full_precision_that_began_in_fp16(network, monkeypatch):
    monkeypatch.setattr(optim, "amp_dtype", lambda device: torch.float16)
    tensors, scaler = stepped(network).state()
    monkeypatch.undo()
    stepper = Stepper(network, PHASE, run_config())
    stepper.restore(SavedStep(tensors, scaler))
    assert stepper.step(loss_of(network), 0.5) is StepOutcome.TAKEN


@pytest.mark.parametrize(("is_native", "dtype"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_card_that_only_emulates_bf16_takes_fp16(monkeypatch, is_native, dtype):
    def is_supported(including_emulation=True):
        return including_emulation or is_native

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_supported)
    assert amp_dtype(torch.device("cuda")) is dtype
    assert amp_dtype(torch.device("cpu")) is None
