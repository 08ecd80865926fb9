"""Two ways to ask a run to end: first drain what runs, then stop at once."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["Interrupted", "Stop", "on_signals"]


class Interrupted(BaseException):
    """A trial was left at an epoch's end because the run was told to stop at once."""


@final
class Stop:
    """A request to end. The first ``request`` drains, the second stops at once.

    Args:
        on_request: called with the number of requests so far, for a message to the user.
    """

    def __init__(self, on_request: Callable[[int], None] | None = None) -> None:
        self._requests = 0
        self._on_request = on_request

    @property
    def drain(self) -> bool:
        """Whether no new trial should start."""
        return self._requests >= 1

    @property
    def now(self) -> bool:
        """Whether running trials should be left."""
        return self._requests >= 2

    def request(self) -> None:
        """Ask to end, or to end sooner."""
        self._requests += 1
        if self._on_request is not None:
            self._on_request(self._requests)

    def check(self, epoch: int = 0) -> None:
        """Raise ``Interrupted`` if the run should stop at once; fits a trainer's ``on_epoch``."""
        del epoch
        if self.now:
            raise Interrupted


@contextmanager
def on_signals(stop: Stop) -> Iterator[Stop]:
    """Turn Ctrl-C and SIGTERM into requests while the block runs (in the main thread; elsewhere do nothing)."""
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.request()

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
