"""The quality gate: may this candidate take production's place? Numbers in, a verdict out."""

from dataclasses import dataclass

from mmcore.bootstrap import Interval
from mmcore.config import Checked, knob

_EPSILON = 1e-9  # 0.90 - 0.80 is a little more than 0.10


@dataclass(frozen=True)
class GateLimits(Checked):
    """What the gate lets through; a lead may change it."""

    macro_drop: float = knob(
        0.0, "fused macro-F1 that may be lost, beyond what chance explains", 0.0, 1.0
    )
    class_drop: float = knob(0.10, "F1 that a single class may lose", 0.0, 1.0)
    class_products: int = knob(20, "test products below which a class isn't looked at", 1, 10**6)
    ece_rise: float = knob(0.02, "calibration error that may be added", 0.0, 1.0)
    confidence: float = knob(0.95, "of the bootstrap interval", 0.5, 0.999)
    resamples: int = knob(1_000, "draws of the bootstrap", 100, 100_000)


@dataclass(frozen=True)
class ClassChange:
    """F1 of one class before and after, on the same test products."""

    code: str
    n: int
    before: float
    after: float


@dataclass(frozen=True)
class GateFacts:
    """What the gate looks at: fused answers of candidate and production on test."""

    against: str  # name of the production model
    after: float  # macro-F1 of the candidate
    before: float
    difference: Interval
    classes: tuple[ClassChange, ...]
    ece_after: float
    ece_before: float


@dataclass(frozen=True)
class Check:
    """One thing the gate looked at.

    Attributes:
        value, limit: in the same unit; None where there was nothing to look at.
    """

    what: str
    value: float | None
    limit: float | None
    passed: bool
    sentence: str


def check_all(facts: GateFacts, limits: GateLimits) -> tuple[Check, ...]:
    """Return every check of the gate, in the order they are shown."""
    return (
        _macro_check(facts, limits),
        _class_check(facts, limits),
        _calibration_check(facts, limits),
    )


def _macro_check(facts: GateFacts, limits: GateLimits) -> Check:
    found = facts.difference
    passed = found.high >= -limits.macro_drop - _EPSILON
    moved = f"{points(abs(found.value))} {'above' if found.value > 0 else 'below'}"
    place = "equal to" if abs(found.value) < _EPSILON else moved
    meaning = (
        "more than chance explains"
        if found.high < 0 or found.low > 0
        else ("which chance alone may explain")
    )
    if abs(found.value) < _EPSILON:
        meaning = "no difference"
    sentence = (
        f"fused macro-F1 is {facts.after:.3f}, {place} {facts.against}'s {facts.before:.3f}: "
        f"{meaning} ({limits.confidence:.0%} interval of the difference: {signed(found.low)} to "
        f"{signed(found.high)} points)"
    )
    return Check("fused_macro_f1", found.high, -limits.macro_drop, passed, sentence)


def _class_check(facts: GateFacts, limits: GateLimits) -> Check:
    seen = [c for c in facts.classes if c.n >= limits.class_products]
    if not seen:
        sentence = f"no class has {limits.class_products} test products: none is looked at alone"
        return Check("class_f1", None, -limits.class_drop, True, sentence)
    worst = min(seen, key=lambda c: c.after - c.before)
    fallen = [c for c in seen if c.before - c.after > limits.class_drop + _EPSILON]
    if fallen:
        named = ", ".join(f"{c.code} ({c.before:.2f} to {c.after:.2f})" for c in fallen[:5])
        more = f" and {len(fallen) - 5} more" if len(fallen) > 5 else ""
        sentence = (
            f"{len(fallen)} of {len(seen)} classes lost more than {points(limits.class_drop)} of "
            f"F1: {named}{more}"
        )
    else:
        sentence = (
            f"none of the {len(seen)} classes with {limits.class_products} or more test products "
            f"lost more than {points(limits.class_drop)} of F1; class {worst.code} moved least "
            f"well ({worst.before:.2f} to {worst.after:.2f})"
        )
    return Check("class_f1", worst.after - worst.before, -limits.class_drop, not fallen, sentence)


def _calibration_check(facts: GateFacts, limits: GateLimits) -> Check:
    rise = facts.ece_after - facts.ece_before
    passed = rise <= limits.ece_rise + _EPSILON
    allowed = "within" if passed else "more than"
    sentence = (
        f"calibration error is {facts.ece_after:.3f}, {facts.against}'s {facts.ece_before:.3f}: "
        f"{signed(rise)} points, {allowed} the {points(limits.ece_rise)} allowed"
    )
    return Check("calibration", rise, limits.ece_rise, passed, sentence)


def points(share: float) -> str:
    """Return a share as points: 0.1 is 10.0 points."""
    return f"{share * 100:.1f} points"


def signed(share: float) -> str:
    """Return a share as points with its sign; never a negative zero."""
    return f"{round(share * 100, 1) + 0.0:+.1f}"
