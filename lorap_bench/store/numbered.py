"""The numbered JSON files of a study folder, and the records in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.record import TrialRecord
from lorap_bench.store.access import access
from lorap_bench.store.atomic import read_json
from lorap_bench.store.collector import collector_rests

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["numbered", "place", "read_record", "read_records"]


def place(folder: Path, number: int) -> Path:
    """Return where file ``number`` of ``folder`` lies."""
    return folder / f"{number:06d}.json"


def numbered(folder: Path) -> list[Path]:
    """Return the folder's numbered files in order; what a crash left half-written has other names."""
    with access(folder):
        paths = list(folder.iterdir()) if folder.exists() else []
    found = (path for path in paths if path.suffix == ".json" and path.stem.isdigit())
    return sorted(found, key=lambda path: int(path.stem))


def read_record(path: Path) -> TrialRecord:
    """Read a record.

    Raises:
        StoreError: it is damaged, of another schema version, or cannot be read.
    """
    return TrialRecord.from_mapping(read_json(path), where=str(path))


def read_records(paths: Iterable[Path]) -> list[TrialRecord]:
    """Read records, any number of them.

    Raises:
        StoreError: one is damaged, of another schema version, or cannot be read.
    """
    with collector_rests():
        return [read_record(path) for path in paths]
