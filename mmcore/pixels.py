"""Photos of the store as pixels, decoded by threads, a batch ahead of who needs them.

Threads, not processes: Pillow releases the interpreter lock while it decodes, nothing has to be
copied between processes, and there is no worker to lose on SIGTERM.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from mmcore.errors import ImageError
from mmcore.images import IMAGE_PX, decode_photo

AHEAD = 2  # batches decoded before they are asked for
_NO_PIXELS = np.zeros((IMAGE_PX, IMAGE_PX, 3), np.uint8)
MAX_REMEMBERED = 1000  # reasons of unreadable photos that are kept for the report


class PhotoWork(Protocol):
    """What is done with each photo by the thread that decoded it."""

    blank: np.ndarray  # stands for a photo that can't be read

    def of_photo(self, pixels: np.ndarray) -> np.ndarray:
        """Return the result for (224, 224, 3) uint8 pixels, of the blank's shape and type."""


class PhotoReader:
    """Decodes photos by key; unreadable ones are counted, remembered and left blank."""

    def __init__(
        self, load: Callable[[str], bytes], threads: int, pool: ThreadPoolExecutor | None = None
    ) -> None:
        """Start `threads` decoders, or let those of `pool` decode, which others may use, too.

        Args:
            load: returns the bytes of a photo key, or raises ImageError.
        """
        self._load = load
        self._own = None if pool else decoders(threads)
        self._pool = pool or self._own
        self._pending: set[Future] = set()
        self.unreadable: OrderedDict[str, str] = OrderedDict()  # key -> reason, of the first ones
        self._unreadable_keys: set[str] = set()  # of all
        self._begun: dict[str, Future] = {}

    @property
    def num_unreadable(self) -> int:
        """Return how many different photos couldn't be read so far."""
        return len(self._unreadable_keys)

    def begin(self, keys: Sequence[str], work: PhotoWork | None = None) -> None:
        """Start on photos that are going to be asked for; they wait in memory until they are."""
        for key in keys:
            if key and key not in self._begun:
                self._begun[key] = self._submit(key, work)

    def read(self, keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return (N, 224, 224, 3) uint8 and (N,) bool: whether the photo is there and readable."""
        return next(self.stream([keys]))

    def stream(
        self, batches: Iterable[Sequence[str]], work: PhotoWork | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield `read` of each batch, decoding up to AHEAD batches beforehand.

        Args:
            work: done with each photo where it was decoded; its results come instead of pixels.
        """
        blank = _NO_PIXELS if work is None else work.blank
        waiting: list[list[Future]] = []
        for keys in batches:
            waiting.append([self._future(key, work) for key in keys])
            if len(waiting) > AHEAD:
                yield _collect(waiting.pop(0), blank)
        while waiting:
            yield _collect(waiting.pop(0), blank)

    def close(self) -> None:
        """Wait for the photos in hand, drop those not yet begun; stop decoders of its own."""
        pending = list(self._pending)
        for future in pending:
            future.cancel()
        wait(pending)
        if self._own:
            self._own.shutdown()

    def _future(self, key: str, work: PhotoWork | None) -> Future:
        begun = self._begun.pop(key, None)
        return self._submit(key, work) if begun is None else begun

    def _submit(self, key: str, work: PhotoWork | None) -> Future:
        future = self._pool.submit(self._decode, key, work)
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        return future

    def _decode(self, key: str, work: PhotoWork | None) -> np.ndarray | None:
        if not key:
            return None
        try:
            pixels = decode_photo(self._load(key))
        except ImageError as error:
            self._unreadable_keys.add(key)
            if len(self.unreadable) < MAX_REMEMBERED:
                self.unreadable[key] = str(error)
            return None
        return pixels if work is None else work.of_photo(pixels)


def decoders(threads: int) -> ThreadPoolExecutor:
    """Return threads that decode."""
    return ThreadPoolExecutor(threads, thread_name_prefix="decode")


def _collect(futures: list[Future], blank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    photos = [future.result() for future in futures]
    is_readable = np.array([photo is not None for photo in photos], dtype=bool)
    rows = [blank if photo is None else photo for photo in photos]
    return np.stack(rows) if rows else blank[None][:0], is_readable


def photos_a_pass(device: torch.device) -> int:
    """Return how many photos should go through a backbone at once without training."""
    # on a CPU more of them only leave the cache sooner; a GPU wants to be filled
    return 8 if device.type == "cpu" else 64


def to_tensor(pixels: np.ndarray, device: torch.device) -> Tensor:
    """Return (N, 3, H, W) float32 in [-1, 1], channels last in memory, from (N, H, W, 3) uint8.

    The pixels travel to the device as bytes, a quarter of the traffic of floats.
    """
    on_device = torch.from_numpy(pixels).to(device, non_blocking=True)
    return (on_device.float() / 127.5 - 1).permute(0, 3, 1, 2)
