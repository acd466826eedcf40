"""A stored verdict as the screens read it."""

from dataclasses import replace

import pytest

from mmcore.bootstrap import Interval
from mmcore.services.registry_view import VersionInfo
from mmcore.services.verdict_view import BETTER, UNCLEAR, WORSE, verdict_view

SCORES = {"n": 40, "macro_f1": 0.5, "accuracy": 0.6, "ece": 0.1}
BEFORE = {"n": 40, "macro_f1": 0.4, "accuracy": 0.5, "ece": 0.2}
VERSION = VersionInfo(
    id=2,
    name="m2",
    stage="candidate",
    parent=None,
    snapshot="s",
    job_id=None,
    made_by=None,
    scores={},
    verdict={},
    created_at=0.0,
    folder="present",
    problem="",
    num_bytes=0,
    changes=(),
)


def judged(**more):
    """Return a version with a verdict that has what a first model's has, and more."""
    return replace(VERSION, verdict={"scores": {"candidate": {"fused": SCORES}}, **more})


def compared(low, high):
    """Return the fused line of a comparison whose difference has this interval."""
    difference = {"value": (low + high) / 2, "low": low, "high": high}
    intervals = {"fused": {"after": difference, "before": difference, "difference": difference}}
    scores = {"candidate": {"fused": SCORES}, "production": {"fused": BEFORE}}
    (line,) = verdict_view(judged(scores=scores, intervals=intervals)).views
    return line


def test_what_was_never_judged_has_no_verdict():
    assert verdict_view(VERSION) is None


def test_a_first_model_is_held_to_nothing():
    found = verdict_view(judged())
    assert (found.against, found.passed, found.confidence) == (None, None, 0.95)
    (line,) = found.views
    assert line.macro_f1 == Interval(0.5, 0.5, 0.5), "without an interval: the score alone"
    assert (line.before, line.difference, line.meaning) == (None, None, "")
    assert (line.accuracy_before, line.ece_before) == (None, None)


@pytest.mark.parametrize(
    ("low", "high", "meaning"),
    [
        (0.01, 0.2, BETTER),
        (-0.2, -0.01, WORSE),
        (-0.1, 0.1, UNCLEAR),
        (0.0, 0.2, UNCLEAR),
        (-0.2, 0.0, UNCLEAR),
    ],
)
def test_a_difference_means_something_only_on_one_side_of_zero(low, high, meaning):
    line = compared(low, high)
    assert line.meaning == meaning
    assert (line.accuracy, line.accuracy_before, line.ece_before) == (0.6, 0.5, 0.2)


def test_views_come_in_the_order_of_the_screens():
    scores = {"candidate": {"fused": SCORES, "image": SCORES, "text": SCORES}}
    assert [v.view for v in verdict_view(judged(scores=scores)).views] == ["text", "image", "fused"]


def test_the_class_that_fell_most_comes_first():
    rows = [
        {"code": "10", "n": 3, "before": 0.5, "after": 0.6},
        {"code": "40", "n": 3, "before": 0.9, "after": 0.2},
        {"code": "50", "n": 3, "before": 0.5, "after": 0.4},
    ]
    found = verdict_view(judged(classes=rows)).classes
    assert [line.code for line in found] == ["40", "50", "10"]
    assert found[0].change == pytest.approx(-0.7)


def test_what_is_left_of_one_modality_is_each_models_own():
    version = replace(judged(), scores={"fused_without_image": {"macro_f1": 0.3}})
    (line,) = verdict_view(version).ablations
    assert (line.view, line.after, line.before) == ("fused_without_image", 0.3, None)
    against = replace(VERSION, scores={"fused_without_image": {"macro_f1": 0.2}})
    assert verdict_view(version, against).ablations[0].before == 0.2
    # a model without photos has the score, but it is none
    against = replace(VERSION, scores={"fused_without_image": None})
    assert verdict_view(version, against).ablations[0].before is None


def test_the_sentences_of_the_gate_are_kept():
    found = verdict_view(
        judged(
            passed=False,
            sentence="It is worse.",
            checks=[{"passed": False, "sentence": "macro-F1 fell"}],
            limits={"confidence": 0.9},
            against="m1",
            notes=["few products"],
        )
    )
    assert (found.passed, found.sentence, found.against) == (False, "It is worse.", "m1")
    assert [(c.passed, c.sentence) for c in found.checks] == [(False, "macro-F1 fell")]
    assert (found.confidence, found.notes) == (0.9, ("few products",))
