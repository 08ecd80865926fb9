"""Two studies of one task against each other: their best under each bit budget, their fronts, what their runs attain.

Differences are first − second: more than 0 speaks for the first.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lorap_bench.metric import metric_in
from lorap_bench.report.company import Method
from lorap_bench.report.pareto import axes
from lorap_bench.report.score import Score
from lorap_bench.report.sides import Side, method_side
from lorap_bench.report.surfaces import plane_directions
from lorap_bench.report.table import directions, objective_matrix
from lorap_bench.report.verdict import BIT_BUDGETS, winners
from lorap_bench.stats.attainment_difference import Difference, attainment_difference
from lorap_bench.stats.front import REFERENCE, box_hypervolume
from lorap_bench.stats.intervals import Interval, t_interval
from lorap_bench.stats.significance import Comparison, compare_paired, compare_unpaired, holm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.material import Material
    from lorap_bench.stats.attainment_difference import Box

__all__ = ["COMPARISON_VERSION", "Best", "Compared", "Row", "Standing", "compare", "dominated", "sides"]

COMPARISON_VERSION = 1

Values = dict[int, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best trial of a study under a budget: its number, average bits, and its metric over its seeds."""

    trial: int
    average_bits: float
    score: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Both studies under one budget, or under several of which each has the same best trial.

    Attributes:
        budgets: the most average bits; infinite: any width.
        measured: ``test`` where both trials were confirmed, else ``validation``, which chose them.
        first: of the first study; None: it has none under the budget.
        second: of the second study.
        comparison: the tests of what the first gains over the second, paired by seed where the seeds of one are all
            among the other's.
        p_holm: p of the t test after Holm over the rows.
    """

    budgets: tuple[float, ...]
    measured: str
    first: Best | None
    second: Best | None
    comparison: Comparison | None = None
    p_holm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one study came to beside the other.

    Attributes:
        name: of the study; where both have the same, with the letter of its side.
        trials: complete ones.
        runs: seed positions over which attainment is measured.
        front: trials on its front.
        dominated: those of them that a trial of the other's front dominates.
        hypervolume: share of the reference box that its front dominates.
        more_often: share of the plane's part of that box that more of its runs attain than of the other's; None
            where the metric is not in the plane.
        attainment_gain: the same with each point weighted by the difference of the shares of runs.
    """

    name: str
    trials: int
    runs: int
    front: int
    dominated: int
    hypervolume: float
    more_often: float | None
    attainment_gain: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The whole comparison; ``reference`` is the version of the box, ``plane`` the cost and the worth of attainment."""

    first: Standing
    second: Standing
    rows: tuple[Row, ...]
    objectives: tuple[str, ...]
    plane: tuple[str, str]
    reference: int = REFERENCE.version
    schema_version: int = COMPARISON_VERSION

    @property
    def score(self) -> Score:
        """Return how the studies' metric is written."""
        return Score(metric_in([*self.plane, *self.objectives]))

    def to_mapping(self) -> dict[str, Any]:
        """Return plain values, ready for JSON; no budget is None."""
        mapping = asdict(self)
        for row, own in zip(mapping["rows"], self.rows, strict=True):
            for best in filter(None, (row["first"], row["second"])):
                best[self.score.metric.value] = best.pop("score")
            row["budgets"] = [budget if math.isfinite(budget) else None for budget in own.budgets]
            if own.comparison is not None:
                row["comparison"]["a12"] = own.comparison.a12
        return mapping


def compare(first: Material, second: Material) -> Compared:
    """Compare two studies that have the same task and objectives."""
    x, y = axes(first.spec)
    one, other = sides(first, second, x)
    found = None
    if y == first.metric.value and one.runs and other.runs:
        directions = plane_directions(first.score)
        found = attainment_difference(one.runs, other.runs, directions, _reference_box(x, y))
    return Compared(
        first=_standing(first, second, one, found, 1),
        second=_standing(second, first, other, found, -1),
        rows=_rows(first, second),
        objectives=tuple(first.spec.objectives),
        plane=(x, y),
    )


def sides(first: Material, second: Material, x: str) -> tuple[Side, Side]:
    """Return the studies as sides, a run each seed position of its trials."""
    labels = [study.spec.name for study in (first, second)]
    if labels[0] == labels[1]:
        labels = [f"{labels[0]} (A)", f"{labels[1]} (B)"]
    one, other = (
        method_side(Method(label, (study,)), x, searches=False)
        for label, study in zip(labels, (first, second), strict=True)
    )
    return one, other


