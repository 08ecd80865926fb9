"""Memory between two steps: kept by the process instead of given back to the system and asked for again.

glibc asks the system for each block above some kilobytes and gives it back when it is freed, so every step would have
all pages of its tensors cleared anew. Five members of a GIN on Cora, whose tensors have tens of megabytes, take 1.6
times as long that way, a GCN as long as before (``benchmarks/results/allocator.json``). Results do not depend on it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

__all__ = ["give_back", "keep_blocks"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
_BYTES = 2**30
_USERS_OWN = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_MAX_", "GLIBC_TUNABLES")


@cache
def keep_blocks() -> bool:
    """Let the allocator keep freed blocks of up to a gigabyte; return whether it does.

    It does not where the allocator is not glibc's, or the environment tells it what to do (``MALLOC_…``,
    ``GLIBC_TUNABLES``).
    """
    if any(name in os.environ for name in _USERS_OWN):
        return False
    option = getattr(_libc(), "mallopt", None)
    return option is not None and bool(option(_MMAP_THRESHOLD, _BYTES) and option(_TRIM_THRESHOLD, _BYTES))


def give_back() -> None:
    """Give freed memory back to the system, as far as the allocator can: what is free is counted next."""
    trim = getattr(_libc(), "malloc_trim", None)
    if trim is not None:
        trim(0)


@cache
def _libc() -> ctypes.CDLL | None:
    """Return the C library of a Linux process, whichever it is; None elsewhere."""
    return ctypes.CDLL(None) if sys.platform == "linux" else None
