"""Whatever is imported in whatever order: near-copies stay together, test products stay so."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.catalog.csv_reader import RawProduct
from mmcore.catalog.intake import TakenProduct
from mmcore.catalog.merge import GivenColumns, merge_products
from mmcore.catalog.products import SPLITS, make_frame
from mmcore.catalog.settling import settle

GIVEN = GivenColumns(
    {name: name for name in ("title", "description", "image", "label", "group", "split")}
)
TITLES = ("rouge vif", "bleu nuit", "vert pomme", "Rouge <b>vif</b>", "mot", "")
HASHES = ("", *(f"{i:04x}0f0f0f0f0f0f" for i in range(3)))


@dataclass
class Shop:
    """A catalogue under import, and what a file said of each product's split."""

    products: object = field(default_factory=lambda: make_frame(()))
    given: frozenset = frozenset()
    remarks: list = field(default_factory=list)

    def take(self, rows, seed: int = 0, replace: bool = False) -> None:
        unique = {row[0]: row for row in rows}.values()
        taken = [
            TakenProduct(
                RawProduct(2, product_id, title, "", "", label, group, split, ()),
                "key" if photo_hash else "",
                photo_hash,
            )
            for product_id, title, photo_hash, label, group, split in unique
        ]
        old = make_frame(()) if replace else self.products
        former = self.products[self.products["split"] == "test"] if replace else None
        merged = merge_products(old, taken, GIVEN)
        self.given = frozenset(merged.given_splits) | (frozenset() if replace else self.given)
        self.products, self.remarks = settle(merged.products, seed, self.given, former)


ROWS = st.tuples(
    st.integers(0, 11).map(str),
    st.sampled_from(TITLES),
    st.sampled_from(HASHES),
    st.sampled_from(["", "a", "b"]),
    st.sampled_from(["", "", "", "g1", "g2"]),
    st.sampled_from(["", "", "", "", *SPLITS]),
)
IMPORTS = st.lists(
    st.tuples(st.lists(ROWS, min_size=1, max_size=8), st.integers(0, 3), st.booleans()),
    min_size=1,
    max_size=5,
)


def key_of(title: str) -> str:
    found = title.lower().replace("<b>", "").replace("</b>", "")
    return found if " " in found else ""


@settings(deadline=None, max_examples=300)
@given(IMPORTS)
def test_near_copies_stay_together_and_test_products_stay(imports):
    shop = Shop()
    for rows, seed, replace in imports:
        before = dict(zip(shop.products["product_id"], shop.products["split"], strict=True))
        shop.take(rows, seed, replace)
        found = shop.products
        assert set(found["split"]) <= set(SPLITS)
        free = found[~found["product_id"].isin(shop.given)]
        for column in ("title", "photo_hash", "group_id"):
            keys = free[column].map(key_of) if column == "title" else free[column]
            apart = free[keys != ""].groupby(keys[keys != ""])["split"].nunique()
            assert (apart <= 1).all(), f"products of one {column} are parted"
        for product_id, split in zip(free["product_id"], free["split"], strict=True):
            if before.get(product_id) == "test":
                assert split == "test", "a test product left test without a file's word"
        # nor is a copy of a test product learnt from, unless a file says so of that copy
        tests = found[found["split"] == "test"]
        learnt = free[free["split"] == "train"]
        assert not set(learnt["title"].map(key_of)) & set(tests["title"].map(key_of)) - {""}
        assert not set(learnt["photo_hash"]) & set(tests["photo_hash"]) - {""}


@settings(deadline=None)
@given(IMPORTS)
def test_settling_again_changes_nothing(imports):
    shop = Shop()
    for rows, seed, replace in imports:
        shop.take(rows, seed, replace)
        again, remarks = settle(shop.products, seed + 1, shop.given)
        assert again.equals(shop.products) and remarks == []


@settings(deadline=None)
@given(st.lists(ROWS, max_size=12, unique_by=lambda row: row[0]), st.randoms())
def test_the_order_of_the_rows_doesnt_matter(rows, random):
    one, other = Shop(), Shop()
    one.take(rows)
    other.take(random.sample(rows, len(rows)))
    columns = ["product_id", "group_id", "split"]
    ordered = other.products.sort_values("product_id")[columns].values.tolist()
    assert one.products.sort_values("product_id")[columns].values.tolist() == ordered


def test_computed_groups_of_near_copies_become_one():
    shop = Shop()
    shop.take([("1", "rouge vif", "", "a", "", "test"), ("2", "bleu nuit", "", "a", "", "")])
    assert shop.products["group_id"].nunique() == 2
    shop.take([("2", "rouge vif", "", "a", "", "")])
    assert shop.products["group_id"].nunique() == 1
    assert shop.products["split"].tolist() == ["test", "test"]
    (remark,) = shop.remarks
    assert "moved from train to test" in remark.reason and "product '2'; models" in remark.reason


def test_a_split_that_a_file_gave_outlasts_later_imports():
    shop = Shop()
    shop.take([("1", "rouge vif", "", "a", "", "test"), ("2", "bleu nuit", "", "a", "", "train")])
    shop.take([("3", "rouge vif", "", "a", "", ""), ("2", "rouge vif", "", "a", "", "")])
    assert shop.products["split"].tolist() == ["test", "train", "test"]
    assert shop.remarks == []
