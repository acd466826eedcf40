"""Families of models: each version once, behind the one it was made from."""

from types import SimpleNamespace

from mmcore.services.lineage import lineage, score_points


def version(number, parent=None, scores=None):
    return SimpleNamespace(
        id=number, name=f"m{number}", parent=parent, created_at=float(number), scores=scores or {}
    )


def test_children_follow_their_parent():
    versions = [version(4, "m1"), version(3), version(2, "m1"), version(5, "m2"), version(1)]
    found = [(b.version.name, b.depth) for b in lineage(versions)]
    assert found == [("m1", 0), ("m2", 1), ("m5", 2), ("m4", 1), ("m3", 0)]


def test_a_parent_that_is_not_registered_starts_no_family():
    assert [(b.version.name, b.depth) for b in lineage([version(1, "lost")])] == [("m1", 0)]


def test_views_that_a_model_lacks_are_left_out():
    scored = {"fused": {"macro_f1": 0.5, "n": 9}, "image": None}
    points = score_points([version(2, scores=scored), version(1)], ("fused", "image"))
    assert [(p.name, p.view, p.macro_f1) for p in points] == [("m2", "fused", 0.5)]
