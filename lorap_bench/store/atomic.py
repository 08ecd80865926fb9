"""Write a file so that a reader, or a crash at any instant, finds the old one or the new one whole."""

from __future__ import annotations

import json
import math
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lorap_bench.errors import StoreError
from lorap_bench.store.access import access

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_json", "sync_folder", "write_bytes", "write_json"]


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as JSON, as ``write_bytes`` does.

    JSON has no NaN and no infinity; such numbers become null.

    Raises:
        StoreError: the file cannot be written (disk full, no permission); the old one stays.
    """
    write_bytes(path, _text(value).encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data``: temporary file beside it, fsync, rename, fsync of the folder.

    Raises:
        StoreError: the file cannot be written (disk full, no permission); the old one stays.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")  # two drivers may write the same file
    with access(path, "write"):
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        StoreError: the file cannot be read or is no JSON.
    """
    try:
        with access(path):
            return _DECODER.decode(path.read_bytes().decode())
    except ValueError as error:
        raise StoreError(f"damaged: {error}", where=str(path)) from error


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a table whose keys are kept once for all files: half of what a study's records hold is keys."""
    return {sys.intern(key): value for key, value in pairs}


_DECODER = json.JSONDecoder(object_pairs_hook=_table)


def _text(value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:  # a diverged trial's curves
        return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def sync_folder(folder: Path) -> None:
    """Make a rename inside ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
