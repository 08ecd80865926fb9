"""Points of a space as vectors: what a regressor reads and what a sequence of numbers in [0, 1] is turned into."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, final

import numpy as np

from lorap_bench.study.distributions import Choices, IntRange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from lorap_bench.study.distributions import Distribution
    from lorap_bench.study.space import Base, Parameter, Space

__all__ = ["Encoding", "nearest_value", "place", "point_at", "value_at"]

_INACTIVE = 0.5
"""Where a parameter that does not matter is put: as near as can be to all the places it could have."""


def value_at(distribution: Distribution, share: float) -> Any:
    """Return the value below which ``share`` of the distribution lies: its quantile.

    Args:
        distribution: the distribution.
        share: in [0, 1].
    """
    if isinstance(distribution, Choices):
        values = distribution.values
        return values[min(int(share * len(values)), len(values) - 1)]
    low, high = _ends(distribution)
    value = math.exp(low + share * (high - low)) if distribution.log else low + share * (high - low)
    if isinstance(distribution, IntRange):
        steps = round((value - distribution.low) / distribution.step)
        last = (distribution.high - distribution.low) // distribution.step
        return distribution.low + distribution.step * min(max(steps, 0), last)
    return min(max(value, distribution.low), distribution.high)


def place(distribution: Distribution, value: Any) -> float:
    """Return where an ordered value stands between the ends, in [0, 1]: by rank among choices, else by size.

    Logarithmic ranges are measured in the logarithm.
    """
    if isinstance(distribution, Choices):
        ordered = sorted(distribution.values)
        return ordered.index(value) / max(len(ordered) - 1, 1)
    low, high = distribution.low, distribution.high
    if low == high:
        return _INACTIVE
    if distribution.log:
        return math.log(value / low) / math.log(high / low)
    return float((value - low) / (high - low))


def nearest_value(distribution: Distribution, wanted: Any) -> Any:
    """Return the admissible value nearest to ``wanted``; None where nothing is like it.

    Nearness is in the logarithm between positive numbers, for widths, rates and counts are compared by ratio.
    """
    if wanted in distribution:
        return wanted
    if not _is_number(wanted):
        return None
    if isinstance(distribution, Choices):
        numbers = [value for value in distribution.values if _is_number(value)]
        return min(numbers, key=lambda value: (_distance(value, wanted), value), default=None)
    if isinstance(distribution, IntRange):
        return min(distribution, key=lambda value: (_distance(value, wanted), value))
    return min(max(wanted, distribution.low), distribution.high)


def point_at(space: Space, base: Base, shares: Sequence[float]) -> dict[str, Any]:
    """Return the point whose parameters have these quantiles, one a parameter; those of inactive ones are not used."""
    params: dict[str, Any] = {}
    for parameter, share in zip(space.parameters, shares, strict=True):
        if space.active(parameter, base, params):
            params[parameter.path] = value_at(parameter.distribution, share)
    return params


@final
class Encoding:
    """Points as vectors in a unit box.

    A parameter whose values are ordered is one column; one of n ≥ 3 unordered values is n columns, of which one is
    1/√2 and the others 0, so that two different values are 1 apart. Inactive parameters stand in the middle.
    """

    def __init__(self, space: Space) -> None:
        self._columns: list[Callable[[Mapping[str, Any]], float]] = []
        for parameter in space.parameters:
            self._columns.extend(_columns(parameter))

    def row(self, point: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return a point as a vector: ``[columns]``."""
        return np.array([column(point) for column in self._columns], dtype=np.float64)


def _columns(parameter: Parameter) -> list[Callable[[Mapping[str, Any]], float]]:
    path, distribution = parameter.path, parameter.distribution
    if isinstance(distribution, Choices) and not all(_is_number(value) for value in distribution.values):
        if len(distribution.values) > 2:
            return [_one_hot(path, value) for value in distribution.values]
        places = {value: float(index) for index, value in enumerate(distribution.values)}
        return [lambda point: places[point[path]] if path in point else _INACTIVE]
    return [lambda point: place(distribution, point[path]) if path in point else _INACTIVE]


def _one_hot(path: str, value: Any) -> Callable[[Mapping[str, Any]], float]:
    def column(point: Mapping[str, Any]) -> float:
        if path not in point:
            return _INACTIVE
        return math.sqrt(0.5) if point[path] == value else 0.0

    return column


def _ends(distribution: Any) -> tuple[float, float]:
    """Return the ends between which a quantile runs; a whole number owns the half step on either side of it."""
    half = distribution.step / 2 if isinstance(distribution, IntRange) else 0.0
    low, high = distribution.low - half, distribution.high + half
    return (math.log(low), math.log(high)) if distribution.log else (low, high)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _distance(value: float, wanted: float) -> float:
    if value > 0 and wanted > 0:
        return abs(math.log(value / wanted))
    return abs(value - wanted)
