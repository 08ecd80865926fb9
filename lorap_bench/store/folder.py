"""The study folder: the one place where a study lives, and the truth about its finished trials.

```
<runs>/<name>/
  study.json            the study as written, its identity, extensions of its budget, where trials came from
  trials/000012.json    one record a finished trial, never rewritten
  curves/000012.json    its curves, written before the record
  looks/000001.json     a look at the test split: its trials, their baselines, its seeds
  confirmed/000001/     what came of look 1: one record a configuration, by digest
  journal.log           what the sampler remembers (written by the search)
  driver.lock           held while a driver runs
  stop.json             a request that the driver ends, while there is one
  damaged/              what a repair has set aside
```
A record that is there is whole: every file is written beside its place and renamed into it.
"""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from lorap_bench.errors import StoreError, nearest
from lorap_bench.store.access import access, exists
from lorap_bench.store.atomic import read_json, write_json
from lorap_bench.store.flat import flat
from lorap_bench.store.lock import Driven, DriverLock
from lorap_bench.store.looks import Looks
from lorap_bench.store.manifest import STUDY, SUITE, Manifest, ManifestFile
from lorap_bench.store.numbered import numbered, place, read_record, read_records
from lorap_bench.store.versions import mend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lorap_bench.record import Curves, Outcome, TrialRecord
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.extension import Extension

__all__ = ["StudyFolder"]

_TRIES, _PAUSE = 5, 0.02  # seconds
_MAY_CHANGE = ("budget", "description", "replicas.confirm", "storage")


@final
class StudyFolder:
    """A study's folder at ``root``. Use ``create`` or ``open``."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.journal = self.root / "journal.log"
        self.stop_request = self.root / "stop.json"
        self.damaged = self.root / "damaged"
        self._manifest = ManifestFile(self.root)

    @classmethod
    def create(cls, runs: Path, spec_mapping: Mapping[str, Any], identity: str) -> StudyFolder:
        """Create the folder of a study, or reopen it when it belongs to the very same study.

        A grown budget, another description or another number of confirmation seeds is the same
        study and is written down.

        Raises:
            StoreError: the folder belongs to another study or space (says what differs), or cannot be used.
        """
        mend(Path(runs), str(spec_mapping["name"]))
        folder = cls(Path(runs) / str(spec_mapping["name"]))
        spec = json.loads(json.dumps(spec_mapping))  # tuples become lists, as in the stored file
        if not folder._manifest.there:
            return cls.make(folder.root, Manifest(identity=identity, spec=spec))
        stored = folder.manifest
        if stored.identity != identity:
            raise StoreError(_difference(stored.spec, spec), where=str(folder.root))
        if stored.spec != spec:
            folder._manifest.write(replace(stored, spec=spec))
        return folder

    @classmethod
    def make(cls, root: Path, manifest: Manifest) -> StudyFolder:
        """Make a study's folder at ``root``, or go on making one.

        Raises:
            StoreError: there are trials of which nobody knows the study, a suite, or the folder cannot be made.
        """
        folder = cls(root)
        if exists(root / SUITE):
            raise StoreError("here lies a suite; give the study another name or another --runs", where=str(root))
        if not folder._manifest.there:
            folder._make()
        folder._manifest.write(manifest)
        return folder

    @classmethod
    def known(cls, runs: Path, name: str) -> bool:
        """Whether there is a study called ``name``."""
        mend(Path(runs), name)
        return exists(Path(runs) / name / STUDY)

    @classmethod
    def open(cls, runs: Path, name: str) -> StudyFolder:
        """Open the folder of the study called ``name``.

        Raises:
            StoreError: there is none (names the nearest that is there), or it cannot be read.
        """
        if not cls.known(runs, name):
            known = sorted(path.parent.name for path in Path(runs).glob(f"*/{STUDY}") if path.parent.name[0] != ".")
            hint = nearest(name, known)
            message = f"no study called {name!r} here" + (f"; did you mean {hint!r}?" if hint else "")
            raise StoreError(message, where=str(runs))
        folder = cls(Path(runs) / name)
        _ = folder.manifest
        return folder

    @property
    def manifest(self) -> Manifest:
        """Return what ``study.json`` holds.

        Raises:
            StoreError: it is damaged, of another schema version, or cannot be read.
        """
        return self._manifest.read()

    def spec_mapping(self) -> dict[str, Any]:
        """Return the study as it was written, in plain values; extensions of its budget are not in it."""
        return self.manifest.spec

    def extend(self, by: Extension, when: str) -> None:
        """Add to the budget. A driver that is at work goes on with it.

        Raises:
            StoreError: ``study.json`` is damaged, or the disk refuses.
        """
        self._manifest.extend(by, when)

    @property
    def looks(self) -> Looks:
        """Return the looks at the test split, counted from those of the studies that this one came from."""
        return Looks(self.root, self.manifest.looks if self._manifest.there else 0)

    def lock(self, *, shared: bool = False) -> DriverLock:
        """Become the folder's driver until the lock is closed: its only one, or one of several that share it.

        Whoever asks whether it is ``driven`` holds the lock for an instant, so it is tried a few times.

        Raises:
            Driven: there is one already.
            StoreError: the lock cannot be taken for another reason.
        """
        for _ in range(_TRIES - 1):
            with suppress(Driven):
                return DriverLock(self.root / "driver.lock", shared=shared)
            time.sleep(_PAUSE)
        return DriverLock(self.root / "driver.lock", shared=shared)

    @property
    def driven(self) -> bool:
        """Whether a driver is known to be at work on this folder now (a mere reader may not be able to tell)."""
        try:
            DriverLock(self.root / "driver.lock").close()
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
        return read_records(numbered(self.root / "trials"))

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

    def _path(self, kind: str, number: int) -> Path:
        return place(self.root / kind, number)

    def _record_path(self, number: int) -> Path:
        return self._path("trials", number)


def _difference(stored: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Say which entries of two studies differ, those aside that may."""
    old, new = dict(flat(stored)), dict(flat(wanted))
    lines = [
        f"  {path}: {old.get(path, 'absent')!r} here, {new.get(path, 'absent')!r} now"
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path) and not path.startswith(_MAY_CHANGE)
    ]
    heading = "the folder belongs to another study; give this one another name or another --runs"
    return "\n".join([heading, *lines])
