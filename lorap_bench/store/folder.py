"""The study folder: the one place where a study lives, and the truth about its finished trials.

```
<runs>/<name>/
  study.json            the study as written, with its identity
  trials/000012.json    one record a finished trial, never rewritten
  curves/000012.json    its curves, written before the record
  looks/000001.json     a look at the test split: its trials, their baselines, its seeds
  confirmed/000001/     what came of look 1: one record a configuration, by digest
  journal.log           what the sampler remembers (written by the search)
  driver.lock           held while a driver runs
```
A record that is there is whole: every file is written beside its place and renamed into it.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from lorap_bench.errors import StoreError, nearest
from lorap_bench.store.access import access, exists
from lorap_bench.store.atomic import read_json, write_json
from lorap_bench.store.lock import Driven, DriverLock
from lorap_bench.store.looks import Looks
from lorap_bench.store.numbered import numbered, place, read_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lorap_bench.record import Curves, Outcome, TrialRecord
    from lorap_bench.store.look import Confirmation

__all__ = ["FOLDER_VERSION", "StudyFolder"]

FOLDER_VERSION = 1
_STUDY = "study.json"
_MAY_CHANGE = ("budget", "description", "replicas.confirm", "storage")


@final
class StudyFolder:
    """A study's folder at ``root``. Use ``create`` or ``open``."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.journal = self.root / "journal.log"
        self.looks = Looks(self.root)
        self._study = self.root / _STUDY

    @classmethod
    def create(cls, runs: Path, spec_mapping: Mapping[str, Any], identity: str) -> StudyFolder:
        """Create the folder of a study, or reopen it when it belongs to the very same study.

        A grown budget, another description or another number of confirmation seeds is the same
        study and is written down.

        Raises:
            StoreError: the folder belongs to another study or space (says what differs), or cannot be used.
        """
        folder = cls(Path(runs) / str(spec_mapping["name"]))
        spec = json.loads(json.dumps(spec_mapping))  # tuples become lists, as in the stored file
        wanted = {"schema_version": FOLDER_VERSION, "identity": identity, "spec": spec}
        if not exists(folder._study):
            folder._make()
        else:
            stored = folder._stored()
            if stored["identity"] != identity:
                raise StoreError(_difference(stored["spec"], wanted["spec"]), where=str(folder.root))
            if stored == wanted:
                return folder
        write_json(folder._study, wanted)
        return folder

    @classmethod
    def known(cls, runs: Path, name: str) -> bool:
        """Whether there is a study called ``name``."""
        return exists(Path(runs) / name / _STUDY)

    @classmethod
    def open(cls, runs: Path, name: str) -> StudyFolder:
        """Open the folder of the study called ``name``.

        Raises:
            StoreError: there is none (names the nearest that is there), or it cannot be read.
        """
        folder = cls(Path(runs) / name)
        if not exists(folder._study):
            known = sorted(path.parent.name for path in Path(runs).glob("*/study.json"))
            hint = nearest(name, known)
            message = f"no study called {name!r} here" + (f"; did you mean {hint!r}?" if hint else "")
            raise StoreError(message, where=str(runs))
        folder._stored()
        return folder

    def spec_mapping(self) -> dict[str, Any]:
        """Return the study as it was written, in plain values."""
        return dict(self._stored()["spec"])

    def lock(self) -> DriverLock:
        """Become the folder's one driver until the lock is closed.

        Raises:
            Driven: there is one already.
            StoreError: the lock cannot be taken for another reason.
        """
        return DriverLock(self.root / "driver.lock")

    @property
    def driven(self) -> bool:
        """Whether a driver is known to be at work on this folder now (a mere reader may not be able to tell)."""
        try:
            self.lock().close()
        except Driven:
            return True
        except StoreError:
            return False
        return False

    def write(self, outcome: Outcome) -> None:
        """Write a finished trial: its curves, then its record.

        Raises:
            StoreError: the trial has a record already, or the disk refuses.
        """
        record = outcome.record
        if exists(self._record_path(record.number)):
            raise StoreError(f"trial {record.number} has a record already", where=str(self.root))
        if outcome.curves:
            write_json(self._path("curves", record.number), outcome.curves)
        write_json(self._record_path(record.number), record.to_mapping())

    def read(self, number: int) -> TrialRecord | None:
        """Return the record of trial ``number``; None while it has none."""
        path = self._record_path(number)
        return read_record(path) if exists(path) else None

    def records(self) -> list[TrialRecord]:
        """Return every record, by number.

        Raises:
            StoreError: a record is damaged, of another schema version, or cannot be read.
        """
        return [read_record(path) for path in numbered(self.root / "trials")]

    def curves(self, number: int) -> Curves:
        """Return the curves of trial ``number`` (empty if it has none); a gap is NaN."""
        path = self._path("curves", number)
        if not exists(path):
            return {}
        gap = math.nan
        return {
            name: [[gap if value is None else value for value in member] for member in members]
            for name, members in read_json(path).items()
        }

    def confirmations(self) -> dict[int, Confirmation]:
        """Return the confirmed trials by number, each as the last look at the test split saw it."""
        return self.looks.confirmations()

    def _make(self) -> None:
        if exists(self.journal) or any(numbered(self.root / "trials")):
            raise StoreError("trials without a study.json: the folder is damaged", where=str(self.root))
        with access(self.root, "create the folder"):
            for name in ("trials", "curves", "confirmed"):
                (self.root / name).mkdir(parents=True, exist_ok=True)

    def _stored(self) -> dict[str, Any]:
        stored = read_json(self._study)
        found = stored.get("schema_version") if isinstance(stored, dict) else None
        if found != FOLDER_VERSION:
            message = f"study folder of schema {found!r}, this version reads {FOLDER_VERSION}"
            raise StoreError(message, where=str(self._study))
        return dict(stored)

    def _path(self, kind: str, number: int) -> Path:
        return place(self.root / kind, number)

    def _record_path(self, number: int) -> Path:
        return self._path("trials", number)


def _difference(stored: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Say which entries of two studies differ, those aside that may."""
    old, new = dict(_flat(stored)), dict(_flat(wanted))
    lines = [
        f"  {path}: {old.get(path, 'absent')!r} here, {new.get(path, 'absent')!r} now"
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path) and not path.startswith(_MAY_CHANGE)
    ]
    heading = "the folder belongs to another study; give this one another name or another --runs"
    return "\n".join([heading, *lines])


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in mapping.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _flat(value, f"{path}.")
        else:
            yield path, value
