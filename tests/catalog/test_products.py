"""The catalogue in memory: its classes in order, its missing values."""

import pandas as pd
import pytest

from mmcore.catalog.products import (
    BASE_COLUMNS,
    ClassName,
    check_frame,
    make_frame,
    name_classes,
    order_codes,
)


def test_an_empty_frame_has_text_columns():
    frame = make_frame([], ["prix"])
    assert tuple(frame.columns) == (*BASE_COLUMNS, "prix")
    assert {str(dtype) for dtype in frame.dtypes} == {"str"}


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["2583", "10", "1140", "10"], ["10", "1140", "2583"]),
        (["10", "9", "-1", "09"], ["-1", "09", "9", "10"]),
        (["10", "9", "livre"], ["10", "9", "livre"]),
        (["b", "a"], ["a", "b"]),
        ([], []),
    ],
)
def test_integer_codes_are_in_numerical_order(codes, expected):
    assert order_codes(codes) == expected


def test_a_class_without_a_known_name_is_shown_as_it_is():
    books = ClassName("10", "Livres", "Books")
    assert name_classes(["40", "10"], {"10": books}) == (books, ClassName("40", "40", "40"))


def test_missing_values_may_not_be_nan():
    frame = make_frame([("1", "a", "", "", "", "", "train", "")])
    check_frame(frame)
    broken = frame.assign(title=pd.Series([None], dtype="str"))
    with pytest.raises(ValueError, match="column 'title' holds NaN; write missing values as ''"):
        check_frame(broken)
    with pytest.raises(ValueError, match="its first columns are .*'title'.*they must be"):
        check_frame(frame[frame.columns[::-1]])
