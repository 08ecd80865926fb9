"""Pareto front and hypervolume, on moocore, for any mix of directions.

A point *dominates* another when it is nowhere worse and somewhere better. The front holds the
points that nothing dominates. The hypervolume is the measure of the region that a set of points
dominates inside the box between a fixed reference (worst) corner and, once normalised, an ideal
corner: 0 for nothing, 1 for the whole box.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import moocore
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "REFERENCE",
    "Direction",
    "Reference",
    "box_hypervolume",
    "box_hypervolume_history",
    "front_mask",
    "hypervolume",
]

Direction = Literal["max", "min"]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The box in which hypervolumes are measured; a changed corner needs a new ``version``.

    Units: accuracy as a fraction, mae in the target's own unit, average_bits in bits, overhead in percent.
    """

    version: int
    worst: Mapping[str, float]
    ideal: Mapping[str, float]


REFERENCE = Reference(
    version=1,
    worst=MappingProxyType({"accuracy": 0.0, "mae": 2.0, "average_bits": 32.0, "overhead": 100.0}),
    ideal=MappingProxyType({"accuracy": 1.0, "mae": 0.0, "average_bits": 0.0, "overhead": 0.0}),
)


def front_mask(values: Any, directions: Sequence[Direction]) -> NDArray[np.bool_]:
    """Mark the points that no other point dominates.

    Equal points stand or fall together. A point with a value that is not finite is never marked,
    and dominates nothing.

    Shape:
        values ``[n, m]``, directions ``m``; result ``[n]``.
    """
    points, finite = _checked(values, directions)
    mask = np.zeros(len(points), dtype=np.bool_)
    if finite.any():
        kept = moocore.is_nondominated(points[finite], maximise=_maximise(directions), keep_weakly=True)
        mask[finite] = np.asarray(kept, dtype=np.bool_)
    return mask


def hypervolume(values: Any, directions: Sequence[Direction], reference: Sequence[float]) -> float:
    """Return the measure of what the points dominate, up to the ``reference`` point, in its units.

    Points beyond the reference, or with a value that is not finite, add nothing.

    Shape:
        values ``[n, m]``, directions ``m``, reference ``m``.
    """
    points, finite = _checked(values, directions)
    worst = np.asarray(reference, dtype=np.float64)
    if worst.shape != (len(directions),):
        raise ValueError(f"reference has shape {worst.shape}, expected ({len(directions)},)")
    # Minimisation throughout: moocore's 1-D case would otherwise depend on the direction given.
    sign = np.where(_maximise(directions), -1.0, 1.0)
    points, worst = points[finite] * sign, worst * sign
    points = points[(points < worst).all(axis=1)]
    return float(moocore.hypervolume(points, ref=worst)) if len(points) else 0.0


def box_hypervolume(values: Any, objectives: Mapping[str, Direction], reference: Reference = REFERENCE) -> float:
    """Return the share of the reference box that the points dominate, from 0 to 1.

    Shape:
        values ``[n, m]``, one column an objective in the mapping's order.
    """
    return hypervolume(_in_box(values, objectives, reference), ["max"] * len(objectives), [0.0] * len(objectives))


def box_hypervolume_history(
    values: Any, objectives: Mapping[str, Direction], reference: Reference = REFERENCE
) -> list[float]:
    """Return ``box_hypervolume`` of the first 1, 2, …, n points.

    Only a point outside the region already dominated can change it, so only those are measured.
    """
    directions: list[Direction] = ["max"] * len(objectives)
    zero = [0.0] * len(objectives)
    front = np.empty((0, len(objectives)))
    history: list[float] = []
    for point in _in_box(values, objectives, reference):
        last = history[-1] if history else 0.0
        if np.isfinite(point).all() and not (front >= point).all(axis=1).any():
            front = np.vstack([front, point])
            front = front[front_mask(front, directions)]
            last = max(last, hypervolume(front, directions, zero))
        history.append(last)
    return history


def _in_box(values: Any, objectives: Mapping[str, Direction], reference: Reference) -> Values:
    """Return the values as shares of the box: 0 at the worst corner, 1 at (or beyond) the ideal."""
    points, _ = _checked(values, list(objectives.values()))
    worst = np.array([reference.worst[name] for name in objectives])
    ideal = np.array([reference.ideal[name] for name in objectives])
    # Infinities must stay what they are: not finite, not an ideal corner.
    share = (points - worst) / (ideal - worst)
    return np.where(np.isfinite(share), np.minimum(share, 1.0), np.nan)


def _checked(values: Any, directions: Sequence[Direction]) -> tuple[Values, NDArray[np.bool_]]:
    """Return the values as ``[n, m]`` floats and which rows are finite."""
    if not directions:
        raise ValueError("at least one objective is needed, got none")
    points = np.asarray(values, dtype=np.float64)
    if points.size == 0:
        points = points.reshape(0, len(directions))
    if points.ndim != 2 or points.shape[1] != len(directions):
        raise ValueError(f"values have shape {points.shape}, expected (n, {len(directions)})")
    return points, np.asarray(np.isfinite(points).all(axis=1), dtype=np.bool_)


def _maximise(directions: Sequence[Direction]) -> list[bool]:
    return [direction == "max" for direction in directions]
