"""Agreement and intervals against published worked examples and second formulas."""

import numpy as np
import pytest
from scipy.stats import binomtest

from mmcore.agreement import (
    cohen_kappa,
    difference_interval,
    krippendorff_alpha,
    wilson_interval,
)

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability": examples A, B and C
MEG_OWEN = ["0100000010", "1110010000"]
BEN_GERRY = ["aabbdcccedda", "babbbcccedd d".replace(" ", "")]
FOUR = ["123321412...", "12332241 25.3".replace(" ", ""), ".33323422 51.".replace(" ", "")]
FOUR.append("12332441 251.".replace(" ", ""))


def units(observers):
    assert len({len(values) for values in observers}) == 1
    return [[v for v in of_unit if v != "."] for of_unit in zip(*observers, strict=True)]


@pytest.mark.parametrize(
    ("observers", "alpha"), [(MEG_OWEN, 0.095), (BEN_GERRY, 0.692), (FOUR, 0.743)]
)
def test_alpha_of_the_published_examples(observers, alpha):
    assert krippendorff_alpha(units(observers)) == pytest.approx(alpha, abs=0.0005)


def test_alpha_does_not_ask_who_said_what_and_ignores_lone_opinions():
    forward = krippendorff_alpha(units(BEN_GERRY))
    backward = krippendorff_alpha(units(BEN_GERRY[::-1]))
    assert forward == pytest.approx(backward)
    assert krippendorff_alpha([*units(BEN_GERRY), ["a"], []]) == pytest.approx(forward)


def test_alpha_of_full_agreement_is_1_and_of_one_class_unknown():
    assert krippendorff_alpha([["a", "a"], ["b", "b"]]) == 1.0
    assert krippendorff_alpha([["a", "a"], ["a", "a"]]) is None
    assert krippendorff_alpha([]) is None


def test_alpha_of_chance_is_about_0():
    rng = np.random.default_rng(1)
    assert abs(krippendorff_alpha(rng.integers(0, 3, (5_000, 2)).tolist())) < 0.03


def test_kappa_by_hand():
    # 70% agree; by chance 0.6 * 0.5 + 0.4 * 0.5 = 50%
    first = ["y"] * 6 + ["n"] * 4
    second = ["y"] * 4 + ["n"] * 2 + ["y"] + ["n"] * 3
    assert cohen_kappa(first, second) == pytest.approx((0.7 - 0.5) / 0.5)
    assert cohen_kappa(["a", "a"], ["a", "a"]) is None


@pytest.mark.parametrize(("count", "n"), [(0, 1), (3, 7), (48, 50), (500, 1000), (9, 9)])
def test_the_interval_is_wilsons(count, n):
    expected = binomtest(count, n).proportion_ci(method="wilson")
    assert wilson_interval(count, n) == pytest.approx((expected.low, expected.high), abs=1e-4)


def test_nothing_counted_nothing_known():
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert difference_interval(0, 0, 3, 4) == (-1.0, 1.0)


def test_the_interval_of_a_difference_is_newcombes():
    # Newcombe 1998, table II (a): 56/70 - 48/80 is 0.2, from 0.0524 to 0.3339
    assert difference_interval(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-4)
