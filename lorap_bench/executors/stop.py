"""Two ways to ask a run to end: first drain what runs, then stop at once. A signal or a file asks."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, final

from lorap_bench.errors import StoreError
from lorap_bench.store.access import access
from lorap_bench.store.atomic import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

__all__ = ["Interrupted", "Stop", "ask_to_stop", "on_request_file", "on_signals", "withdraw"]

_PAUSE = 1.0
"""Seconds between two looks for a request file."""


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
        self._file: Path | None = None
        self._looked = 0.0

    @property
    def drain(self) -> bool:
        """Whether no new trial should start."""
        self._look()
        return self._requests >= 1

    @property
    def now(self) -> bool:
        """Whether running trials should be left."""
        self._look()
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

    def heed(self, file: Path | None) -> None:
        """Look for requests in ``file`` too, about once a second wherever the answer matters; None: no more."""
        self._file = file
        self._looked = 0.0

    def _look(self) -> None:
        if self._file is None or self._requests >= 2 or time.monotonic() - self._looked < _PAUSE:
            return
        self._looked = time.monotonic()
        while self._requests < _asked(self._file):
            self.request()


def ask_to_stop(file: Path, *, now: bool) -> None:
    """Ask the drivers that heed ``file`` to drain, or to stop at once.

    Raises:
        StoreError: it cannot be written.
    """
    write_json(file, {"now": now})


def withdraw(file: Path) -> bool:
    """Take a request back; return whether there was one.

    Raises:
        StoreError: it cannot be removed.
    """
    with access(file, "remove"):
        try:
            file.unlink()
        except FileNotFoundError:
            return False
    return True


@contextmanager
def on_request_file(stop: Stop, file: Path, *, fresh: bool = True) -> Iterator[Stop]:
    """Heed requests in ``file`` while the block runs; if ``fresh``, one that was there was meant for another driver.

    Raises:
        StoreError: an old request cannot be removed.
    """
    if fresh:
        withdraw(file)
    stop.heed(file)
    try:
        yield stop
    finally:
        stop.heed(None)


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


def _asked(file: Path) -> int:
    """Return how urgent the request in ``file`` is; 0 without one, and one that cannot be read asks to drain."""
    if not file.exists():
        return 0
    try:
        request = read_json(file)
    except StoreError:
        return int(file.exists())
    return 2 if isinstance(request, dict) and request.get("now") is True else 1
