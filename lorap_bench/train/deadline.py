"""A deadline: asked for at every epoch, and in a main thread also by an alarm, so that a hang ends too."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["Overtime", "deadline"]


class Overtime(BaseException):
    """The time is up. Not an ``Exception``, so that no code on the way takes it for a fault of its own."""


@contextmanager
def deadline(seconds: float | None) -> Iterator[Callable[[], None]]:
    """Give a block so many seconds; yield what raises ``Overtime`` once they have passed.

    In the main thread an alarm raises it as well, wherever Python code is at that moment: a loop or a sleep that
    would never end does. What hangs inside a compiled call ends when that call returns. An alarm that was set
    before goes off after the block at the earliest.
    """
    if seconds is None:
        yield lambda: None
        return
    end = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() >= end:
            raise Overtime

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    with _alarm(seconds):
        yield check


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    armed = True

    def ring(number: int, frame: FrameType | None) -> None:
        del number, frame
        if armed:
            raise Overtime

    begun = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        armed = False  # an alarm that goes off from here on came too late to matter
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - begun), 1e-3), interval)
