"""Give a study the trials of others: a new version of its space, or two studies merged.

A trial comes along if its configuration is a point of the new study's space: the values that the space searches,
read from the trial's configuration, are allowed there, and the point makes the very configuration that was trained
(its digest tells). It keeps its seeds, figures and curves, gets the next number, and is judged by the new study's
constraints. A configuration comes along once, from the study named first. What was answered without training stays
behind: it is asked for again at no cost. Looks at the test split stay behind as well, but go on counting.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import ConfigError, StoreError
from lorap_bench.record import Outcome, Status, TrialRecord
from lorap_bench.search.objective import judged
from lorap_bench.store.flat import flat
from lorap_bench.store.manifest import Origin
from lorap_bench.study.slots import lookup
from lorap_bench.study.space import overlay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lorap_bench.search.objective import Planner
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["Source", "adopt", "differences"]

_UNTRAINED = {Status.INVALID, Status.DUPLICATE, Status.INTERRUPTED, Status.WORKER_LOST}


@dataclass(frozen=True, slots=True)
class Source:
    """A study that gives trials, under the name that it is to be remembered by."""

    name: str
    folder: StudyFolder
    spec: StudySpec


class _Left(Exception):
    """A trial stays behind; the message says why."""


def adopt(spec: StudySpec, sources: Sequence[Source], into: StudyFolder, planner: Planner) -> list[Origin]:
    """Write the compatible trials of ``sources`` into an empty folder; return what came from where.

    Raises:
        StoreError: a record of a source is damaged, or the disk refuses.
    """
    origins: list[Origin] = []
    known: dict[str, int] = {}
    for source in sources:
        first, kept, left = len(known), list[int](), Counter[str]()
        for record in source.folder.records():
            number = len(known)
            try:
                moved = _moved(spec, source, record, planner)
                _refuse_known(moved, known)
            except _Left as reason:
                left[str(reason)] += 1
                continue
            into.write(Outcome(replace(moved, number=number), source.folder.curves(record.number)))
            known[moved.digest] = number
            kept.append(record.number)
        origins.append(_origin(source, first, kept, left))
    return origins


def differences(first: StudySpec, other: StudySpec) -> list[str]:
    """Say in what two studies differ so that no trial of one could be a trial of the other; empty if in nothing.

    The objectives, the task and the seeds of a trial must be the same, and so must be the base configuration where
    the first study does not search it. The spaces may differ: each trial tells by itself whether it fits.
    """
    told = []
    if first.objectives != other.objectives:
        told.append(f"objectives: {', '.join(first.objectives)} and {', '.join(other.objectives)}")
    if first.replicas.search != other.replicas.search:
        told.append(f"replicas.search: {first.replicas.search} and {other.replicas.search}")
    ours, theirs = dict(flat(first.base.to_mapping())), dict(flat(other.base.to_mapping()))
    for path in sorted({*ours, *theirs}):
        searched = {*first.space, *other.space} if path not in {"task.dataset", "task.features"} else set()
        if ours.get(path) != theirs.get(path) and path not in searched:
            told.append(f"{path}: {_value(ours, path)} and {_value(theirs, path)}")
    return told


def _moved(spec: StudySpec, source: Source, record: TrialRecord, planner: Planner) -> TrialRecord:
    """Return a trial as the new study has it, its number aside.

    Raises:
        _Left: it is not one of the new study's.
    """
    if record.status in _UNTRAINED:
        raise _Left("answered without training; asked for again at no cost")
    lacking = [name for name in spec.objectives if name not in record.objectives]
    if record.status is Status.COMPLETE and lacking:
        raise _Left(f"without a value for {', '.join(lacking)}")
    try:
        trained = overlay(source.spec.base, record.params)
        params = _point(spec, trained.to_mapping())
        plan = planner(overlay(spec.base, params))
    except ConfigError as error:
        raise _Left(f"impossible in the new space: {error.faults[0]}") from error
    if plan.digest != record.digest:
        paths = _different(record.config, plan.config)
        raise _Left(f"another configuration in the new study ({', '.join(paths) or 'another task'})")
    return judged(spec, replace(record, params=params, duplicate_of=None))


def _point(spec: StudySpec, trained: Mapping[str, Any]) -> dict[str, Any]:
    """Return the point of the study's space that a configuration lies at.

    Raises:
        _Left: it lies at none.
    """
    space, base = spec.parameters, spec.base.to_mapping()
    params: dict[str, Any] = {}
    for parameter in space.parameters:
        if not space.active(parameter, base, params):
            continue
        value = lookup(trained, parameter.path)
        if value not in parameter.distribution:
            raise _Left(f"{parameter.path} outside the new space")
        params[parameter.path] = value
    return params


def _refuse_known(record: TrialRecord, known: Mapping[str, int]) -> None:
    if record.digest in known:
        raise _Left("the same configuration as a trial kept already")


def _origin(source: Source, first: int, kept: list[int], left: Counter[str]) -> Origin:
    return Origin(
        name=source.name,
        identity=source.folder.manifest.identity,
        looks=source.folder.looks.next_number - 1,
        first=first,
        trials=tuple(kept),
        left=dict(sorted(left.items(), key=lambda entry: (-entry[1], entry[0]))),
    )


def _different(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    one, other = dict(flat(ours)), dict(flat(theirs))
    return [path for path in sorted({*one, *other}) if one.get(path) != other.get(path)][:3]


def _value(mapping: Mapping[str, Any], path: str) -> str:
    return repr(mapping[path]) if path in mapping else "absent"


def refuse_nothing_kept(origins: Sequence[Origin], where: str) -> None:
    """Raise if a study gave no trial at all.

    Raises:
        StoreError: it says why its trials stayed behind.
    """
    for origin in origins:
        if origin.left and not origin.trials:
            reasons = "; ".join(f"{count} {reason}" for reason, count in origin.left.items())
            raise StoreError(f"none of the trials of {origin.name} fits: {reasons}", where=where)
