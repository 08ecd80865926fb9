"""Where one method reaches more often than another: the difference of their empirical attainment functions.

    Δ(z) = α₁(z) − α₂(z)

is constant between the coordinates of the points found, so the plane falls into rectangles. They are computed here
and not by ``moocore.eafdiff``, which rounds the difference to a number of intervals, takes the two methods to have
equally many runs, and knows no empty run; where its terms hold the two agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lorap_bench.stats.attainment import minimised_runs, signs
from lorap_bench.stats.front import front_mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.stats.front import Direction

__all__ = ["Box", "Difference", "attainment_difference"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Box = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Disjoint rectangles of the plane in which the two methods differ; elsewhere in the box they do not.

    ``share`` is the share of the first method's runs that attain the rectangle less the second's, from -1 to 1.
    ``first`` and ``second`` count the runs.

    Shape:
        lower and upper ``[r, 2]`` (corners with the smaller and with the larger coordinates), share ``[r]``.
    """

    lower: Floats
    upper: Floats
    share: Floats
    first: int
    second: int


def attainment_difference(
    first: Sequence[Any], second: Sequence[Any], directions: Sequence[Direction], box: Box
) -> Difference:
    """Return where in the box the share of ``first`` runs that get there differs from that of ``second`` runs.

    Args:
        first: at least one run.
        second: at least one run.
        directions: of the two objectives.
        box: ((least, most) of the first objective, (least, most) of the second): what lies outside is cut off.

    Shape:
        each run ``[n, 2]``.
    """
    sign = signs(directions)
    corners = np.sort(np.asarray(box, dtype=np.float64).T * sign, axis=0)
    if not np.isfinite(corners).all() or not (corners[0] < corners[1]).all():
        raise ValueError(f"the box needs finite sides that are longer than 0, got {box}")
    one, other = ([_within(run, corners) for run in minimised_runs(runs, directions)] for runs in (first, second))
    points = np.concatenate([corners, *one, *other])
    columns, rows = np.unique(points[:, 0]), np.unique(points[:, 1])
    # Whole numbers, so that equal differences are equal: share · (runs of both).
    counts = _counts(one, columns, rows) * len(other) - _counts(other, columns, rows) * len(one)
    found = np.array(list(_rectangles(counts)), dtype=np.int64).reshape(-1, 5)
    left, right, bottom, top, share = found.T
    ends = np.stack(
        [np.column_stack([columns[left], rows[bottom]]) * sign, np.column_stack([columns[right], rows[top]]) * sign]
    )
    return Difference(
        lower=ends.min(axis=0) + 0.0,  # no -0.0
        upper=ends.max(axis=0) + 0.0,
        share=share / (len(one) * len(other)),
        first=len(one),
        second=len(other),
    )


def _within(run: Floats, corners: Floats) -> Floats:
    """Return the run's front as the box sees it: without what is worse, and with what is better on its edge."""
    inside = np.maximum(run[(run < corners[1]).all(axis=1)], corners[0])
    kept: Floats = inside[front_mask(inside, ["min", "min"])]
    return kept


def _counts(runs: Sequence[Floats], columns: Floats, rows: Floats) -> Counts:
    """Return how many runs attain each cell, named by its best corner.

    Shape:
        ``[len(columns) - 1, len(rows) - 1]``.
    """
    steps = np.zeros((len(columns) - 1, len(rows)), dtype=np.int64)
    for run in runs:
        best = np.full(len(columns), np.inf)
        np.minimum.at(best, np.searchsorted(columns, run[:, 0]), run[:, 1])
        best = np.minimum.accumulate(best)[:-1]
        reached = np.flatnonzero(np.isfinite(best))
        steps[reached, np.searchsorted(rows, best[reached])] += 1
    return steps.cumsum(axis=1)[:, :-1]


def _rectangles(counts: Counts) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield (left, right, bottom, top, value) of rectangles that cover the cells with a value other than 0.

    Stretches of equal cells in a column, joined with the same stretch of the columns before.
    """
    open_since: dict[tuple[int, int, int], int] = {}
    for index in range(len(counts) + 1):
        here = _stretches(counts[index]) if index < len(counts) else set()
        for stretch in sorted(open_since.keys() - here):
            bottom, top, value = stretch
            yield open_since.pop(stretch), index, bottom, top, value
        for stretch in here - open_since.keys():
            open_since[stretch] = index


def _stretches(column: Counts) -> set[tuple[int, int, int]]:
    """Return (from, to, value) of each stretch of equal values other than 0."""
    edges = [0, *(np.flatnonzero(np.diff(column)) + 1).tolist(), len(column)]
    stretches = ((start, stop, int(column[start])) for start, stop in pairwise(edges))
    return {stretch for stretch in stretches if stretch[2] != 0}
