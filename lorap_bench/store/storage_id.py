"""A name that a study folder has in a shared database, where other folders may hold a study called the same."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from lorap_bench.errors import StoreError
from lorap_bench.store.access import access, exists
from lorap_bench.store.atomic import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["STORAGE_ID", "storage_id"]

STORAGE_ID = "storage.json"
"""The file that keeps it."""


def storage_id(root: Path) -> str:
    """Return the folder's name in a database, given once: ``<study>-<random>``.

    Raises:
        StoreError: it cannot be read or written, or is damaged.
    """
    path = root / STORAGE_ID
    if not exists(path):
        own = root / f".storage.{uuid4().hex}.tmp"
        write_json(own, {"id": f"{root.name}-{uuid4().hex[:16]}"})
        with access(path, "write"):
            with suppress(FileExistsError):  # of two drivers that begin at once, the first names the folder
                os.link(own, path)
            own.unlink()
    found = read_json(path)
    if not isinstance(found, dict) or not isinstance(found.get("id"), str):
        raise StoreError("damaged: names no storage", where=str(path))
    return str(found["id"])
