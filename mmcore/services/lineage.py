"""Which model was made from which, and how good each was: the registry as a family and a curve."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmcore.services.registry_view import VersionInfo


@dataclass(frozen=True)
class Branch:
    """One version in the list of families.

    Attributes:
        depth: warm starts between it and the first of its family.
    """

    version: VersionInfo
    depth: int


@dataclass(frozen=True)
class ScorePoint:
    """How good one version was in one view, on the test products when it was trained."""

    name: str
    view: str
    macro_f1: float
    n: int
    at: float


def lineage(versions: Sequence[VersionInfo]) -> list[Branch]:
    """Return every version once, each behind the one it was made from; families oldest first."""
    known = {v.name for v in versions}
    oldest_first = sorted(versions, key=lambda v: (v.created_at, v.id))
    children: dict[str | None, list[VersionInfo]] = {}
    for version in oldest_first:
        parent = version.parent if version.parent in known else None
        children.setdefault(parent, []).append(version)
    found: list[Branch] = []
    waiting = [Branch(v, 0) for v in reversed(children.get(None, []))]
    while waiting:
        branch = waiting.pop()
        found.append(branch)
        mine = children.get(branch.version.name, [])
        waiting += [Branch(v, branch.depth + 1) for v in reversed(mine)]
    return found


def score_points(versions: Sequence[VersionInfo], views: Sequence[str]) -> list[ScorePoint]:
    """Return macro-F1 of each version and view, oldest first; views it lacks are left out."""
    return [
        ScorePoint(v.name, view, scores["macro_f1"], scores["n"], v.created_at)
        for v in sorted(versions, key=lambda v: (v.created_at, v.id))
        for view in views
        if (scores := v.scores.get(view))
    ]
