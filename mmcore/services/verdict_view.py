"""A stored verdict as a page shows it: scores beside production, classes, checks, all typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmcore.bootstrap import Interval
from mmcore.config import FUSED
from mmcore.services.registry_view import VersionInfo
from mmcore.store.comparison import VIEWS

BETTER, WORSE, UNCLEAR = "better", "worse", "no clear difference"
# judged only when each model was trained: with one modality taken away
ABLATIONS = ("fused_without_image", "fused_without_text")


@dataclass(frozen=True)
class ViewScores:
    """One view of the candidate beside production's.

    Attributes:
        macro_f1, before: with the interval in which they would lie on other test products of the
            same kind; before is None without production.
        difference: macro-F1 after minus before, None without production.
        meaning: better, worse or no clear difference: whether the interval of the difference lies
            on one side of zero; "" without production.
    """

    view: str
    n: int
    macro_f1: Interval
    before: Interval | None
    difference: Interval | None
    accuracy: float
    accuracy_before: float | None
    ece: float
    ece_before: float | None

    @property
    def meaning(self) -> str:
        if self.difference is None:
            return ""
        if self.difference.low > 0:
            return BETTER
        return WORSE if self.difference.high < 0 else UNCLEAR


@dataclass(frozen=True)
class Ablation:
    """Macro-F1 with one modality taken away, of each model when it was trained."""

    view: str
    after: float
    before: float | None


@dataclass(frozen=True)
class ClassLine:
    """F1 of one class, fused answers on the test products."""

    code: str
    n: int
    before: float
    after: float

    @property
    def change(self) -> float:
        return self.after - self.before


@dataclass(frozen=True)
class CheckLine:
    """One thing that the gate looked at."""

    passed: bool
    sentence: str


@dataclass(frozen=True)
class VerdictView:
    """What is known of how good a version is.

    Attributes:
        passed: None: there was nothing to judge by.
        against: the production model of that time, None without one.
        confidence: of the intervals, e.g. 0.95.
        classes: those that fell most first.
        changes: view -> outcome -> products of the whole catalogue.
    """

    name: str
    against: str | None
    passed: bool | None
    sentence: str
    n: int
    confidence: float
    views: tuple[ViewScores, ...]
    ablations: tuple[Ablation, ...]
    classes: tuple[ClassLine, ...]
    checks: tuple[CheckLine, ...]
    changes: Mapping[str, Mapping[str, int]]
    notes: tuple[str, ...]
    judged_at: float | None


def verdict_view(version: VersionInfo, against: VersionInfo | None = None) -> VerdictView | None:
    """Return the verdict of a version, None where it was never judged.

    Args:
        against: the version it was held to, for what only a training measures.
    """
    found = version.verdict
    if not found:
        return None
    lines = [ClassLine(**row) for row in found.get("classes", ())]
    return VerdictView(
        name=version.name,
        against=found.get("against"),
        passed=found.get("passed"),
        sentence=found.get("sentence", ""),
        n=found.get("n", 0),
        confidence=found.get("limits", {}).get("confidence", 0.95),
        views=tuple(_views(found)),
        ablations=tuple(_ablations(version, against)),
        classes=tuple(sorted(lines, key=lambda line: line.change)),
        checks=tuple(CheckLine(c["passed"], c["sentence"]) for c in found.get("checks", ())),
        changes=found.get("changes", {}),
        notes=tuple(found.get("notes", ())),
        judged_at=found.get("judged_at"),
    )


def _views(found: Mapping[str, Any]) -> list[ViewScores]:
    after = found["scores"]["candidate"]
    before = found["scores"].get("production", {})
    intervals = found.get("intervals", {})
    order = [view for view in ("text", "image", FUSED) if view in VIEWS and view in after]
    return [_view(v, after[v], before.get(v), intervals.get(v, {})) for v in order]


def _view(view: str, after: dict, before: dict | None, found: Mapping[str, Any]) -> ViewScores:
    macro_f1 = after["macro_f1"]
    return ViewScores(
        view=view,
        n=after["n"],
        macro_f1=_interval(found.get("after")) or Interval(macro_f1, macro_f1, macro_f1),
        before=_interval(found.get("before")),
        difference=_interval(found.get("difference")),
        accuracy=after["accuracy"],
        accuracy_before=before["accuracy"] if before else None,
        ece=after["ece"],
        ece_before=before["ece"] if before else None,
    )


def _interval(found: Mapping[str, float] | None) -> Interval | None:
    return Interval(**found) if found else None


def _ablations(version: VersionInfo, against: VersionInfo | None) -> list[Ablation]:
    before = against.scores if against else {}
    return [
        Ablation(view, scores["macro_f1"], (before.get(view) or {}).get("macro_f1"))
        for view in ABLATIONS
        if (scores := version.scores.get(view))
    ]
