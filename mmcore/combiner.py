"""Decision-level fusion and calibration, fitted on val.

Each availability pattern (all modalities, text only, image only, ...) has weights of its own over
the log-probabilities of its sources: the heads of the modalities at hand and, of several, the
feature fusion.
The weights minimise the log-loss, so their sum is also the inverse temperature: the answer comes
out calibrated. The problem is convex in the weights.

Val is small, and the network was stopped by it. Linear heads have spoken on folds of train and val
that they had not seen: where there are any, weights start from there, and val moves them.

Why decisions and not features alone: on the Rakuten challenge feature fusion scored no better
than text alone (macro-F1 89.9) and decision fusion 90.9.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import log_softmax

from mmcore.config import FUSED, linear_source
from mmcore.errors import ConfigError
from mmcore.metrics import macro_f1

MIN_PRODUCTS = 20  # fewer labelled val products than this can't tell weights from luck
MAX_WEIGHT = 20.0
# pulls each weight towards an equal share with the force of this many products
PRIOR_PRODUCTS = 2.0
# the same towards weights that folds over train and val have found: on three catalogues of 1,000 to
# 3,000 products 50 and 100 did best, 2 lost a point of macro-F1
START_PRODUCTS = 100.0

Pattern = tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """How one availability pattern is decided."""

    weights: Mapping[str, float]  # source -> weight of its log-probabilities
    decided: str  # why these weights, in words for the report

    def probs(self, logits: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return (N, K) probabilities from source -> (N, K) logits."""
        total = sum(w * log_softmax(logits[source], axis=1) for source, w in self.weights.items())
        return np.exp(log_softmax(total, axis=1))


@dataclass(frozen=True)
class Combiner:
    """A rule for each availability pattern, and a temperature for each head alone."""

    rules: Mapping[Pattern, Rule]
    heads: Mapping[str, Rule]

    def rule(self, pattern: Pattern) -> Rule:
        """Return the rule of a pattern.

        Raises:
            ConfigError: if the pattern names a modality the model doesn't have.
        """
        if pattern not in self.rules:
            known = ", ".join("+".join(p) for p in self.rules)
            raise ConfigError(f"no rule for modalities {'+'.join(pattern)!r}; there are: {known}")
        return self.rules[pattern]


def patterns(names: Iterable[str]) -> list[Pattern]:
    """Return every non-empty choice of modalities, largest first, in the model's order."""
    names = tuple(names)
    return [c for size in range(len(names), 0, -1) for c in combinations(names, size)]


def uncalibrated(names: tuple[str, ...], why: str) -> Combiner:
    """Return the combiner that takes the feature fusion (and each head) as it is."""
    return Combiner(
        rules={pattern: Rule({FUSED: 1.0}, why) for pattern in patterns(names)},
        heads={name: Rule({name: 1.0}, why) for name in names},
    )


def equal_shares(names: tuple[str, ...], why: str, linear: Collection[str] = ()) -> Combiner:
    """Return the combiner that averages the log-probabilities of all sources at hand.

    Args:
        names: of the modalities.
        linear: those with a linear head.
    """

    def sources(pattern: Pattern) -> list[str]:
        return [*pattern, *(linear_source(name) for name in pattern if name in linear)]

    def share(of: list[str]) -> Rule:
        return Rule({source: 1 / len(of) for source in of}, why)

    heads = {name: share(sources((name,))) for name in names}
    # of one modality there is nothing to fuse: its heads alone decide
    alone = {(name,): rule for name, rule in heads.items()}
    rules = {p: share([*sources(p), FUSED]) for p in patterns(names) if len(p) > 1}
    return Combiner({**rules, **alone}, heads)


