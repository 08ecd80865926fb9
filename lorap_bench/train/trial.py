"""Trials: configurations and their seeds in, records and curves out; failures are statuses.

Trials that agree in shape train as one program, and each ends as it would alone, bit for bit: company
shows only in ``started``, ``seconds`` (a trial's share, by members, of its cohort's time) and
``provenance["cohort"]`` (how many members trained as one program).
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, TypeAlias

from lorap_bench.config import digest_of
from lorap_bench.data.load import load_task
from lorap_bench.models.blueprint import Blueprint, blueprint, shape_of
from lorap_bench.record import Curves, MemberResult, Outcome, Status, TrialRecord
from lorap_bench.train.cohort import Member, cohort_key
from lorap_bench.train.memory import fits
from lorap_bench.train.provenance import provenance
from lorap_bench.train.together import Ended, Errand, train_together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.data.task import GraphTask, Split
    from lorap_bench.train.loop import Trainee
    from lorap_bench.train.measure import Measured

__all__ = ["Request", "run_groups", "run_trial", "run_trials"]

Request: TypeAlias = "tuple[TrialConfig, Sequence[int]]"
"""A trial to run: a configuration and its seeds, one member each."""

_STATIC_OBJECTIVES = ("average_bits", "overhead")
_CURVES = ("train_loss", "val_loss", "val_metric")


def run_trial(
    config: TrialConfig,
    seeds: Sequence[int],
    *,
    split: Split = "val",
    task: GraphTask | None = None,
    on_epoch: Callable[[int], None] | None = None,
) -> Outcome:
    """Train a configuration with each seed and record what came of it.

    Args:
        config: the configuration.
        seeds: one member each; all train as one program.
        split: ``"val"`` (the test indices are taken out of reach) or ``"test"`` (measured once, at
            the epochs chosen on validation).
        task: the task, if the caller holds it already.
        on_epoch: see ``fit``.

    Raises:
        ConfigError: the configuration is impossible on this task.
        MissingResource: its data are not to be had.
    """
    return run_trials([(config, seeds)], split=split, task=task, on_epoch=on_epoch)[0]


def run_trials(
    requests: Sequence[Request],
    *,
    split: Split = "val",
    task: GraphTask | None = None,
    on_epoch: Callable[[int], None] | None = None,
) -> list[Outcome]:
    """Train several trials, those of equal shapes as one program; return an outcome for each.

    Arguments and errors are those of ``run_trial``; ``on_epoch`` hears every program's epochs.
    """
    outcomes: dict[int, Outcome] = {}
    for ended in run_groups(requests, split=split, task=task, on_epoch=on_epoch):
        outcomes.update(ended)
    return [outcomes[position] for position in range(len(requests))]


def run_groups(
    requests: Sequence[Request],
    *,
    split: Split = "val",
    task: GraphTask | None = None,
    on_epoch: Callable[[int], None] | None = None,
) -> Iterator[dict[int, Outcome]]:
    """Train several trials, a group of equal shapes after the other; yield each group's outcomes by position.

    Arguments and errors are those of ``run_trial``. Between two groups the caller may save, or stop.
    """
    groups: dict[str, list[_Trial]] = defaultdict(list)
    for position, (config, seeds) in enumerate(requests):
        its_task = task or load_task(config.task)
        plan = blueprint(config, shape_of(its_task))
        groups[digest_of(cohort_key(plan))].append(_Trial(position, plan, its_task, tuple(seeds)))
    for trials in groups.values():
        whole = trials[0].task
        _train_group(trials, Errand(whole if split == "test" else _without_test(whole), split, on_epoch))
        yield {trial.position: _outcome(trial) for trial in trials}


@dataclass(slots=True)
class _Trial:
    """A trial under way: its position among the requests, and its members that have ended, by place."""

    position: int
    plan: Blueprint
    task: GraphTask
    seeds: tuple[int, ...]
    started: str = ""
    ended: dict[int, Ended] = field(default_factory=dict)


def _train_group(trials: list[_Trial], errand: Errand) -> None:
    """Train trials of equal shapes."""
    owners = [(trial, place) for trial in trials for place in range(len(trial.seeds))]
    members = [Member(trial.plan.trial, trial.seeds[place]) for trial, place in owners]
    started = _now()
    for trial in trials:
        trial.started = started
    for cohort in train_together(members, errand, most=fits(trials[0].plan, errand.task)):
        for index, ended in cohort:
            trial, place = owners[index]
            trial.ended[place] = ended


def _outcome(trial: _Trial) -> Outcome:
    """Return the record and the curves of a trial whose members have all ended."""
    members = [trial.ended[place] for place in sorted(trial.ended)]
    trainees = [member.trainee for member in members]
    measured = [member.measured for member in members if member.measured is not None]
    status, reason = _verdict(members)
    costs = _costs(trial.plan, measured)
    record = TrialRecord(
        status=status,
        reason=reason,
        config=trial.plan.config,
        digest=trial.plan.digest,
        objectives=_objectives(costs, trainees, status),
        costs=costs,
        effective=trial.plan.effective,
        members=tuple(_result(member) for member in members),
        started=trial.started,
        seconds=math.fsum(member.seconds for member in members),
        provenance=provenance() | {"cohort": max(member.cohort for member in members)},
    )
    return Outcome(record, _curves(trainees) | _row_bits(measured))


@lru_cache(maxsize=4)
def _without_test(task: GraphTask) -> GraphTask:
    """Return one and the same stripped task each time, so that what is prepared for it is found again."""
    return task.without_test()


def _verdict(members: Sequence[Ended]) -> tuple[Status, str]:
    """Return how a trial ended, and why if not well."""
    reasons = [member.no_memory for member in members if member.no_memory]
    if reasons:
        return Status.OUT_OF_MEMORY, reasons[0]
    lost = [len(member.trainee.train_loss) for member in members if member.trainee.diverged]
    if lost:
        return Status.DIVERGED, f"{len(lost)} of {len(members)} members diverged, first at epoch {min(lost)}"
    return Status.COMPLETE, ""


def _costs(plan: Blueprint, measured: Sequence[Measured]) -> dict[str, float]:
    """Return the costs; where widths are learned, the mean over the trained members of what each came to."""
    if not plan.scheme.learns_bits or not measured:
        return plan.costs
    found = [plan.costs_at(member.bits) for member in measured]
    return {name: math.fsum(costs[name] for costs in found) / len(found) for name in found[0]}


def _row_bits(measured: Sequence[Measured]) -> Curves:
    sites = measured[0].row_bits if measured else ()
    return {f"row_bits:{site}": [member.row_bits[site] for member in measured] for site in sites}


def _objectives(costs: dict[str, float], trainees: Sequence[Trainee], status: Status) -> dict[str, float]:
    objectives = {name: costs[name] for name in _STATIC_OBJECTIVES if name in costs}
    values = [trainee.val for trainee in trainees if trainee.val is not None]
    if status is Status.COMPLETE:
        objectives = {"accuracy": math.fsum(values) / len(values)} | objectives
    return objectives


def _result(member: Ended) -> MemberResult:
    trainee, measured = member.trainee, member.measured
    status = Status.DIVERGED if trainee.diverged else Status.COMPLETE
    return MemberResult(
        seed=trainee.member.seed,
        status=Status.OUT_OF_MEMORY if member.no_memory else status,
        val=trainee.val,
        test=trainee.test,
        best_epoch=trainee.best_epoch,
        epochs=len(trainee.train_loss),
        bits=measured.bits if measured else {},
        aggregation_error=measured.aggregation_error if measured else [],
    )


def _curves(trainees: Sequence[Trainee]) -> Curves:
    """Return the curves, cut at the first value that is not finite (JSON has none)."""
    curves: Curves = {name: [] for name in _CURVES}
    for trainee in trainees:
        for name in _CURVES:
            curves[name].append(list(takewhile(math.isfinite, getattr(trainee, name))))
        del curves["val_metric"][-1][len(curves["val_loss"][-1]) :]  # a metric without its loss is no evaluation
    return curves


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
