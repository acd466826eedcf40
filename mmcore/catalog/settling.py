"""Groups and splits of a catalogue that has changed, and what has to be told of it.

Test products stay test products for ever: a model that learnt one of them could not be compared
with those before it. This holds over a catalogue that is replaced, too.
"""

from collections.abc import Collection

import pandas as pd

from mmcore.catalog.duplicates import group_ids, near_copies
from mmcore.catalog.issues import KEPT, RowIssue, shown
from mmcore.catalog.products import BASE_COLUMNS, make_frame
from mmcore.catalog.splits import assign_splits

_IDENTITY = ("product_id", "title", "description", "photo_hash")


def settle(
    products: pd.DataFrame,
    seed: int,
    given: Collection[str] = frozenset(),
    former_tests: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, list[RowIssue]]:
    """Return the products with every group and split filled in, and remarks on those that moved.

    Args:
        products: of the catalogue; groups and splits of new ones are empty.
        seed: of the splits.
        given: ids of products whose split a file gave.
        former_tests: test products of the catalogue that these products replace.
    """
    former = make_frame(()) if former_tests is None else former_tests[list(BASE_COLUMNS)]
    before = products["split"]
    stays = (before == "") & products["product_id"].isin(former["product_id"])
    before = before.mask(stays, "test")
    # near-copies of a test product that is gone, or has other words now, are not learnt from either
    known = set(_identities(products))
    gone = former[[identity not in known for identity in _identities(former)]]
    everything = pd.concat([products.assign(split=before), gone], ignore_index=True)
    ties = near_copies(everything, everything["photo_hash"])
    everything["group_id"] = group_ids(everything, ties)
    splits = assign_splits(everything, seed, ties=ties, given=given)
    count = len(products)
    settled = products.assign(
        group_id=everything["group_id"].array[:count], split=splits.array[:count]
    )
    return settled, [*_left_test(settled, former), *_moved(settled, before)]


def _identities(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    return list(zip(*(frame[column] for column in _IDENTITY), strict=True))


def _left_test(settled: pd.DataFrame, former: pd.DataFrame) -> list[RowIssue]:
    """Return a remark on products that a file takes out of a replaced catalogue's test split."""
    left = settled["product_id"].isin(former["product_id"]) & (settled["split"] != "test")
    if not left.any():
        return []
    reason = (
        f"taken out of test by the file's split: {_named(settled[left])}; models trained from now "
        "on may learn from what was a test product: don't compare their test scores with earlier "
        "ones"
    )
    return [RowIssue(1, "", "", reason, KEPT)]


def _moved(settled: pd.DataFrame, before: pd.Series) -> list[RowIssue]:
    """Return remarks on products that near-copies took along into a stricter split."""
    issues = []
    for old, new in (("train", "test"), ("val", "test"), ("train", "val")):
        moved = (before == old) & (settled["split"] == new)
        if moved.any():
            reason = (
                f"moved from {old} to {new}, being near-copies of {new} products, as it turns "
                f"out: {_named(settled[moved])}; models trained so far may have learnt from them: "
                f"don't compare their {new} scores with later ones"
            )
            issues.append(RowIssue(1, "", "", reason, KEPT))
    return issues


def _named(products: pd.DataFrame) -> str:
    first, more = shown(products["product_id"].iloc[0]), len(products) - 1
    return f"product {first}" + (f" and {more:,} more" if more else "")
