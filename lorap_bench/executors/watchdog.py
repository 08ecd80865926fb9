"""The end of a worker that hangs where no deadline inside Python is heard, as in a library's C code."""

from __future__ import annotations

import faulthandler
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["hard_deadline", "patience"]

_FACTOR, _GRACE_SECONDS = 2.0, 30.0


def patience(seconds: float | None, trials: int) -> float | None:
    """Return the seconds after which a pack of trials is given up for hung; None: never.

    Formula: twice the time its trials may take one after another, and half a minute.
    """
    return None if seconds is None else _FACTOR * seconds * trials + _GRACE_SECONDS


@contextmanager
def hard_deadline(seconds: float | None) -> Iterator[None]:
    """End this process, with a traceback on stderr, if the block takes longer than ``seconds``.

    The clock is a thread of the interpreter's own that needs not its lock: code that holds it is ended too.
    """
    if seconds is None:
        yield
        return
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__ or sys.stderr)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
