"""Text and tabular columns to arrays."""

import numpy as np
import pandas as pd
import pytest

from mmcore.batches import encode_products, lacking_columns
from mmcore.config import TEXT, ModalityConfig, ModelConfig, parse_modality
from mmcore.encoders import (
    MAX_DEVIATIONS,
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
    rows, has = encoder.encode(pd.DataFrame({"brand": ["Brio", "Alto", "Neu", ""]}))
    assert rows.tolist() == [[0, 1], [1, 0], [0, 0], [0, 0]]
    assert has.tolist() == [True, True, True, False]


def price(*values: str):
    """Return the column fitted on these values and what it makes of them."""
    frame = pd.DataFrame({"price": values})
    encoder = fit_encoder(ModalityConfig("price", "tabular", ("price",)), frame)
    return encoder.columns[0], *encoder.encode(frame)


def test_prices_may_have_a_currency_or_a_sign():
    column, rows, has = price("1 299,00 €", "12.50 EUR", "$5", "-5", "1299")
    assert isinstance(column, NumericColumn) and has.all()
    assert rows[0] == rows[4] > rows[1] > rows[2] > rows[3]


@pytest.mark.parametrize("share", [0.05, 0.11, 0.3])
def test_words_among_the_numbers_are_gaps(share):
    numbers = [f"{i},90" for i in range(100)]
    gaps = round(100 * share)
    column, rows, has = price(*["sur devis"] * gaps, *numbers[gaps:])
    assert isinstance(column, NumericColumn)
    assert not has[:gaps].any() and has[gaps:].all() and not rows[:gaps].any()


def test_numbers_among_few_names_are_names():
    # sizes: as numbers, four values in ten would be lost
    column, rows, has = price(*["38", "40", "42"] * 20, *["M", "L"] * 20)
    assert isinstance(column, CategoryColumn)
    assert has.all() and (rows.sum(axis=1) == 1).all()


def test_an_absurd_number_drowns_nothing():
    column, rows, has = price(*(str(10 + i % 7) for i in range(200)), "1e308", "inf", "-1e308")
    assert isinstance(column, NumericColumn) and np.isfinite(rows).all()
    assert np.abs(rows).max() <= MAX_DEVIATIONS and has.tolist() == [True] * 201 + [False, True]
    assert np.ptp(rows[:200]) > 0.05  # the ordinary ones can still be told apart


def test_one_price_for_all_says_nothing_and_breaks_nothing():
    column, rows, _ = price(*["12,90"] * 50)
    assert column.std == 1.0 and not rows.any()
    later, has = column.encode(["1000000"])
    assert 0 < later[0, 0] <= MAX_DEVIATIONS and has.all()


def test_a_column_that_the_products_lack_is_missing_everywhere():
    modalities = (TEXT, *map(parse_modality, ("price", "notes:text", "facts:tabular:price+brand")))
    model = ModelConfig(modalities, weights="random")
    frame = FRAME.assign(notes="bien", photo="", product_id="p", label="a")
    encoders = {m.name: fit_encoder(m, frame) for m in modalities}
    there = frame.drop(columns=["price", "notes"])
    assert lacking_columns(frame, model) == []
    assert lacking_columns(there, model) == ["price", "notes"]
    found = encode_products(there, model, encoders, ["a"])
    assert not found.present["price"].any() and not found.present["notes"].any()
    assert found.present["facts"].all()  # the brand is still there
    full = encode_products(frame, model, encoders, ["a"])
    assert np.array_equal(found.inputs["text"], full.inputs["text"])


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
