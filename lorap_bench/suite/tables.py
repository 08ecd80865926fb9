"""The files of a suite's table. One that somebody changed is set aside, never written over."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import pandas as pd

from lorap_bench.errors import StoreError
from lorap_bench.report.export import table_csv, table_parquet
from lorap_bench.store.access import access, exists
from lorap_bench.store.atomic import read_json, write_bytes, write_json

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CSV", "PARQUET", "differences", "write_tables"]

CSV, PARQUET = "table.csv", "table.parquet"
_WRITTEN = "tables.json"


def write_tables(root: Path, table: pd.DataFrame) -> list[str]:
    """Write the table as Parquet and CSV into ``root``; return what was set aside, in words.

    The checksums of the coming files are noted beside those of the old ones before anything is written: so whenever a
    crash comes, a file of ours is known from one that somebody changed.

    Raises:
        StoreError: the disk refuses.
    """
    coming = {CSV: table_csv(table).encode(), PARQUET: table_parquet(table)}
    known = _known(root)
    aside = [deed for name in coming if (deed := _set_aside(root, name, known.get(name, [])))]
    there = {name: [_sum_of(root / name)] if exists(root / name) else [] for name in coming}
    write_json(root / _WRITTEN, {name: [*there[name], _sum(data)] for name, data in coming.items()})
    for name, data in coming.items():
        write_bytes(root / name, data)
    return aside


def differences(root: Path, table: pd.DataFrame) -> dict[str, str]:
    """Return for each file of the table in what it is not ``table``; empty text where it is."""
    return {CSV: _csv_difference(root / CSV, table), PARQUET: _parquet_difference(root / PARQUET, table)}


def _csv_difference(path: Path, table: pd.DataFrame) -> str:
    if not exists(path):
        return "is missing"
    with access(path):
        found = path.read_bytes().decode(errors="replace").splitlines()
    wanted = table_csv(table).splitlines()
    if len(found) != len(wanted):
        return f"has {len(found)} lines, the cells make {len(wanted)}"
    wrong = [number for number, (one, other) in enumerate(zip(found, wanted, strict=True), 1) if one != other]
    return f"line {wrong[0]} is not what the cells make ({len(wrong)} in all)" if wrong else ""


def _parquet_difference(path: Path, table: pd.DataFrame) -> str:
    if not exists(path):
        return "is missing"
    try:
        found = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        return f"cannot be read ({error})"
    wanted = pd.read_parquet(io.BytesIO(table_parquet(table)))
    return "" if found.equals(wanted) else "is not what the cells make"


def _known(root: Path) -> dict[str, list[str]]:
    """Return the checksums of the files as last written, and of those before, which a crash may have left."""
    path = root / _WRITTEN
    stored: Any = read_json(path) if exists(path) else {}
    if not isinstance(stored, dict):
        raise StoreError("damaged: not a table of checksums", where=str(path))
    return stored


def _set_aside(root: Path, name: str, known: list[str]) -> str:
    """Move a file away that was changed since it was written; return the deed in words, empty if there was none."""
    path = root / name
    if not exists(path):
        return ""
    found = _sum_of(path)
    if found in known:
        return ""
    aside = root / "edited" / f"{path.stem}-{found}{path.suffix}"
    with access(aside, "move"):
        aside.parent.mkdir(exist_ok=True)
        path.replace(aside)
    return f"{name} was changed by hand: it is kept as {aside.relative_to(root)}, and written anew from the cells"


def _sum_of(path: Path) -> str:
    with access(path):
        return _sum(path.read_bytes())


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