def fit_rule(
    logits: Mapping[str, np.ndarray],
    labels: np.ndarray,
    start: Mapping[str, float] | None = None,
) -> Rule:
    """Return the rule that does best on val; its best source alone where that is better there.

    Better by macro-F1 and by log-loss: the one alone moves by luck.

    Args:
        logits: source -> (N, K), all under one availability pattern.
        labels: (N,) class ids.
        start: what is known of the sources' weights from more products than val has
            (`fold_weights`); a source that isn't in it has to earn its weight on val.
    """
    if start is None:
        weights = _fit_weights(logits, labels, _equal(logits), PRIOR_PRODUCTS)
    else:
        weights = _fit_weights(logits, labels, start, START_PRODUCTS)
    rule = Rule(weights, f"weighted on {len(labels):,} held-out products")
    if len(logits) == 1:
        return rule
    alone = {s: macro_f1(labels, logits[s].argmax(axis=1)) for s in logits}
    best = max(alone, key=alone.get)
    single = Rule(_fit_weights({best: logits[best]}, labels, {best: 1.0}, PRIOR_PRODUCTS), "")
    together = macro_f1(labels, rule.probs(logits).argmax(axis=1))
    # worse by both measures: a few products of small classes move macro-F1 alone by chance
    if together >= alone[best] or _loss(rule, logits, labels) <= _loss(single, logits, labels):
        return rule
    why = f"{best} alone: held out {alone[best]:.3f} macro-F1, weighted {together:.3f}"
    return Rule(single.weights, why)


def fold_weights(logits: Mapping[str, np.ndarray], labels: np.ndarray) -> dict[str, float]:
    """Return the weights that do best on products that none of the sources had seen.

    Args:
        logits: source -> (N, K), of folds (see `linear_folds.py`).
        labels: (N,) class ids.
    """
    return _fit_weights(logits, labels, _equal(logits), PRIOR_PRODUCTS)


def _equal(logits: Mapping[str, np.ndarray]) -> dict[str, float]:
    return dict.fromkeys(logits, 1 / len(logits))


def _loss(rule: Rule, logits: Mapping[str, np.ndarray], labels: np.ndarray) -> float:
    probs = rule.probs(logits)[np.arange(len(labels)), labels]
    return -float(np.log(np.maximum(probs, np.finfo(float).tiny)).mean())


def _fit_weights(
    logits: Mapping[str, np.ndarray],
    labels: np.ndarray,
    start: Mapping[str, float],
    pull_products: float,
) -> dict[str, float]:
    """Return source -> weight >= 0 with the lowest log-loss, pulled towards the start."""
    from scipy.optimize import minimize  # a fifth of a second

    sources = list(logits)
    stacked = np.stack([log_softmax(logits[s].astype(np.float64), axis=1) for s in sources])
    rows, first = np.arange(len(labels)), np.array([start.get(s, 0.0) for s in sources])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        log_probs = log_softmax(np.tensordot(weights, stacked, axes=1), axis=1)  # (N, K)
        # gradient of the log-loss: expected minus observed log-probability of each source
        expected = (np.exp(log_probs) * stacked).sum(axis=(1, 2))
        observed = stacked[:, rows, labels].sum(axis=1)
        distance = weights - first
        value = -log_probs[rows, labels].sum() + pull_products / 2 * (distance**2).sum()
        return value / len(labels), (expected - observed + pull_products * distance) / len(labels)

    bounds = [(0.0, MAX_WEIGHT)] * len(sources)
    found = minimize(loss, first, jac=True, method="L-BFGS-B", bounds=bounds)
    weights = found.x if found.x.sum() > 0 else first
    return {source: float(weight) for source, weight in zip(sources, weights, strict=True)}


def combiner_to_json(combiner: Combiner) -> dict:
    """Return a combiner as plain JSON values."""

    def rows(rules: Mapping) -> list[dict]:
        return [
            {"of": key, "weights": dict(rule.weights), "decided": rule.decided}
            for key, rule in rules.items()
        ]

    return {"patterns": rows(combiner.rules), "heads": rows(combiner.heads)}


def combiner_from_json(data: dict) -> Combiner:
    """Return the combiner that `combiner_to_json` wrote.

    Raises:
        ConfigError: if the data is not of that form.
    """
    try:
        rules = {tuple(r["of"]): Rule(r["weights"], r["decided"]) for r in data["patterns"]}
        return Combiner(rules, {r["of"]: Rule(r["weights"], r["decided"]) for r in data["heads"]})
    except (KeyError, TypeError) as error:
        raise ConfigError(f"combiner.json can't be read: {error}; train the model again") from error
