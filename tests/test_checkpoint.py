"""A checkpoint file from a bad disk or a careless hand is refused with its remedy."""

import json
import struct
from dataclasses import asdict

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from mmcore.checkpoint import FORMAT, Checkpoint, CheckpointFile, TrainState
from mmcore.errors import CheckpointError

STATE = TrainState(epoch=1, best_score=0.5, best_loss=1.5, best_at=(0, 0), history=[{"epoch": 1}])
TENSORS = {"a.weight": torch.arange(6.0).view(2, 3), "n": torch.tensor(3)}


def checkpoint() -> Checkpoint:
    best = {key: tensor + 1 for key, tensor in TENSORS.items()}
    return Checkpoint(STATE, TENSORS, best, {"0/step": torch.tensor(4.0)}, {"scale": 2.0})


@pytest.fixture
def file(tmp_path):
    file = CheckpointFile(tmp_path / "c.safetensors", "run")
    file.save(checkpoint())
    return file


def write(file: CheckpointFile, **header: str) -> None:
    """Write a file that differs from a good one in its header."""
    good = {
        "format": FORMAT,
        "run": "run",
        "state": json.dumps(asdict(STATE)),
        "scaler": "{}",
    }
    kept = {key: value for key, value in {**good, **header}.items() if value}
    file.path.write_bytes(save({"model:a": torch.zeros(1)}, kept))


def refused(file: CheckpointFile) -> str:
    with pytest.raises(CheckpointError, match="can't be used: .*; delete it and train") as caught:
        file.load()
    assert str(file.path) in str(caught.value)
    return str(caught.value)


def test_what_was_saved_is_loaded(file):
    found = file.load()
    assert found.state == STATE and found.scaler == {"scale": 2.0}
    assert all(torch.equal(found.model[key], tensor) for key, tensor in TENSORS.items())
    assert found.optimizer["0/step"] == 4
    file.remove()
    assert file.load() is None


def state(**changes) -> str:
    return json.dumps({**asdict(STATE), **changes})


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"state": "{"}, "Expecting property name"),
        ({"state": ""}, "its header lacks 'state'"),
        ({"scaler": ""}, "its header lacks 'scaler'"),
        ({"state": "[]"}, r"should hold \['bad_steps_in_row'.*not list"),
        ({"state": json.dumps({"phase": 1})}, r"should hold .*not \['phase'\]"),
        ({"state": state(colour=1)}, "should hold"),
        ({"state": state(epoch="3")}, "epoch of its state is '3'"),
        ({"state": state(epoch=-1)}, "epoch of its state is -1"),
        ({"state": state(step=1.5)}, "step of its state is 1.5"),
        ({"state": state(phase=True)}, "phase of its state is True"),
        ({"state": state(best_score=None)}, "best_score of its state is None"),
        ({"state": state(best_at=[1])}, r"best_at of its state is \[1\]"),
        ({"state": state(history=[1])}, r"history of its state is \[1\]"),
        ({"state": "[" * 100_000}, "recursion"),
        ({"scaler": "[1]"}, r"the state of its loss scale is \[1\]"),
        ({"scaler": '{"scale": "x"}'}, "the state of its loss scale is"),
        ({"format": "rayon-checkpoint-0"}, "its format is 'rayon-checkpoint-0', expected"),
        ({"format": ""}, "its format is None"),
        ({"run": "other"}, "belongs to other settings or other labels"),
    ],
)
def test_a_damaged_header_is_refused(file, header, message):
    write(file, **header)
    with pytest.raises(CheckpointError, match=message):
        file.load()
    refused(file)


def test_a_tensor_of_no_part_is_refused(file):
    good = {"format": FORMAT, "run": "run", "state": json.dumps(asdict(STATE)), "scaler": "{}"}
    file.path.write_bytes(save({"colour:a": torch.zeros(1)}, good))
    assert "a tensor 'colour:a' that belongs to no part" in refused(file)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"garbage" * 99, struct.pack("<Q", 2**62), struct.pack("<Q", 2) + b"{}"],
)
def test_garbage_is_refused(file, content):
    file.path.write_bytes(content)
    refused(file)


def test_a_folder_in_its_place_is_refused(file):
    file.remove()
    file.path.mkdir()
    refused(file)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(file, share):
    data = file.path.read_bytes()
    file.path.write_bytes(data[: int(len(data) * share)])
    refused(file)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_any_damage_is_refused_or_harmless(file, data):
    file.save(checkpoint())
    content = bytearray(file.path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.path.write_bytes(content)
    try:
        assert isinstance(file.load(), Checkpoint)
    except CheckpointError as error:
        assert "delete it and train from the start" in str(error)
