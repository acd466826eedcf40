"""How fast a person labels, from the times of the last acts."""

import pytest

from mmcore.services.pace import rate_per_hour
from mmcore.store.quality import PAUSE_S


@pytest.mark.parametrize("times", [[], [5.0], [5.0, 9.0], [5.0, 5.0, 5.0]])
def test_too_little_to_tell_is_none(times):
    assert rate_per_hour(times) is None


def test_an_act_every_ten_seconds_is_360_an_hour():
    assert rate_per_hour([0.0, 10.0, 20.0, 30.0]) == pytest.approx(360)


def test_the_order_of_the_times_does_not_matter():
    assert rate_per_hour([30.0, 0.0, 20.0, 10.0]) == pytest.approx(360)


def test_a_break_does_not_make_anybody_slow():
    after = 20 + 8 * PAUSE_S
    assert rate_per_hour([0, 10, 20, after, after + 10]) == pytest.approx(360)


def test_a_break_begins_at_its_limit():
    assert rate_per_hour([0, 10, 20, 20 + PAUSE_S]) == pytest.approx(360)
    slow = rate_per_hour([0, 10, 20, 19.5 + PAUSE_S])
    assert slow == pytest.approx(3 * 3600 / (19.5 + PAUSE_S))


def test_acts_that_only_breaks_lie_between_tell_nothing():
    assert rate_per_hour([0, PAUSE_S, 2 * PAUSE_S, 3 * PAUSE_S]) is None
