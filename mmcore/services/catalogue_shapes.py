"""What products look like as a whole: how long their texts, how large their photos, how many are
near-copies of each other."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image
from sqlalchemy import Integer, cast, func, select

from mmcore.photos import PhotoStore
from mmcore.store.engine import Store
from mmcore.store.product_filter import in_catalogue, num_chars
from mmcore.store.tables import Product
from mmcore.workspace import Workspace

# upper edges, in characters; the last one takes all that are longer
TEXT_EDGES = (0, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 10**9)
PHOTO_EDGES = (100, 200, 300, 500, 800, 1_200, 10**9)  # pixels of the longer side
LOOKED_AT = 1_000  # photos: the header of each file is read, which a list must not wait for


@dataclass(frozen=True)
class Bucket:
    """Products between two values, both included."""

    low: int
    high: int
    count: int

    @property
    def name(self) -> str:
        """Return the bucket in words."""
        if self.high >= 10**9:
            return f"{self.low:,}+"
        return f"{self.low:,}" if self.low == self.high else f"{self.low:,} to {self.high:,}"


@dataclass(frozen=True)
class GroupSizes:
    """Near-copies: groups of more than one product, and how many products are in them."""

    num_groups: int
    num_products: int
    largest: int


@dataclass(frozen=True)
class PhotoSizes:
    """Photos by their longer side.

    Attributes:
        keys: of the photos in each bucket.
        num_looked_at: drawn at random where there are more.
        num_unreadable: of these.
    """

    buckets: tuple[Bucket, ...]
    keys: tuple[tuple[str, ...], ...]
    num_looked_at: int
    num_unreadable: int


def text_lengths(store: Store) -> tuple[Bucket, ...]:
    """Return the products by the characters of title and description together."""
    lengths = select(num_chars().label("num")).where(in_catalogue()).cte("lengths")
    # else the texts would be measured anew for each edge
    place = _place_of(lengths.prefix_with("MATERIALIZED").c.num)
    with store.reading() as session:
        rows = session.execute(select(place, func.count()).group_by(place)).all()
    return _buckets(TEXT_EDGES, dict(rows))


def group_sizes(store: Store) -> GroupSizes:
    """Return how many products are near-copies of another."""
    sizes = (
        select(func.count().label("n"))
        .where(in_catalogue())
        .group_by(Product.group_id)
        .having(func.count() > 1)
        .subquery()
    )
    with store.reading() as session:
        found = session.execute(
            select(func.count(), func.sum(sizes.c.n), func.max(sizes.c.n)).select_from(sizes)
        ).one()
    return GroupSizes(*(value or 0 for value in found))


def photo_sizes(store: Store, workspace: Workspace) -> PhotoSizes:
    """Return the photos by the pixels of their longer side."""
    query = select(Product.photo).where(in_catalogue(), Product.photo != "")
    with store.reading() as session:
        keys = session.scalars(query.order_by(Product.random_rank).limit(LOOKED_AT)).all()
    sides = {key: _longer_side(workspace, key) for key in keys}
    places = {key: _place(PHOTO_EDGES, side) for key, side in sides.items() if side is not None}
    return PhotoSizes(
        buckets=_buckets(PHOTO_EDGES, Counter(places.values())),
        keys=tuple(
            tuple(key for key, place in places.items() if place == i)
            for i in range(len(PHOTO_EDGES))
        ),
        num_looked_at=len(sides),
        num_unreadable=len(sides) - len(places),
    )


def _longer_side(workspace: Workspace, key: str) -> int | None:
    """Return pixels, None where the file can't be read."""
    try:
        with Image.open(PhotoStore(workspace.photos).path(key)) as image:
            return max(image.size)
    except Exception:  # Pillow raises whatever its many readers raise; the count tells of it
        return None


def _place(edges: Sequence[int], value: int) -> int:
    return next(i for i, edge in enumerate(edges) if value <= edge)


def _place_of(value):
    """Return the number of the bucket that a value falls into, as SQL."""
    return sum((cast(value > edge, Integer) for edge in TEXT_EDGES[1:-1]), cast(value > 0, Integer))


def _buckets(edges: Sequence[int], counts: dict[int, int]) -> tuple[Bucket, ...]:
    lows = [0, *(edge + 1 for edge in edges)]
    return tuple(
        Bucket(low, edge, counts.get(i, 0))
        for i, (low, edge) in enumerate(zip(lows, edges, strict=False))
    )
