"""Train a recorded trial again with all its seeds, as it was trained, and find what comes out otherwise.

A trial that was stopped early is stopped at the same epoch. What the configuration and the seed determine is compared:
of a member that trained to its end, was stopped or diverged, all its figures; of one that the machine ended (memory,
time, an error), the epochs that it has in common with its training here.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from lorap_bench.data.load import load_task
from lorap_bench.errors import StoreError
from lorap_bench.models.blueprint import blueprint, shape_of
from lorap_bench.record import Status, TrialRecord
from lorap_bench.train.recorded import causes, name_of, recorded_config, said
from lorap_bench.train.trial import run_groups
from lorap_bench.train.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lorap_bench.data.task import GraphTask
    from lorap_bench.models.blueprint import Blueprint
    from lorap_bench.record import Curves, MemberResult, Outcome

__all__ = ["Pair", "Rerun", "check_rerun", "rerun"]

_DETERMINED = {Status.COMPLETE, Status.PRUNED, Status.DIVERGED}
_FIGURES = ("status", "val", "best_epoch", "epochs", "bits", "aggregation_error")
_BY_EPOCH = ("train_loss", "val_loss", "val_metric")


@dataclass(frozen=True, slots=True)
class Pair:
    """One seed: what the record says of it, and what came of it here."""

    recorded: MemberResult
    here: MemberResult

    @property
    def differs(self) -> bool:
        """Whether a figure that the configuration and the seed determine came out otherwise."""
        return bool(list(_figures(self)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """A trial trained again.

    ``digest`` is that of its configuration here; ``objectives`` and ``costs`` are empty where the trial had not all its
    seeds trained alike. ``differences`` and ``causes`` are in words: see ``Again``.
    """

    digest: str
    pairs: tuple[Pair, ...]
    objectives: dict[str, float]
    costs: dict[str, float]
    seconds: float
    differences: tuple[str, ...]
    causes: tuple[str, ...]


def rerun(record: TrialRecord, curves: Curves, *, on_epoch: Callable[[int], None] | None = None) -> Rerun:
    """Train a trial again; the test split is out of reach, and nothing is stored.

    Args:
        record: a trial that has been trained.
        curves: its curves, as far as it has any.
        on_epoch: see ``fit``.

    Raises:
        StoreError: the trial has not been trained, or its record does not fit this version.
        ConfigError: its configuration is impossible on its task.
        MissingResource: its data are not to be had.
    """
    _refuse_untrained(record)
    record, config = _as_stored(record), recorded_config(record)
    task = load_task(config.task)
    plan = blueprint(config, shape_of(task))
    pairs: list[Pair] = []
    found: list[str] = []
    outcomes: list[Outcome] = []
    for stop, members in _parts(record).items():
        outcome = _train(plan, task, members, Watch(on_epoch=on_epoch, judge=_Stop(plan, stop) if stop else None))
        part = [Pair(*both) for both in zip(members, _as_stored(outcome.record).members, strict=True)]
        places = [record.members.index(member) for member in members]
        found += [line for pair in part for line in _figures(pair)]
        found += _by_epoch(outcome.curves, {name: _chosen(values, places) for name, values in curves.items()}, part)
        pairs, outcomes = pairs + part, [*outcomes, outcome]
    whole = outcomes[0].record if len(pairs) == len(record.members) and len(outcomes) == 1 else None
    return Rerun(
        digest=plan.digest,
        pairs=tuple(sorted(pairs, key=lambda pair: record.members.index(pair.recorded))),
        objectives=whole.objectives if whole else {},
        costs=whole.costs if whole else {},
        seconds=sum(outcome.record.seconds for outcome in outcomes),
        differences=(*_whole(record, plan, whole), *found),
        causes=causes(record),
    )


def check_rerun(record: TrialRecord, curves: Curves) -> None:
    """Refuse a trial whose training cannot be checked.

    Raises:
        StoreError: it has not been trained, or nothing that it determines is on record.
    """
    _refuse_untrained(record)
    if not any(member.status in _DETERMINED for member in record.members) and not any(curves.get("train_loss", [])):
        message = f"ended {_ended(record)} before its first epoch: there is nothing to check, only to train again"
        raise StoreError(message, where=name_of(record))


@final
class _Stop:
    """A judge who ends every trial where one was stopped: after ``epochs`` of all its stages together."""

    def __init__(self, plan: Blueprint, epochs: int) -> None:
        self._left = plan.epochs - epochs

    def rungs(self, epochs: int) -> Sequence[int]:
        return [epochs - self._left]

    def stops(self, epoch: int, values: Mapping[int, Sequence[float]]) -> Mapping[int, str]:
        return dict.fromkeys(values, f"as recorded, after epoch {epoch} of its last stage")


def _refuse_untrained(record: TrialRecord) -> None:
    if record.status is Status.DUPLICATE:
        raise StoreError(f"repeats trial {record.duplicate_of}, which has the result", where=name_of(record))
    if record.status is Status.INVALID:
        raise StoreError(f"was not trained: it is {_ended(record)}", where=name_of(record))
    if not any(_trained(member) for member in record.members):
        message = f"ended {_ended(record)} and has no seeds on record; `lorap-bench train` trains its configuration"
        raise StoreError(message, where=name_of(record))


def _ended(record: TrialRecord) -> str:
    return record.status.value.replace("_", " ") + (f" ({record.reason})" if record.reason else "")


def _trained(member: MemberResult) -> bool:
    """Whether a member was given a training: one of a trial that had been stopped before its turn was not."""
    return member.status is not Status.PRUNED or member.epochs > 0


def _parts(record: TrialRecord) -> dict[int, list[MemberResult]]:
    """Return the members by the epoch at which they were stopped, 0 for those that were not: mostly one part."""
    parts: dict[int, list[MemberResult]] = {}
    for member in filter(_trained, record.members):
        parts.setdefault(member.epochs if member.status is Status.PRUNED else 0, []).append(member)
    return parts


def _train(plan: Blueprint, task: GraphTask, members: Sequence[MemberResult], watch: Watch) -> Outcome:
    seeds = [member.seed for member in members]
    (outcomes,) = run_groups([(plan.trial, seeds)], task=task, watch=watch)
    return outcomes[0]


def _chosen(values: list[list[float]], places: Sequence[int]) -> list[list[float]]:
    return [values[place] for place in places if place < len(values)]


def _figures(pair: Pair) -> Iterator[str]:
    """Yield what a seed's figures differ in."""
    if pair.recorded.status not in _DETERMINED:
        return
    for name in _FIGURES:
        here, there = getattr(pair.here, name), getattr(pair.recorded, name)
        is_absent = there in ({}, [])  # not measured, or by a version that did not record it
        if here != there and not is_absent:
            yield said(f"seed {pair.recorded.seed}: {name.replace('_', ' ')}", here, there)


