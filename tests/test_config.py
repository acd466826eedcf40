"""Run choices: limits, presets, command-line words."""

import json

import pytest

from mmcore.catalog.products import BASE_COLUMNS
from mmcore.config import (
    CLOSED_COLUMNS,
    IMAGE,
    TEXT,
    ModalityConfig,
    ModelConfig,
    PhaseConfig,
    RunChoices,
    build_run_config,
    parse_modality,
    run_config_from_json,
    to_json,
)
from mmcore.errors import ConfigError


@pytest.mark.parametrize("preset", ["strong", "seed"])
def test_json_round_trip(preset):
    config = build_run_config(RunChoices(preset=preset))
    assert run_config_from_json(json.loads(json.dumps(to_json(config)))) == config


def test_choices_win_over_the_preset():
    choices = RunChoices(backbone="mobilenet_v2", epochs1=3, epochs2=2, seed=7)
    config = build_run_config(choices)
    assert (config.model.backbone, config.seed) == ("mobilenet_v2", 7)
    assert [phase.epochs for phase in config.phases] == [3, 2]


def test_a_model_without_photos_has_no_second_phase():
    config = build_run_config(RunChoices(modalities=(TEXT,)))
    assert [phase.name for phase in config.phases] == ["frozen"]


@pytest.mark.parametrize(
    ("word", "modality"),
    [
        ("text", TEXT),
        ("image", IMAGE),
        ("price", ModalityConfig("price", "tabular", ("price",))),
        ("reviews:text", ModalityConfig("reviews", "text", ("reviews",))),
        ("Prix TTC", ModalityConfig("prix_ttc", "tabular", ("Prix TTC",))),
        ("facts:tabular:price+brand", ModalityConfig("facts", "tabular", ("price", "brand"))),
    ],
)
def test_parse_modality(word, modality):
    assert parse_modality(word) == modality


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: parse_modality("x:sound"), "kind 'sound'; use one of text, image, tabular"),
        (lambda: parse_modality("x:image"), "there is one image modality"),
        (lambda: parse_modality("a:text:b:c"), "can't be read; write NAME"),
        (lambda: parse_modality("fused"), "not with the word 'fused', as NAME:KIND"),
        (lambda: parse_modality("fused_without_text"), "not with the word 'fused'"),
        (lambda: parse_modality("été"), "'_t_' can't be used.*as NAME:KIND:COLUMN"),
        (lambda: PhaseConfig("p", lr=3.0), "lr is 3.0; it must lie from 1e-06 to 0.1"),
        (lambda: ModelConfig(modality_dropout=1.0), "modality_dropout is 1.0; .* to 0.9"),
        (lambda: ModelConfig(backbone="resnet"), "use one of efficientnet_lite0, mobilenet_v2"),
        (lambda: ModelConfig(weights="mine"), "use one of imagenet, random"),
        (lambda: ModelConfig((TEXT, TEXT)), "each once"),
        (lambda: ModelConfig(joint=False, head_weight=0), "would learn nothing"),
        (
            lambda: build_run_config(RunChoices(preset="best")),
            "preset 'best': use one of strong, seed",
        ),
        (
            lambda: build_run_config(RunChoices(epochs1=0, epochs2=0)),
            "no phase has an epoch",
        ),
        (lambda: run_config_from_json({"model": {}}), "can't be read.*train again"),
    ],
)
def test_bad_choices_name_value_and_remedy(build, message):
    with pytest.raises(ConfigError, match=message):
        build()


@pytest.mark.parametrize("column", [c for c in BASE_COLUMNS if c not in ("title", "description")])
@pytest.mark.parametrize("word", ["x:tabular:{}", "x:text:{}", "x:tabular:title+{}"])
def test_no_text_or_table_is_read_from_the_catalogues_own_columns(column, word):
    # the label itself would be learnt by heart, and no new product has it
    with pytest.raises(ConfigError, match=f"column '{column}': it .*; name title, description or"):
        parse_modality(word.format(column))


def test_every_column_of_the_catalogue_is_open_or_closed():
    assert {*CLOSED_COLUMNS, "title", "description"} == set(BASE_COLUMNS)
