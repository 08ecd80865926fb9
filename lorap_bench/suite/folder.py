"""The folder of a suite, and the truth about its finished cells.

```
<runs>/<name>/
  suite.json            the suite as it was last run; the cells that cannot exist, and why
  cells/<key>.json      one file a finished cell, never rewritten
  curves/<key>.json     the curves of its trainings, written before it
  searches/<key>.json   the search that a cell was tuned by: its study and its trials' records
  searches/<key>/       the folder of that study, which nobody needs once the search has ended
  parts/<key>/          the trainings of a cell that is not finished, one file a fold
  table.parquet         one row a cell and replica; table.csv is the same as text
  tables.json           checksums of the tables as they were written
  edited/               tables that somebody changed, set aside before they are written anew
  driver.lock           held while a suite runs
```
A file that is there is whole: each is written beside its place and renamed into it. A cell that is not the suite's any
more stays where it is.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, final

from lorap_bench.config import digest_of
from lorap_bench.errors import StoreError
from lorap_bench.record import Outcome, TrialRecord
from lorap_bench.store.access import access, exists
from lorap_bench.store.atomic import read_json, write_json
from lorap_bench.store.lock import Driven, DriverLock
from lorap_bench.store.manifest import STUDY, SUITE
from lorap_bench.suite.result import CellResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lorap_bench.record import Curves
    from lorap_bench.suite.cell import Cell

__all__ = ["FOLDER_VERSION", "SuiteFolder", "suite_of"]

FOLDER_VERSION = 1
_SEARCHES = "searches"


def suite_of(study: Path) -> Path | None:
    """Return the folder of the suite that a study tunes a cell of; None if the study is of no suite."""
    place = study.resolve().parent
    return place.parent if place.name == _SEARCHES and exists(place.parent / SUITE) else None


@final
class SuiteFolder:
    """A suite's folder at ``root``; there may be none yet."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._manifest = root / SUITE

    @property
    def there(self) -> bool:
        """Whether a suite was run here."""
        return exists(self._manifest)

    def lock(self) -> DriverLock:
        """Become the folder's only driver until the lock is closed; the folder is made if there is none.

        Raises:
            Driven: another process runs this suite.
            StoreError: the folder is a study's, or cannot be made.
        """
        if exists(self.root / STUDY):
            raise StoreError("here lies a study; give the suite another name or another --runs", where=str(self.root))
        with access(self.root, "create the folder"):
            for name in ("cells", "curves", _SEARCHES):
                (self.root / name).mkdir(parents=True, exist_ok=True)
        try:
            return DriverLock(self.root / "driver.lock")
        except Driven as error:
            message = "another process runs a suite in this folder; wait for it or stop it"
            raise Driven(message, where=str(self.root)) from error

    def manifest(self) -> dict[str, Any]:
        """Return what ``suite.json`` holds: ``spec`` and ``impossible`` (key → reason); both empty before a first run.

        Raises:
            StoreError: it is damaged, or of another schema version.
        """
        if not self.there:
            return {"spec": {}, "impossible": {}}
        stored = read_json(self._manifest)
        found = stored.get("schema_version") if isinstance(stored, dict) else None
        if found != FOLDER_VERSION:
            message = f"suite folder of schema {found!r}, this version reads {FOLDER_VERSION}"
            raise StoreError(message, where=str(self._manifest))
        if not isinstance(stored.get("spec"), dict) or not isinstance(stored.get("impossible"), dict):
            raise StoreError("damaged: spec and impossible must be tables", where=str(self._manifest))
        return dict(stored)

    def write_manifest(self, spec: Mapping[str, Any], impossible: Mapping[str, str]) -> None:
        """Write down the suite that is run here, and which of its cells cannot exist."""
        write_json(self._manifest, {"schema_version": FOLDER_VERSION, "spec": spec, "impossible": impossible})

    def keys(self) -> set[str]:
        """Return the keys of all cells that are here, whichever suite they are of."""
        with access(self.root):
            return {path.stem for path in (self.root / "cells").glob("*.json")}

    def read(self, key: str) -> CellResult | None:
        """Return a finished cell; None while it is not.

        Raises:
            StoreError: its file is damaged, was changed, or is another cell's.
        """
        path = self._place("cells", key)
        if not exists(path):
            return None
        result = CellResult.from_mapping(read_json(path), where=str(path))
        if result.key != key:
            raise StoreError(f"holds the cell {result.key}, which its name does not say", where=str(path))
        return result

    def results(self, cells: Iterable[Cell]) -> dict[str, CellResult]:
        """Return those of the cells that are finished, by key and in their order."""
        found = {cell.key: self.read(cell.key) for cell in cells}
        return {key: result for key, result in found.items() if result is not None}

    def write(self, result: CellResult, curves: list[Curves]) -> None:
        """Write a finished cell: the curves of its records, then the cell.

        Raises:
            StoreError: it is there already, or the disk refuses.
        """
        path = self._place("cells", result.key)
        if exists(path):
            raise StoreError("the cell is there already", where=str(path))
        write_json(self._place("curves", result.key), curves)
        write_json(path, result.to_mapping())
        parts = self._parts(result.key)
        if exists(parts):
            with access(parts, "remove"):
                shutil.rmtree(parts)

    def write_part(self, key: str, fold: int, outcome: Outcome) -> None:
        """Keep one training of a cell that has others yet to come.

        Raises:
            StoreError: the disk refuses.
        """
        parts = self._parts(key)
        with access(parts, "create the folder"):
            parts.mkdir(parents=True, exist_ok=True)
        write_json(parts / f"{fold}.json", {"record": outcome.record.to_mapping(), "curves": outcome.curves})

    def part(self, key: str, fold: int) -> Outcome | None:
        """Return a kept training of a cell; None where there is none.

        Raises:
            StoreError: its file is damaged.
        """
        path = self._parts(key) / f"{fold}.json"
        if not exists(path):
            return None
        stored = read_json(path)
        if not isinstance(stored, dict) or not isinstance(stored.get("curves"), dict):
            raise StoreError("damaged: not a training; remove it, and it runs again", where=str(path))
        return Outcome(TrialRecord.from_mapping(stored.get("record"), where=str(path)), stored["curves"])

    @property
    def searches(self) -> Path:
        """Return where the studies lie that cells are tuned by, under the cells' keys."""
        return self.root / _SEARCHES

    def write_search(self, study: Mapping[str, Any], key: str, records: Iterable[TrialRecord]) -> None:
        """Write down a search that has ended: its study and its records.

        Raises:
            StoreError: the disk refuses.
        """
        whole = {
            "schema_version": FOLDER_VERSION,
            "key": key,
            "study": dict(study),
            "records": [record.to_mapping() for record in records],
        }
        plain: dict[str, Any] = json.loads(json.dumps(whole), parse_constant=lambda _: None)  # as it will be read again
        write_json(self._place(_SEARCHES, key), plain | {"checksum": digest_of(plain)})

    def search(self, key: str) -> tuple[dict[str, Any], list[TrialRecord]] | None:
        """Return the study and the records of a search that has ended; None while it has not.

        Raises:
            StoreError: its file is damaged, was changed, or is another cell's.
        """
        path = self._place(_SEARCHES, key)
        if not exists(path):
            return None
        stored = read_json(path)
        rest = {name: value for name, value in stored.items() if name != "checksum"} if isinstance(stored, dict) else {}
        if rest.get("schema_version") != FOLDER_VERSION or rest.get("key") != key:
            raise StoreError("not the search of the cell that its name says, or of another version", where=str(path))
        if digest_of(rest) != stored.get("checksum"):
            message = "was changed after it was written: its checksum does not fit; put the file back as it was, or "
            raise StoreError(message + "take it and the cell away, and the cell is tuned again", where=str(path))
        try:
            study, records = dict(rest["study"]), list(rest["records"])
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"damaged search ({error})", where=str(path)) from error
        return study, [TrialRecord.from_mapping(record, where=str(path)) for record in records]

    def has_curves(self, key: str) -> bool:
        """Whether the curves of a cell are kept."""
        return exists(self._place("curves", key))

    def curves(self, key: str) -> list[Curves]:
        """Return the curves of a cell, one set a record; empty where they are not kept.

        Raises:
            StoreError: their file is damaged.
        """
        path = self._place("curves", key)
        found: Any = read_json(path) if exists(path) else []
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise StoreError("damaged: not a list of curves", where=str(path))
        return list(found)

    def _parts(self, key: str) -> Path:
        return self.root / "parts" / key

    def _place(self, kind: str, key: str) -> Path:
        return self.root / kind / f"{key}.json"
