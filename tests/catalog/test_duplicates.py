"""Near-copies: tied by text or photo, not by placeholders, and for ever."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mmcore.catalog.duplicates import (
    HASH_PX,
    PLACEHOLDER_PRODUCTS,
    difference_hash,
    group_ids,
    near_copies,
    placeholder_hashes,
)
from mmcore.catalog.products import make_frame
from mmcore.images import decode_photo

FLAT = "0000000000000007"  # three bits


def frame(*products: tuple[str, ...]) -> pd.DataFrame:
    """Return products of (id, title, description, group id)."""
    return make_frame([(p, t, d, "", "", g, "", "") for p, t, d, g in products])


def groups(products: pd.DataFrame, hashes: list[str] | None = None) -> list[str]:
    return list(group_ids(products, near_copies(products, hashes or [""] * len(products))))


def photo_hash(number: int) -> str:
    """Return a hash with detail in it, another for each number."""
    return f"{number:04x}0f0f0f0f0f0f"


def test_the_same_words_tie_and_others_dont():
    found = groups(
        frame(
            ("1", "Chaise <b>ROUGE</b>", "en bois", ""),
            ("2", "chaise&nbsp;rouge", "En bois!", ""),
            ("3", "chaise", "rouge en bois", ""),  # the same words, laid out otherwise
            ("4", "chaise bleue", "en bois", ""),
            ("5", "Table", "", ""),
            ("6", "table", "", ""),  # one word is no evidence
            ("7", "", "", ""),
            ("8", "", "", ""),
        )
    )
    assert found[0] == found[1] == found[2]
    assert len(set(found[2:])) == 6


def test_the_same_photo_ties_and_a_flat_one_doesnt():
    products = frame(*((str(i), "", "", "") for i in range(6)))
    inverted = f"{~int(FLAT, 16) & (1 << 64) - 1:016x}"
    hashes = [photo_hash(1), photo_hash(1), FLAT, FLAT, inverted, inverted]
    found = groups(products, hashes)
    assert found[0] == found[1] and len(set(found)) == 5


def test_ties_reach_over_text_and_photo():
    products = frame(("1", "a b", "", ""), ("2", "a b", "", ""), ("3", "c d", "", ""))
    assert len(set(groups(products, ["", photo_hash(1), photo_hash(1)]))) == 1


def test_a_picture_of_too_many_products_is_a_placeholder():
    num = PLACEHOLDER_PRODUCTS + 1
    hashes = [photo_hash(1)] * num + [photo_hash(2)] * (num - 1) + [""] * 50 + [FLAT] * 50
    assert placeholder_hashes(hashes) == {photo_hash(1): num}
    products = frame(*((str(i), "", "", "") for i in range(len(hashes))))
    found = groups(products, hashes)
    assert len(set(found[:num])) == num and len(set(found[num : 2 * num - 1])) == 1


def test_a_large_catalogue_may_share_a_picture_more_often():
    hashes = [photo_hash(1)] * 30 + [photo_hash(2)] * 31 + [""] * 2939
    assert placeholder_hashes(hashes) == {photo_hash(2): 31}


def test_a_group_of_the_file_wins_and_others_join_it():
    found = groups(frame(("1", "a b", "", "g2"), ("2", "a b", "", "g1"), ("3", "a b", "", "")))
    assert found == ["g2", "g1", "g1"]


def test_groups_stay_when_products_are_added():
    old = frame(("5", "a b", "", ""), ("6", "a b", "", ""), ("7", "c d", "", ""))
    old["group_id"] = groups(old)
    new = frame(("1", "a b", "", ""), ("2", "e f", "", ""), ("3", "c d", "", ""))
    both = pd.concat([old, new], ignore_index=True)
    found = groups(both)
    assert found[:3] == list(old["group_id"])
    assert (found[3], found[5]) == (found[0], found[2]) and found[4] not in found[:4]


def test_a_founder_that_left_doesnt_take_the_name_of_its_group_along():
    """It happens when a founder is dropped by --replace and comes back with other words."""
    old = frame(("1", "a b", "", ""), ("2", "a b", "", ""))
    (name,) = set(groups(old))
    back = frame(("2", "a b", "", name), ("1", "c d", "", ""), ("3", "c d", "", ""))
    stayed, came, copy = groups(back)
    assert stayed == name and came == copy != name
    # and a third group of the same founder has a name of its own, too
    again = frame(("2", "a b", "", name), ("3", "c d", "", came), ("1", "e f", "", ""))
    assert len(set(groups(again))) == 3


ROWS = st.lists(
    st.tuples(st.sampled_from(["a b", "c d", "e", ""]), st.sampled_from(["", "1", "2", "3"])),
    max_size=25,
)


@given(ROWS, st.randoms())
def test_groups_dont_depend_on_the_order(rows, random):
    numbered = [(f"p{i}", title, h) for i, (title, h) in enumerate(rows)]
    shuffled = random.sample(numbered, len(numbered))
    found = []
    for some in (numbered, shuffled):
        hashes = [photo_hash(int(h)) if h else "" for *_, h in some]
        ids = groups(frame(*((p, t, "", "") for p, t, _ in some)), hashes)
        found.append({p: group for (p, *_), group in zip(some, ids, strict=True)})
    assert found[0] == found[1]


@given(ROWS)
def test_grouping_again_changes_nothing(rows):
    products = frame(*((f"p{i}", title, "", "") for i, (title, _) in enumerate(rows)))
    hashes = [photo_hash(int(h)) if h else "" for _, h in rows]
    products["group_id"] = groups(products, hashes)
    assert groups(products, hashes) == list(products["group_id"])


# --- the hash


@pytest.fixture
def scene() -> Image.Image:
    rng = np.random.default_rng(3)
    coarse = Image.fromarray(rng.integers(0, 255, (9, 9, 3), dtype=np.uint8))
    return coarse.resize((400, 300), Image.Resampling.BICUBIC)


def hash_of(image: Image.Image, **options) -> str:
    buffer = io.BytesIO()
    image.save(buffer, **{"format": "JPEG", **options})
    return difference_hash(decode_photo(buffer.getvalue(), HASH_PX))


def test_a_recompressed_or_smaller_copy_has_the_same_hash(scene):
    original = hash_of(scene, quality=95)
    assert original == hash_of(scene, quality=60) == hash_of(scene, format="PNG")
    assert original == hash_of(scene.resize((200, 150)), quality=90)


def test_another_photo_has_another_hash(scene):
    assert hash_of(scene) != hash_of(scene.transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def test_a_hash_says_where_it_gets_brighter():
    pixels = np.zeros((HASH_PX, HASH_PX, 3), np.uint8)
    pixels[:9, 8:16] = 200  # second cell of the first row: brighter than the first
    assert difference_hash(pixels) == "8000000000000000"
    assert difference_hash(np.full_like(pixels, 255)) == "0" * 16


def test_noise_on_a_white_background_sets_no_bits():
    noise = np.random.default_rng(0).integers(240, 256, (HASH_PX, HASH_PX, 3), dtype=np.uint8)
    assert difference_hash(noise) == "0" * 16