def dominated(study: Material, by: Material) -> list[TrialRecord]:
    """Return the trials of a study's front that a trial of the other's front dominates."""
    signs = np.array([1.0 if way == "max" else -1.0 for way in directions(study.spec).values()])
    own, theirs = (objective_matrix(one.spec, one.front) * signs for one in (study, by))
    beaten = [bool(((theirs >= point).all(axis=1) & (theirs > point).any(axis=1)).any()) for point in own]
    return [record for record, is_beaten in zip(study.front, beaten, strict=True) if is_beaten]


def _standing(study: Material, other: Material, side: Side, found: Difference | None, sign: int) -> Standing:
    more, gain = _shares(found, sign, axes(study.spec)) if found is not None else (None, None)
    return Standing(
        name=side.label,
        trials=len(study.complete),
        runs=len(side.runs),
        front=len(study.front),
        dominated=len(dominated(study, other)),
        hypervolume=box_hypervolume(objective_matrix(study.spec, study.front), directions(study.spec)),
        more_often=more,
        attainment_gain=gain,
    )


def _shares(found: Difference, sign: int, plane: tuple[str, str]) -> tuple[float, float]:
    """Return the share of the box where one side attains more often, and the same weighted by how much more."""
    (left, right), (bottom, top) = _reference_box(*plane)
    area = np.prod(found.upper - found.lower, axis=1) / ((right - left) * (top - bottom))
    share = sign * found.share
    return float(area[share > 0].sum()), float((area * np.maximum(share, 0)).sum())


def _reference_box(x: str, y: str) -> Box:
    x_ends, y_ends = (sorted((REFERENCE.worst[name], REFERENCE.ideal[name])) for name in (x, y))
    return (x_ends[0], x_ends[1]), (y_ends[0], y_ends[1])


def _rows(first: Material, second: Material) -> tuple[Row, ...]:
    """Return a row for each pair of best trials, from few bits to many, with p corrected for their number."""
    best = [_best(study) for study in (first, second)]
    pairs: dict[tuple[int, int], list[float]] = {}
    for budget in (*BIT_BUDGETS, math.inf):
        one, other = (found.get(budget) for found in best)
        if one is not None or other is not None:
            numbers = (one.number if one else -1, other.number if other else -1)
            pairs.setdefault(numbers, []).append(budget)
    rows = [
        _row(tuple(budgets), (first, best[0].get(budgets[0])), (second, best[1].get(budgets[0])))
        for budgets in pairs.values()
    ]
    adjusted = holm([row.comparison.t_test if row.comparison else None for row in rows])
    return tuple(replace(row, p_holm=p) for row, p in zip(rows, adjusted, strict=True))


def _best(study: Material) -> dict[float, TrialRecord]:
    return {budget: winner.record for winner in winners(study.able) for budget in winner.budgets}


def _row(
    budgets: tuple[float, ...], first: tuple[Material, TrialRecord | None], second: tuple[Material, TrialRecord | None]
) -> Row:
    tests = [_tests(*side) for side in (first, second)]
    on_test = all(tests)
    values = tests if on_test else [_validation(record) for _, record in (first, second)]
    return Row(
        budgets=budgets,
        measured="test" if on_test else "validation",
        first=_told(first[1], values[0]),
        second=_told(second[1], values[1]),
        comparison=_compared(*(values if first[0].metric.higher_is_better else reversed(values))),
    )


def _compared(first: Values, second: Values) -> Comparison | None:
    shared = first.keys() & second.keys()
    if shared and len(shared) == min(len(first), len(second)):
        return compare_paired(first, second)
    return compare_unpaired(first.values(), second.values())


def _told(record: TrialRecord | None, values: Values) -> Best | None:
    interval = t_interval(values.values())
    if record is None or interval is None:
        return None
    bits = float(record.objectives["average_bits"])
    return Best(trial=record.number, average_bits=bits, score=interval.within(*metric_in(record.objectives).bounds))


def _validation(record: TrialRecord | None) -> Values:
    return _present([(member.seed, member.val) for member in record.members]) if record is not None else {}


def _tests(study: Material, record: TrialRecord | None) -> Values:
    """Return seed → test metric of a confirmed trial; empty where it is not."""
    confirmation = study.confirmations.get(record.number) if record is not None else None
    return _present([(member.seed, member.test) for member in confirmation.record.members]) if confirmation else {}


def _present(values: Sequence[tuple[int, float | None]]) -> Values:
    return {seed: value for seed, value in values if value is not None and math.isfinite(value)}
