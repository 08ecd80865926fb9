"""The process settings that every contestant is measured under: one thread, and an allocator that keeps its memory.

glibc reads them when a process starts, so a script that finds them missing starts itself again with them.
"""

from __future__ import annotations

import os
import sys

__all__ = ["SETTINGS", "start_again_with_settings"]

# Bytes: larger than any tensor here, so that no block goes back to the system and is faulted in again.
_KEPT = str(2**30)
SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": _KEPT,
    "MALLOC_TRIM_THRESHOLD_": _KEPT,
    "MALLOC_TOP_PAD_": _KEPT,
}


def start_again_with_settings(module: str) -> None:
    """Replace this process by ``python -m module`` under the settings, unless it has them."""
    if SETTINGS.items() <= os.environ.items():
        return
    command = [sys.executable, "-m", module, *sys.argv[1:]]
    os.execve(sys.executable, command, os.environ | SETTINGS)  # noqa: S606  # this interpreter, this package
