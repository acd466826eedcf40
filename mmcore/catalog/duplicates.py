"""Near-copies: products with the same text or the same photo share a group.

What a file calls a group stays one; computed groups that turn out to be near-copies of each other
become one. Which split near-copies go to is decided by `splits.py`.
"""

import hashlib
from collections import Counter
from collections.abc import Container, Hashable, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from mmcore.text import words

HASH_PX = 72  # decode size: nine columns and eight rows of whole pixels
MIN_WORDS = 2  # one word ("Table") is no evidence of a copy
MIN_BITS = 4  # fewer bits set (or unset) than this: a flat or blank photo, like any other one
PLACEHOLDER_PRODUCTS = 20  # a photo of more products than this,
PLACEHOLDER_SHARE = 0.01  # and than this share of all, is a "no photo" picture or a logo

_COMPUTED = "auto-"  # begins the id of a group that no file gave
_HASH_BITS = 64
_MARGIN = 2.0  # grey levels: JPEG noise on a white background must not set bits
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # Rec. 601, as Pillow's "L"


def difference_hash(pixels: np.ndarray) -> str:
    """Return 16 hex digits that are equal for copies of a photo, resized or recompressed.

    One bit a cell of an 8 x 8 grid: is the next cell to the right brighter?
    Source: N. Krawetz, https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html

    Args:
        pixels: (HASH_PX, HASH_PX, 3) uint8 RGB.
    """
    grey = pixels.astype(np.float32) @ _LUMA  # (72, 72)
    cells = grey.reshape(8, HASH_PX // 8, 9, HASH_PX // 9).mean(axis=(1, 3))  # (8, 9)
    return np.packbits(np.diff(cells, axis=1) > _MARGIN).tobytes().hex()


def placeholder_hashes(hashes: Iterable[str]) -> dict[str, int]:
    """Return hash -> number of products, for photos that too many products share."""
    counts = Counter(hashes)
    limit = max(PLACEHOLDER_PRODUCTS, PLACEHOLDER_SHARE * counts.total())
    return {
        photo_hash: count
        for photo_hash, count in counts.items()
        if count > limit and _has_detail(photo_hash)
    }


def near_copies(frame: pd.DataFrame, hashes: Iterable[str]) -> list[int]:
    """Return a number for each product, equal for near-copies, in the order of the frame.

    Products of the same group, text or photo are near-copies, and so are near-copies of those.

    Args:
        frame: product_id, title, description, group_id ("" where there is none yet).
        hashes: difference hash of each product's photo, "" where it has none.
    """
    hashes = list(hashes)
    ties = _Ties(len(frame))
    ties.join_equal(_text_keys(frame))
    placeholders = placeholder_hashes(hashes)
    ties.join_equal(h if _has_detail(h) and h not in placeholders else None for h in hashes)
    ties.join_equal(group or None for group in frame["group_id"])
    return [ties.root(i) for i in range(len(frame))]


def group_ids(frame: pd.DataFrame, ties: Sequence[int]) -> pd.Series:
    """Return the group of each product, in the order of the frame.

    A group id from a file stays. The others take the smallest one among their near-copies, a
    file's before a computed one; where there is none, they found one named after their smallest
    product id, by a name that no group has: that product may have founded one before, and left it.

    Args:
        frame: product_id, group_id ("" where it is to be found).
        ties: of `near_copies`.
    """
    ids, given = list(frame["product_id"]), list(frame["group_id"])
    known: dict[int, tuple[bool, str]] = {}  # whether it is computed, and the id
    founder: dict[int, str] = {}
    for tie, product_id, group in zip(ties, ids, given, strict=True):
        founder[tie] = min(founder.get(tie, product_id), product_id)
        if group:
            ranked = (group.startswith(_COMPUTED), group)
            known[tie] = min(known.get(tie, ranked), ranked)
    taken = set(given)
    named = {
        tie: known[tie][1] if tie in known else _named_after(founder[tie], taken) for tie in founder
    }
    groups = [
        group if group and not group.startswith(_COMPUTED) else named[tie]
        for tie, group in zip(ties, given, strict=True)
    ]
    return pd.Series(groups, index=frame.index, dtype="str", name="group_id")


def _text_keys(frame: pd.DataFrame) -> Iterator[bytes | None]:
    for title, description in zip(frame["title"], frame["description"], strict=True):
        found = [*words(title), *words(description)]
        # a digest: the texts of a large catalogue need not be held a second time
        key = hashlib.sha256(" ".join(found).encode()).digest()
        yield key if len(found) >= MIN_WORDS else None


def _has_detail(photo_hash: str) -> bool:
    num_set = int(photo_hash, 16).bit_count() if photo_hash else 0
    return MIN_BITS <= num_set <= _HASH_BITS - MIN_BITS


def _named_after(product_id: str, taken: Container[str]) -> str:
    digest = hashlib.sha256(product_id.encode())
    while (name := _COMPUTED + digest.hexdigest()[:16]) in taken:
        digest.update(b"again")
    return name


class _Ties:
    """Union-find over product positions."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def root(self, i: int) -> int:
        while self._parents[i] != i:
            self._parents[i] = self._parents[self._parents[i]]
            i = self._parents[i]
        return i

    def join_equal(self, keys: Iterable[Hashable | None]) -> None:
        """Tie the positions whose keys are equal; None is equal to nothing."""
        first: dict[Hashable, int] = {}
        for i, key in enumerate(keys):
            if key is not None:
                # the smaller root wins, so that chains stay short for files in their order
                low, high = sorted((self.root(first.setdefault(key, i)), self.root(i)))
                self._parents[high] = low
