"""From network to answers: what each modality alone, all together, and all but one say.

A view is `text`, `image`, ... (one head), `fused`, or `fused_without_X`. A product has a view
where it has something left to look at.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from mmcore.batches import BatchReader, EncodedProducts, take
from mmcore.combiner import MIN_PRODUCTS, Combiner, Pattern, Rule, fit_rule, fold_weights, patterns
from mmcore.config import FUSED, modality_of
from mmcore.engines import Engine


@dataclass(frozen=True)
class Decisions:
    """Raw logits of N products under every choice of modalities."""

    products: EncodedProducts
    available: Mapping[str, np.ndarray]  # modality -> (N,) bool; photos that can't be read: False
    heads: Mapping[str, np.ndarray]  # source: modality or its linear head -> (N, K)
    fused: Mapping[Pattern, np.ndarray]  # pattern -> (N, K), meaningful where all of it is there

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.available)

    def has(self, pattern: Pattern) -> np.ndarray:
        """Return (N,) bool: the products that have every modality of the pattern."""
        return np.logical_and.reduce([self.available[name] for name in pattern])

    def sources(self, pattern: Pattern, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return source -> (rows, K) logits that a rule for the pattern is applied to."""
        heads = {s: logits[rows] for s, logits in self.heads.items() if modality_of(s) in pattern}
        return {**heads, FUSED: self.fused[pattern][rows]}

    def take(self, rows: np.ndarray) -> "Decisions":
        """Return the decisions of some of the products, by number or (N,) bool."""
        return Decisions(
            take(self.products, rows),
            {name: has[rows] for name, has in self.available.items()},
            {source: logits[rows] for source, logits in self.heads.items()},
            {pattern: logits[rows] for pattern, logits in self.fused.items()},
        )

    def head_sources(self, name: str, rows: np.ndarray | slice) -> dict[str, np.ndarray]:
        """Return source -> (rows, K) logits of everything that looks at one modality alone."""
        return {s: logits[rows] for s, logits in self.heads.items() if modality_of(s) == name}


@dataclass(frozen=True)
class View:
    """The answers of one view."""

    has: np.ndarray  # (N,) bool: products that have this view
    probs: np.ndarray  # (N, K), rows summing to 1 where `has`, else 0


def decide(
    engine: Engine,
    reader: BatchReader,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Decisions:
    """Return the logits of all products of a reader, in its order."""
    steps = deciding(engine, reader)
    while True:
        try:
            progress(next(steps), len(reader.products))
        except StopIteration as end:
            return end.value


def deciding(engine: Engine, reader: BatchReader) -> Generator[int, None, Decisions]:
    """Yield how many products are done after each batch; the result is what `decide` returns."""
    done = 0
    heads: dict[str, list] = {source: [] for source in engine.sources}
    available: dict[str, list] = {name: [] for name in engine.names}
    fused: dict[Pattern, list] = {pattern: [] for pattern in patterns(engine.names)}
    for batch in reader.all_in_order():
        found = engine.logits(batch)
        for source, logits in found.heads.items():
            heads[source].append(logits)
        for pattern, logits in found.fused.items():
            fused[pattern].append(logits)
        for name, has in batch.present.items():
            available[name].append(has.cpu().numpy())
        done += len(batch)
        yield done
    nothing = np.empty((0, engine.num_classes), np.float32)
    return Decisions(
        products=reader.products,
        available={n: np.concatenate([np.empty(0, bool), *p]) for n, p in available.items()},
        heads={source: np.concatenate([nothing, *parts]) for source, parts in heads.items()},
        fused={p: np.concatenate([nothing, *parts]) for p, parts in fused.items()},
    )


@dataclass(frozen=True)
class FoldDecisions:
    """What linear heads said of train and val products while they were fitted without them."""

    labels: np.ndarray  # (N,)
    logits: Mapping[str, np.ndarray]  # source -> (N, K); a row of zeros where it said nothing

    def weights(self, pattern: Pattern, sources: Iterable[str]) -> dict[str, float] | None:
        """Return the weights of those of the sources that have spoken, None without enough.

        None, too, where a modality of the pattern has not spoken (the photo, where a tuned backbone
        has no linear head): the answer would be sure before it had heard it.
        """
        spoken = [source for source in sources if source in self.logits]
        if {modality_of(source) for source in spoken} != set(pattern):
            return None
        rows = np.all([self.logits[source].any(axis=1) for source in spoken], axis=0)
        rows &= self.labels >= 0
        if rows.sum() < MIN_PRODUCTS:
            return None
        return fold_weights({s: self.logits[s][rows] for s in spoken}, self.labels[rows])


def fit_combiner(
    decisions: Decisions,
    is_known: np.ndarray,
    fallback: Combiner,
    folds: FoldDecisions | None = None,
) -> Combiner:
    """Return the combiner fitted on these decisions, or the fallback's rules without enough.

    Args:
        decisions: of products that no source has learnt from.
        is_known: (N,) bool, the products whose class was learnt from others; one of an unknown
            class can't be right and would only teach the temperature to despair.
        folds: what some of the sources have said of more products; their weights start from it.
    """
    labels = decisions.products.labels
    usable = (labels >= 0) & is_known

    def fitted(
        pattern: Pattern, rows: np.ndarray, sources: Mapping[str, np.ndarray], rule: Rule
    ) -> Rule:
        start = folds.weights(pattern, sources) if folds else None
        if rows.sum() >= MIN_PRODUCTS:
            return fit_rule(sources, labels[rows], start)
        return Rule(start, "weighted on folds of the train and val products") if start else rule

    heads = {}
    for name, rule in fallback.heads.items():
        rows = usable & decisions.available[name]
        heads[name] = fitted((name,), rows, decisions.head_sources(name, rows), rule)
    # of one modality there is nothing to fuse: its heads alone decide
    rules = {(name,): rule for name, rule in heads.items()}
    for pattern, rule in fallback.rules.items():
        if len(pattern) > 1:
            rows = usable & decisions.has(pattern)
            rules[pattern] = fitted(pattern, rows, decisions.sources(pattern, rows), rule)
    return Combiner(rules, heads)


def views(decisions: Decisions, combiner: Combiner) -> dict[str, View]:
    """Return every view of the decisions, heads first, then fused, then fused without each."""
    names = decisions.names
    found = {
        name: _filled(
            decisions.available[name],
            combiner.heads[name].probs(decisions.head_sources(name, slice(None))),
        )
        for name in names
    }
    found[FUSED] = _fused_view(decisions, combiner, names)
    if len(names) > 1:
        for left_out in names:
            kept = tuple(name for name in names if name != left_out)
            found[f"{FUSED}_without_{left_out}"] = _fused_view(decisions, combiner, kept)
    return found


def _fused_view(decisions: Decisions, combiner: Combiner, allowed: tuple[str, ...]) -> View:
    """Return the fused answer of each product from those of the allowed modalities it has."""
    bits = np.stack([decisions.available[name] for name in allowed], axis=1)  # (N, M)
    probs = np.zeros_like(next(iter(decisions.heads.values())), dtype=np.float64)
    for pattern in patterns(allowed):
        is_of_pattern = np.array([name in pattern for name in allowed])
        rows = (bits == is_of_pattern).all(axis=1)
        if rows.any():
            probs[rows] = combiner.rule(pattern).probs(decisions.sources(pattern, rows))
    return View(bits.any(axis=1), probs)


def _filled(has: np.ndarray, probs: np.ndarray) -> View:
    return View(has, np.where(has[:, None], probs, 0.0))
