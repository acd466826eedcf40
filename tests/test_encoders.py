"""Text and tabular columns to arrays."""

import numpy as np
import pandas as pd
import pytest

from mmcore.config import TEXT, ModalityConfig
from mmcore.encoders import (
    CategoryColumn,
    NumericColumn,
    encoder_from_json,
    encoder_to_json,
    fit_encoder,
)
from mmcore.errors import ConfigError

FRAME = pd.DataFrame(
    {
        "title": ["Piscine bleue", "", "inconnu"],
        "description": ["grande piscine", "", ""],
        "price": ["10", "1 000,50", ""],
        "brand": ["Alto", "Alto", "Brio"],
    }
)


def test_text_is_title_then_description():
    encoder = fit_encoder(TEXT, FRAME.iloc[:2])
    ids, has = encoder.encode(FRAME)
    spelled = [encoder.vocabulary.words[i - 1] for i in ids[0] if i]
    assert spelled == ["piscine", "bleue", "grande", "piscine"]
    # the third product has a title, but no word of it is known: there is nothing to read
    assert has.tolist() == [True, False, False]


def test_a_column_of_numbers_is_standardised_and_a_gap_is_the_mean():
    encoder = fit_encoder(ModalityConfig("price", "tabular", ("price",)), FRAME)
    assert isinstance(encoder.columns[0], NumericColumn)
    rows, has = encoder.encode(FRAME)
    assert rows[:2].mean() == pytest.approx(0, abs=1e-6) and rows[2, 0] == 0
    assert rows[1, 0] > rows[0, 0]  # 1 000,50 was read as a thousand
    assert has.tolist() == [True, True, False]


def test_a_column_of_words_becomes_categories():
    encoder = fit_encoder(ModalityConfig("brand", "tabular", ("brand",)), FRAME)
    assert isinstance(encoder.columns[0], CategoryColumn)
    rows, _ = encoder.encode(pd.DataFrame({"brand": ["Brio", "Alto", "Neu", ""]}))
    assert rows.tolist() == [[0, 1], [1, 0], [0, 0], [0, 0]]


def test_several_columns_stand_side_by_side():
    encoder = fit_encoder(ModalityConfig("facts", "tabular", ("price", "brand")), FRAME)
    assert encoder.encode(FRAME)[0].shape == (3, encoder.width) == (3, 3)


@pytest.mark.parametrize(
    ("modality", "message"),
    [
        (ModalityConfig("size", "tabular", ("size",)), "column 'size', which the catalogue lacks"),
        (ModalityConfig("note", "text", ("empty",)), "no train product has anything in empty"),
        (ModalityConfig("note", "tabular", ("empty",)), "leave it out of --modalities"),
    ],
)
def test_a_column_that_cannot_serve_is_refused(modality, message):
    with pytest.raises(ConfigError, match=message):
        fit_encoder(modality, FRAME.assign(empty=""))


@pytest.mark.parametrize("modality", [TEXT, ModalityConfig("facts", "tabular", ("price", "brand"))])
def test_json_round_trip(modality):
    encoder = fit_encoder(modality, FRAME)
    again = encoder_from_json(encoder_to_json(encoder))
    assert again == encoder
    assert np.array_equal(again.encode(FRAME)[0], encoder.encode(FRAME)[0])
