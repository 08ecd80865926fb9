"""Optuna's journal file under a single driver: whole lines only, whatever the disk or a kill does.

The study folder's lock keeps other drivers out. Optuna's own lock file would outlive a killed
process and hold up the next one for half a minute, so it is not used.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, final

from lorap_bench.search.log import Damaged, Log, Memory
from lorap_bench.store.access import access
from lorap_bench.store.atomic import sync_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["cut_torn_line", "open_journal", "read_journal", "write_journal"]

_BLOCK = 1 << 16


def open_journal(path: Path) -> Memory:
    """Open the journal for writing, by the process that holds the study folder's lock.

    A process killed while it appended leaves half a line, after which nothing later could be
    read; nobody has acted upon that line, so it goes.

    Raises:
        StoreError: the file cannot be opened, or is no journal; then it stays as it is.
    """
    memory = _replayed(path, follows=False)
    with access(path, "write"):
        cut_torn_line(path)
    return memory


def read_journal(path: Path) -> Memory:
    """Open a journal that another process may be writing, to read it only.

    Raises:
        StoreError: the file cannot be read, or is no journal.
    """
    return _replayed(path, follows=True)


def write_journal(path: Path, lines: Sequence[str]) -> None:
    """Put a journal of these lines in the place of what is there, whole or not at all.

    Raises:
        StoreError: the disk refuses.
    """
    fresh = path.with_name(f".{path.name}.tmp")
    with access(path, "write"):
        fresh.unlink(missing_ok=True)
        _File(fresh).append(0, lines)
        fresh.replace(path)
        sync_folder(path.parent)


def cut_torn_line(path: Path) -> int:
    """Shorten the file to its last line end; return how many bytes went."""
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
    return size - end


def _replayed(path: Path, *, follows: bool) -> Memory:
    try:
        with access(path):
            path.touch(exist_ok=True)
            return Memory(Log(_File(path), follows=follows))
    except (LookupError, TypeError, ValueError) as error:  # what replaying makes of alien lines
        message = f"damaged: not a journal of a search ({error}); nothing was changed"
        raise Damaged(message, where=str(path)) from error


@final
class _File:
    """Lines of a file, without a lock of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = (0, 0)  # how many lines were read, and where in the file they end

    def read(self, start: int) -> list[str]:
        """Return the whole lines from number ``start`` on; a last one without its end is still being written."""
        lines: list[str] = []
        with access(self._path), self._path.open("rb") as file:
            number, end = self._read if self._read[0] <= start else (0, 0)
            file.seek(end)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                if number >= start:
                    lines.append(line.decode())
                number, end = number + 1, end + len(line)
        self._read = (number, end)
        return lines

    def append(self, start: int, lines: Sequence[str]) -> None:
        """Add lines at the end, and take them back if the disk would not take them whole."""
        del start  # nobody else writes
        text = "".join(f"{line}\n" for line in lines)
        with access(self._path, "write"), self._path.open("ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            try:
                _write_all(file.fileno(), text.encode())
            except OSError:
                file.truncate(end)
                raise

    def close(self) -> None:
        """Nothing is open between two deeds."""


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)
