"""How fast a file is predicted: of late, and what is left by it."""

from mmcore.services.batch_pace import WINDOW_S, BatchProgress, Speed


def test_speed_is_known_from_the_second_mark_on():
    speed = Speed()
    assert speed.at(10.0, 500) is None, "rows of an earlier run say nothing about this one"
    assert speed.at(10.0, 500) is None
    assert speed.at(12.0, 564) == 32.0


def test_speed_is_that_of_the_last_half_minute():
    speed = Speed()
    rates = [speed.at(float(second), 10 * second) for second in range(100)]
    assert rates[-1] == 10.0
    for second in range(100, 100 + int(WINDOW_S) + 1):
        rate = speed.at(float(second), 990 + 20 * (second - 99))
    assert rate == 20.0
    assert len(speed._marks) <= WINDOW_S + 2


def test_what_is_left_follows_from_speed():
    assert BatchProgress(40, 100, 20, 6.0).left_s == 10.0
    assert BatchProgress(40, 100).left_s is None
