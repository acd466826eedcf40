"""Keep the C allocator from giving large blocks back between two layers of a network."""

import ctypes
import sys

# glibc's malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_BLOCK_BYTES = 1 << 30
_KEPT_BYTES = (1 << 31) - 1


def keep_large_blocks() -> bool:
    """Let freed blocks of up to 1 GiB be used again; False where that can't be asked for.

    By default glibc maps every block above 32 MB afresh, and the activations of 32 photos are
    larger than that: each layer then pays for thousands of zeroed pages, which took up to half of
    the time of a CPU training. The peak of memory stays the same, only it isn't given back.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # a C library without it (musl)
        return False
    asked = ((_M_MMAP_THRESHOLD, _BLOCK_BYTES), (_M_TRIM_THRESHOLD, _KEPT_BYTES))
    return all(mallopt(name, value) == 1 for name, value in asked)
