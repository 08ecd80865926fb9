"""Multi-objective early stopping: at rungs, who trains on and who cannot enter the front.

Pure figures, without a sampler or an engine: what is added in any order gives the same answers, so a study that was
interrupted stops the trials that the uninterrupted one would have stopped.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import moocore
import numpy as np

from lorap_bench.record import Status
from lorap_bench.study.spec import OBJECTIVES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lorap_bench.record import Curves, TrialRecord
    from lorap_bench.study.spec import StudySpec

__all__ = ["COMPLETE_NEEDED", "Rungs", "standing"]

COMPLETE_NEEDED = 10
"""Complete trials from which the bound learns how much a trial may still gain."""

Point = tuple[float, ...]
"""Objectives in the study's order, each the smaller the better."""


@final
class Rungs:
    """What is known of a study's trials at its rungs.

    Epochs are those of a training's last stage, the one its result comes from (``Scheme.stages``): a MixQ trial is
    compared at the same age of its quantized model, and its search and pretraining are spent on every trial.

    A trial is compared by its best validation metric so far, the mean over its members, and by the study's other
    objectives, which are known before training. Where they are not, because widths are learned, a trial may lie on the
    front whatever its metric: it is neither judged nor held against others. At a rung go on

    * the best ``n / reduction_factor`` of the n trials that have reached it, by non-dominated rank, then crowding,
    * and all that none of them dominates: with three objectives these are often more, and a quota would cut the front.

    Source: MO-ASHA (Schmucker et al. 2021), section 3.
    # differs: what nothing dominates is never stopped, because the quota alone lost a sixth of a front's volume, and
    # this rule a fiftieth (benchmarks/search/stopping.py); the bound is ours.
    """

    def __init__(self, spec: StudySpec) -> None:
        self._stopping = spec.early_stopping
        self._first = spec.replicas.screen or spec.replicas.search  # those that every trial has
        self._metric = spec.metric
        self._objectives: tuple[str, ...] = tuple(spec.objectives)
        self._rules = spec.constraint_rules
        self._reached: dict[int, dict[int, Point]] = {}
        self._final: dict[int, Point] = {}
        self._gains: dict[int, dict[int, float]] = {}

    def rungs(self, epochs: int) -> tuple[int, ...]:
        """Return the rungs of a last stage of ``epochs``: ``grace_epochs`` times powers of ``reduction_factor``."""
        if not self._stopping.active:
            return ()
        found, rung = [], self._stopping.grace_epochs
        while rung < epochs:
            found.append(rung)
            rung *= self._stopping.reduction_factor
        return tuple(found)

    def add(self, record: TrialRecord, curves: Curves) -> None:
        """Take an ended trial in, with what it had at each rung it reached (``curves["val_best"]``)."""
        members = curves.get("val_best", [])[: self._first]
        if not members:
            return
        costs = {} if any(member.bits for member in record.members) else record.costs
        # A member without a value has diverged, unless its trial ended before it was asked.
        lacking = [] if record.status is Status.PRUNED else [math.nan]
        rungs = self.rungs(int(record.config["optim"]["epochs"]))
        for place, rung in enumerate(rungs[: max(map(len, members))]):
            best = [value for values in members for value in values[place : place + 1] or lacking]
            self._reach(rung, record.number, best, costs)
            if record.status is Status.COMPLETE:
                final = [member.val for member in record.members[: self._first] if member.val is not None]
                gain = self._metric.gain(_mean(final), _mean(best))
                self._gains.setdefault(rung, {})[record.number] = gain
        if record.status is Status.COMPLETE and record.feasible:
            self._final[record.number] = tuple(_signed(name, record.objectives[name]) for name in self._objectives)

    def judge(
        self, epoch: int, values: Mapping[int, Sequence[float]], costs: Mapping[int, Mapping[str, float]]
    ) -> dict[int, str]:
        """Return the trials that end at the rung after ``epoch`` epochs, and why, in words.

        Args:
            epoch: the rung.
            values: trial number → best validation metric so far of each member; all that are at the rung together.
            costs: trial number → its costs as known before training.
        """
        for number, best in values.items():
            self._reach(epoch, number, best, costs[number])
        stopped: dict[int, str] = {}
        for number, best in values.items():
            if number not in self._reached.get(epoch, {}):
                continue
            reason = self._beaten(epoch, number, _mean(best)) or self._outranked(epoch, number)
            if reason:
                stopped[number] = f"at the rung of {epoch} epochs {reason}"
        return stopped

    def _reach(self, epoch: int, number: int, best: Sequence[float], costs: Mapping[str, float]) -> None:
        known = {**costs, self._metric.value: _mean(best)}
        if all(name in known for name in self._objectives):
            point = tuple(_signed(name, known[name]) for name in self._objectives)
            self._reached.setdefault(epoch, {})[number] = point

    def _outranked(self, epoch: int, number: int) -> str:
        """Return why a trial is not among those that MO-ASHA lets go on; empty if it is."""
        reached, factor = self._reached[epoch], self._stopping.reduction_factor
        if self._stopping.rule == "none" or len(reached) < factor:
            return ""
        quota = math.ceil(len(reached) / factor)
        dominating, better = standing(np.array(list(reached.values())), list(reached).index(number))
        if not dominating or better < quota:
            return ""
        return f"{better} of {len(reached)} trials were better, and {quota} go on"

    def _beaten(self, epoch: int, number: int, best: float) -> str:
        """Return why a trial cannot enter the front even if it gains what any gained before; empty if it can."""
        gains = self._gains.get(epoch, {})
        if not self._stopping.bound or len(gains) < COMPLETE_NEEDED or not math.isfinite(best):
            return ""
        metric = self._metric
        hope = metric.raised(best, max(gains.values()))
        point = list(self._reached[epoch][number])
        if metric.value in self._objectives:
            point[self._objectives.index(metric.value)] = _signed(metric.value, hope)
        for other, reached in sorted(self._final.items()):
            if all(a <= b for a, b in zip(reached, point, strict=True)) and reached != tuple(point):
                return f"even an {metric.label} of {hope:.4f} would be dominated by trial {other}"
        for rule in self._rules:
            if rule.name == metric.value and rule.violation(hope) > 0:
                return f"even an {metric.label} of {hope:.4f} would break the constraint on it"
        return ""