def _as_stored(record: TrialRecord) -> TrialRecord:
    """Return a record as it comes back from a file: lists for tuples, words for keys."""
    return TrialRecord.from_mapping(json.loads(json.dumps(record.to_mapping())))


def _by_epoch(here: Curves, there: Curves, part: Sequence[Pair]) -> Iterator[str]:
    """Yield where curves part, on the epochs that both have, and which learned widths of rows differ."""
    for name in _BY_EPOCH:
        for pair, mine, theirs in zip(part, here.get(name, []), there.get(name, []), strict=False):
            place = next((at for at, both in enumerate(zip(mine, theirs, strict=False)) if both[0] != both[1]), None)
            if place is not None:
                values = said(name.replace("_", " "), mine[place], theirs[place])
                yield f"seed {pair.recorded.seed}: from value {place + 1} on, {values}"
    if all(pair.recorded.status is Status.COMPLETE for pair in part):
        for name in sorted(there):
            if name.startswith("row_bits:") and here.get(name) != there[name]:
                yield f"the learned widths of {name.removeprefix('row_bits:')}, row by row"


def _whole(record: TrialRecord, plan: Blueprint, here: TrialRecord | None) -> Iterator[str]:
    """Yield what the trial as a whole differs in: its digest and, where all its seeds trained alike, its costs."""
    if plan.digest != record.digest:
        yield said("digest", plan.digest, record.digest)
    if here is None or record.status not in _DETERMINED:
        return
    here = _as_stored(here)
    for kind in ("costs", "effective"):
        mine, theirs = getattr(here, kind), getattr(record, kind)
        for name in sorted(theirs):  # a name that the record lacks came with a later version
            if not _same(mine.get(name), theirs[name]):
                yield said(name.replace("_", " "), mine.get(name), theirs[name])


def _same(here: Any, there: Any) -> bool:
    """Compare exactly, but numbers to rounding: a mean over seeds that trained in two parts was rounded otherwise."""
    if isinstance(here, float) and isinstance(there, float):
        return math.isclose(here, there, rel_tol=1e-12)
    return bool(here == there)
