"""Which products a model learns from (train), is tuned on (val) and is judged by (test).

Whole groups of near-copies go to one split, class by class, in an order drawn from the group's
id: the order of the rows doesn't matter, and what has a split keeps it for ever.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from mmcore.catalog.products import SPLITS
from mmcore.errors import ConfigError
from mmcore.seeds import stream_seed

SHARES = (0.7, 0.15, 0.15)
MAX_TRAIN_ONLY = 2  # a class this small has nothing to spare for val and test

# where a group has several splits already, its next near-copy must not be learnt from
_STRICTEST_FIRST = ("test", "val", "train")


@dataclass
class _Group:
    labels: Counter[str] = field(default_factory=Counter)  # of members without a split
    splits: set[str] = field(default_factory=set)

    @property
    def label(self) -> str:
        """Return the class that most members have, the first in the alphabet among equals."""
        return min(self.labels, key=lambda label: (-self.labels[label], label))

    @property
    def split(self) -> str:
        return next((split for split in _STRICTEST_FIRST if split in self.splits), "")


def assign_splits(frame: pd.DataFrame, seed: int, shares: Sequence[float] = SHARES) -> pd.Series:
    """Return the split of each product, in the order of the frame.

    Args:
        frame: product_id, label ("" is a class of its own here), group_id, and split ("" where
            it is to be found; others stay, and near-copies of them follow).
        seed: of the run that draws.
        shares: of train, val and test, by class; groups are not cut to meet them.

    Raises:
        ConfigError: if the shares aren't three numbers from 0 to 1 that add up to 1.
    """
    if len(shares) != len(SPLITS) or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ConfigError(
            f"split shares are {tuple(shares)}; give train, val and test as three numbers from "
            "0 to 1 that add up to 1"
        )
    keys = [
        ("group", group) if group else ("product", product_id)
        for group, product_id in zip(frame["group_id"], frame["product_id"], strict=True)
    ]
    groups, counts = _survey(keys, frame)
    decided = {key: group.split for key, group in groups.items() if group.split}
    for key, split in decided.items():
        for label, count in groups[key].labels.items():
            counts[label][split] += count
    by_class = defaultdict(list)
    for key, group in groups.items():
        if key not in decided:
            by_class[group.label].append((key, group.labels.total()))
    for label, sized in by_class.items():
        decided |= _spread(label, sized, counts[label], seed, shares)
    splits = [split or decided[key] for key, split in zip(keys, frame["split"], strict=True)]
    return pd.Series(splits, index=frame.index, dtype="str", name="split")


def num_straddling_groups(frame: pd.DataFrame) -> int:
    """Return how many groups have products in more than one split (by their file's wish)."""
    return int((frame.groupby("group_id", sort=False)["split"].nunique() > 1).sum())


def _survey(
    keys: Iterable[tuple[str, str]], frame: pd.DataFrame
) -> tuple[dict[tuple[str, str], _Group], dict[str, Counter[str]]]:
    """Return the groups, and class -> products a split has already."""
    groups: dict[tuple[str, str], _Group] = defaultdict(_Group)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for key, label, split in zip(keys, frame["label"], frame["split"], strict=True):
        if split:
            groups[key].splits.add(split)
            counts[label][split] += 1
        else:
            groups[key].labels[label] += 1
    return groups, counts


def _spread(
    label: str,
    groups: Iterable[tuple[tuple[str, str], int]],
    counts: Counter[str],
    seed: int,
    shares: Sequence[float],
) -> dict[tuple[str, str], str]:
    """Return the split of each group of one class: each goes where most is lacking.

    Large groups go first, because late they would overshoot; equal ones in a drawn order.
    """
    groups = list(groups)
    total = counts.total() + sum(size for _, size in groups)
    if total <= MAX_TRAIN_ONLY:
        return {key: "train" for key, _ in groups}
    lacking = {
        split: share * total - counts[split] for split, share in zip(SPLITS, shares, strict=True)
    }
    order = list(SPLITS)
    if stream_seed(seed, "split", "val or test first", label) % 2:
        order[1:] = reversed(order[1:])  # else all classes of three would skip the same split
    groups.sort(key=lambda group: (-group[1], stream_seed(seed, "split", *group[0]), group[0]))
    chosen = {}
    for key, size in groups:
        split = max(order, key=lacking.__getitem__)
        lacking[split] -= size
        chosen[key] = split
    return chosen
