"""What a study's trials let one expect of a candidate: its gains, how sure they are, and what they would add.

A *gain* is an objective as a share of the reference box: 0 at the worst corner, 1 at the ideal one. An objective that
the study does not have is a gain of 1 for all. Costs known before training have no deviation; the others, and
the metric, come from a Gaussian process each.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from lorap_bench.search.improvement import expected_hypervolume_improvement
from lorap_bench.search.surrogate import Predict, Seen, Surrogate
from lorap_bench.stats.front import REFERENCE, front_mask
from lorap_bench.study.spec import objectives_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.search.candidates import Candidate
    from lorap_bench.search.told import Observation, Told
    from lorap_bench.study.spec import Constraint, StudySpec

__all__ = ["Forecast", "Forecaster"]

Array = NDArray[np.float64]

_NODES = ((-math.sqrt(3.0), 1 / 6), (0.0, 2 / 3), (math.sqrt(3.0), 1 / 6))
"""Gauss-Hermite quadrature for a normal cost: places in standard deviations, weights."""


@final
class Forecaster:
    """Make forecasts for a study. It remembers the scales of its processes and nothing else."""

    def __init__(self, spec: StudySpec) -> None:
        self.objectives = tuple(spec.objectives)
        self.bounds = [rule for rule in spec.constraint_rules if rule.name in self.objectives]
        self.names = tuple(objectives_of(spec.metric))
        self.worst = np.array([REFERENCE.worst[name] for name in self.names])
        self.span = np.array([REFERENCE.ideal[name] for name in self.names]) - self.worst
        self._surrogates = {name: Surrogate() for name in self.names}

    def forecast(self, known: Told, pending: Sequence[Candidate]) -> Forecast | None:
        """Return what the trials let one expect; None where none is complete.

        Args:
            known: what the trials tell.
            pending: the points still out.
        """
        done = [one for one in known.observations if one.values is not None]
        if not done:
            return None
        metric, *costs = self.names
        models: dict[str, Predict] = {name: self._cost_model(name, known) for name in costs if name in self.objectives}
        if metric in self.objectives:
            models[metric] = self._metric_model(known, pending)
        return Forecast(self, models, [one for one in done if one.feasible], pending)

    def gains(self, one: Observation) -> list[float]:
        """Return a complete trial's gains."""
        assert one.values is not None
        values = dict(zip(self.objectives, one.values, strict=True))
        return [self.gain(place, values[name]) if name in values else 1.0 for place, name in enumerate(self.names)]

    def gain(self, place: int, value: float) -> float:
        """Return a value of the objective at ``place`` of ``names`` as a gain."""
        return float((value - self.worst[place]) / self.span[place])

    def _cost_model(self, name: str, known: Told) -> Predict:
        place = self.names.index(name)
        seen, first = (self._costs(observations, place) for observations in (known.observations, known.first))
        return self._surrogates[name].fit(seen, first if len(first.values) else seen)

    def _costs(self, observations: Sequence[Observation], place: int) -> Seen:
        done = [one for one in observations if one.values is not None]
        return Seen(_rows(done), np.array([self.gains(one)[place] for one in done]))

    def _metric_model(self, known: Told, pending: Sequence[Candidate]) -> Predict:
        """Return the model of a fully trained point's metric, which takes those still out for what it expects."""
        partial = any(one.partial for one in known.observations)
        seen, first = (self._metrics(observations, partial) for observations in (known.observations, known.first))

        def whole(points: Array) -> Array:
            return np.column_stack([points, np.ones(len(points))]) if partial else points

        model = self._surrogates[self.names[0]].fit(seen, first, whole(_rows(pending)) if pending else None)
        return lambda points: model(whole(points))

    def _metrics(self, observations: Sequence[Observation], partial: bool) -> Seen:
        """Return the metrics as gains; the share of epochs is one more column where a trial was stopped early."""
        rows = _rows(observations)
        if partial:
            rows = np.column_stack([rows, [_ripeness(one.partial[1] if one.partial else 1.0) for one in observations]])
        return Seen(rows, np.array([self._metric(one) for one in observations]))

    def _metric(self, one: Observation) -> float:
        if one.values is None and one.partial is None:
            return math.nan
        gain = self.gain(0, one.partial[0]) if one.partial else self.gains(one)[0]
        return max(gain, 0.0)  # an error has no upper end, and one far beyond the box would drown all others


@final
class Forecast:
    """Expectations from one state of a study."""

    def __init__(
        self,
        forecaster: Forecaster,
        models: dict[str, Predict],
        done: Sequence[Observation],
        pending: Sequence[Candidate],
    ) -> None:
        self._forecaster, self._models = forecaster, models
        front = np.array([forecaster.gains(one) for one in done]).reshape(len(done), len(forecaster.names))
        reached = np.vstack([front, self.predict(pending)[0]])
        self._front = reached[front_mask(reached, ["max"] * len(forecaster.names))]  # the fewer points, the fewer cells

    def predict(self, candidates: Sequence[Candidate]) -> tuple[Array, Array]:
        """Return the candidates' gains and their deviations: two of ``[n, 3]``."""
        names, worst, span = self._forecaster.names, self._forecaster.worst, self._forecaster.span
        shape = (len(candidates), len(names))
        means, deviations = np.ones(shape), np.zeros(shape)
        if not candidates:
            return means, deviations
        rows = _rows(candidates)
        for place, name in enumerate(names):
            if name not in self._models:
                continue
            costs = np.array([one.costs.get(name, math.nan) for one in candidates])
            means[:, place] = (costs - worst[place]) / span[place]
            unknown = np.isnan(costs)
            if unknown.any():
                means[unknown, place], deviations[unknown, place] = self._models[name](rows[unknown])
        return means, deviations

    def improvements(self, candidates: Sequence[Candidate]) -> Array:
        """Return by how much each candidate is expected to raise the hypervolume: ``[n]``.

        Formula: the closed form for the metric, its mean over costs that are not known, times the probability that
        the constraints on objectives hold.
        """
        means, deviations = self.predict(candidates)
        uncertain = [place for place in (1, 2) if deviations[:, place].any()]
        total = np.zeros(len(candidates))
        for nodes in itertools.product(_NODES, repeat=len(uncertain)):
            known = means[:, 1:].copy()
            for place, (deviation, _) in zip(uncertain, nodes, strict=True):
                known[:, place - 1] += deviation * deviations[:, place]
            weight = math.prod(weight for _, weight in nodes)
            total += weight * expected_hypervolume_improvement(means[:, 0], deviations[:, 0], known, self._front)
        return total * self._chance(means, deviations)

    def _chance(self, means: Array, deviations: Array) -> Array:
        """Return the probability that a candidate keeps the constraints on objectives."""
        forecaster, chance = self._forecaster, np.ones(len(means))
        for rule in forecaster.bounds:
            place = forecaster.names.index(rule.name)
            value = forecaster.worst[place] + forecaster.span[place] * means[:, place]
            deviation = np.maximum(abs(forecaster.span[place]) * deviations[:, place], 1e-12)
            chance *= ndtr(-_violation(rule, value) / deviation)
        return chance


def _violation(rule: Constraint, value: Array) -> Array:
    return value - rule.bound if rule.relation == "<=" else rule.bound - value


def _rows(points: Sequence[Observation | Candidate]) -> Array:
    return np.array([one.row for one in points])


def _ripeness(share: float) -> float:
    """Return how far trained a trial is, in the logarithm: 0 at a hundredth of its epochs, 1 at all of them."""
    return min(max(1 + math.log10(share) / 2, 0.0), 1.0)
