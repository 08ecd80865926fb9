"""Empirical attainment: which share of a method's runs reached a goal, over a plane of two objectives.

A *run* is the set of points that one search found. It *attains* a goal z when one of its points is nowhere worse than
z. Over N runs the empirical attainment function is

    α(z) = (1 / N) · #{runs that attain z}

and the surface of a level ℓ bounds the goals with α(z) ≥ ℓ: half of the searches reach the surface of 0.5, or better.
A run may be empty; it attains nothing and counts in N. Points with a value that is not finite are left out.

Source: Grunert da Fonseca, Fonseca, Hall: "Inferential performance assessment of stochastic optimisers and the
attainment function", EMO 2001; the difference of two methods: López-Ibáñez, Paquete, Stützle, 2010.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import moocore
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.stats.front import Direction

__all__ = ["attained", "attainment_surfaces", "minimised_runs", "signs"]

Floats = NDArray[np.float64]

_ROUNDING = 1e-9  # 3 of 10 runs are a share of 0.3, whatever 10 · 0.3 is in binary


def attainment_surfaces(
    runs: Sequence[Any], directions: Sequence[Direction], levels: Sequence[float] = (0.25, 0.5, 0.75)
) -> dict[float, Floats]:
    """Return level → corners of the surface that at least that share of the runs attains.

    The corners are points that no other corner dominates, in natural signs, by rising first objective. A surface that
    too many empty runs keep out of reach has none.

    Args:
        runs: at least one run.
        directions: of the two objectives.
        levels: shares above 0 and up to 1.

    Shape:
        each run ``[n, 2]``; each surface ``[k, 2]``.
    """
    sign, found = signs(directions), minimised_runs(runs, directions)
    if not all(0 < level <= 1 for level in levels):
        raise ValueError(f"levels are shares above 0 and up to 1, got {list(levels)}")
    needed = {level: max(1, math.ceil(level * len(found) - _ROUNDING)) for level in levels}
    filled = [run for run in found if len(run)]
    reachable = sorted({count for count in needed.values() if count <= len(filled)})
    surfaces = dict.fromkeys(needed, np.empty((0, 2)))
    if reachable:
        # moocore knows no empty runs, so a surface is asked for by its number of runs.
        owners = np.repeat(np.arange(len(filled)), [len(run) for run in filled])
        percentiles = [100 * count / len(filled) for count in reachable]
        corners = moocore.eaf(np.concatenate(filled), owners, percentiles=percentiles)
        counts = np.rint(corners[:, 2] * len(filled) / 100)
        surfaces.update(
            {level: corners[counts == count, :2] * sign + 0.0 for level, count in needed.items()}
        )  # no -0.0
    return {level: corners[np.argsort(corners[:, 0])] for level, corners in surfaces.items()}


def attained(runs: Sequence[Any], directions: Sequence[Direction], at: Any) -> Floats:
    """Return the share of the runs that attain each of the goals ``at``.

    Shape:
        each run ``[n, 2]``, ``at`` ``[q, 2]``; result ``[q]``.
    """
    found = minimised_runs(runs, directions)
    goals = np.asarray(at, dtype=np.float64).reshape(-1, 2) * signs(directions)
    reached = [np.any((run[None, :, :] <= goals[:, None, :]).all(axis=2), axis=1) for run in found]
    return np.asarray(np.mean(reached, axis=0), dtype=np.float64)


def minimised_runs(runs: Sequence[Any], directions: Sequence[Direction]) -> list[Floats]:
    """Return the finite points of each run with signs turned so that less is better."""
    if len(runs) == 0:
        raise ValueError("at least one run is needed, got none")
    return [_finite(run) * signs(directions) for run in runs]


def signs(directions: Sequence[Direction]) -> Floats:
    """Return 1 for an objective that is minimised and -1 for one that is maximised."""
    if len(directions) != 2:
        raise ValueError(f"attainment is measured in a plane of two objectives, got {len(directions)}")
    return np.array([-1.0 if direction == "max" else 1.0 for direction in directions])


def _finite(run: Any) -> Floats:
    points = np.asarray(run, dtype=np.float64)
    if points.size == 0:
        return np.empty((0, 2))
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"a run has shape {points.shape}, expected (n, 2)")
    kept: Floats = points[np.isfinite(points).all(axis=1)]
    return kept
