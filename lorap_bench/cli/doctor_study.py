"""Check-up of a study: where it lies, whether its storage can be used and fits its records, who drives it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from lorap_bench.cli.finding import Finding
from lorap_bench.cli.screen import counted
from lorap_bench.errors import LorapBenchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["study_findings"]


def study_findings(spec: StudySpec, folder: StudyFolder | None, runs: Path) -> Iterator[Finding]:
    """Yield what there is to say about a study; ``folder`` is None where it has not run yet."""
    place = runs / spec.name if folder is None else folder.root
    yield _filesystem(spec, place)
    if folder is None:
        yield Finding.ok("study", f"{spec.name} has not run yet")
        if spec.storage.kind == "postgresql":
            yield _reached(spec)
        return
    try:
        recorded = {record.number for record in folder.records()}
    except LorapBenchError as error:
        yield Finding.problem("records", f"{error}; `lorap-bench repair {spec.name}` sets it aside")
        return
    yield Finding.ok("records", counted(len(recorded), "record"))
    living = set[str]()
    try:
        yield from _drivers(spec, folder, living)
        yield from _storage(spec, folder, recorded, living)
    except LorapBenchError as error:
        yield Finding.problem("storage", str(error))


def _filesystem(spec: StudySpec, place: Path) -> Finding:
    from lorap_bench.search.storage import refuse_network_disk
    from lorap_bench.store.filesystem import filesystem, network_filesystem

    kind = filesystem(place) or "of unknown type"
    try:
        refuse_network_disk(spec.storage, place)
    except LorapBenchError as error:
        return Finding.problem("file system", str(error))
    network = f", a network file system: all drivers must see {place}" if network_filesystem(place) else ""
    return Finding.ok("file system", f"{kind}{network}")


def _reached(spec: StudySpec) -> Finding:
    from lorap_bench.search.address import address_of
    from lorap_bench.search.database import open_postgresql

    try:
        with closing(open_postgresql(address_of(spec.storage.url))) as database:
            return Finding.ok("storage", f"{database.where} can be used")
    except LorapBenchError as error:
        return Finding.problem("storage", str(error))


def _drivers(spec: StudySpec, folder: StudyFolder, living: set[str]) -> Iterator[Finding]:
    """Yield the drivers, and note those that live in ``living``."""
    if spec.storage.kind != "postgresql":
        if folder.driven:
            living.add("")
        yield Finding.ok("drivers", "one is at work" if folder.driven else "none is at work")
        return
    from lorap_bench.search.drivers import drivers_of

    found = drivers_of(spec.storage, folder)
    if not found:
        yield Finding.ok("drivers", "none is at work")
    for driver in found:
        who = f"process {driver.process.pid} on {driver.process.host}"
        if driver.dead:
            yield Finding.warning("drivers", f"{who} is dead; what it had out goes to the next driver")
            continue
        living.add(driver.owner)
        late = "its lease has expired, but the process lives" if driver.expired else "its lease holds"
        yield Finding.ok("drivers", f"{who} is at work; {late} ({driver.seconds:.0f} s left)")


def _storage(spec: StudySpec, folder: StudyFolder, recorded: set[int], living: set[str]) -> Iterator[Finding]:
    from lorap_bench.search.consistency import listed, mismatch, running, stored_trials
    from lorap_bench.search.storage import read_storage

    mend = f"`lorap-bench repair {spec.name}` mends it"
    memory = read_storage(spec.storage, folder)
    if memory is None:
        if recorded:
            yield Finding.problem("storage", f"there is no {spec.storage.kind} storage, and there are records; {mend}")
        else:
            yield Finding.ok("storage", f"the {spec.storage.kind} storage is made by the first run")
        return
    with closing(memory):
        trials = stored_trials(memory)
    found = mismatch(trials, recorded)
    missing = [key for key in found.missing if folder.read(key) is None]  # it may have been written meanwhile
    for keys, text in (
        (found.unknown, "records of trials that the storage does not know"),
        (missing, "trials that the storage knows to be finished, without a record"),
        (found.gaps, "numbers of which the storage knows nothing"),
    ):
        if keys:
            yield Finding.problem("storage", f"{text}: {listed(keys)}; {mend}")
    if not (found.unknown or missing or found.gaps):
        yield Finding.ok("storage", f"{spec.storage.kind}, fits the records")
    yield from _running(running(trials), living)


def _running(out: Mapping[int, str], living: set[str]) -> Iterator[Finding]:
    from lorap_bench.search.consistency import listed

    left = [key for key, owner in out.items() if owner not in living]
    if left:
        yield Finding.warning("trials", f"running without a driver: {listed(left)}; the next run starts them again")
    if len(out) > len(left):
        yield Finding.ok("trials", f"{len(out) - len(left)} running")
