"""Whether a study's folder holds what it says, as far as can be told without its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.errors import LorapBenchError
from lorap_bench.record import Status, TrialRecord
from lorap_bench.store.atomic import read_json
from lorap_bench.store.numbered import numbered
from lorap_bench.study.slots import lookup
from lorap_bench.suite.check import Check
from lorap_bench.suite.origins import origin_notes
from lorap_bench.suite.selection import selection_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.store.look import Look
    from lorap_bench.study.spec import StudySpec

__all__ = ["verify_study"]


def verify_study(folder: StudyFolder, spec: StudySpec) -> list[Check]:
    """Return every check of a study's folder. No data are read, and nothing is changed.

    Args:
        folder: the folder.
        spec: the study as it is written there.
    """
    records, damaged = _read(folder)
    try:
        looks = folder.looks.all()
    except LorapBenchError as error:
        looks = []
        damaged.append(str(error))
    return [
        Check.of("study", _identity(folder, spec), f"{spec.name}, identity {spec.identity}"),
        Check.of(
            "files", damaged, f"{len(records)} records and {len(looks)} looks of a schema that this version reads"
        ),
        Check.of("points", _points(records), "every point is in its configuration, every repeat is of one digest"),
        Check.of("seeds", _seeds(spec, records), "every complete trial has its seeds, each once"),
        Check.of(
            "selection", _selection(folder, records), "no test score; epochs and objectives from validation alone"
        ),
        Check.of("looks", _looks(folder, looks, records), "every look has all of its trainings, on fresh seeds"),
        Check.noted("unfinished", _unfinished(looks), "no look was cut short"),
        Check.noted("origins", origin_notes(records), "one commit, one set of versions, one device"),
    ]


def _read(folder: StudyFolder) -> tuple[list[TrialRecord], list[str]]:
    records, damaged = [], []
    for path in numbered(folder.root / "trials"):
        try:
            record = TrialRecord.from_mapping(read_json(path), where=str(path))
        except LorapBenchError as error:
            damaged.append(str(error))
            continue
        records.append(record)
        if record.number != int(path.stem):
            damaged.append(f"{path.name} holds trial {record.number}")
    return records, damaged


def _identity(folder: StudyFolder, spec: StudySpec) -> Iterator[str]:
    stored = folder.manifest.identity
    if stored != spec.identity:
        told = f"study.json says identity {stored}, its study makes {spec.identity}"
        yield f"{told}: it was changed, or written by a version with other defaults"


def _points(records: Sequence[TrialRecord]) -> Iterator[str]:
    digests = {record.number: record.digest for record in records}
    for record in records:
        for path, value in record.params.items():
            if lookup(record.config, path) != value:
                yield f"trial {record.number}: {path} is {lookup(record.config, path)!r}, its point says {value!r}"
        repeats = record.duplicate_of
        if repeats is not None and digests.get(repeats, record.digest) != record.digest:
            yield f"trial {record.number} repeats trial {repeats}, whose digest is another"


def _seeds(spec: StudySpec, records: Sequence[TrialRecord]) -> Iterator[str]:
    allowed = {spec.replicas.search, spec.replicas.screen or spec.replicas.search}
    for record in records:
        seeds = [member.seed for member in record.members]
        if record.status is Status.COMPLETE and (len(seeds) not in allowed or len(set(seeds)) < len(seeds)):
            yield f"trial {record.number} has the seeds {seeds}; the study asks for {spec.replicas.search}"


def _selection(folder: StudyFolder, records: Sequence[TrialRecord]) -> Iterator[str]:
    for record in records:
        if any(member.test is not None for member in record.members):
            yield f"trial {record.number} was measured on the test split"
        if record.status is not Status.COMPLETE:
            continue
        try:
            curves = folder.curves(record.number)
        except LorapBenchError as error:
            yield str(error)
            continue
        yield from (f"trial {record.number}: {fault}" for fault in selection_faults(record, curves))


def _looks(folder: StudyFolder, looks: Sequence[Look], records: Sequence[TrialRecord]) -> Iterator[str]:
    used = {member.seed for record in records for member in record.members}
    for look in looks:
        name = f"look {look.number}"
        if again := used.intersection(look.seeds):
            yield f"{name} has seeds that were trained before: {sorted(again)}"
        used |= set(look.seeds)
        try:
            found = folder.looks.records(look)
        except LorapBenchError as error:
            yield str(error)
            continue
        if look.finished:
            yield from (f"{name}: {look.label(one)} is not there" for one in look.digests if one not in found)
        for digest, record in found.items():
            seeds = tuple(member.seed for member in record.members)
            if record.digest != digest or seeds != look.seeds:
                yield f"{name}: {look.label(digest)} is of another configuration or other seeds"
            yield from (f"{name}: {look.label(digest)}: {fault}" for fault in selection_faults(record, {}))


def _unfinished(looks: Sequence[Look]) -> Iterator[str]:
    yield from (f"look {look.number}, of {look.date}, is not finished" for look in looks if not look.finished)
