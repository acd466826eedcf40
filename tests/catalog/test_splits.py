"""Splits: whole groups, class by class, and for ever."""

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcore.catalog.products import SPLITS, make_frame
from mmcore.catalog.splits import assign_splits, num_straddling_groups
from mmcore.errors import ConfigError


def frame(*products: tuple[str, ...]) -> pd.DataFrame:
    """Return products of (label, group id, split), numbered."""
    return make_frame(
        (f"p{i}", "", "", "", label, group, split, "")
        for i, (label, group, split) in enumerate(products)
    )


def assigned(products: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    return products.assign(split=assign_splits(products, seed))


PRODUCTS = st.lists(
    st.tuples(
        st.sampled_from(["", "a", "b", "c"]), st.integers(0, 15).map("g{}".format), st.just("")
    ),
    max_size=60,
)


@given(PRODUCTS, st.integers(0, 5))
def test_groups_never_straddle(rows, seed):
    done = assigned(frame(*rows), seed)
    assert num_straddling_groups(done) == 0
    assert set(done["split"]) <= set(SPLITS)


@given(PRODUCTS, PRODUCTS)
def test_what_has_a_split_keeps_it_and_its_group_follows(old_rows, new_rows):
    old = assigned(frame(*old_rows))
    both = pd.concat([old, frame(*new_rows)], ignore_index=True)
    done = assigned(both)
    assert list(done["split"][: len(old)]) == list(old["split"])
    assert num_straddling_groups(done) == 0


@given(PRODUCTS, st.randoms())
def test_splits_dont_depend_on_the_order(rows, random):
    products = frame(*rows)
    shuffled = products.iloc[random.sample(range(len(rows)), len(rows))]
    done, redone = assigned(products), assigned(shuffled)
    assert dict(zip(done["product_id"], done["split"], strict=True)) == dict(
        zip(redone["product_id"], redone["split"], strict=True)
    )


@pytest.mark.parametrize("num", [20, 100, 1000])
def test_each_class_is_shared_out_70_15_15(num):
    rows = [(label, f"{label}{i}", "") for label in "abc" for i in range(num)]
    done = assigned(frame(*rows))
    for _, products in done.groupby("label"):
        counts = Counter(products["split"])
        for split, share in zip(SPLITS, (0.7, 0.15, 0.15), strict=True):
            assert abs(counts[split] - share * num) < 1


def test_large_groups_dont_upset_the_shares():
    rows = [("a", f"g{i // 10 if i < 50 else i}", "") for i in range(200)]
    counts = Counter(assigned(frame(*rows))["split"])
    assert abs(counts["train"] - 140) <= 5 and abs(counts["test"] - 30) <= 5


@pytest.mark.parametrize("seed", range(10))
def test_a_large_group_leaves_val_and_test_their_share(seed):
    rows = [("a", "large", "")] * 10 + [("a", f"g{i}", "") for i in range(10)]
    counts = Counter(assigned(frame(*rows), seed)["split"])
    assert counts == {"train": 14, "val": 3, "test": 3}


@pytest.mark.parametrize("num", [1, 2])
def test_a_class_of_one_or_two_is_for_learning(num):
    products = frame(*(("a", f"g{i}", "") for i in range(num)))
    assert set(assign_splits(products, 0)) == {"train"}
    assert set(assign_splits(products, 0, (0.2, 0.4, 0.4))) == {"train"}


def test_small_classes_dont_all_skip_the_same_split():
    rows = [(f"c{c}", f"c{c}g{i}", "") for c in range(40) for i in range(3)]
    counts = Counter(assigned(frame(*rows))["split"])
    assert counts["train"] == 80 and counts["val"] >= 10 and counts["test"] >= 10


def test_new_products_fill_what_a_class_lacks():
    rows = [("a", f"old{i}", "train") for i in range(30)]
    rows += [("a", f"new{i}", "") for i in range(14)]
    counts = Counter(assigned(frame(*rows))["split"])
    # of 44, 6.6 are due to val and to test each, and train has its 30.8 but for one
    assert counts["val"] >= 6 and counts["test"] >= 6


def test_near_copies_that_follow_their_group_count():
    rows = [("a", "g", "test")] + [("a", "g", "")] * 19
    rows += [("a", f"new{i}", "") for i in range(80)]
    counts = Counter(assigned(frame(*rows))["split"])
    assert counts["test"] == 20 and abs(counts["val"] - 13) <= 1


def test_near_copies_of_a_test_product_are_not_learnt_from():
    rows = [("a", "g", "train"), ("a", "g", "test"), ("a", "g", "")]
    assert list(assign_splits(frame(*rows), 0)) == ["test", "test", "test"]
    done = frame(*rows)
    done["split"] = assign_splits(done, 0, given={"p0"})  # a file wants it learnt from
    assert list(done["split"]) == ["train", "test", "test"]
    assert num_straddling_groups(done) == 1


def test_another_seed_gives_other_splits():
    products = frame(*(("a", f"g{i}", "") for i in range(100)))
    assert list(assign_splits(products, 0)) != list(assign_splits(products, 1))


def test_products_without_a_group_are_split_one_by_one():
    counts = Counter(assigned(frame(*[("a", "", "")] * 100))["split"])
    assert counts == {"train": 70, "val": 15, "test": 15}


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.7, 0.2, 0.2), (1.2, -0.1, -0.1)])
def test_shares_must_add_up(shares):
    with pytest.raises(ConfigError, match="split shares are .*three numbers from 0 to 1 that add"):
        assign_splits(frame(("a", "g", "")), 0, shares)
