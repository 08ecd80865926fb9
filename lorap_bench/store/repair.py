"""Set aside what is damaged in a study's folder, so that the rest can be used. Nothing is deleted.

What is set aside lies in ``damaged/`` under the path that it had. A trial whose record goes there runs again. A look
at the test split is never set aside: that it was made must stay known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.errors import StoreError
from lorap_bench.record import RECORD_VERSION, TrialRecord
from lorap_bench.store.access import access
from lorap_bench.store.atomic import read_json, sync_folder
from lorap_bench.store.look import Look
from lorap_bench.store.numbered import numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lorap_bench.store.folder import StudyFolder

__all__ = ["repair_files"]


def repair_files(folder: StudyFolder) -> list[str]:
    """Set aside half-written files and damaged records, curves and sessions; return what was done, in words.

    The caller holds the folder's lock.

    Raises:
        StoreError: a look is damaged, a record is of another schema version, or a file cannot be read or moved.
    """
    deeds = [f"set aside {_set_aside(folder, path)}: half-written" for path in _half_written(folder)]
    for path in [*numbered(folder.root / "trials"), *_all(folder.root / "confirmed", "**/*.json")]:
        if fault := _fault(path, _check_record):
            again = "; its trial runs again" if path.parent.name == "trials" else ""
            deeds.append(f"set aside {_set_aside(folder, path)}: {fault}{again}")
    for path in [*numbered(folder.root / "curves"), *_all(folder.root / "sessions", "*.json")]:
        check = _check_curves if path.parent.name == "curves" else _check_session
        if fault := _fault(path, check):
            deeds.append(f"set aside {_set_aside(folder, path)}: {fault}")
    for path in numbered(folder.root / "looks"):
        Look.from_mapping(read_json(path), where=str(path))
    return deeds


def _fault(path: Path, check: Callable[[Path, Any], None]) -> str:
    """Return what is damaged about a file; empty if nothing is.

    Raises:
        StoreError: it cannot be read, or is of another version, which is no damage.
    """
    try:
        value = read_json(path)
    except StoreError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return "no JSON"
    try:
        check(path, value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return f"damaged ({error})"
    return ""


def _check_record(path: Path, value: Any) -> None:
    version = value.get("schema_version")
    if isinstance(version, int) and version != RECORD_VERSION:
        TrialRecord.from_mapping(value, where=str(path))  # says which versions there are
    try:
        record = TrialRecord.from_mapping(value)
    except StoreError as error:
        raise ValueError(error) from error
    if path.parent.name == "trials" and record.number != int(path.stem):
        raise ValueError(f"the record of trial {record.number}")


def _check_curves(path: Path, value: Any) -> None:
    del path
    for members in value.values():
        for member in members:
            list(member)


def _check_session(path: Path, value: Any) -> None:
    del path
    _ = float(value["began"]) + float(value["ended"])


def _half_written(folder: StudyFolder) -> list[Path]:
    return [path for path in _all(folder.root, "**/.*.tmp") if folder.damaged not in path.parents and path.is_file()]


def _all(folder: Path, pattern: str) -> Iterator[Path]:
    with access(folder):
        yield from sorted(folder.glob(pattern))


def _set_aside(folder: StudyFolder, path: Path) -> str:
    """Move a file into ``damaged/``, never onto another; return the path that it had in the folder."""
    inside = path.relative_to(folder.root)
    place = folder.damaged / inside
    with access(path, "set aside"):
        place.parent.mkdir(parents=True, exist_ok=True)
        while place.exists():
            place = place.with_name(f"{place.name}.again")
        path.rename(place)
        sync_folder(path.parent)
    return inside.as_posix()
