"""Python's cyclic garbage collector, out of the way while much is read or made."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["collector_rests"]


@contextmanager
def collector_rests() -> Iterator[None]:
    """Let the collector rest, as long as values without cycles pile up: it would walk all of them again and again."""
    worked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if worked:
            gc.enable()
