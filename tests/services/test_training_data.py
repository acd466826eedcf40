"""What a run learns from: which columns it is warned of."""

import pytest

from mmcore.catalog.products import make_frame
from mmcore.config import parse_modality
from mmcore.services.training_data import fit_modalities

LABELS = [f"c{i % 4}" for i in range(80)]


def notes(values: list[str], labels: list[str] = LABELS, word: str = "extra") -> tuple[str, ...]:
    """Return the notes on a column of these values."""
    rows = [
        (f"p{i}", "a title", "", "", label, "", "train", "", value)
        for i, (label, value) in enumerate(zip(labels, values, strict=True))
    ]
    train = make_frame(rows, ["extra"])
    kept, found = fit_modalities([parse_modality("text"), parse_modality(word)], train)
    assert len(kept) == 2
    return found


@pytest.mark.parametrize("word", ["extra", "reviews:text:extra"])
def test_a_column_that_is_the_label_under_another_name_is_noted(word):
    (note,) = notes([f" name of {label}" for label in LABELS], word=word)
    assert note == (
        "column 'extra' tells the class of 80 of 80 train products by itself: is it known for "
        "new products?"
    )


def test_a_finer_or_corrected_label_is_noted_too():
    assert "80 of 80" in notes([f"{label}/{i % 8}" for i, label in enumerate(LABELS)])[0]
    wrong = [f"c{(i + (i < 3)) % 4}" for i in range(80)]  # 3 labels are wrong, the column right
    assert "77 of 80" in notes(wrong)[0]
    gaps = [label if i % 3 else "" for i, label in enumerate(LABELS)]
    assert "53 of 80" in notes(gaps)[0]


@pytest.mark.parametrize(
    "values",
    [
        [f"brand {i % 7}" for i in range(80)],
        [str(i) for i in range(80)],  # each value once tells nothing of another product
        ["yes"] * 80,
        [""] * 80,
        [label if i % 3 == 0 else "" for i, label in enumerate(LABELS)],  # few products have it
    ],
    ids=["brand", "unique", "constant", "empty", "rare"],
)
def test_an_ordinary_column_is_not(values):
    assert notes(values) == ()


def test_a_constant_column_tells_nothing_where_one_class_is_nearly_all():
    assert notes(["yes"] * 80, ["big"] * 78 + ["small"] * 2) == ()
