"""Replicas as a budget: a trial is screened with a few seeds, and only one that may be on the front has the rest.

*May be on the front* is said by the probability that nothing dominates it (``stats.noisy_front``), never by its
luckiest seed. A trial is held against those that came before its pack, so that a study which was interrupted decides
as the uninterrupted one.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, final

import numpy as np

from lorap_bench.metric import metric_in
from lorap_bench.record import Outcome, Status
from lorap_bench.stats.noisy_front import mean_errors, probability_on_front

if TYPE_CHECKING:
    from lorap_bench.record import Curves, TrialRecord
    from lorap_bench.study.spec import StudySpec

__all__ = ["Promotion", "joined"]


@final
class Promotion:
    """Who of a study's trials has more seeds than the screening gave it."""

    def __init__(self, spec: StudySpec) -> None:
        replicas = spec.replicas
        self._screens = replicas.screen is not None and replicas.screen < replicas.search
        self.screen = replicas.screen if replicas.screen is not None else replicas.search
        self._probability = replicas.probability
        self._metric = spec.metric
        self._noisy = self._metric.value in spec.objectives
        self._costs = [name for name in spec.objectives if name != self._metric.value]
        self._numbers: list[int] = []
        self._replicas: list[list[float]] = []
        self._figures: list[list[float]] = []

    def add(self, record: TrialRecord) -> None:
        """Take a finished trial in."""
        if self._screens and record.status is Status.COMPLETE and record.feasible:
            self._numbers.append(record.number)
            self._replicas.append(_validation(record))
            self._figures.append([record.objectives[name] for name in self._costs])

    def promotes(self, record: TrialRecord, before: int) -> bool:
        """Return whether a screened trial is to have the rest of its seeds.

        Args:
            record: what came of its screening, judged.
            before: the key that its pack begins with.
        """
        if not self._screens or record.status is not Status.COMPLETE or not record.feasible:
            return False
        rivals = [place for place, number in enumerate(self._numbers) if number < before]
        replicas = [self._replicas[place] for place in rivals] + [_validation(record)]
        errors = mean_errors(replicas) if self._noisy else np.zeros(len(replicas))
        if errors is None:  # nothing is known of the noise yet
            return True
        means = np.array([self._metric.quality(float(np.mean(values))) if self._noisy else 0.0 for values in replicas])
        own = [record.objectives[name] for name in self._costs]
        costs = np.array([*(self._figures[place] for place in rivals), own]).reshape(len(replicas), -1)
        return probability_on_front(len(rivals), means, errors, costs) >= self._probability


def joined(first: Outcome, rest: Outcome) -> Outcome:
    """Return the outcome of a trial that was trained in two parts: its screening, and the rest of its seeds.

    Figures that depend on the seeds are means over all of them. Where the rest did not end well, neither did the trial.
    """
    screened, later = first.record, rest.record
    members = (*screened.members, *later.members)
    shares = len(screened.members) / len(members), len(later.members) / len(members)
    objectives, scored = dict(later.objectives), metric_in(later.objectives).value
    if later.status is Status.COMPLETE:
        objectives[scored] = math.fsum(member.val or 0.0 for member in members) / len(members)
    record = replace(
        later,
        started=screened.started,
        seconds=screened.seconds + later.seconds,
        members=members,
        # Those that failed may have learned no widths, and so lack the costs that follow from them.
        costs={name: _mean(screened.costs[name], cost, shares) for name, cost in later.costs.items()},
        objectives=objectives
        | {
            name: _mean(screened.objectives[name], later.objectives[name], shares)
            for name in objectives
            if name != scored
        },
    )
    return Outcome(record, _stacked(first.curves, rest.curves))


def _validation(record: TrialRecord) -> list[float]:
    return [member.val for member in record.members if member.val is not None]


def _mean(first: float, rest: float, shares: tuple[float, float]) -> float:
    # What does not depend on the seeds stays what it is to the last bit.
    return first if first == rest else first * shares[0] + rest * shares[1]


def _stacked(first: Curves, rest: Curves) -> Curves:
    return {name: [*first.get(name, []), *rest.get(name, [])] for name in {**first, **rest}}
