"""From stored predictions of the test products to scores, checks and a verdict in plain words."""

from dataclasses import asdict, dataclass

import numpy as np
from sqlalchemy.orm import Session

from mmcore.bootstrap import PairedAnswers, paired_macro_f1
from mmcore.config import FUSED
from mmcore.gate import ClassChange, GateFacts, GateLimits, check_all
from mmcore.metrics import class_report, score
from mmcore.seeds import stream
from mmcore.store.comparison import VIEWS, judged_rows
from mmcore.store.predictions import class_codes

SEED = 0  # of the bootstrap: the same models on the same labels get the same verdict


@dataclass(frozen=True)
class Sides:
    """Which version is judged, and against which: (id, name), None without production."""

    version_id: int
    name: str
    production: tuple[int, str] | None


@dataclass(frozen=True)
class JudgedView:
    """Labelled test products of one view, N rows; classes as places in `codes`."""

    answers: PairedAnswers
    before_confidence: np.ndarray  # (N,) of the answer given, 0 without one
    after_confidence: np.ndarray
    codes: list[str]

    def __len__(self) -> int:
        return len(self.answers.labels)

    def scores(self, is_after: bool) -> dict:
        """Return the scores of one side as JSON values; a missing answer is wrong."""
        predicted = self.answers.after if is_after else self.answers.before
        confidence = self.after_confidence if is_after else self.before_confidence
        probs = np.zeros((len(self), len(self.codes) + 1))
        # the last column stands for "no answer", which no label equals
        columns = np.where(predicted < 0, len(self.codes), predicted)
        probs[np.arange(len(self)), columns] = np.maximum(confidence, 1e-12)
        return score(self.answers.labels, probs).to_json()

    def class_changes(self) -> list[ClassChange]:
        """Return F1 before and after of every class with test products."""
        labels = self.answers.labels
        sides = (self.answers.before, self.answers.after)
        before, after = (class_report(labels, side, self.codes) for side in sides)
        return [
            ClassChange(b.label, b.n, b.f1, a.f1) for b, a in zip(before, after, strict=True) if b.n
        ]


def load_view(session: Session, before: int, after: int, view: str) -> JudgedView:
    """Return the labelled test products that one of two versions has an answer for."""
    codes = class_codes(session)
    place = {class_id: i for i, class_id in enumerate(codes)}
    columns = list(zip(*judged_rows(session, before, after, view), strict=True)) or [()] * 6
    groups, labels, said_before, sure_before, said_after, sure_after = columns

    def places(class_ids: tuple) -> np.ndarray:
        return np.array([place.get(c, -1) for c in class_ids], dtype=np.int64)

    def confidences(values: tuple) -> np.ndarray:
        return np.array([v or 0.0 for v in values], dtype=np.float64)

    answers = PairedAnswers(
        places(labels), places(said_before), places(said_after), np.array(groups, dtype=object)
    )
    return JudgedView(
        answers, confidences(sure_before), confidences(sure_after), list(codes.values())
    )


def build_verdict(session: Session, sides: Sides, limits: GateLimits) -> dict:
    """Return the verdict on a version as JSON values: scores, intervals, checks, sentence."""
    before = sides.production[0] if sides.production else sides.version_id
    loaded = {view: load_view(session, before, sides.version_id, view) for view in VIEWS}
    found = {view: judged for view, judged in loaded.items() if len(judged)}
    verdict = {
        "against": sides.production and sides.production[1],
        "split": "test",
        "n": len(loaded[FUSED]),
        "limits": asdict(limits),
        "scores": {"candidate": {v: j.scores(is_after=True) for v, j in found.items()}},
        "intervals": {},
        "classes": [],
        "checks": [],
    }
    if FUSED not in found:
        return verdict | _nothing_to_judge_by()
    if sides.production is None:
        return verdict | _nothing_to_judge_against(verdict)
    verdict["scores"]["production"] = {v: j.scores(is_after=False) for v, j in found.items()}
    draws = {view: stream(SEED, "gate", "bootstrap", view) for view in found}
    paired = {
        view: paired_macro_f1(j.answers, draws[view], limits.resamples, limits.confidence)
        for view, j in found.items()
    }
    verdict["intervals"] = {view: asdict(scores) for view, scores in paired.items()}
    changes = found[FUSED].class_changes()
    verdict["classes"] = [asdict(change) for change in changes]
    facts = GateFacts(
        against=sides.production[1],
        after=paired[FUSED].after.value,
        before=paired[FUSED].before.value,
        difference=paired[FUSED].difference,
        classes=tuple(changes),
        ece_after=verdict["scores"]["candidate"][FUSED]["ece"],
        ece_before=verdict["scores"]["production"][FUSED]["ece"],
    )
    checks = check_all(facts, limits)
    failed = [check.sentence for check in checks if not check.passed]
    sentence = (
        f"the gate says no: {'; '.join(failed)}"
        if failed
        else f"the gate lets it through: {checks[0].sentence}"
    )
    verdict["checks"] = [asdict(check) for check in checks]
    return verdict | {"passed": not failed, "sentence": sentence}


def _nothing_to_judge_by() -> dict:
    return {
        "passed": None,
        "sentence": "no labelled test product has an answer: nothing is known of how good the "
        "model is; label some products of the test split",
    }


def _nothing_to_judge_against(verdict: dict) -> dict:
    fused = verdict["scores"]["candidate"][FUSED]
    return {
        "passed": True,
        "sentence": f"no other model is in production: fused macro-F1 is {fused['macro_f1']:.3f} "
        f"on {fused['n']} test products, and there is nothing to compare it with",
    }
