"""The photos of an import: each is looked up, decoded once and stored, a few at a time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from mmcore.catalog.csv_reader import RawProduct
from mmcore.catalog.duplicates import HASH_PX, difference_hash
from mmcore.catalog.issues import RowIssue
from mmcore.catalog.photo_source import PhotoSource
from mmcore.errors import ImageError
from mmcore.images import decode_photo
from mmcore.photos import PhotoStore

_AHEAD = 64  # rows in flight; their photos are in memory only while a thread works on them


@dataclass(frozen=True, slots=True)
class TakenProduct:
    """A row with its photo.

    Attributes:
        photo: key in the store, "" where there is none.
        photo_hash: difference hash, "" where there is none.
        problem: why the photo that the row names could not be taken.
    """

    row: RawProduct
    photo: str = ""
    photo_hash: str = ""
    problem: str = ""


def take_photos(
    rows: Iterable[RawProduct | RowIssue], source: PhotoSource, store: PhotoStore, num_threads: int
) -> Iterator[TakenProduct | RowIssue]:
    """Yield the rows with their photos stored, and the issues, in the given order.

    Args:
        num_threads: photos decoded side by side.

    Raises:
        WorkspaceError: if a photo can't be stored.
    """
    waiting: deque[Callable[[], TakenProduct | RowIssue]] = deque()
    with ThreadPoolExecutor(num_threads, thread_name_prefix="photo") as pool:
        try:
            for row in rows:
                waiting.append(_start(row, source, store, pool))
                if len(waiting) >= _AHEAD:
                    yield waiting.popleft()()
            while waiting:
                yield waiting.popleft()()
        finally:  # an error, or the caller has enough: don't work off what is queued
            pool.shutdown(cancel_futures=True)


def _start(
    row: RawProduct | RowIssue, source: PhotoSource, store: PhotoStore, pool: ThreadPoolExecutor
) -> Callable[[], TakenProduct | RowIssue]:
    """Return what gives the row's result, waiting for its photo where it has one."""
    if isinstance(row, RowIssue):
        return lambda: row
    if not row.image:
        return lambda: TakenProduct(row)
    future: Future[TakenProduct] = pool.submit(_take, row, source, store)
    return future.result


def _take(row: RawProduct, source: PhotoSource, store: PhotoStore) -> TakenProduct:
    try:
        data = source.read(row.image)
        photo_hash = difference_hash(decode_photo(data, HASH_PX))
    except ImageError as error:
        return TakenProduct(row, problem=str(error))
    return TakenProduct(row, store.add(data), photo_hash)
