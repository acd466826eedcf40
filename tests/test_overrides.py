"""Single values of a configuration set by name, held to the limits they have everywhere."""

import pytest

from mmcore.config import RunChoices, build_run_config
from mmcore.errors import ConfigError
from mmcore.overrides import apply_overrides, knobs

USUAL = build_run_config(RunChoices())


def test_values_of_run_model_and_phase_are_set():
    words = [
        "batch_size=64",
        "modality_dropout = 0.3",
        "linear_heads=no",
        "lr2=2e-5",
        "patience1=9",
    ]
    found = apply_overrides(USUAL, words)
    assert (found.batch_size, found.model.modality_dropout) == (64, 0.3)
    assert found.model.linear_heads is False and USUAL.model.linear_heads is True
    assert [phase.lr for phase in found.phases] == [1e-3, 2e-5]
    assert [phase.patience for phase in found.phases] == [9, USUAL.phases[1].patience]


def test_nothing_given_nothing_changed():
    assert apply_overrides(USUAL, ()) == USUAL


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("batch_size", "write NAME=VALUE"),
        ("batch_size=", "write NAME=VALUE"),
        ("batch_size=many", "'many' is not a whole number"),
        ("linear_heads=perhaps", "'perhaps' is not true or false"),
        ("modality_dropout=2", "must lie from 0.0 to 0.9"),
        ("seed=3", "may be one of .*batch_size.*modality_dropout.*lr1.*patience2"),
        ("lr3=0.1", "there is no such value"),
    ],
)
def test_what_cannot_be_is_told(word, told):
    with pytest.raises(ConfigError, match=told):
        apply_overrides(USUAL, [word])


def test_everything_named_can_be_set_to_what_it_is():
    for name, _, value in knobs(USUAL):
        assert apply_overrides(USUAL, [f"{name}={value}"]) == USUAL


@pytest.mark.parametrize(
    ("choices", "word"),
    [(RunChoices(epochs2=1), "refit=true"), (RunChoices(preset="seed"), "refit=true")],
    ids=["fine-tuning", "nothing to weigh"],
)
def test_a_refit_where_there_is_no_room_for_it_is_refused(choices, word):
    with pytest.raises(ConfigError, match="refit is true, but .*leave one of them out"):
        apply_overrides(build_run_config(choices), [word])
