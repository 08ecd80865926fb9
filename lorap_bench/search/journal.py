"""Optuna's journal file under a single driver: whole lines only, whatever the disk or a kill does.

The study folder's lock keeps other drivers out. Optuna's own lock file would outlive a killed
process and hold up the next one for half a minute, so it is not used.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, final

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from lorap_bench.errors import StoreError
from lorap_bench.store.access import access

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["open_journal", "read_journal"]

_BLOCK = 1 << 16


def open_journal(path: Path) -> JournalStorage:
    """Open the journal for writing, by the process that holds the study folder's lock.

    A process killed while it appended leaves half a line, after which nothing later could be
    read; nobody has acted upon that line, so it goes.

    Raises:
        StoreError: the file cannot be opened, or is no journal; then it stays as it is.
    """
    storage = read_journal(path)
    with access(path, "write"):
        _refuse_alien_end(path)
        _cut_torn_line(path)
    return storage


def read_journal(path: Path) -> JournalStorage:
    """Open a journal that another process may be writing, to read it only.

    Raises:
        StoreError: the file cannot be read, or is no journal.
    """
    try:
        with access(path):
            return JournalStorage(_OneWriter(path))
    except (LookupError, TypeError, ValueError) as error:  # what Optuna's reader makes of alien lines
        raise _damaged(path, error) from error


def _damaged(path: Path, why: object) -> StoreError:
    return StoreError(f"damaged: not a journal of a search ({why}); nothing was changed", where=str(path))


@final
class _OneWriter(JournalFileBackend):
    """Append lines without a lock of its own, and take back a line that the disk would not take whole."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        with access(self._path):
            yield from super().read_logs(log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with access(self._path, "write"), self._path.open("ab", buffering=0) as file:
            start = file.seek(0, os.SEEK_END)
            try:
                _write_all(file.fileno(), text.encode())
            except OSError:
                file.truncate(start)
                raise


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _refuse_alien_end(path: Path) -> None:
    """Raise if the last whole line is not one of ours: Optuna would pass over it, and fail at the line after it."""
    last = b"{}"
    with path.open("rb") as file:
        for line in file:
            last = line if line.endswith(b"\n") else last
    try:
        json.loads(last)
    except ValueError as error:
        raise _damaged(path, error) from error


def _cut_torn_line(path: Path) -> None:
    """Shorten the file to its last line end."""
    with path.open("r+b") as file:
        size = end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _BLOCK)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < size:
            file.truncate(end)
            file.flush()
            os.fsync(file.fileno())
