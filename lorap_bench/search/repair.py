"""Mend what the sampler remembers: cut what is half-written, make anew what is damaged, free what is stuck."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from optuna.trial import TrialState

from lorap_bench.search.address import address_of
from lorap_bench.search.consistency import listed, mismatch, stored_trials
from lorap_bench.search.database import open_postgresql, open_sqlite
from lorap_bench.search.drivers import drivers_of
from lorap_bench.search.journal import cut_torn_line, write_journal
from lorap_bench.search.log import Damaged
from lorap_bench.search.rebuilt import rebuilt
from lorap_bench.search.seat import OnlyOne
from lorap_bench.search.storage import IN_FOLDER, open_storage, replayed, sqlite_file
from lorap_bench.search.table import Rows
from lorap_bench.search.trials import Trials
from lorap_bench.store.access import access, exists
from lorap_bench.store.lock import Driven
from lorap_bench.store.storage_id import storage_id

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from lorap_bench.search.log import Memory
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["rebuild", "repair_storage"]


def repair_storage(spec: StudySpec, folder: StudyFolder) -> list[str]:
    """Make a study's storage fit its records, and return what was done, in words; a storage that fits is left alone.

    The caller holds the folder's lock.

    Raises:
        Driven: drivers are at work on the study's database.
        MissingResource: PostgreSQL's package is not installed.
        StoreError: a record is damaged, or the disk or the database refuses.
    """
    _refuse_drivers(spec, folder)
    recorded = {record.number for record in folder.records()}
    deeds = _cut(spec, folder)
    fault = _fault(spec, folder, recorded)
    if fault:
        if spec.storage.kind != "postgresql" and exists(path := _file(spec, folder)):
            deeds.append(f"set aside {path.name}: {fault}")
            _set_aside(path, folder)
        deeds.append(
            f"made the {spec.storage.kind} storage anew from {len(recorded)} records" + ("" if deeds else f": {fault}")
        )
        rebuild(spec, folder)
    return deeds + _free(spec, folder, recorded)


def rebuild(spec: StudySpec, folder: StudyFolder) -> None:
    """Make a study's storage anew from its records; what it held is gone. The caller holds the folder's lock.

    Raises:
        StoreError: a record is damaged, or the disk or the database refuses.
    """
    lines = rebuilt(spec, folder.records())
    if spec.storage.kind == "journal":
        write_journal(folder.journal, lines)
        return
    if spec.storage.kind == "sqlite":
        rows = Rows(open_sqlite(sqlite_file(folder)), IN_FOLDER)
    else:
        rows = Rows(open_postgresql(address_of(spec.storage.url)), storage_id(folder.root))
    with closing(rows):
        rows.replace(lines)


def _refuse_drivers(spec: StudySpec, folder: StudyFolder) -> None:
    """Raise if somebody drives the study over its database; a lock of the folder may not reach so far."""
    if spec.storage.kind != "postgresql":
        return
    living = [driver.process for driver in drivers_of(spec.storage, folder) if not driver.dead]
    if living:
        told = ", ".join(f"process {process.pid} on {process.host}" for process in living)
        raise Driven(f"others drive this study ({told}); stop them first", where=str(folder.root))


def _file(spec: StudySpec, folder: StudyFolder) -> Path:
    return folder.journal if spec.storage.kind == "journal" else sqlite_file(folder)


def _cut(spec: StudySpec, folder: StudyFolder) -> list[str]:
    if spec.storage.kind != "journal" or not exists(folder.journal):
        return []
    with access(folder.journal, "write"):
        torn = cut_torn_line(folder.journal)
    return [f"cut half a line ({torn} bytes) off the end of {folder.journal.name}"] if torn else []


def _fault(spec: StudySpec, folder: StudyFolder, recorded: Collection[int]) -> str:
    """Return why the storage has to be made anew; empty if it has not."""
    try:
        memory = _opened(spec, folder)
    except Damaged:
        return "damaged"
    with closing(memory):
        found = mismatch(stored_trials(memory), recorded)
    if len(found.unknown) == len(recorded) and recorded:
        return "it knew no record"
    if found.unknown:
        return f"it did not know the records of trials {listed(found.unknown)}"
    if found.missing:
        return f"it knew trials whose records are gone: {listed(found.missing)}"
    return f"it had no trials {listed(found.gaps)}" if found.gaps else ""


def _opened(spec: StudySpec, folder: StudyFolder) -> Memory:
    if spec.storage.kind == "postgresql":
        return replayed(open_postgresql(address_of(spec.storage.url)), storage_id(folder.root))
    return open_storage(spec.storage, folder)


def _free(spec: StudySpec, folder: StudyFolder, recorded: Collection[int]) -> list[str]:
    """Settle the trials that nobody trains any more."""
    with closing(_opened(spec, folder)) as memory:
        running = [trial.user_attrs.get("key") for trial in stored_trials(memory) if trial.state is TrialState.RUNNING]
        if not running:
            return []
        Trials(spec, folder, seat=OnlyOne(memory)).reap(recorded, folder.read)
    told = [f"took in the record of trial {key}" for key in running if key in recorded]
    told += [f"queued trial {key} again" for key in running if key is not None and key not in recorded]
    return [*told, *("closed a trial that nobody had seen" for key in running if key is None)]


def _set_aside(path: Path, folder: StudyFolder) -> None:
    """Move a damaged file, and what SQLite keeps beside it, into ``damaged/``."""
    with access(path, "set aside"):
        folder.damaged.mkdir(exist_ok=True)
        for one in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            place = folder.damaged / one.name
            while place.exists():
                place = place.with_name(f"{place.name}.again")
            if one.exists():
                one.rename(place)
