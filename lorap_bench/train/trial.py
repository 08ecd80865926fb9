"""Trials: configurations and their seeds in, records and curves out; failures are statuses.

Trials that agree in shape train as one program, and each ends as it would alone, bit for bit: company
shows only in ``started``, ``seconds`` (a trial's share of its cohort's time, by epochs) and
``provenance["cohort"]`` (how many members trained as one program).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from lorap_bench.config import digest_of
from lorap_bench.data.load import load_task
from lorap_bench.models.blueprint import blueprint, shape_of
from lorap_bench.train.cohort import cohort_key
from lorap_bench.train.contained import train_contained
from lorap_bench.train.group import Group
from lorap_bench.train.outcome import Trial, outcome_of
from lorap_bench.train.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.data.task import GraphTask, Split
    from lorap_bench.record import Outcome

__all__ = ["Request", "run_groups", "run_trial", "run_trials"]

Request: TypeAlias = "tuple[TrialConfig, Sequence[int]]"
"""A trial to run: a configuration and its seeds, one member each."""


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

    Arguments and errors are those of ``run_trial``; ``on_epoch`` hears every program's epochs. A bug is raised.
    """
    outcomes: dict[int, Outcome] = {}
    for trials in _groups(requests, task):
        Group(trials, split, Watch(on_epoch=on_epoch)).train()
        outcomes.update((trial.position, outcome_of(trial)) for trial in trials)
    return [outcomes[position] for position in range(len(requests))]


def run_groups(
    requests: Sequence[Request], *, split: Split = "val", task: GraphTask | None = None, watch: Watch | None = None
) -> Iterator[dict[int, Outcome]]:
    """Train the trials of a study, a group of equal shapes after the other; yield outcomes by position as they end.

    Arguments and errors are those of ``run_trial``. Between two groups the caller may save, or stop. Trials may be
    stopped early, or end at a deadline or by an error that nobody foresaw: all of these are statuses.
    """
    for trials in _groups(requests, task):
        for ended in train_contained(trials, split, watch or Watch()):
            yield {trial.position: outcome_of(trial) for trial in ended}


def _groups(requests: Sequence[Request], task: GraphTask | None) -> list[list[Trial]]:
    """Return the requested trials, those of equal shapes together."""
    groups: dict[str, list[Trial]] = defaultdict(list)
    for position, (config, seeds) in enumerate(requests):
        its_task = task or load_task(config.task)
        plan = blueprint(config, shape_of(its_task))
        groups[digest_of(cohort_key(plan))].append(Trial(position, plan, its_task, tuple(seeds)))
    return list(groups.values())
