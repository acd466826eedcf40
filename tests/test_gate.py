"""What the quality gate lets through and what it stops, each with its sentence."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcore.bootstrap import Interval
from mmcore.errors import ConfigError
from mmcore.gate import ClassChange, GateFacts, GateLimits, check_all, signed

EQUAL = GateFacts(
    against="old",
    after=0.80,
    before=0.80,
    difference=Interval(0.0, 0.0, 0.0),
    classes=(ClassChange("10", 30, 0.9, 0.9), ClassChange("20", 5, 0.7, 0.7)),
    ece_after=0.05,
    ece_before=0.05,
)


def judged(limits=None, **changes):
    checks = check_all(replace(EQUAL, **changes), limits or GateLimits())
    assert [check.what for check in checks] == ["fused_macro_f1", "class_f1", "calibration"]
    return checks


def passed(*args, **changes):
    return [check.passed for check in judged(*args, **changes)]


@given(score=st.floats(0, 1), ece=st.floats(0, 1), n=st.integers(0, 100))
def test_an_equal_model_always_passes(score, ece, n):
    same = (ClassChange("10", n, score, score),)
    assert all(passed(after=score, before=score, classes=same, ece_after=ece, ece_before=ece))


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        (Interval(0.05, 0.02, 0.08), True),
        (Interval(-0.01, -0.03, 0.01), True),
        (Interval(-0.01, -0.03, 0.0), True),
        (Interval(-0.03, -0.05, -0.01), False),
    ],
)
def test_macro_f1_may_be_lower_only_within_the_interval(difference, expected):
    assert passed(difference=difference) == [expected, True, True]


def test_a_drop_that_a_lead_allowed_passes():
    difference = Interval(-0.03, -0.05, -0.01)
    assert passed(GateLimits(macro_drop=0.02), difference=difference)[0]


@pytest.mark.parametrize(
    ("n", "after", "expected"),
    [(20, 0.79, False), (20, 0.80, True), (19, 0.10, True), (20, 0.95, True)],
)
def test_no_class_may_fall_by_more_than_a_tenth(n, after, expected):
    classes = (ClassChange("10", n, 0.90, after), ClassChange("20", 50, 0.5, 0.6))
    assert passed(classes=classes) == [True, expected, True]


@pytest.mark.parametrize(("rise", "expected"), [(-0.04, True), (0.02, True), (0.021, False)])
def test_calibration_may_rise_by_two_points(rise, expected):
    assert passed(ece_after=0.05 + rise) == [True, True, expected]


def test_the_sentences_say_value_limit_and_meaning():
    classes = (ClassChange("10", 40, 0.90, 0.70), ClassChange("20", 40, 0.5, 0.6))
    macro, by_class, calibration = judged(
        after=0.77,
        difference=Interval(-0.03, -0.05, -0.01),
        classes=classes,
        ece_after=0.1,
    )
    assert macro.sentence == (
        "fused macro-F1 is 0.770, 3.0 points below old's 0.800: more than chance explains "
        "(95% interval of the difference: -5.0 to -1.0 points)"
    )
    assert by_class.sentence == (
        "1 of 2 classes lost more than 10.0 points of F1: 10 (0.90 to 0.70)"
    )
    assert calibration.sentence == (
        "calibration error is 0.100, old's 0.050: +5.0 points, more than the 2.0 points allowed"
    )
    assert (macro.value, macro.limit) == (-0.01, 0.0)
    assert (by_class.value, by_class.limit) == (pytest.approx(-0.2), -0.1)


def test_the_sentences_of_an_equal_model():
    macro, by_class, _ = judged()
    assert "equal to old's 0.800: no difference" in macro.sentence
    assert "none of the 1 classes with 20 or more" in by_class.sentence
    few = judged(classes=(ClassChange("10", 3, 1.0, 0.0),))[1]
    assert few.passed and few.value is None and "no class has 20 test products" in few.sentence


def test_a_negative_zero_is_none():
    assert (signed(-0.0001), signed(0.0), signed(-0.031)) == ("+0.0", "+0.0", "-3.1")


def test_limits_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="class_drop is 1.5; it must lie from 0.0 to 1.0"):
        GateLimits(class_drop=1.5)
