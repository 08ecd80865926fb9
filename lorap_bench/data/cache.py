"""Processed data sets, kept so that raw files are parsed once a machine.

``<cache>/pyg-<version>/<Name>/v1.pt`` holds one set as tensors, with the checksums of the raw files
it came from. It appears whole or not at all: everything is made in a temporary folder beside it and
moved into place, under a lock between processes. Only tensors and plain values are stored, so that
``torch.load`` reads the file with its safe default.
"""

from __future__ import annotations

import pickle
import shutil
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from filelock import FileLock

from lorap_bench.data.download import download
from lorap_bench.data.families import mirror_folder
from lorap_bench.data.packed import Packed, from_stored, to_stored
from lorap_bench.data.published import check_counts
from lorap_bench.data.raw import MIRROR_VARIABLE, Folders, RawSet, Source, checked_files, locate, processed_path, unpack
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Reader = Callable[[Path, str], Packed]

__all__ = ["cached"]

# What parsers of pickles, archives and text raise on damaged input.
DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
)


def cached(raw: RawSet, read: Reader, folders: Folders) -> Packed:
    """Return the set: from the cache if it was made from the same raw files, else read and kept.

    With a mirror the raw files are checked every time, so that the answer does not depend on what
    the cache holds; a set that the mirror lacks comes from the cache alone. Without a mirror a set
    that the cache lacks is downloaded.

    Args:
        raw: the set's files.
        read: reads a folder of whole raw files.
        folders: the mirror and the cache.

    Raises:
        MissingResource: a raw file is missing, damaged or cannot be had, or the cache cannot be written.
    """
    source = None if folders.mirror is None else locate(raw, folders.mirror)
    path = processed_path(raw.name, folders)
    found = _load(path, source)
    if found is not None:
        return found
    if source is None and folders.mirror is not None:
        raise MissingResource(
            f"not in the raw-data mirror {folders.mirror}; put its files into "
            f"{folders.mirror / mirror_folder(raw.name)}"
            + (f", or unset {MIRROR_VARIABLE} to download" * bool(raw.urls)),
            where=raw.name,
        )
    try:
        with _workshop(path) as scratch:
            # Another process may have made it while this one waited for the lock.
            return _load(path, source) or _make(raw, read, source, scratch / "raw", path)
    except OSError as error:
        raise MissingResource(
            f"cannot write the data cache {folders.cache} ({error}); free the space or set LORAP_BENCH_CACHE",
            where=raw.name,
        ) from error


def _make(raw: RawSet, read: Reader, source: Source | None, scratch: Path, path: Path) -> Packed:
    """Read the set and move its processed file into place; ``scratch`` is a folder of this call's own."""
    scratch.mkdir()
    folder, sums = scratch, {}
    if source is None:
        download(raw, scratch)
        sums = checked_files(raw, scratch, {})
    elif source.is_archive:
        unpack(raw, source.path, scratch)
        sums = source.sums
    else:
        folder, sums = source.path, source.sums
    try:
        packed = read(folder, raw.name)
        check_counts(raw.name, packed)
    except (OSError, *DAMAGE) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        origin = "the download" if source is None else str(source.path)
        raise MissingResource(
            f"raw files of {origin} are damaged ({reason}); fetch them again", where=raw.name
        ) from error
    draft = scratch.parent / path.name
    torch.save({"packed": to_stored(packed), "sums": sums}, draft)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(path)
    return packed


def _load(path: Path, source: Source | None) -> Packed | None:
    """Return the processed set if it is there, whole, and made from ``source``; else ``None``."""
    if not path.is_file():
        return None
    try:
        stored = torch.load(path)
        if source is not None and stored["sums"] != source.sums:
            return None
        packed = from_stored(stored["packed"])
        check_counts(path.parent.name, packed)
    except (OSError, *DAMAGE):
        return None  # damaged after it was written: made again
    return packed


@contextmanager
def _workshop(path: Path) -> Iterator[Path]:
    """Hold the set's lock between processes, and give a temporary folder that is gone afterwards."""
    shelf, name = path.parent.parent, path.parent.name
    shelf.mkdir(parents=True, exist_ok=True)
    with FileLock(shelf / f".{name}.lock"):
        for left in shelf.glob(f".{name}.*.tmp"):
            shutil.rmtree(left, ignore_errors=True)  # of a process that was killed: the lock is ours now
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".tmp", dir=shelf))
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
