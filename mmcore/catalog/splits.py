"""Which products a model learns from (train), is tuned on (val) and is judged by (test).

Near-copies go to one split together, class by class, in an order drawn from their group's id: the
order of the rows doesn't matter. What has a split keeps it, but for one case: products that turn
out to be near-copies of each other all go to the strictest split any of them has, so that no copy
of a test product is learnt from. Only a file takes a product out of test, or copies apart.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from mmcore.catalog.products import SPLITS
from mmcore.errors import ConfigError
from mmcore.seeds import stream_seed

SHARES = (0.7, 0.15, 0.15)
MAX_TRAIN_ONLY = 2  # a class this small has nothing to spare for val and test

_STRICTEST_FIRST = ("test", "val", "train")


_Key = tuple[str, str]


@dataclass
class _Unit:
    """Products that are near-copies of each other."""

    labels: Counter[str] = field(default_factory=Counter)  # where none of them has a split
    splits: set[str] = field(default_factory=set)

    @property
    def label(self) -> str:
        """Return the class that most members have, the first in the alphabet among equals."""
        return min(self.labels, key=lambda label: (-self.labels[label], label))

    @property
    def split(self) -> str:
        return next((split for split in _STRICTEST_FIRST if split in self.splits), "")


def assign_splits(
    frame: pd.DataFrame,
    seed: int,
    shares: Sequence[float] = SHARES,
    ties: Sequence[int] | None = None,
    given: Collection[str] = frozenset(),
) -> pd.Series:
    """Return the split of each product, in the order of the frame.

    Args:
        frame: product_id, label ("" is a class of its own here), group_id, and split ("" where
            it is to be found).
        seed: of the run that draws.
        shares: of train, val and test, by class; near-copies are not parted to meet them.
        ties: of `near_copies`; without them, the products of a group belong together.
        given: ids of products whose split a file gave: theirs stays whatever their near-copies.

    Raises:
        ConfigError: if the shares aren't three numbers from 0 to 1 that add up to 1.
    """
    if len(shares) != len(SPLITS) or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ConfigError(
            f"split shares are {tuple(shares)}; give train, val and test as three numbers from "
            "0 to 1 that add up to 1"
        )
    keys = _keys(frame, ties)
    fixed = [
        split if product_id in given else ""
        for product_id, split in zip(frame["product_id"], frame["split"], strict=True)
    ]
    units, counts = _survey(keys, fixed, frame)
    decided = {key: unit.split for key, unit in units.items() if unit.split}
    by_class = defaultdict(list)
    for key, unit in units.items():
        if key not in decided:
            by_class[unit.label].append((key, unit.labels.total()))
    for label, sized in by_class.items():
        decided |= _spread(label, sized, counts[label], seed, shares)
    splits = [split or decided[key] for key, split in zip(keys, fixed, strict=True)]
    return pd.Series(splits, index=frame.index, dtype="str", name="split")


def num_straddling_groups(frame: pd.DataFrame) -> int:
    """Return how many groups have products in more than one split (by their file's wish)."""
    return int((frame.groupby("group_id", sort=False)["split"].nunique() > 1).sum())


def _keys(frame: pd.DataFrame, ties: Sequence[int] | None) -> list[_Key]:
    """Return a name for each product, which its near-copies have, too."""
    keys = [
        ("group", group) if group else ("product", product_id)
        for group, product_id in zip(frame["group_id"], frame["product_id"], strict=True)
    ]
    if ties is None:
        return keys
    smallest: dict[int, _Key] = {}
    for tie, key in zip(ties, keys, strict=True):
        smallest[tie] = min(smallest.get(tie, key), key)
    return [smallest[tie] for tie in ties]


def _survey(
    keys: Sequence[_Key], fixed: Sequence[str], frame: pd.DataFrame
) -> tuple[dict[_Key, _Unit], dict[str, Counter[str]]]:
    """Return the near-copies by key, and class -> products that a split is going to have."""
    units: dict[_Key, _Unit] = defaultdict(_Unit)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for key, split in zip(keys, frame["split"], strict=True):
        units[key].splits |= {split} - {""}
    for key, split, label in zip(keys, fixed, frame["label"], strict=True):
        split = split or units[key].split
        if split:
            counts[label][split] += 1
        else:
            units[key].labels[label] += 1
    return units, counts


def _spread(
    label: str,
    units: Iterable[tuple[_Key, int]],
    counts: Counter[str],
    seed: int,
    shares: Sequence[float],
) -> dict[_Key, str]:
    """Return the split of all near-copies of one class: each unit goes where most is lacking.

    Large ones go first, because late they would overshoot; equal ones in a drawn order.
    """
    units = list(units)
    total = counts.total() + sum(size for _, size in units)
    if total <= MAX_TRAIN_ONLY:
        return {key: "train" for key, _ in units}
    lacking = {
        split: share * total - counts[split] for split, share in zip(SPLITS, shares, strict=True)
    }
    order = list(SPLITS)
    if stream_seed(seed, "split", "val or test first", label) % 2:
        order[1:] = reversed(order[1:])  # else all classes of three would skip the same split
    units.sort(key=lambda unit: (-unit[1], stream_seed(seed, "split", *unit[0]), unit[0]))
    chosen = {}
    for key, size in units:
        split = max(order, key=lacking.__getitem__)
        lacking[split] -= size
        chosen[key] = split
    return chosen
