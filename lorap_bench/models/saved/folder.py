"""A folder that is there whole or not at all; the operating system's refusals as our errors.

``lorap_bench.store`` does the same for studies, but brings what study files need: a model loads without.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lorap_bench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["entries", "read_file", "write_folder"]


def entries(folder: Path) -> list[str]:
    """Return the names in a folder; none where there is no folder.

    Raises:
        StoreError: it is no folder, or cannot be read.
    """
    with _access(folder, "read"):
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def read_file(path: Path) -> bytes:
    """Return what is in a file.

    Raises:
        StoreError: it cannot be read.
    """
    with _access(path, "read"):
        return path.read_bytes()


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of these files; what stood there before goes.

    Written beside its place, synced, renamed into it. A folder cannot be renamed onto one with content: the old
    one is renamed aside first, and comes back if the new one cannot take its place.

    Raises:
        StoreError: it cannot be written (disk full, no permission); what stood there stays.
    """
    folder = folder.resolve()  # a rename onto a link would replace the link
    fresh = folder.with_name(f".{folder.name}.tmp")
    with _access(folder, "write"):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            _remove(fresh)
            fresh.mkdir()
            for name, data in files.items():
                _write(fresh / name, data)
            _sync(fresh)
            _put(fresh, folder)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _put(fresh: Path, folder: Path) -> None:
    aside = folder.with_name(f".{folder.name}.old")
    _remove(aside)
    taken = bool(entries(folder))
    if taken:
        folder.rename(aside)
    try:
        fresh.rename(folder)
    except OSError:
        if taken:
            aside.rename(folder)
        raise
    _sync(folder.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _remove(folder: Path) -> None:
    """Remove what a crash has left."""
    if folder.exists():
        shutil.rmtree(folder)


def _sync(folder: Path) -> None:
    """Make what happened inside a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _access(path: Path, deed: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot {deed}: {error.strerror or error}", where=str(path)) from error
