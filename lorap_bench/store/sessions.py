"""How long a study has been worked on: one small file a driver, from its beginning to its last sign of life."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, final

from lorap_bench.errors import StoreError
from lorap_bench.store.access import access
from lorap_bench.store.atomic import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Session", "seconds_of"]

_BEAT = 5.0
"""Seconds between two signs of life at least. A killed driver leaves uncounted what came after the last one."""


@final
class Session:
    """The work of one driver on the study folder ``root``."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "sessions"
        self._path = self._folder / f"{uuid.uuid4().hex}.json"
        self._earlier = seconds_of(root)
        self._began = time.time()
        self._clock = time.monotonic()
        self._beaten: float | None = None

    @property
    def seconds(self) -> float:
        """Return for how long the study has been worked on, this session included."""
        return self._earlier + time.monotonic() - self._clock

    def beat(self) -> None:
        """Give a sign of life, if the last one is some seconds old.

        Raises:
            StoreError: it cannot be written.
        """
        if self._beaten is None or time.monotonic() - self._beaten >= _BEAT:
            self.close()

    def close(self) -> None:
        """Write down how long the session has been.

        Raises:
            StoreError: it cannot be written.
        """
        if self._beaten is None:
            with access(self._folder, "create the folder"):
                self._folder.mkdir(exist_ok=True)
        self._beaten = time.monotonic()
        write_json(self._path, {"began": self._began, "ended": self._began + self._beaten - self._clock})


def seconds_of(root: Path) -> float:
    """Return for how many seconds any driver was at work on a folder: the length of the union of its sessions.

    Raises:
        StoreError: a session cannot be read.
    """
    folder = root / "sessions"
    with access(folder):
        paths = sorted(folder.glob("*.json"))
    try:
        spans = sorted((float(one["began"]), float(one["ended"])) for one in map(read_json, paths))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"damaged session ({error})", where=str(folder)) from error
    total, reached = 0.0, float("-inf")
    for began, ended in spans:
        total += max(0.0, ended - max(began, reached))
        reached = max(reached, ended)
    return total
