"""Who may drive: a lock the operating system drops when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Self, final

from lorap_bench.errors import StoreError
from lorap_bench.store.access import access

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

__all__ = ["Driven", "DriverLock"]


class Driven(StoreError):
    """Another driver is at work on the study (exit code 2)."""


@final
class DriverLock:
    """Hold ``path`` with ``flock`` until closed. The file stays empty: it names no host or process.

    Args:
        path: the lock's file.
        shared: hold it beside others that hold it so: drivers whose database keeps them apart.

    Raises:
        Driven: another process, or another lock of this one, holds it in a way that does not go with this.
        StoreError: the file cannot be opened or locked.
    """

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        with access(path, "lock"):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self.close()
                message = "another process drives this study; wait for it or stop it"
                raise Driven(message, where=str(path.parent)) from error
            except OSError:
                self.close()
                raise

    def close(self) -> None:
        """Let go; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