def _mean(best: Sequence[float]) -> float:
    return math.fsum(best) / len(best) if best else math.nan


def _signed(name: str, value: float) -> float:
    return -value if OBJECTIVES[name] == "max" else value


def standing(points: NDArray[np.float64], place: int) -> tuple[bool, int]:
    """Return whether anything dominates the point at ``place``, and how many points come before it.

    They come by non-dominated rank, then by crowding distance; those that are not finite last. Equal points stand or
    fall together, so the order in which they are given has no say.

    Shape:
        points ``[n, m]``, minimised.
    """
    finite = np.asarray(np.isfinite(points).all(axis=1))
    if not finite[place]:
        return True, int(finite.sum())
    rank = np.asarray(moocore.pareto_rank(points[finite]), dtype=np.int64)
    mine = rank[finite[:place].sum()]
    level = points[finite][rank == mine]
    distance = _crowding(level)
    own = distance[np.asarray((level == points[place]).all(axis=1)).argmax()]
    return bool(mine > 0), int((rank < mine).sum() + (distance > own).sum())


def _crowding(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each point's crowding distance: over objectives, the gap between its neighbours as a share of the range.

    The ends of each objective are infinitely far. Equal points have one place and one distance.

    Shape:
        points ``[n, m]``; result ``[n]``.

    Source: NSGA-II (Deb et al. 2002), section III-B.
    """
    distinct, where = np.unique(points, axis=0, return_inverse=True)
    distance = np.zeros(len(distinct))
    for column in distinct.T:
        # Values that occur twice are one place on this axis, or their order would matter.
        steps, back = np.unique(column, return_inverse=True)
        if len(steps) > 1:
            gaps = np.full(len(steps), np.inf)
            gaps[1:-1] = (steps[2:] - steps[:-2]) / (steps[-1] - steps[0])
            distance += gaps[back]
    result: NDArray[np.float64] = distance[where.ravel()]
    return result
